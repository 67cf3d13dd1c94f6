"""Test-time augmentation: the scores of an image are a weighted mean over some views of it.

flip         the image and its mirror image, half each; the image alone where training mirrored nothing
flip+shift   of those, half; the other half from the image moved by one pixel down and right, and up and left

What moves in at an edge is the edge's own neighbor inside, as in the augmentation `crop`.
"""

__all__ = ["looks", "views", "views_text"]

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import pad

SEEN = {
    ("flip", True): "the mean of an image and its mirror image",
    ("flip+shift", True): "the mean of 6 views of an image: moved by one pixel two ways or not at all, mirrored or not",
    ("flip+shift", False): "the mean of 3 views of an image: moved by one pixel two ways or not at all",
}
"""Word, and whether training mirrored images -> what scores are. Where it did not, "flip" has one view."""


def views_text(word: str, mirrors: bool) -> str:
    """Say what the scores of an image are the mean of; "" for the image alone."""
    return SEEN.get((word, mirrors), "")


def looks(word: str, mirrors: bool) -> int:
    """Count the views of an image that its scores are the mean of.

    >>> looks("none", True), looks("flip", True), looks("flip+shift", True), looks("flip+shift", False)
    (1, 2, 6, 3)
    """
    return sum(1 for _ in views(torch.zeros(1, 1, 3, 3), word, mirrors))


def views(x: Tensor, word: str, mirrors: bool) -> Iterator[tuple[float, Tensor]]:
    """Yield weights, adding up to 1, and views of images (N, C, H, W). mirrors: whether training mirrored images."""
    moved = [(1.0, x)]
    if word == "flip+shift":
        height, width = x.shape[-2:]
        wide = pad(x, (1, 1, 1, 1), "reflect")
        moved = [(0.5, x), (0.25, wide[..., :height, :width]), (0.25, wide[..., 2:, 2:])]
    for weight, images in moved:
        if word == "none" or not mirrors:
            yield weight, images
        else:
            yield weight / 2, images
            yield weight / 2, images.flip(-1)
