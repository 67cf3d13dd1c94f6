"""Pixels deeper than 8 bits: the range of their values over a whole folder or file becomes 0 to 255.

A 16-bit file rarely fills its 16 bits: scanners and cameras give 12, depth maps and microscopes what they measured. So
with the smallest value l and the largest h of all deep pixels

    p = round(255 (v − l) / (h − l)),    cut to 0 … 255

A few hot or dead pixels must not decide the range: where leaving out a thousandth of each image's pixels at both ends
makes the range less than half as wide, that narrower range is taken. Beside images of 8 bits, and for a single image
without any range, l = 0 and h = 2ᵇ − 1 for the least number of bits b ≥ 8 that holds all values: brightness stays what
it is.
"""

__all__ = ["Levels", "Spread", "bit_levels", "levels_of", "levels_text", "scaled", "spread_of"]

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

OUTLIERS = 1000  # one pixel of so many, at each end of an image, may be left out

Levels = tuple[int, ...]
"""(l, h): the values that become 0 and 255; () where no pixel is deeper than 8 bits."""


class Spread(NamedTuple):
    """Values of an image: the smallest, the largest, and the same without a thousandth of the pixels at each end."""

    least: int
    most: int
    low: int
    high: int


def spread_of(values: NDArray[Any]) -> Spread:
    """Measure one image of whole numbers, of any shape."""
    flat = values.ravel()
    left_out = len(flat) // OUTLIERS
    ends = np.partition(flat, (left_out, len(flat) - 1 - left_out)) if left_out else flat
    low, high = (ends[left_out], ends[len(flat) - 1 - left_out]) if left_out else (flat.min(), flat.max())
    return Spread(int(flat.min()), int(flat.max()), int(low), int(high))


def levels_of(spreads: Sequence[Spread]) -> Levels:
    """Return the range of all these images.

    >>> levels_of([Spread(0, 240, 0, 240), Spread(5, 200, 5, 200)])
    (0, 240)
    >>> levels_of([Spread(3, 65535, 10, 4000)])
    (10, 4000)
    """
    least, most = min(image.least for image in spreads), max(image.most for image in spreads)
    low, high = min(image.low for image in spreads), max(image.high for image in spreads)
    return (low, high) if 0 < 2 * (high - low) < most - least else (least, most)


def bit_levels(spreads: Sequence[Spread]) -> Levels:
    """Return the range of the bits that these images use.

    >>> bit_levels([Spread(7, 4000, 7, 4000)]), bit_levels([Spread(0, 100, 0, 100)])
    ((0, 4095), (0, 255))
    """
    least, most = levels_of(spreads)
    return (0, 2 ** max(8, most.bit_length()) - 1) if least >= 0 else (least, most)


def scaled(values: NDArray[Any], levels: Levels) -> NDArray[np.uint8]:
    """Return the pixels of whole numbers, of the same shape."""
    low, high = levels
    factor = 255 / max(1, high - low)
    if values.dtype == np.uint16:  # a table is smaller than the picture, and faster
        table = ((np.arange(2**16) - low) * factor).round().clip(0, 255).astype(np.uint8)
        return np.asarray(table[values])
    return ((values.astype(np.float64) - low) * factor).round().clip(0, 255).astype(np.uint8)


def levels_text(levels: Levels) -> str:
    """Return the note about the range.

    >>> levels_text((0, 4095))
    'values 0 to 4,095 scaled to 0 to 255'
    """
    return f"values {levels[0]:,} to {levels[1]:,} scaled to 0 to 255"
