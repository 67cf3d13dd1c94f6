"""The words of the judge: one order of verdicts, one count of them, and whose fault each is."""

import math
from fractions import Fraction

import pytest

from tenfold.report.judge import (
    EARLIER_ROUNDING,
    EARLIER_SLIP,
    RENDERED,
    RIGHT,
    SLIP,
    Judgment,
    counted_verdict,
    rendering,
    standing,
    tally,
    worst_rendering,
)


def test_the_worst_of_several_numbers_decides():
    third = Fraction(1, 3)
    assert worst_rendering(["1/3", "0.33"], [third, third]) == "rounded"
    assert worst_rendering(["0.6", "0.66", "1/3"], [2 * third, 2 * third, third]) == "truncated"
    assert worst_rendering(["0.33", "0.34"], [third, third]) == SLIP
    assert worst_rendering(["0.33"], [third, third]) == SLIP


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_nothing_renders_what_is_not_finite(value):
    assert rendering("1e300", value) == ""
    assert worst_rendering(["1e300"], [value]) == SLIP


def test_a_number_with_too_few_digits_renders_only_what_it_is():
    assert rendering("0.00", 0.004) == "rounded"
    assert rendering("0.00", 0.004, least=1) == ""
    assert rendering("0.00", 0.0, least=1) == "exact"
    assert [rendering("0.5", 0.52, least) for least in (1, 2)] == ["rounded", ""]


def test_every_verdict_has_its_place_and_its_fault():
    given = [SLIP, EARLIER_SLIP, EARLIER_ROUNDING, RIGHT, *RENDERED, SLIP]
    counts = tally(Judgment("w", "1", "2", verdict) for verdict in given)
    assert list(counts.items()) == [
        *[(word, 1) for word in (*RENDERED, RIGHT, EARLIER_ROUNDING, EARLIER_SLIP)],
        (SLIP, 2),
    ]
    assert [standing(verdict) for verdict in counts] == ["right"] * 4 + ["follows"] * 2 + ["slip"]
    told = [counted_verdict(*one) for one in counts.items()]
    assert told[-2:] == ["1 follows from an earlier slip", "2 slips"]
