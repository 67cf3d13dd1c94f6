"""Pictures as a Python caller has them, in the shape and the units of a model: files, Pillow's images, arrays.

A file is read as `tenfold predict` reads it, and so is an image of Pillow's; one that was opened and not decoded yet is
read from its file. An array is one picture, (H, W), (H, W, C) or (C, H, W), or several, (N, …); one of the model's own
shape is taken as it is, any other is resized. Which units it is in, `tenfold.data.units` finds out.
"""

__all__ = ["Form", "Given", "Several", "file_pixels", "pictures"]

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from PIL.ImageFile import ImageFile as PillowFile
from torch import Tensor

from tenfold.data.levels import bit_levels, scaled, spread_of
from tenfold.data.listing import images_below
from tenfold.data.readers.images import images as read_image
from tenfold.data.readers.images import in_memory, remarks
from tenfold.data.types import Precedent, drawn_shape
from tenfold.data.units import Units
from tenfold.errors import DataError, UsageError

Given = str | Path | bytes | Image.Image | NDArray[Any] | Tensor
"""One picture, or with arrays several: the path of a file or folder, a file's bytes, Pillow's image, pixels."""

Several = Given | Sequence[Given]
CHANNELS = (1, 3, 4)
MODES = {1: "L", 3: "RGB"}


class Form(NamedTuple):
    """How a model takes pictures. shape: (C, H, W). units: of its pixels. precedent: how its data were read."""

    shape: tuple[int, int, int]
    units: Units
    precedent: Precedent

    @property
    def mode(self) -> str:
        """Return Pillow's word for its channels; a UsageError where picture files do not have such inputs."""
        channels, height, width = drawn_shape(self.shape)
        if channels not in MODES or height != width or not self.units.are_pixels:
            kind = "" if self.units.are_pixels else " that are no pixels"
            raise UsageError(f"takes inputs of shape {self.shape}{kind}, which image files do not have; give arrays")
        return MODES[channels]

    @property
    def side(self) -> int:
        """Return height and width of a picture."""
        return drawn_shape(self.shape)[1]

    def square(self, picture: Image.Image) -> NDArray[np.uint8]:
        """Return pixels (C, S, S) of a picture of 8-bit values."""
        precedent = self.precedent
        return in_memory(picture, self.mode, self.side, precedent.background or "white", precedent.framing)

    def of_bytes(self, pixels: NDArray[np.uint8]) -> Tensor:
        """Return pixels from 0 to 255 as one input (1, C, H, W), in the model's units."""
        return torch.from_numpy(pixels.astype(np.float64) * (self.units.top / 255)).view(1, *self.shape)


def pictures(given: Several, form: Form) -> tuple[Iterator[tuple[str, Tensor]], bool]:
    """Return (name, inputs (N, C, H, W)) of each thing that was given, and whether it is a single picture.

    name: of a file, else "". Raises DataError for what cannot be read, UsageError for what is no picture.
    """
    if isinstance(given, str | Path):
        place = Path(given).expanduser()
        if not place.is_dir():
            return iter([_one(place, form)]), True
        given = images_below(place).paths
        if not given:
            raise DataError(f"{place}: holds no images; give image files, or folders of them")
    if isinstance(given, list | tuple):
        return (pair for item in given for pair in pictures(item, form)[0]), False
    if isinstance(given, bytes | Image.Image):
        return iter([_one(given, form)]), True
    if not isinstance(given, np.ndarray | Tensor):
        raise UsageError(
            f"{type(given).__name__} is no picture; give paths, Pillow's images, arrays, or a list of these"
        )
    inputs, single = _of_array(_array(given), form)
    return iter([("", inputs)]), single


def file_pixels(source: Path | bytes, form: Form) -> tuple[NDArray[np.uint8], list[str], bool]:
    """Return pixels (C, S, S) of a file as a model takes them, what was done to them, and whether it was no square."""
    file = read_image(source)
    precedent = form.precedent
    pixels, changes = file.pixels(
        form.mode, form.side, precedent.background or "white", precedent.levels, precedent.framing
    )
    return pixels, list(changes), file.width != file.height


