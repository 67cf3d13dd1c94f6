"""Successive halving: the plan of Jamieson and Talwalkar (2016), whatever the numbers, and its cost, replayed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenfold.errors import UsageError
from tenfold.search.halving import halving, sentence


def replayed(members, validations, keep):
    """Member-validations that are trained, one validation after the other."""
    alive, spent = members, 0
    for validation in range(1, validations + 1):
        spent += alive
        alive = min(alive, keep.get(validation, alive))
    return spent


@given(st.integers(1, 500), st.integers(1, 100), st.integers(2, 5))
def test_a_plan_can_be_followed_and_costs_what_it_says(members, validations, factor):
    plan = halving(members, validations, factor)
    at, left = list(plan.keep), list(plan.keep.values())
    assert at == sorted(set(at))
    assert all(1 <= validation < validations for validation in at)
    assert left == sorted(left, reverse=True)
    assert all(1 <= count <= members for count in left)
    assert plan.share == pytest.approx(replayed(members, validations, plan.keep) / (members * validations))
    assert len(at) <= max(0, math.ceil(math.log(members, factor) - 1e-9) - 1)


def test_rounds_have_equal_budgets():
    plan = halving(64, 126, 2)  # rounds of 2, 4, 8, 16, 32 and 64 validations
    assert plan.keep == {2: 32, 6: 16, 14: 8, 30: 4, 62: 2}
    budgets = [64 * 2, 32 * 4, 16 * 8, 8 * 16, 4 * 32, 2 * 64]
    assert budgets == [128] * 6
    assert plan.share == pytest.approx(6 * 128 / (64 * 126))


def test_short_runs_have_fewer_rounds():
    assert halving(81, 20).keep == {1: 27, 2: 9, 6: 3}
    assert halving(81, 2).keep == {1: 27}
    assert halving(81, 1) == ({}, 1.0)
    assert halving(2, 50) == ({}, 1.0)
    assert halving(1, 50) == ({}, 1.0)


def test_it_says_so():
    assert sentence(81, halving(81, 1)) == (
        "All 81 members train to the end: there are too few members or validations to drop any."
    )
    with pytest.raises(UsageError, match="--halving 1: give the factor"):
        halving(9, 9, 1)
