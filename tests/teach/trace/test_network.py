"""Networks from one line, a file and Python, and the one line that is said of what is none."""

from fractions import Fraction

import numpy as np
import pytest

from tenfold.errors import UsageError
from tenfold.teach.trace.api import trace
from tenfold.teach.trace.network import network_of
from tenfold.teach.trace.specs import read_source, shipped

BASE = {"sizes": "2-2-1", "activations": "relu,identity", "weights": 0.5, "biases": 0, "loss": "squared_error",
        "learning_rate": "0.1", "samples": "1,2:3"}  # fmt: skip


def of(**changes):
    choices = {key: value for key, value in (BASE | changes).items() if value is not ...}
    return network_of(choices, "network")


@pytest.mark.parametrize(
    "weights",
    [
        "0.1,0.2;0.3,0.4 0.5,0.6",
        [[["0.1", "0.2"], ["0.3", "0.4"]], ["0.5", "0.6"]],
        [np.array([[0.1, 0.2], [0.3, 0.4]]), np.array([[0.5, 0.6]])],
        [[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6]]],
    ],
)
def test_weights_are_the_decimals_that_were_written(weights):
    tenths = [[Fraction(k, 10) for k in row] for row in ((1, 2), (3, 4))]
    assert of(weights=weights).weights == (tuple(map(tuple, tenths)), ((Fraction(1, 2), Fraction(3, 5)),))


def test_one_number_fills_and_a_layer_may_have_its_own():
    network = of(weights=["0.5", [["1", "2"]]], biases="1,2 3")
    assert network.weights[0] == ((Fraction(1, 2),) * 2,) * 2
    assert network.biases == ((1, 2), (3,))


def test_initializers_are_rounded_and_that_is_said():
    network = of(weights="he", biases=..., seed=3, digits=1)
    assert network == of(weights="he", biases=..., seed=3, digits=1)
    assert network.weights != of(weights="he", biases=..., seed=4, digits=1).weights
    assert all((10 * cell).denominator == 1 for layer in network.weights for row in layer for cell in row)
    assert any(cell for row in network.weights[0] for cell in row)
    assert network.biases == ((0, 0), (0,))
    assert network.notes == ("weights drawn by he with seed 3, rounded to 1 digit so that they can be worked by hand",)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weights": ...}, "weights is missing"),
        ({"biases": ...}, "biases is missing"),
        ({"samples": ...}, "samples is missing"),
        ({"learning_rate": ...}, "learning_rate is missing"),
        ({"sizes": "2"}, "sizes: expected 2 to 9"),
        ({"sizes": "2-0-1"}, "a layer is '0'"),
        ({"sizes": "40-40"}, "80 units"),
        ({"activations": "relu"}, "1 given; expected 2"),
        ({"activations": "relo,identity"}, "did you mean 'relu'"),
        ({"activations": "dropout,identity"}, "'dropout': known: identity"),
        ({"loss": "hinges"}, "did you mean 'hinge'"),
        ({"loss": "softmax"}, "needs 2 outputs"),
        ({"weights": "hee"}, "neither a number nor an initializer: did you mean 'he'"),
        ({"weights": "0.5,"}, "weights: numbers for 1 layer given; the sizes 2-2-1 have 2"),
        ({"weights": "1;2 3,4"}, "2 rows of 1 numbers; 2 units with 2 inputs take 2 × 2"),
        ({"weights": "1e999"}, "'1e999' is too large"),
        ({"weights": float("nan")}, "'nan' is not a number"),
        ({"weights": True}, "True is not a number"),
        ({"weights": 10**100}, "a whole number of 333 bits"),
        ({"biases": "1 2"}, None),
        ({"biases": "1,2,3 4"}, "3 numbers for 2 units"),
        ({"learning_rate": "-0.1"}, "learning_rate is -0.1"),
        ({"samples": "1,2"}, "'1,2', sample 1, is not x:y"),
        ({"samples": "1:2"}, "x of sample 1: 1 number where the network has 2"),
        ({"samples": "1,2:3 1,b:3"}, "x of sample 2: 'b' is not a number"),
        ({"samples": []}, "samples: none given"),
        ({"samples": [{"x": [1, 2]}]}, "sample 1 has x; expected x and y"),
        ({"updates": 0}, "updates is 0: expected a whole number from 1"),
        ({"batch": "yes"}, "batch is 'yes'"),
        ({"rate": 1}, "unknown key 'rate'"),
        ({"digits": 9, "weights": "he"}, "digits is 9"),
        ({"seed": -1}, "seed is -1"),
        ({"sizes": "2-2-3", "loss": "softmax", "samples": "1,2:3"}, "y of sample 1, a label, is '3': .* from 0 to 2"),
        ({"sizes": "2-2-3", "loss": "hinge", "samples": "1,2:0.5"}, "a label, is '0.5'"),
    ],
)
def test_what_is_no_network_is_refused_in_one_line_that_names_the_key(changes, told):
    if told is None:
        assert of(**changes)
        return
    with pytest.raises(UsageError, match=told) as error:
        of(**changes)
    assert "\n" not in str(error.value)


