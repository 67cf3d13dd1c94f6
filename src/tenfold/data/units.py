"""Units of pixels: what a caller gives becomes what a model was trained on, or is refused.

Pixels come as bytes from 0 to 255, as numbers from 0 to 1, or in units of a data set's own, from 0 to t (digits: 16).
Which of them an array has shows in its largest value h:

    h <= 1, floating point       numbers from 0 to 1
    h <= t                       the model's own units
    2 <= h <= 255                bytes

A value below 0 or above 255 belongs to none of them (a picture that was standardized already), nor does a largest value
between 1 and 2 (one that resizing by curves carried past 1), nor a picture of whole numbers that are 0 or 1 (a mask).
Rows of numbers, which need not be pixels, are refused nothing.
"""

__all__ = ["Units", "units_of"]

import math
from collections.abc import Sequence
from typing import NamedTuple

from tenfold.data.types import drawn_shape
from tenfold.errors import DataError

BYTE = 255.0
ROUNDING = 1e-5  # of 1, above which a number may lie


class Units(NamedTuple):
    """The units of a model's data. top: value of white, infinity where they are no pixels; strict: they surely are."""

    top: float
    strict: bool

    @property
    def are_pixels(self) -> bool:
        """Say whether pictures can be brought to these units."""
        return self.top < math.inf

    def factor(self, low: float, high: float, floating: bool) -> float:
        """Return the factor that brings pixels to these units. low, high: the smallest and largest of them.

        Raises DataError where they show no units.

        >>> Units(255.0, True).factor(0, 1, True), Units(16.0, True).factor(0, 16, False)
        (255.0, 1.0)
        """
        if not self.are_pixels or (not self.strict and (low < 0 or 1 < high < BYTE / 2)):
            return 1.0
        is_past_one = floating and 1 + ROUNDING < high < 2 and self.top in (1, BYTE)
        if low < 0 or high > BYTE or is_past_one:
            raise DataError(f"pixels have values from {low:g} to {high:g}; expected {self._expected()}: rescale them")
        if floating and high <= 1 + ROUNDING:
            return self.top
        if self.top == BYTE and 0 < high <= 1:
            raise DataError(f"pixels are whole numbers, all 0 or 1; expected {self._expected()}: give a mask as bool")
        return 1.0 if high <= self.top else self.top / BYTE

    def others(self, low: float, high: float, floating: bool) -> bool:
        """Test for pixels that are surely not in these units."""
        is_unit = floating and self.top > 1 and 0 < high <= 1
        return self.strict and self.are_pixels and (low < 0 or high > self.top * (1 + ROUNDING) or is_unit)

    def _expected(self) -> str:
        another = f", or 0 to {self.top:g} as in the model's data" if self.top not in (1, BYTE) else ""
        return f"bytes from 0 to 255, or numbers from 0 to 1{another}"


def units_of(scale: float, values: Sequence[float], shape: tuple[int, int, int]) -> Units:
    """Return the units of a model's data.

    scale: pixel to unit interval, 1 where the data were floating point. values: smallest and largest of those, () where
    they are not known. shape: (C, H, W) of an image.

    >>> units_of(1 / 16, (), (1, 8, 8)).top, units_of(1.0, (-2.1, 2.6), (1, 8, 8)).top
    (16.0, inf)
    """
    if scale < 1:
        return Units(round(1 / scale, 6), True)
    is_row = shape[:2] == (1, 1)
    if is_row and drawn_shape(shape) == shape:
        return Units(math.inf, False)
    if not values:
        return Units(1.0, False)
    low, high = values
    top = math.inf if low < 0 or high > BYTE else 1.0 if high <= 1 else BYTE
    return Units(top, not is_row)
