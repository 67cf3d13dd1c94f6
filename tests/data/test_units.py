"""Which units an array of pixels is in."""

import math

import pytest

from tenfold.data.units import units_of
from tenfold.errors import DataError

IMAGE, ROW, DRAWN = (1, 8, 8), (1, 1, 5), (1, 1, 64)


@pytest.mark.parametrize(
    ("scale", "values", "shape", "top"),
    [
        (1 / 255, (), IMAGE, 255),
        (1 / 16, (), IMAGE, 16),
        (1.0, (), IMAGE, 1),
        (1.0, (0.0, 0.9), IMAGE, 1),
        (1.0, (0.0, 255.0), IMAGE, 255),
        (1.0, (-2.1, 2.6), IMAGE, math.inf),
        (1.0, (0.0, 4095.0), IMAGE, math.inf),
        (1.0, (0.0, 1.0), ROW, math.inf),
        (1.0, (0.0, 1.0), DRAWN, 1),
    ],
)
def test_white(scale, values, shape, top):
    assert units_of(scale, values, shape).top == top


@pytest.mark.parametrize(
    ("scale", "low", "high", "floating", "factor"),
    [
        (1 / 255, 0, 255, False, 1),
        (1 / 255, 0, 255, True, 1),
        (1 / 255, 0, 1, True, 255),
        (1 / 255, 0, 1.000001, True, 255),
        (1 / 255, 0, 0.2, True, 255),
        (1 / 255, 0, 0, False, 1),
        (1 / 16, 0, 16, False, 1),
        (1 / 16, 0, 255, False, 16 / 255),
        (1 / 16, 0, 1, True, 16),
        (1 / 16, 0, 9.5, True, 1),
        (1.0, 0, 1, True, 1),
        (1.0, 0, 255, False, 1 / 255),
        (1.0, 0, 255, True, 1 / 255),
    ],
)
def test_units_are_recognized(scale, low, high, floating, factor):
    assert units_of(scale, (0.0, 1.0), IMAGE).factor(low, high, floating) == pytest.approx(factor)


@pytest.mark.parametrize(
    ("low", "high", "floating"),
    [(-0.5, 0.5, True), (-2.1, 2.6, True), (-1, 255, False), (0, 1.02, True), (0, 256, True), (0, 1, False)],
)
def test_units_that_do_not_show_are_refused(low, high, floating):
    with pytest.raises(DataError, match="expected bytes from 0 to 255, or numbers from 0 to 1"):
        units_of(1 / 255, (), IMAGE).factor(low, high, floating)


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.9), (0.0, 1.3), (0.0, 7.0), (-3.0, 300.0)])
def test_rows_of_numbers_are_taken_as_they_are(low, high):
    for shape in (ROW, DRAWN):
        assert units_of(1.0, (0.0, 1.0), shape).factor(low, high, True) == 1
