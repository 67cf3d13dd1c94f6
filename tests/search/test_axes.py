"""Axes: what an option's text means, that it comes back, what is refused and how, where a number lies on a range."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tenfold.choices import applicable, recipe
from tenfold.errors import UsageError
from tenfold.recipe import SPLITTING, VARYING, Recipe
from tenfold.search.axes import (
    KNOWN,
    Axis,
    Range,
    at,
    check_axes,
    fitting_piece,
    parse_axis,
    place,
    position,
    text,
)


@pytest.mark.parametrize(
    ("name", "option", "pieces"),
    [
        ("learning_rate", "1e-4:1e-1:log", (Range(1e-4, 0.1, "log"),)),
        ("l2", "0,1e-4:1:log", (0.0, Range(1e-4, 1.0, "log"))),
        ("momentum", "0.5:0.9", (Range(0.5, 0.9, "linear"),)),
        ("loss", "softmax, hinge", ("softmax", "hinge")),
        ("batch_size", "32,64:256", (32, Range(64, 256, "int"))),
        ("batch_size", "16:256:log", (Range(16, 256, "log"),)),
        ("clip_norm", "1:5:int", (Range(1.0, 5.0, "int"),)),
        ("hidden", "128,256-128", ((128,), (256, 128))),
        ("nesterov", "true,false", (True, False)),
        ("standardize", "mean-image,none", ("mean-image", "none")),
        ("flip", "0,0.5", (0.0, 0.5)),
        ("flip", "0:0.5,1", (Range(0.0, 0.5, "linear"), 1.0)),
        ("init_seed", "0:99", (Range(0, 99, "int"),)),
    ],
)
def test_an_option_says_its_pieces_and_comes_back(name, option, pieces):
    axis = parse_axis(name, option)
    assert axis == Axis(name, pieces)
    assert [type(piece) for piece in axis.pieces] == [type(piece) for piece in pieces]
    again = parse_axis(name, json.loads(json.dumps(text(axis))))
    assert again == axis
    assert repr(again) == repr(axis)


def test_lists_from_python_are_pieces_too():
    assert parse_axis("l2", [0, "1e-4:1:log"]) == parse_axis("l2", "0,1e-4:1:log")
    assert parse_axis("learning_rate", 0.1) == Axis("learning_rate", (0.1,))
    assert parse_axis("hidden", [256, 128]) == Axis("hidden", ((256, 128),))
    assert parse_axis("hidden", [[128], (256, 128)]) == Axis("hidden", ((128,), (256, 128)))
    assert repr(parse_axis("l2", np.array([0.1, 0.2]))) == "Axis(name='l2', pieces=(0.1, 0.2))"
    assert repr(parse_axis("l2", [np.float64(0.1)])) == "Axis(name='l2', pieces=(0.1,))"
    assert parse_axis("l2", (Range(0.0, 1.0, "linear"), 2)) == parse_axis("l2", "0:1,2")


@given(st.floats(1e-300, 1e300), st.floats(1e-300, 1e300), st.sampled_from(["", ":log"]))
def test_numbers_come_back_to_the_bit(a, b, scale):
    low, high = min(a, b), max(a, b)
    if low < high:
        axis = parse_axis("l2", f"{low!r}:{high!r}{scale},{a + b!r}")
        assert parse_axis("l2", text(axis)) == axis
        assert axis.pieces[0].low == low
        assert axis.pieces[0].high == high


@pytest.mark.parametrize(
    ("name", "option", "words"),
    [
        ("learning_rate", "0.1:0.001:log", ["--learning-rate 0.1:0.001:log", "exceeds its high end", "0.001:0.1"]),
        ("l2", "0.1:0.1", ["is its high end", "write 0.1"]),
        ("l2", "0:1:log", ["--l2 0:1:log", "must start above zero", "0,0.0001:…:log"]),
        ("l2", "-1:1:log", ["must start above zero"]),
        ("learning_rat", "0.1", ["unknown axis 'learning_rat'", "did you mean 'learning_rate'?"]),
        ("epochs", "10,20", ["--epochs takes one value in a sweep", "learning_rate"]),
        ("loss", "1:2", ["--loss 1:2", "only numbers can have a range"]),
        ("hidden", "64:256", ["--hidden 64:256", "only numbers can have a range"]),
        ("nesterov", "0:1", ["only numbers can have a range"]),
        ("loss", "softmax,hinje", ["no loss 'hinje'", "did you mean 'hinge'?"]),
        ("learning_rate", "0,0.1", ["learning_rate = 0", "greater than 0"]),
        ("learning_rate", "0:0.1", ["learning_rate = 0.0", "greater than 0"]),
        ("momentum", "0.5:1", ["momentum = 1.0", "less than 1"]),
        ("flip", "0:0.5,photographs", ["--flip 0:0.5,photographs", "photographs stands alone"]),
        ("learning_rate", "fast", ["learning_rate = 'fast'", "number"]),
        ("l2", "0,0.1,0.0", ["--l2 0,0.1,0.0", "each value once"]),
        ("l2", "0:1,0:1", ["each value once"]),
        ("l2", "0,,1", ["--l2", "two commas"]),
        ("l2", "", ["--l2", "give a value"]),
        ("l2", [], ["each value once, at least one"]),
        ("l2", "1e-4:1:lin", ["--l2 1e-4:1:lin", "low:high:log"]),
        ("l2", "1e-4:", ["low:high"]),
        ("l2", "1:2:log:int", ["low:high"]),
        ("l2", "nan:1", ["low:high"]),
        ("l2", "0:inf", ["low:high"]),
        ("batch_size", "1.5:8", ["--batch-size 1.5:8", "must be whole"]),
        ("batch_size", "1.5:8:log", ["batch_size = 1.5", "integer"]),
        ("batch_size", "0:8", ["batch_size = 0"]),
    ],
)
def test_what_cannot_be_searched_is_one_plain_line(name, option, words):
    with pytest.raises(UsageError) as caught:
        parse_axis(name, option)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("options", "base", "words"),
    [
        ({"hidden": "64,128"}, {}, ["--hidden", "model linear", "--model mlp"]),
        ({"dropout": "0:0.5"}, {}, ["--dropout", "model linear"]),
        ({"activation": "relu,tanh"}, {"model": "linear"}, ["--activation"]),
        ({"beta1": "0.8,0.9"}, {}, ["--beta1", "optimizer sgd", "--optimizer adam"]),
        (
            {"momentum": "0,0.9"},
            {"optimizer": "adam"},
            ["--momentum", "optimizer adam", "--optimizer lookahead or muon"],
        ),
        ({"nesterov": "true,false"}, {"optimizer": "adam"}, ["--nesterov"]),
        ({"decay_factor": "0.1:0.9"}, {"schedule": "cosine"}, ["--decay-factor", "schedule cosine", "step"]),
        ({"decay_every": "1,2", "schedule": "constant,cosine"}, {}, ["--decay-every", "constant or cosine", "step"]),
        ({"init_seed": "0:9"}, {"initializer": "zero"}, ["--init-seed", "initializer zero"]),
        ({"optimizer": "sgd,adam"}, {"nesterov": True}, ["nesterov", "adam"]),
    ],
)
def test_an_axis_that_nothing_has_is_refused(options, base, words):
    with pytest.raises(UsageError) as caught:
        check_axes([parse_axis(name, option) for name, option in options.items()], recipe(base))
    for word in words:
        assert word in str(caught.value)


def test_an_axis_that_one_of_the_searched_models_has_is_taken():
    options = {"model": "linear,mlp", "hidden": "64,128", "optimizer": "sgd,adam", "momentum": "0,0.9", "beta1": "0.8"}
    check_axes([parse_axis(name, option) for name, option in options.items()], Recipe())
    with pytest.raises(UsageError, match="--l2 was given twice"):
        check_axes([parse_axis("l2", "0"), parse_axis("l2", "1")], Recipe())


def test_settings_lose_what_their_own_model_lacks():
    full = {"model": "mlp", "hidden": (64,), "optimizer": "adam", "momentum": 0.9, "beta1": 0.8, "l2": 0.0}
    assert applicable(full) == {"model": "mlp", "hidden": (64,), "optimizer": "adam", "beta1": 0.8, "l2": 0.0}
    assert applicable({"hidden": (64,), "momentum": 0.5}) == {"hidden": (64,), "momentum": 0.5}


def test_every_axis_is_a_field_of_the_recipe_and_either_varies_or_splits():
    assert set(KNOWN) <= set(Recipe.model_fields)
    assert not set(VARYING) & set(SPLITTING)
    assert (*VARYING, *SPLITTING) == KNOWN


@pytest.mark.parametrize(
    "span", [Range(1e-4, 1.0, "log"), Range(-2.0, 5.0, "linear"), Range(3, 9, "int"), Range(2, 70, "log")]
)
def test_places_on_a_range_go_from_end_to_end_and_back(span):
    shares = np.linspace(0, 1, 1001)
    values = [at(span, share) for share in shares]
    assert values == sorted(values)
    assert (values[0], values[-1]) == (span.low, span.high)
    assert {type(value) for value in values} == {type(span.low)}
    assert (position(span, span.low), position(span, span.high)) == (0.0, 1.0)
    if isinstance(span.low, float):
        np.testing.assert_allclose([position(span, value) for value in values], shares, atol=1e-9)


def test_whole_numbers_have_their_shares():
    u = (np.arange(7000) + 0.5) / 7000
    drawn, counts = np.unique([at(Range(3, 9, "int"), share) for share in u], return_counts=True)
    assert drawn.tolist() == list(range(3, 10))
    assert counts.tolist() == [1000] * 7
    # On a log scale k stands for the interval from k - 1/2 to k + 1/2.
    drawn, counts = np.unique([at(Range(2, 6, "log"), share) for share in u], return_counts=True)
    expected = [7000 * math.log((k + 0.5) / (k - 0.5)) / math.log(6.5 / 1.5) for k in range(2, 7)]
    assert drawn.tolist() == [2, 3, 4, 5, 6]
    np.testing.assert_allclose(counts, expected, atol=1.5)


def test_pieces_have_equal_weight_and_ranges_their_distribution(rng):
    axis = parse_axis("l2", "0,1e-4:1:log,2:4")
    values = np.array([place(axis, u) for u in rng.random(9000)])
    zero, linear = values == 0, values >= 2
    shares = [zero.sum(), linear.sum(), 9000 - zero.sum() - linear.sum()]
    assert stats.chisquare(shares).pvalue > 0.01
    assert stats.kstest(np.log10(values[~zero & ~linear]), stats.uniform(-4, 4).cdf).pvalue > 0.01
    assert stats.kstest(values[linear], stats.uniform(2, 2).cdf).pvalue > 0.01


def test_a_value_belongs_to_its_piece():
    axis = parse_axis("l2", "0,1e-4:1:log")
    assert fitting_piece(axis, 0.0) == 0.0
    assert fitting_piece(axis, 0.5) == Range(1e-4, 1.0, "log")
    assert fitting_piece(axis, 2.0) is None
    assert fitting_piece(parse_axis("loss", "softmax,hinge"), "hinge") == "hinge"
    assert fitting_piece(parse_axis("hidden", "64,64-32"), (64, 32)) == (64, 32)
