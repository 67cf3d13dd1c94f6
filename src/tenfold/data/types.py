"""The nouns of the data: their source, the images as they came, and the features in place of them."""

__all__ = ["LARGEST", "DataSource", "Dataset", "Feature", "Precedent", "Reading", "drawn_shape", "precedent_of"]

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold.data.levels import Levels
from tenfold.data.progress import Watch, unwatched

# Pixels of the largest image that features are made of: a model is asked about one such image when it is loaded.
LARGEST = 3 * 1024**2


# Sides from which a row of numbers is drawn as a square: fewer numbers are rarely pixels.
_LEAST_SIDE = 8


def drawn_shape(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return the shape (C, H, W) in which an image is drawn: a long row of k² numbers as k × k pixels.

    >>> drawn_shape((1, 1, 784)), drawn_shape((1, 1, 30)), drawn_shape((3, 32, 32))
    ((1, 28, 28), (1, 1, 30), (3, 32, 32))
    """
    channels, height, width = shape
    side = math.isqrt(width)
    square = (channels, height) == (1, 1) and side >= _LEAST_SIDE and side * side == width
    return (1, side, side) if square else (channels, height, width)


class Precedent(NamedTuple):
    """How a run or a model read its data, so that data are read alike again; an empty field is chosen anew.

    classes: names of the classes in the order of their numbers; data may then lack some, and have no others.
    background: color that transparent images are laid on, "white" or "black". levels: values of pixels deeper than 8
    bits that become 0 and 255. framing: how a picture of unequal sides becomes a square.
    """

    classes: tuple[str, ...] = ()
    background: str = ""
    levels: Levels = ()
    framing: str = ""


def precedent_of(described: Mapping[str, Any]) -> Precedent:
    """Return how data were read from what a run or a model file says; older ones laid all on white and squashed all."""
    classes, levels = tuple(described.get("class_names") or ()), map(int, described.get("levels") or ())
    framing = described.get("framing") or "squash"
    return Precedent(classes, described.get("background") or "white", tuple(levels), framing)


class DataSource(NamedTuple):
    """Where a data set comes from and how it is read.

    location: the folder or file of a user's own data, "" for a named set. root: folder of the named sets.
    size: side in pixels that a folder's images are resized to, 0 for their median side (at most 64).
    skip_unreadable: count broken images and go on. download: fetch what is absent. parts: which folders are the parts,
    "train=…,test=…", "none" where they are classes, "" for what their names say. precedent: see there. watch: called
    with the progress. scratch: folder for pixels that are too many for memory, "" for the usual one.
    """

    location: str
    root: Path
    size: int = 0
    skip_unreadable: bool = False
    download: bool = True
    parts: str = ""
    precedent: Precedent = Precedent()
    watch: Watch = unwatched
    scratch: str = ""


class Reading(NamedTuple):
    """The files of a folder as they were found, before they became squares of one size.

    sizes: "500 × 333" (width × height) -> images. modes: "JPEG RGB" (format and Pillow's mode) -> images.
    unreadable: a line for each file that was skipped, its path first. ignored: entries that are no images of a class.
    """

    sizes: dict[str, int]
    modes: dict[str, int]
    unreadable: tuple[str, ...]
    ignored: int

    @property
    def unequal(self) -> int:
        """Return how many images have unequal sides."""
        return sum(images for size, images in self.sizes.items() if len(set(size.split(" × "))) > 1)


@dataclass(frozen=True)
class Dataset:
    """Images with labels, as they came: not scaled, and split only as the source splits them.

    images: (N, C, H, W) uint8, or float32 where the source was float. labels: (N,) int64.
    scale: factor that brings a pixel to the unit interval (1/255, digits 1/16, floats 1).
    parts: the source's own parts, "train", "validation" and "test" -> positions (int64); empty where it has none.
    photographs: natural images, for which a mirror image is as likely. paths: file of each image, or ().
    notes: what was converted, skipped or ignored while reading, with counts. reading: of a folder's files, else None.
    background: color that transparent images were laid on. levels: values of pixels deeper than 8 bits that became 0
    and 255, () where there are none. framing: how pictures of unequal sides became squares, or would.
    """

    name: str
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    scale: float
    parts: dict[str, Tensor] = field(default_factory=dict)
    photographs: bool = False
    paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reading: Reading | None = None
    background: str = "white"
    levels: Levels = ()
    framing: str = "auto"


class Feature(NamedTuple):
    """A feature: the inputs that a model gets in place of an image.

    `fit(dataset, rows, recipe, device, watch) -> learned`: from the training part's positions rows alone, the same
    for the same recipe.seed; tensors by name, small numbers among them. watch: takes lines of text.
    `transform(learned, images) -> (N, D)` float32, from images (N, C, H, W) in the data's pixel units, in slices.
    """

    fit: Callable[[Dataset, Tensor, Any, torch.device, Callable[[str], None]], dict[str, Tensor]]
    transform: Callable[[Mapping[str, Tensor], Tensor], Tensor]
