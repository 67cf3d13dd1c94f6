"""The color that transparent images are laid on: white, unless their drawings would vanish there.

An image has contrast to a color by the mean distance of its pixels' grey value to that of the color, each pixel weighed
by its opacity. The color is one for all images of a data set, else it would tell the classes apart: white, unless
fewer images lack contrast to black.
"""

__all__ = ["background_of"]

from collections.abc import Sequence

import numpy as np

from tenfold.data.readers.images import ImageFile

_WHITE, _BLACK = "white", "black"
LEAST = 32.0  # contrast of 255 below which a drawing is as good as gone
LOOKED_AT = 500  # transparent images, evenly spaced


def background_of(files: Sequence[ImageFile]) -> tuple[str, str]:
    """Return the color for the transparent ones among the images, and a note where that is not white or not enough."""
    transparent = [file for file in files if file.transparent]
    chosen = transparent[:: -(-len(transparent) // LOOKED_AT) or 1]
    contrasts = np.array([contrast for file in chosen if (contrast := _contrast(file))])
    if not len(contrasts):
        return _WHITE, ""
    lost = (contrasts < LEAST).sum(axis=0)
    color = _BLACK if lost[1] < lost[0] else _WHITE
    note = ""
    if color == _BLACK:
        note = f"transparent images are laid on black: on white {_share(lost[0], len(contrasts))} would be blank"
    if left := int(lost.min()):
        more = f"{_share(left, len(contrasts))} transparent images are blank on {color}"
        note = f"{note}; {more}" if note else more
    return color, note


def _share(count: int, total: int) -> str:
    return f"{count:,} of {total:,}"


def _contrast(file: ImageFile) -> tuple[float, float] | None:
    """Return the contrast of an image to white and to black; None where all of it, or nothing, is opaque."""
    grey, opacity = file.opacity()
    if not opacity.any() or opacity.min() == 255:
        return None
    mean = float(np.average(grey, weights=opacity))
    return 255 - mean, mean
