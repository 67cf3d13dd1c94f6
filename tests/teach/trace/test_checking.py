"""Traces against torch: every loss and activation, kinks, large numbers; and a wrong line is found."""

import itertools
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from tenfold.errors import TenfoldError, UsageError
from tenfold.teach.trace import checking
from tenfold.teach.trace import checking as engine
from tenfold.teach.trace.api import trace
from tenfold.teach.trace.checking import check
from tenfold.teach.trace.expressions import Negative, Number, Sum
from tenfold.teach.trace.network import ACTIVATIONS, LOSSES, REGRESSIONS

HAND = {
    "activations": "relu,relu",
    "weights": 0.5,
    "biases": 0.5,
    "loss": "squared_error",
    "learning_rate": 0.01,
    "samples": "1:3 2:4 3:5",
}


def by_key(worked):
    return {line.key: line for line in worked.lines}


def test_the_hand_worked_example_comes_out_exactly():
    lines = by_key(trace("1-1-1", **HAND))
    exact = {
        "1.z1": "1",
        "1.yhat": "1",
        "1.L": "2",
        "1.dw2": "-2",
        "1.dh1": "-1",
        "1.w1": "0.51",
        "1.b2": "0.52",
        "2.yhat": "1.3156",
        "2.L": "3.60300168",
        "2.dw1": "-2.791776",
        "2.w1": "0.53791776",
        "3.h1": "2.13771216",
        "3.yhat": "1.7462529833912512",
    }
    assert {key: lines[key].value for key in exact} == {key: Fraction(value) for key, value in exact.items()}
    assert [line.number for line in lines.values()] == list(range(1, 73))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_and_activation_agrees_with_torch(loss, activation):
    targets = ["1,0,2", "0.5,1,1"] if loss in REGRESSIONS else ["2", "0"]
    worked = trace(
        "2-2-3",
        activations=f"{activation},{'identity' if activation != 'tanh' else 'sigmoid'}",
        weights="xavier",
        biases="normal",
        seed=4,
        loss=loss,
        learning_rate=0.1,
        samples=f"1,-2:{targets[0]} 0.5,0.7:{targets[1]}",
        batch=activation == "relu",
    )
    checked = worked.as_json()["checked"]
    assert checked["lines"] == len(worked.lines) == len(worked.checks.errors)
    assert checked["autograd"] < 1e-14
    assert checked["engine"] < 1e-14
    assert checked["difference"] < 1e-8
    slopes = [worked.checks.errors[line.key] for line in worked.lines if line.ratio]
    assert all(errors.kink or errors.difference is not None for errors in slopes)


