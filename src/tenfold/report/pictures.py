"""Images of a data set as small pictures inside the page: data URIs of WebP, no larger than they are shown."""

__all__ = ["LEFT_OUT", "NOT_SHOWN", "Album", "Picture", "album", "displayed"]

import base64
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from tenfold.data.readers.images import read
from tenfold.data.types import Dataset, drawn_shape
from tenfold.errors import DataError
from tenfold.text import visible

SIDE_CAP, LARGE = 64, 192
# Pixels that small are kept exactly: lossy WebP is no smaller there, and it smears.
LOSSLESS = 16
QUALITY = 85
# What pages without images say, by which they are known again.
NOT_SHOWN = "The images are not shown"
LEFT_OUT = "are left out of this page"


class Picture(NamedTuple):
    """One image as the page shows it. uri: "" where there is no picture to show; path: "" where none is known."""

    uri: str
    path: str
    position: int
    width: int = 0
    height: int = 0


class Album(NamedTuple):
    """The data set behind a page, or None, and whether its photographs and paths may be shown.

    root: folder that all paths have in common. why: a sentence where no picture is shown, else "".
    """

    dataset: Dataset | None
    private: bool
    root: str
    why: str

    @property
    def open(self) -> bool:
        """Say if there are pictures to show."""
        return not self.why

    @property
    def pixels(self) -> int:
        """Return pixels of one picture."""
        return _area(self.dataset) if self.dataset else 1

    def path(self, position: int) -> str:
        """Return file of an image below the common folder; "" where there is none, or none may be named."""
        paths = self.dataset.paths if self.dataset and not self.private else ()
        return visible(os.path.relpath(paths[position], self.root)) if position < len(paths) else ""

    def picture(self, position: int) -> Picture:
        """Return an image of the data set."""
        path = self.path(position)
        if self.why or self.dataset is None or not 0 <= position < len(self.dataset.images):
            return Picture("", path, position)
        return _picture(displayed(self.dataset.images[position], self.dataset.scale), path, position)

    def beside_file(self, position: int) -> tuple[Picture, Picture]:
        """Return an image as its file has it and as the data have it, both large; a DataError where that is gone."""
        data = self.dataset
        if data is None or self.why:
            raise DataError(self.why)
        whole = read(Path(data.paths[position]), 0, data.background, data.levels).pixels
        path = self.path(position)
        pixels = (torch.from_numpy(np.ascontiguousarray(whole)), data.images[position])
        file, seen = (_picture(displayed(each, data.scale), path, position, LARGE) for each in pixels)
        return file, seen

    def mean(self, positions: Sequence[int]) -> Picture:
        """Return mean of some images."""
        if self.why or self.dataset is None or not len(positions):
            return Picture("", "", -1)
        averaged = self.dataset.images[list(positions)].double().mean(0)
        return _picture(displayed(averaged, self.dataset.scale), "", -1)


def album(dataset: Dataset | None, with_images: bool, absent: str = "") -> Album:
    """Collect the pictures of a page. absent: why there is no data set, where there is none."""
    if not with_images:
        why = f"Images, mean images, class templates and paths {LEFT_OUT}, as asked (--no-images)."
    elif dataset is None:
        why = absent or f"{NOT_SHOWN}: the data set is not at hand."
    elif min(drawn_shape(tuple(dataset.images.shape[1:]))[1:]) < 2:
        why = "The data are vectors, not images: there is nothing to show of them."
    else:
        why = ""
    paths = dataset.paths if dataset else ()
    return Album(dataset, not with_images, _root(paths) if with_images else "", why)


def _root(paths: Sequence[str]) -> str:
    """Return the folder that all paths share; they are all relative or all absolute."""
    try:
        return os.path.commonpath([os.path.dirname(path) for path in paths]) or "." if paths else ""  # noqa: PTH120
    except ValueError:
        return "."


def _area(dataset: Dataset) -> int:
    _, height, width = drawn_shape(tuple(dataset.images.shape[1:]))
    return min(height, SIDE_CAP) * min(width, SIDE_CAP)


def displayed(image: Tensor, scale: float) -> NDArray[np.uint8]:
    """Turn an image (C, H, W) in the data's own units to grey bytes (H, W) or color ones (H, W, 3), clipped."""
    arranged = image.reshape(drawn_shape(tuple(image.shape))).double().numpy()
    unit = np.nan_to_num(arranged * scale, nan=0.0, posinf=1.0, neginf=0.0)
    pixels = np.round(255 * unit.clip(0, 1)).astype(np.uint8)
    # Two channels have no color of their own; a fourth one is left out.
    return np.ascontiguousarray(pixels[:3].transpose(1, 2, 0)) if len(pixels) >= 3 else pixels[0]


def _picture(pixels: NDArray[np.uint8], path: str, position: int, cap: int = SIDE_CAP) -> Picture:
    image = Image.fromarray(pixels)
    image.thumbnail((cap, cap))
    exact = image.mode == "L" or max(image.size) <= LOSSLESS
    options: dict[str, Any] = {"lossless": True} if exact else {"quality": QUALITY}
    written = io.BytesIO()
    image.save(written, "WEBP", method=2, **options)
    uri = f"data:image/webp;base64,{base64.b64encode(written.getvalue()).decode()}"
    return Picture(uri, path, position, *image.size)