def test_a_trace_that_nobody_reads_is_refused_with_its_length():
    with pytest.raises(UsageError, match=r"5,400 lines.* at most 5,000"):
        trace("1-1-1", activations="tanh,tanh", weights=1, biases=0, loss="squared_error", learning_rate=1,
              samples="1:1", updates=225)  # fmt: skip
    with pytest.raises(UsageError, match=r"\d{3},\d{3} lines"):
        trace("8-8", activations="relu", weights="he", loss="squared_error", learning_rate=1, batch=True,
              samples=[([1] * 8, [0] * 8)] * 1000)  # fmt: skip


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"sizes = [1, 1]\nweigths = 1", "unknown key 'weigths': did you mean 'weights'"),
        (b"a = " + b"[" * 100_000, "nested too deeply"),
        (b"a = 1\0", "not a readable TOML file"),
        (b"\xff\xfe", "not a readable TOML file"),
        (b"#" * 1_000_001, "more than 1,000,000 bytes"),
        (b"a = 1" + b"0" * 5000, "not a readable TOML file"),
        (b"title = 3", "title is no text"),
        (b"", "sizes: expected"),
    ],
)
def test_hostile_files_are_refused_by_name(tmp_path, content, told):
    path = tmp_path / "net.toml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=told) as error:
        trace(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("spec", ["hand-wrked", "nope.toml", ".", "/dev/zero", "a\0b", "x" * 5000, "1"])
def test_what_names_no_network_is_refused(spec):
    with pytest.raises(UsageError, match=r"no such file|is no file, no example, and no layer sizes"):
        read_source(spec)


def test_what_a_network_cannot_be_is_said_of_it_and_a_long_name_is_cut():
    for spec in (5, None, 1.5):
        with pytest.raises(UsageError, match=f"a network is layer sizes .*, not '{spec}'"):
            trace(spec)
    with pytest.raises(UsageError, match="no such file") as error:
        read_source("x" * 5000 + ".toml")
    assert len(str(error.value)) < 250
    assert trace(np.array([1, 1]), activations="relu", weights=1, biases=0, loss="squared_error", learning_rate=1,
                 samples="1:1").network.sizes == (1, 1)  # fmt: skip


@pytest.mark.parametrize("name", shipped())
def test_shipped_examples_are_traced_and_their_numbers_judged(name):
    worked = trace(name, reported="")
    assert worked.judgments
    assert read_source(name).title


def test_choices_take_the_place_of_a_files_own():
    worked = trace("hand-worked", learning_rate="0.1", updates=1)
    assert next(line for line in worked.lines if line.key == "1.w1").value == Fraction("0.6")
    assert worked.network.name == "hand-worked"


def test_a_report_that_holds_its_own_network_needs_no_other(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('sizes = [1, 1]\nactivations = ["identity"]\nweights = 2\nbiases = 0\nloss = "squared_error"\n'
                    "learning_rate = 0.1\nsamples = [[3, 5]]\n[[reported]]\nupdate = 1\nyhat = 6.00\n")  # fmt: skip
    # A float of the file keeps its last zeros: they say how it was rounded.
    assert [(judgment.printed, judgment.verdict) for judgment in trace(reported=path).judgments] == [("6.00", "exact")]
    path.write_text(path.read_text().replace("yhat", "yhat_"))
    with pytest.raises(UsageError, match="no line has the key 'yhat_' "):
        trace(reported=path)
