"""The grid: every combination once."""

import itertools

import pytest

from tenfold.errors import UsageError
from tenfold.search.axes import parse_axis
from tenfold.search.samplers.grid import grid


def axes(**options):
    return [parse_axis(name, option) for name, option in options.items()]


def test_it_is_the_product_the_last_axis_changing_fastest():
    found = grid(axes(loss="softmax,hinge", l2="0,0.1,1", learning_rate="0.01"), 0, 0, 0, [])
    assert found == [
        {"loss": loss, "l2": l2, "learning_rate": 0.01}
        for loss, l2 in itertools.product(("softmax", "hinge"), (0, 0.1, 1))
    ]


def test_what_a_model_lacks_makes_no_second_member():
    found = grid(axes(model="linear,mlp", hidden="64,128", l2="0,1"), 6, 0, 0, [])
    assert len(found) == 6
    assert found[:2] == [{"model": "linear", "l2": 0.0}, {"model": "linear", "l2": 1.0}]


def test_there_is_one_batch():
    assert grid(axes(l2="0,1"), 2, 0, 1, [({"l2": 0.0}, 0.5)]) == []


def test_ranges_and_other_counts_are_refused():
    with pytest.raises(UsageError, match=r"--learning-rate 0\.1:1\.0: a grid needs single values"):
        grid(axes(l2="0,1", learning_rate="0.1:1"), 0, 0, 0, [])
    with pytest.raises(UsageError, match="--members 64: the grid has 2"):
        grid(axes(l2="0,1"), 64, 0, 0, [])