def _one(given: Path | bytes | Image.Image, form: Form) -> tuple[str, Tensor]:
    with remarks():
        if isinstance(given, Image.Image):
            given = _undecoded(given)
        if not isinstance(given, Image.Image):
            return str(given) if isinstance(given, Path) else "", form.of_bytes(file_pixels(given, form)[0])
        if given.mode == "F" or given.mode.startswith("I"):
            return "", _of_array(np.asarray(given), form)[0]
        return "", form.of_bytes(form.square(given))


def _undecoded(image: Image.Image) -> Image.Image | Path:
    """Return the file of an image that was opened and nothing else, whose decoder may shrink as it reads."""
    is_untouched = isinstance(image, PillowFile) and image.tile and not getattr(image, "is_animated", False)
    name = getattr(image, "filename", "")
    return Path(name) if is_untouched and name and Path(name).is_file() else image


def _array(given: NDArray[Any] | Tensor) -> NDArray[Any]:
    array = given.detach().cpu().numpy() if isinstance(given, Tensor) else given
    if array.dtype.kind not in "biuf" or not array.size:
        raise UsageError(f"an array of {array.dtype} {array.shape} holds no pixels; give numbers")
    if not np.isfinite(array).all():
        raise DataError("pixels are not finite: some are NaN or infinite")
    return array


def _of_array(array: NDArray[Any], form: Form) -> tuple[Tensor, bool]:
    """Return inputs (N, C, H, W) in the model's units, and whether they are of a single picture."""
    is_row = form.shape[:2] == (1, 1)
    if array.shape == form.shape or (is_row and array.shape == form.shape[2:]):
        return _in_units(array, form).view(1, *form.shape), True
    if array.shape[1:] == form.shape or (is_row and array.shape[1:] == form.shape[2:]):
        return _in_units(array, form).view(-1, *form.shape), False
    rows, single = _separate(array, form)
    if not form.units.are_pixels:
        raise UsageError(f"an array of shape {array.shape} does not fit; the model takes (N, {form.shape[2]})")
    if drawn_shape(form.shape) == rows.transpose(0, 3, 1, 2).shape[1:]:
        return _in_units(np.ascontiguousarray(rows.transpose(0, 3, 1, 2)), form).view(-1, *form.shape), single
    bytes_ = (_in_units(rows, form).numpy() * (255 / form.units.top)).round().clip(0, 255).astype(np.uint8)
    flat = bytes_[..., 0] if bytes_.shape[3] == 1 else bytes_
    squares = [form.square(Image.fromarray(picture)) for picture in flat]
    return torch.cat([form.of_bytes(square) for square in squares]), single


def _separate(array: NDArray[Any], form: Form) -> tuple[NDArray[Any], bool]:
    """Return pictures (N, H, W, C), and whether there is but one; a UsageError where the shape does not tell."""
    if array.ndim == 2:
        return array[None, :, :, None], True
    wanted, (channels, *sides) = f"an array of shape {array.shape} {{}}; give (N, H, W, C)", drawn_shape(form.shape)
    if array.ndim not in (3, 4):
        raise UsageError(wanted.format("is no picture"))
    if array.ndim == 3 and channels == 1 and list(array.shape[1:]) == sides:
        return array[..., None], False
    # Three pictures in grey, or one in color: only a model of colors makes the latter likely.
    first = array.shape[-3] in ((1, channels) if array.ndim == 3 else CHANNELS)
    last = array.shape[-1] in CHANNELS
    if first == last and (first or array.ndim == 4 or array.shape[0] in CHANNELS):
        raise UsageError(wanted.format("may mean several things"))
    if not first and not last:
        return array[..., None], False
    rows = array if array.ndim == 4 else array[None]
    return rows if last else rows.transpose(0, 2, 3, 1), array.ndim == 3


def _in_units(array: NDArray[Any], form: Form) -> Tensor:
    """Return an array in the model's units, float64."""
    levels = form.precedent.levels
    if array.dtype.kind == "b":
        return torch.from_numpy(array * form.units.top)
    low, high = float(array.min()), float(array.max())
    is_deep = array.dtype == np.uint16 or (array.dtype.kind in "iu" and (high > 255 or (levels and array.itemsize > 1)))
    if is_deep and low >= 0 and form.units.are_pixels:
        array = scaled(array, levels or bit_levels([spread_of(array)]))
        low, high = 2.0, 255.0  # bytes, whatever is in them
    factor = form.units.factor(low, high, array.dtype.kind == "f")
    return torch.from_numpy(np.ascontiguousarray(array.astype(np.float64) * factor))