@pytest.mark.parametrize("batch", [False, True])
def test_the_parameters_are_those_of_a_network_that_torch_trains(batch):
    worked = trace("1-2-1", activations="tanh,identity", weights="xavier", loss="mean_squared_error",
                   learning_rate=0.1, samples="1:3 2:4", batch=batch, updates=4)  # fmt: skip
    start = {given.key.removeprefix("0."): float(given.value) for given in worked.ledger.givens}
    model = torch.nn.Sequential(torch.nn.Linear(1, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).double()
    with torch.no_grad():
        for layer, module in ((1, model[0]), (2, model[2])):
            rows, columns = module.weight.shape
            for i, j in itertools.product(range(rows), range(columns)):
                module.weight[i, j] = start[f"w{layer}[{i + 1},{j + 1}]"]
            module.bias.zero_()
    x, y = torch.tensor([[1.0], [2.0]], dtype=torch.float64), torch.tensor([[3.0], [4.0]], dtype=torch.float64)
    for update in range(4):
        rows = slice(None) if batch else slice(update % 2, update % 2 + 1)
        model.zero_grad()
        torch.nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter -= 0.1 * parameter.grad
    last = {
        line.key.removeprefix("4."): float(line.value)
        for line in worked.lines
        if line.key.startswith("4.") and line.stage == "update"
    }
    assert last["w2[1,2]"] == pytest.approx(model[2].weight[0, 1].item(), rel=1e-12)
    assert last["w1[2,1]"] == pytest.approx(model[0].weight[1, 0].item(), rel=1e-12)
    assert last["b2"] == pytest.approx(model[2].bias[0].item(), rel=1e-12)


def test_one_sigmoid_output_says_yes_or_no():
    worked = trace(
        "1-1", activations="identity", weights=2, biases=0, loss="sigmoid", learning_rate=1, samples="1:1 1:0"
    )
    lines = by_key(worked)
    p = 1 / (1 + np.exp(-2.0))
    assert lines["1.dz1"].value == pytest.approx(p - 1)
    assert lines["2.dz1"].value == pytest.approx(lines["2.p"].value)


def test_at_a_kink_autograds_convention_holds_and_the_difference_is_left_out():
    # 0.1 · 3 − 0.3 is 0 in fractions, 5.6e-17 in floats: the trace and its oracles must take the same side.
    worked = trace("1-1", activations="relu", weights="0.1", biases="-0.3", loss="squared_error",
                   learning_rate=1, samples="3:1")  # fmt: skip
    lines, errors = by_key(worked), worked.checks.errors
    assert lines["1.z1"].value == 0
    assert lines["1.dyhat_dz1"].value == 0
    assert errors["1.dyhat_dz1"].kink
    assert errors["1.dyhat_dz1"].difference is None
    assert not errors["1.dyhat"].kink
    assert "at the kink" in str(worked)
    leaky = trace("1-1", activations="leaky_relu", weights="0.1", biases="-0.3", loss="squared_error",
                  learning_rate=1, samples="3:1")  # fmt: skip
    assert by_key(leaky)["1.dyhat_dz1"].value == Fraction(1, 100)


def test_a_tie_of_rivals_and_a_margin_of_exactly_one_are_kinks_of_the_hinge():
    tied = trace("1-3", activations="identity", weights=0, biases=0, loss="hinge", learning_rate=1, samples="1:1")
    assert tied.checks.errors["1.dz1[1]"].kink
    met = trace("1-2", activations="identity", weights=0, biases=[["0.3", "1.3"]], loss="hinge", learning_rate=1,
                samples="1:1")  # fmt: skip
    assert by_key(met)["1.m"].value == 0
    assert by_key(met)["1.dz1[1]"].value == 0
    assert met.checks.errors["1.dz1[1]"].kink


@pytest.mark.parametrize(
    ("weights", "samples"), [("1000", "0.001:500"), ("1e6", "1e5:5e5"), ("1e-20", "1:1"), ("3", "1e12:1")]
)
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_large_and_small_numbers_are_checked_too(weights, samples, activation):
    worked = trace("1-1-1", activations=f"{activation},identity", weights=weights, biases=0, loss="squared_error",
                   learning_rate="1e-20", samples=samples)  # fmt: skip
    # Nearer to its kink than any step, a rectifier has no central difference.
    near = activation == "relu" and weights == "1e-20"
    assert any(errors.kink for errors in worked.checks.errors.values()) == near


@pytest.mark.parametrize(("weights", "samples", "updates"), [("1e20", "3:1", 4), ("0.5", "1:1e50", 3)])
def test_a_difference_that_rounding_drowns_is_left_out_and_said(weights, samples, updates):
    worked = trace("1-1-1", activations="relu,identity", weights=weights, biases=0.5, loss="squared_error",
                   learning_rate=0.1, samples=samples, updates=updates)  # fmt: skip
    drowned = [key for key, errors in worked.checks.errors.items() if errors.drowned]
    assert drowned
    assert all(key.partition(".")[2].startswith("d") for key in drowned)
    assert f"rounding leaves no central difference: {len(drowned)} line" in " ".join(str(worked).split())


@pytest.mark.parametrize(
    ("spec", "choices", "key", "value"),
    [
        # By e = exp(-29), e / (1 + e)², and by the series of the others; 1 − h has lost digits where h is near 1.
        (
            "1-1",
            {"activations": "sigmoid", "weights": 29, "loss": "squared_error"},
            "1.dyhat_dz1",
            2.5436656473763625e-13,
        ),
        ("1-1", {"activations": "tanh", "weights": 20, "loss": "squared_error"}, "1.dyhat_dz1", 1.6993417021166355e-17),
        ("1-1", {"weights": 40, "loss": "sigmoid"}, "1.L", 4.248354255291589e-18),
        ("1-1", {"weights": 40, "loss": "sigmoid"}, "1.dz1", -4.248354255291589e-18),
        ("1-1", {"weights": -40, "loss": "sigmoid", "samples": "1:0"}, "1.L", 4.248354255291589e-18),
        ("1-1", {"weights": 40, "loss": "sigmoid", "samples": "1:0"}, "1.L", 40.0),
        ("1-2", {"weights": "40;-2", "loss": "softmax", "samples": "1:0"}, "1.L", 5.74952226429356e-19),
        ("1-2", {"weights": "40;-2", "loss": "softmax", "samples": "1:0"}, "1.dz1[1]", -5.74952226429356e-19),
        ("1-2", {"weights": "40;-2", "loss": "softmax", "samples": "1:1"}, "1.L", 42.0),
    ],
)
def test_a_saturated_unit_keeps_its_digits(spec, choices, key, value):
    common = {"activations": "identity", "biases": 0, "learning_rate": 0.1, "samples": "1:1"}
    worked = trace(spec, **(common | choices))
    assert float(by_key(worked)[key].value) == pytest.approx(value, rel=1e-12, abs=0)
    assert "ŷ) = 1 · (1 − 1)" not in str(worked)


@pytest.mark.parametrize(
    ("sizes", "choices", "named"),
    [
        ("1-1-1", {"weights": "1e50", "updates": 9, "activations": "identity,identity"}, r"line \d+, \d\.\w+"),
        (
            "1-2",
            {"loss": "softmax", "weights": "400", "samples": "2:1", "activations": "identity"},
            r"line 3, 1\.e\[1\]",
        ),
        ("1-2", {"loss": "sigmoid", "weights": "-400", "samples": "2:1", "activations": "identity"}, r"line 5, 1\.L"),
    ],
)
def test_a_line_without_a_finite_value_stops_the_trace_by_name(sizes, choices, named):
    with pytest.raises(TenfoldError, match=rf"^{named} is (too large|the logarithm)") as error:
        trace(sizes, **(HAND | choices))
    assert not isinstance(error.value, UsageError)


@pytest.mark.parametrize(
    "key", ["2.z1", "2.h1", "2.L", "2.dyhat", "2.dyhat_dz2", "2.dz2_dw2", "2.dz2_db2", "2.dw2", "2.dh1", "2.b1"]
)
def test_a_wrong_line_is_found_and_named(key):
    worked = trace("1-1-1", **HAND)
    wrong = replace(by_key(worked)[key], value=by_key(worked)[key].value + Fraction(1, 10**9))
    worked.ledger.lines[wrong.number - 1] = wrong
    worked.ledger.values[key] = wrong.value
    with pytest.raises(TenfoldError, match=r"line \d+, 2\.\w+: .* by torch"):
        check(worked.network, worked.ledger)


def test_a_wrong_line_is_found_by_the_difference_and_by_the_engine_too(monkeypatch):
    network, ledger = (worked := trace("1-1-1", **HAND)).network, worked.ledger
    known = checking.differences
    monkeypatch.setattr(checking, "differences", lambda *a: {k: v and v * 1.001 for k, v in known(*a).items()})
    with pytest.raises(TenfoldError, match="central difference is off"):
        check(network, ledger)
    monkeypatch.setattr(checking, "differences", known)
    numbers = engine.engine_numbers
    for quantity, told in (("d", "layers' own pullback"), ("z", "by torch"), ("h", "by torch"), ("L", "by torch")):
        monkeypatch.setattr(
            checking,
            "engine_numbers",
            lambda *a, of=quantity: {k: v + 1e-9 * k.split(".")[1].startswith(of) for k, v in numbers(*a).items()},
        )
        with pytest.raises(TenfoldError, match=told):
            check(network, ledger)


def test_a_batch_takes_the_mean_and_names_the_samples():
    lines = by_key(trace("1-1", activations="identity", weights=1, biases=0, loss="squared_error", learning_rate="0.1",
                         samples="1:3 2:5", batch=True))  # fmt: skip
    assert [lines[key].value for key in ("1.s1.L", "1.s2.L", "1.L")] == [2, Fraction(9, 2), Fraction(13, 4)]
    assert lines["1.dw1"].value == Fraction(-4)
    assert lines["1.w1"].value == Fraction("1.4")
    assert lines["1.s2.dw1"].symbol.text == "∂L₂/∂w₁"
    assert lines["1.dw1"].rule == "mean over the batch"


def test_updates_begin_again_after_the_last_sample():
    worked = trace("1-1-1", **HAND, updates=5)
    assert [line.moment.sample for line in worked.lines if line.key.endswith(".L")] == [1, 2, 3, 1, 2]


def test_a_formula_with_its_sign_turned_is_found():
    worked = trace("1-1-1", **HAND)
    line = by_key(worked)["1.dw1"]
    turned = replace(line, formula=Negative(line.formula), value=-line.value)
    worked.ledger.lines[line.number - 1] = turned
    worked.ledger.values[line.key] = turned.value
    with pytest.raises(TenfoldError, match=r"1\.dw1"):
        check(worked.network, worked.ledger)


@pytest.mark.parametrize("key", ["1.z1", "1.yhat", "1.L"])
def test_a_wrong_formula_of_the_forward_pass_is_found_by_the_layers(key):
    worked = trace("1-1-1", **HAND)
    line = by_key(worked)[key]
    wrong = replace(line, formula=Sum((line.formula, Number(Fraction(1)))), value=line.value + 1)
    worked.ledger.lines[line.number - 1] = wrong
    worked.ledger.values[key] = wrong.value
    with pytest.raises(TenfoldError, match=rf"line \d+, {key}: .* by torch"):
        check(worked.network, worked.ledger)
