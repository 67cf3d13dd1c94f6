"""Test-time augmentation: the scores of an image are a weighted mean over some views of it.

flip         the image and its mirror image, half each; the image alone where training mirrored nothing
flip+shift   of those, half; the other half from the image moved by one pixel down and right, and up and left

What moves in at an edge is the edge's own neighbor inside, as in the augmentation `crop`. A view is a layer: its
pullback moves and mirrors the gradient back, and adds what came from a neighbor to that of the neighbor.
"""

__all__ = ["View", "looks", "view_layers", "views", "views_text"]

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from tenfold.engine.types import Layer, Pull

SEEN = {
    ("flip", True): "the mean of an image and its mirror image",
    ("flip+shift", True): "the mean of 6 views of an image: moved by one pixel two ways or not at all, mirrored or not",
    ("flip+shift", False): "the mean of 3 views of an image: moved by one pixel two ways or not at all",
}
"""Word, and whether training mirrored images -> what scores are. Where it did not, "flip" has one view."""

# Where an image begins in itself with a border of one pixel: in its place, moved down and right, moved up and left.
_HERE, _DOWN, _UP = 1, 0, 2
_BORDER = [1, 1, 1, 1]


class View(NamedTuple):
    """A view of images. weight: its share of the scores; layer: from images (N, C, H, W) to it, and its pullback."""

    weight: float
    layer: Layer


def views_text(word: str, mirrors: bool) -> str:
    """Say what the scores of an image are the mean of; "" for the image alone."""
    return SEEN.get((word, mirrors), "")


def looks(word: str, mirrors: bool) -> int:
    """Count the views of an image that its scores are the mean of.

    >>> looks("none", True), looks("flip", True), looks("flip+shift", True), looks("flip+shift", False)
    (1, 2, 6, 3)
    """
    return len(view_layers(word, mirrors))


def view_layers(word: str, mirrors: bool) -> list[View]:
    """Return the views of a word, their weights adding up to 1. mirrors: whether training mirrored images."""
    places = [(0.5, _HERE), (0.25, _DOWN), (0.25, _UP)] if word == "flip+shift" else [(1.0, _HERE)]
    ways = (False, True) if mirrors and word != "none" else (False,)
    return [
        View(weight / len(ways), partial(_seen, place=place, mirrored=mirrored))
        for weight, place in places
        for mirrored in ways
    ]


def views(x: Tensor, word: str, mirrors: bool) -> Iterator[tuple[float, Tensor]]:
    """Yield weights, adding up to 1, and views of images (N, C, H, W). mirrors: whether training mirrored images."""
    return ((view.weight, view.layer(x)[0]) for view in view_layers(word, mirrors))


def _seen(x: Tensor, place: int, mirrored: bool) -> tuple[Tensor, Pull]:
    """Move images (N, C, H, W) by a pixel or not, and mirror them or not."""
    height, width = x.shape[-2:]
    window = (..., slice(place, place + height), slice(place, place + width))
    moved = x if place == _HERE else pad(x, _BORDER, "reflect")[window]

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor]:
        dx = dy.flip(-1) if mirrored else dy
        if place != _HERE:
            bordered = dx.new_zeros(*x.shape[:-2], height + 2, width + 2)
            bordered[window] = dx
            dx = torch.ops.aten.reflection_pad2d_backward(bordered, x, _BORDER)
        return (dx,)

    return moved.flip(-1) if mirrored else moved, pull
