"""What `--shapes` says, how its names become arguments, and the points that are drawn."""

import numpy as np
import pytest

from tenfold.errors import UsageError
from tenfold.teach.doctor.declared import binding, declare
from tenfold.teach.doctor.userfile import drawn

WORDS = ("x=3x10,W=4x10,y=3:4", "x=3X10, W=4×10 ,y=3:4", "x=3*10,W=4x10,y=3:4")


@pytest.mark.parametrize("text", WORDS)
def test_sizes_are_read_however_they_are_written(text):
    found = declare(text)
    assert found.arrays == {"x": (3, 10), "W": (4, 10)}
    assert (found.y, found.targets, found.classes) == ("y", (3,), 4)


def test_numbers_vectors_and_targets_are_told_apart():
    found = declare("W=4x10,X=3x10,b=4,s=(),Y=3x4,reg=0.1,tiny=1e-3")
    assert list(found.arrays) == ["X", "W", "b", "s"], "x leads"
    assert (found.arrays["b"], found.arrays["s"]) == ((4,), ())
    assert (found.y, found.targets, found.classes) == ("Y", (3, 4), 0)
    assert found.constants == {"reg": 0.1, "tiny": 1e-3}


@pytest.mark.parametrize("text", ["x=3x10,y=3:4:onehot", "x=3x10,y=3:4:one-hot"])
def test_labels_may_be_drawn_as_rows_of_one_1_among_zeros(text):
    point = drawn(declare(text), np.random.default_rng(0), False)
    assert (point.y.shape, point.y.dtype, point.classes) == ((3, 4), np.float64, 0)
    assert np.array_equal(np.sort(point.y, 1), [[0, 0, 0, 1]] * 3)


BAD = {
    "x=3,y=99999:99:onehot": "9,899,901 numbers",
    "x=3,y=3:1:onehot": "'y=3:1:onehot' should be labels:classes",
    "": "is empty",
    "x": "'x' is not name=sizes",
    "x=": "'x=' is not name=sizes",
    "=3": "'=3' is not name=sizes",
    "3=x": "'3=x' is not name=sizes",
    "x=3,W=3y10": "'W=3y10' cannot be read",
    "x=3x": "'x=3x' cannot be read",
    "x=nan": "'x=nan' cannot be read",
    "x=3,r=1e999": "'r=1e999' cannot be read",
    "x=0x3": "'x=0x3' has a side of 0",
    "x=9999x9999": "99,980,001 numbers",
    "x=3,x=4": "x is given twice",
    "x=3,y=3:4,t=3:4": "'t=3:4': y are labels already",
    "x=3,y=0:4": "'y=0:4' should be labels:classes",
    "x=3,y=3:1": "'y=3:1' should be labels:classes",
    "y=3:4": "no array to vary",
    "reg=0.1": "no array to vary",
}


@pytest.mark.parametrize(("text", "told"), BAD.items(), ids=BAD)
def test_what_cannot_be_read_is_named(text, told):
    with pytest.raises(UsageError, match="--shapes") as error:
        declare(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def plain(x, W, y): ...
def weight_first(W, X, y, reg): ...
def both_cases(x, w, W, y): ...
def other_names(inputs, weights, labels): ...
def with_default(x, W, y, reg=0.5): ...
def only_keywords(x, W, *, y, reg): ...
def only_places(x, W, y, /): ...
def starred(x, *params, y): ...
def starred_to_the_end(x, *rest): ...
def anything(x, W, y, **settings): ...


S, R = "x=3x10,W=4x10,y=3:4", "x=3x10,W=4x10,y=3:4,reg=0.1"
BOUND = [
    (plain, S, [], {"x": "x", "W": "W", "y": "y"}),
    (weight_first, R, [], {"W": "W", "X": "x", "y": "y", "reg": "reg"}),
    (weight_first, "x=3x10,w=10x4,y=3:4,reg=0.1", [], {"W": "w", "X": "x", "y": "y", "reg": "reg"}),
    (both_cases, "x=3x10,W=4x10,w=4,y=3:4", [], {"x": "x", "w": "w", "W": "W", "y": "y"}),
    (other_names, S, [], {"inputs": "x", "weights": "W", "labels": "y"}),
    (with_default, S, [], {"x": "x", "W": "W", "y": "y"}),
    (with_default, R, [], {"x": "x", "W": "W", "y": "y", "reg": "reg"}),
    (only_keywords, R, [], {"x": "x", "W": "W", "y": "y", "reg": "reg"}),
    (only_places, S, ["x", "W", "y"], {}),
    (starred, S, ["x", "W"], {"y": "y"}),
    (starred_to_the_end, S, ["x", "W", "y"], {}),
    (anything, R, [], {"x": "x", "W": "W", "y": "y", "reg": "reg"}),
]


@pytest.mark.parametrize(("function", "shapes", "positional", "named"), BOUND)
def test_values_go_to_the_arguments_that_are_meant(function, shapes, positional, named):
    declared = declare(shapes)
    found = binding(function, "f", declared)({name: name for name in declared.order})
    assert found == (positional, named)


UNFIT = [
    (only_keywords, S, "takes (x, W, y, reg): give 'reg'"),
    (plain, R, "takes no 'reg'"),
    (plain, "x=3x10,W=4x10,b=4,y=3:4", "'b' is too many"),
    (plain, "x=3x10,y=3:4", "give 'W'"),
    (with_default, "x=3x10,W=4x10,y=3:4,rge=0.1", "did you mean 'reg'"),
]


@pytest.mark.parametrize(("function", "shapes", "told"), UNFIT)
def test_arguments_that_do_not_fit_are_named(function, shapes, told):
    with pytest.raises(UsageError) as error:
        binding(function, "my.py: f", declare(shapes))
    assert told in str(error.value)


def test_points_are_seeded_have_their_sizes_and_differ_in_scale():
    shapes = {"W": (4, 10), "b": (4,)}
    declared = declare("x=3x10,W=4x10,b=4,y=3:4")
    points = [drawn(declared, np.random.default_rng(k), False) for k in range(20)]
    again = drawn(declared, np.random.default_rng(0), False)
    assert all(np.array_equal(points[0].params[name], again.params[name]) for name in shapes)
    assert {name: array.shape for name, array in points[0].params.items()} == shapes
    assert points[0].y.dtype == np.int64
    assert {int(label) for point in points for label in point.y} == {0, 1, 2, 3}
    sizes = [float(np.abs(point.params["W"]).mean()) for point in points]
    assert max(sizes) > 3 * min(sizes)


def test_whole_numbers_meet_ties_and_zeros():
    point = drawn(declare("x=5x6,W=4x6,y=5x4"), np.random.default_rng(0), True)
    for array in (point.x, point.params["W"], point.y):
        assert array.dtype == np.float64
        assert set(np.unique(array)) == {-1, 0, 1}
