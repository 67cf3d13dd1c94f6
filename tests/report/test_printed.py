"""What a written number says of a value: exact, rounded or truncated, and not by any slack of its own."""

from fractions import Fraction

import pytest

from tenfold.errors import UsageError
from tenfold.report.printed import exactly, fidelity, significant


@pytest.mark.parametrize(
    ("printed", "value", "told"),
    [
        ("0.500001", 0.5, ""),
        ("0.50000001", 0.5, ""),
        ("0.3333333", 1 / 3, "rounded"),
        ("0.66666667", 2 / 3, "rounded"),
        ("0.66666666", 2 / 3, "truncated"),
        ("0.1", 0.1, "exact"),
        ("0.123456", 0.12345600001, "exact"),
        ("5.0e-10", 1e-10, ""),
        ("-3e-10", 1e-10, ""),
        ("0.0000000001", 9e-10, ""),
        ("-9e-10", -2.79e-10, ""),
        ("3e-10", 2.79e-10, "rounded"),
        ("0", 2.2e-16, "exact"),
        ("1000000", 1000000.0000001, "exact"),
        ("1000000", 1000000.1, "rounded"),
        ("0.3333333", Fraction(1, 3), "rounded"),
        ("1/3", Fraction(1, 3), "exact"),
        ("1/3", Fraction("0.3333333333333"), ""),
    ],
)
def test_slack_is_a_share_of_the_value(printed, value, told):
    assert fidelity(printed, value) == told


@pytest.mark.parametrize(("printed", "digits"), [("0", 0), ("-0.00", 0), ("0.05", 1), ("1.0", 2), ("−12e3", 2)])
def test_leading_zeros_are_no_digits(printed, digits):
    assert significant(printed) == digits


@pytest.mark.parametrize(
    ("printed", "told"), [("1e70", "is too large"), ("1e-70", "or too small"), ("nan", "not a number"),
                          ("", "not a number"), ("1/0", "not a number"), ("1/", "not a number")]
)  # fmt: skip
def test_what_is_no_number_says_why(printed, told):
    with pytest.raises(UsageError, match=told):
        exactly(printed)
