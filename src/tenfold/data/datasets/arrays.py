"""The user's own arrays in an .npz file; the names that it may hold are those of `tenfold.data.readers.npz`.

Images (N, D) become (N, 1, 1, D), (N, H, W) become (N, 1, H, W); of four dimensions, the last or the second is that of
the channels: the one that is 1 to 4. Unsigned bytes, and whole numbers from 0 to 255, are pixels to be scaled by 1/255.
Other whole numbers, unless they lie in rows (N, D), are pixels deeper than 8 bits (`tenfold.data.levels`). All others
become float32, unscaled. Classes are the distinct training labels, sorted: numbers by value, also where they
are strings, other strings by alphabet.
"""

__all__ = ["arrays"]

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.layout import ordered
from tenfold.data.levels import Levels, levels_of, levels_text, scaled, spread_of
from tenfold.data.readers.npz import Stored, npz
from tenfold.data.types import Dataset, DataSource, drawn_shape
from tenfold.errors import DataError, nearest

CHANNELS = (1, 2, 3, 4)
PARTS = ("train", "validation", "test")
SLICE = 2**22  # numbers that are scaled at a time


def arrays(source: DataSource) -> Dataset:
    """Load the data set of the .npz file at `source.location`, with the parts that the file has, none where it is one.

    Raises DataError that names the file and the array: see the reader; parts of different shapes; a label in the
    validation or test part that the training part does not have, or the classes of `source.precedent`.
    """
    path = Path(source.location)
    stored = npz(path)
    suffixes = [part for part in ("", *(f"_{part}" for part in PARTS)) if "x" + part in stored.arrays]
    if suffixes[0] not in ("", "_train") and not source.precedent.classes:
        held = ", ".join(stored.names.values())
        raise DataError(f"{path}: array 'x_train' is missing; the file holds {held}")
    names, labels = _classes(path, stored, suffixes, source.precedent.classes)
    parts = _parts(stored.arrays, suffixes)
    levels = _levels([stored.arrays["x" + suffix] for suffix in suffixes], source.precedent.levels)
    images, notes = _images(path, stored, suffixes, levels)
    notes = (*stored.notes, *notes)
    return Dataset(path.stem, images, labels, names, _scale(images), parts, notes=notes, levels=levels)


def _scale(images: Tensor) -> float:
    return 1 / 255 if images.dtype == torch.uint8 else 1.0


def _parts(stored: Mapping[str, NDArray[Any]], suffixes: list[str]) -> dict[str, Tensor]:
    if suffixes in ([""], ["_train"]):  # `x`, or a training part alone: nothing was split
        return {}
    counts = [len(stored["y" + suffix]) for suffix in suffixes]
    positions = torch.split(torch.arange(sum(counts)), counts)
    return {suffix[1:]: part.clone() for suffix, part in zip(suffixes, positions, strict=True)}


def _classes(path: Path, stored: Stored, suffixes: list[str], classes: Sequence[str]) -> tuple[tuple[str, ...], Tensor]:
    """Return the names of the classes and the numbers of all labels. classes: those that a model knows, in its order.

    Labels are found among the distinct ones, which are sorted; their places there are then numbered.
    """
    kinds = {stored.arrays["y" + suffix].dtype.kind == "U" for suffix in suffixes}
    if len(kinds) > 1:
        raise DataError(f"{path}: labels are strings in one part and numbers in another; use one of them")
    distinct = np.unique(stored.arrays["y" + suffixes[0]])
    if classes:
        distinct = np.unique(np.concatenate([stored.arrays["y" + suffix] for suffix in suffixes]))
    words = [str(label if distinct.dtype.kind == "U" else int(label)) for label in distinct]
    names = tuple(classes) or tuple(ordered(words) if distinct.dtype.kind == "U" else words)
    numbers = {name: number for number, name in enumerate(names)}
    if strange := [word for word in words if word not in numbers]:
        raise DataError(
            f"{path.stem} has a class {strange[0]!r} that the model does not know; {nearest(strange[0], names)}"
        )
    number = np.array([numbers[word] for word in words], dtype=np.int64)
    labels = [number[_place(path, stored, "y" + suffix, distinct)] for suffix in suffixes]
    return names, torch.from_numpy(np.concatenate(labels))


