"""The user's own arrays in an .npz file; the names that it may hold are those of `tenfold.data.readers.npz`.

Images (N, D) become (N, 1, 1, D), (N, H, W) become (N, 1, H, W); of four dimensions, the last or the second is that of
the channels: the one that is 1 to 4. Unsigned bytes, and whole numbers from 0 to 255, are pixels to be scaled by 1/255;
all others become float32, unscaled. Classes are the distinct training labels, sorted: numbers by value, strings by
alphabet.
"""

__all__ = ["arrays"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.readers.npz import npz
from tenfold.data.types import Dataset, DataSource
from tenfold.errors import DataError

CHANNELS = (1, 2, 3, 4)
PARTS = ("train", "validation", "test")


def arrays(source: DataSource) -> Dataset:
    """Load the data set of the .npz file at `source.location`, with the parts that the file has, none where it is one.

    Raises DataError that names the file and the array: see the reader; parts of different shapes; a label in the
    validation or test part that the training part does not have.
    """
    path = Path(source.location)
    stored = npz(path)
    suffixes = [part for part in ("", *(f"_{part}" for part in PARTS)) if "x" + part in stored]
    names, labels = _classes(path, stored, suffixes)
    parts = _parts(stored, suffixes)
    images, notes = _images(path, stored, suffixes)
    return Dataset(path.stem, images, labels, names, _scale(images), parts, notes=notes)


def _scale(images: Tensor) -> float:
    return 1 / 255 if images.dtype == torch.uint8 else 1.0


def _parts(stored: Mapping[str, NDArray[Any]], suffixes: list[str]) -> dict[str, Tensor]:
    if len(suffixes) == 1:  # `x`, or a training part alone: nothing was split
        return {}
    counts = [len(stored["y" + suffix]) for suffix in suffixes]
    positions = torch.split(torch.arange(sum(counts)), counts)
    return {suffix[1:]: part.clone() for suffix, part in zip(suffixes, positions, strict=True)}


def _classes(path: Path, stored: Mapping[str, NDArray[Any]], suffixes: list[str]) -> tuple[tuple[str, ...], Tensor]:
    kinds = {stored["y" + suffix].dtype.kind == "U" for suffix in suffixes}
    if len(kinds) > 1:
        raise DataError(f"{path}: labels are strings in one part and numbers in another; use one of them")
    classes = np.unique(stored["y" + suffixes[0]])
    labels = []
    for suffix in suffixes:
        values = stored["y" + suffix]
        place = np.searchsorted(classes, values).clip(max=len(classes) - 1)
        if (strange := np.flatnonzero(classes[place] != values)).size:
            value, first = str(values[strange[0]]), int(strange[0])
            raise DataError(
                f"{path}: array {'y' + suffix!r} has {value!r} at position {first}, no training label is that; "
                "add training images of it"
            )
        labels.append(torch.from_numpy(place.astype(np.int64)))
    return tuple(str(name if classes.dtype.kind == "U" else int(name)) for name in classes), torch.cat(labels)


def _images(path: Path, stored: dict[str, NDArray[Any]], suffixes: list[str]) -> tuple[Tensor, tuple[str, ...]]:
    """Copy all parts into one tensor; drop each array when it is copied: at most one part is held twice."""
    kept = [stored["x" + suffix] for suffix in suffixes]
    order = _order(path, kept[0].shape)
    if any(array.shape[1:] != kept[0].shape[1:] for array in kept):
        shapes = ", ".join(str(array.shape) for array in kept)
        raise DataError(f"{path}: the parts hold images of different shapes ({shapes})")
    notes = []
    bytes_ = all(_are_bytes(array) for array in kept)
    if bytes_ and any(array.dtype != np.uint8 for array in kept):
        notes.append(f"{kept[0].dtype} values from 0 to 255 read as pixels")
    first = _arranged(kept[0][:1], order)
    images = torch.empty((sum(map(len, kept)), *first.shape[1:]), dtype=torch.uint8 if bytes_ else torch.float32)
    del first
    start = 0
    for suffix in suffixes:
        kept.pop(0)
        array = stored.pop("x" + suffix)
        if not bytes_:
            _check_range(f"{path}: array {'x' + suffix!r}", array)
        np.copyto(images[start : start + len(array)].numpy(), _arranged(array, order), casting="unsafe")
        start += len(array)
    return images, tuple(notes)


def _are_bytes(array: NDArray[Any]) -> bool:
    """Test whether an array of whole numbers fits pixels; truth values stay the numbers 0 and 1."""
    if array.dtype == np.uint8:
        return True
    return array.dtype.kind in "iu" and int(array.min()) >= 0 and int(array.max()) <= 255


def _check_range(where: str, array: NDArray[Any]) -> None:
    if max(abs(float(array.min())), abs(float(array.max()))) > torch.finfo(torch.float32).max:
        raise DataError(f"{where} has values that do not fit 32-bit numbers; scale it")


def _order(path: Path, shape: tuple[int, ...]) -> str:
    if len(shape) < 4:
        return "flat" if len(shape) == 2 else "grey"
    second, last = shape[1] in CHANNELS, shape[3] in CHANNELS
    if second == last:
        problem = "both the second and the last" if second else "neither the second nor the last"
        raise DataError(
            f"{path}: images have the shape {shape}, and {problem} dimension can be that of 1 to 4 channels"
        )
    return "channels first" if second else "channels last"


def _arranged(array: NDArray[Any], order: str) -> NDArray[Any]:
    """Return a view of the array as (N, C, H, W)."""
    match order:
        case "flat":
            return array[:, None, None, :]
        case "grey":
            return array[:, None]
        case "channels last":
            return array.transpose(0, 3, 1, 2)
        case _:
            return array