def _place(path: Path, stored: Stored, key: str, distinct: NDArray[Any]) -> NDArray[np.int64]:
    """Return the place of every label among the distinct ones."""
    values = stored.arrays[key]
    place = np.searchsorted(distinct, values).clip(max=len(distinct) - 1)
    if (strange := np.flatnonzero(distinct[place] != values)).size:
        value, first = str(values[strange[0]]), int(strange[0])
        raise DataError(
            f"{path}: array {stored.names[key]!r} has {value!r} at position {first}, no training label is that; "
            "add training images of it"
        )
    return place


def _images(path: Path, stored: Stored, suffixes: list[str], levels: Levels) -> tuple[Tensor, tuple[str, ...]]:
    """Copy all parts into one tensor; drop each array when it is copied: at most one part is held twice."""
    kept = [stored.arrays["x" + suffix] for suffix in suffixes]
    order = _order(path, kept[0].shape)
    if any(array.shape[1:] != kept[0].shape[1:] for array in kept):
        shapes = ", ".join(str(array.shape) for array in kept)
        raise DataError(f"{path}: the parts hold images of different shapes ({shapes})")
    notes = _flat_note(kept[0].shape)
    bytes_ = all(_are_bytes(array) for array in kept)
    if bytes_ and any(array.dtype != np.uint8 for array in kept):
        notes.append(f"{kept[0].dtype} values from 0 to 255 read as pixels")
    if levels:
        bytes_ = True
        notes.append(f"{kept[0].dtype} pixels: {levels_text(levels)}")
    first = _arranged(kept[0][:1], order)
    images = torch.empty((sum(map(len, kept)), *first.shape[1:]), dtype=torch.uint8 if bytes_ else torch.float32)
    del first
    start = 0
    for suffix in suffixes:
        kept.pop(0)
        array = stored.arrays.pop("x" + suffix)
        if not bytes_:
            _check_range(f"{path}: array {stored.names['x' + suffix]!r}", array)
        for slice_ in _slices(array):
            pixels = scaled(slice_, levels) if levels else slice_
            np.copyto(images[start : start + len(slice_)].numpy(), _arranged(pixels, order), casting="unsafe")
            start += len(slice_)
    return images, tuple(notes)


def _flat_note(shape: tuple[int, ...]) -> list[str]:
    """Say how rows of numbers are taken that may be images."""
    if len(shape) != 2:
        return []
    width = shape[1]
    grey, colored = math.isqrt(width), math.isqrt(width // 3)
    if drawn_shape((1, 1, width))[1] > 1:
        return [f"rows of {width:,} numbers: learned from as rows, drawn as {grey} × {grey} pixels"]
    if 3 * colored**2 == width and colored >= 8:
        side = f"{colored}, {colored}"
        return [
            f"rows of {width:,} numbers: learned from as rows, one pixel high; for colored images of {colored} × "
            f"{colored} pixels save them in the shape (N, 3, {side}) or (N, {side}, 3)"
        ]
    return []


def _slices(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    step = max(1, SLICE // math.prod(array.shape[1:]))
    return (array[start : start + step] for start in range(0, len(array), step))


def _levels(arrays: Sequence[NDArray[Any]], given: Levels) -> Levels:
    """Return the range of images of whole numbers that do not fit a byte, the given one if there is one; else ()."""
    numbers = all(array.dtype.kind in "iu" and array.ndim > 2 for array in arrays)
    if not numbers or all(map(_are_bytes, arrays)):
        return ()
    return given or levels_of([spread_of(image) for array in arrays for image in array])


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
