"""Every fault of the room is found where it was planted; what the checker finds of its own settings is said first."""

import numpy as np
import pytest
import torch

from tenfold.rooms import find, names
from tenfold.teach.doctor.backward import Affine, Structure, backward, forward
from tenfold.teach.doctor.diagnosis import examine
from tenfold.teach.doctor.recognition import point
from tenfold.teach.doctor.subject import Evaluation, Problem, Subject

N, C = 5, 3
SQUARES = Structure((Affine("W", "b", True),), "identity", "identity", "squared_error", 1.0)
LAYER, HIDDEN = Affine("W", "b", True), Affine("V", "a", False)
STRUCTURES = [
    Structure((LAYER,), "identity", "identity", "softmax", 1.0, "l2", 0.3),
    Structure((LAYER,), "identity", "identity", "softmax", 1.0),
    Structure((LAYER,), "identity", "identity", "sigmoid", 1.0, "l2", 0.3),
    Structure((LAYER,), "identity", "identity", "hinge", 1.0),
    Structure((HIDDEN, LAYER), "tanh", "identity", "softmax", 1.0),
]


def planted(structure, ways=()):
    """A function that computes the structure, its gradients by the given ways of going wrong."""
    blocks = [name for layer in structure.layers for name in (layer.weight, layer.bias)]
    shapes = {name: (C, C) if name in "VW" else (C,) for name in blocks}

    def evaluate(problem):
        known = point(problem, 0.0)
        done = forward(structure, known.x, known.params, known.targets)
        claimed = {name: grad for name, grad in backward(done._replace(claimed=({},)), ways).items() if name in blocks}
        return Evaluation(done.value, {name: grad.numpy().copy() for name, grad in claimed.items()})

    def draw(rng, integers):
        params = {name: 0.7 * rng.standard_normal(shape) for name, shape in shapes.items()}
        if structure == SQUARES:
            return Problem(rng.standard_normal((N, C)), params, rng.standard_normal((N, C)), 0)
        return Problem(rng.standard_normal((N, C)), params, rng.integers(C, size=N), C)

    return Subject("planted", evaluate, draw, tuple(blocks), shapes, lambda problem: None)


def first_way(fault):
    """The first structure that a fault can happen in, and its first way there that can be planted."""
    for structure in STRUCTURES:
        for way in find("faults", fault).ways(structure, ["W", "b"]):
            return structure, way
    raise AssertionError(f"{fault} happens in none of the structures")


def written(structure, rows):
    """The same function with another gradient: what `rows` makes of the right ones."""
    right = planted(structure)

    def evaluate(problem):
        given = right.evaluate(problem)
        return given._replace(grads=rows(problem, given.grads))

    return right._replace(evaluate=evaluate)


# What is read off the returned gradients themselves cannot be planted without them.
FITTED = {
    "factor_of_two": lambda p, g: {name: 2 * grad for name, grad in g.items()},
    "scaled": lambda p, g: {name: 0.37 * grad for name, grad in g.items()},
    "clipped": lambda p, g: {name: np.clip(grad, -0.05, 0.05) for name, grad in g.items()},
    "penalty_not_in_value": lambda p, g: g | {"W": g["W"] + 0.4 * p.params["W"]},
}


@pytest.mark.parametrize("fault", names("faults"))
def test_a_planted_fault_is_named(fault):
    if fault in FITTED:
        right = SQUARES if fault == "factor_of_two" else STRUCTURES[1]
        found = examine(written(right, FITTED[fault]), points=3)
    else:
        structure, way = first_way(fault)
        found = examine(planted(structure, (way,)), points=3)
    assert found.verdict == "wrong"
    assert fault in [finding.fault for finding in found.findings], found.sentence
    assert found.findings[0].sentence in found.sentence


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda structure: structure.loss)
def test_without_a_fault_nothing_is_named(structure):
    found = examine(planted(structure), points=3)
    assert (found.verdict, found.findings) == ("right", ())
    assert max(block.difference for block in found.blocks) < 1e-7


@pytest.mark.parametrize(("of", "other"), [("gelu", "relu"), ("tanh", "silu")])
def test_every_activation_of_the_room_may_be_the_wrong_one(of, other):
    structure = Structure((HIDDEN, LAYER), of, "identity", "softmax", 1.0)
    ways = find("faults", "wrong_activation_derivative").ways(structure, ["W", "b"])
    (way,) = (way for way in ways if way.says == f"the derivative of {other} is taken where the activation is {of}")
    found = examine(planted(structure, (way,)), points=3)
    assert [finding.sentence for finding in found.findings] == [way.says]


def test_a_gradient_that_is_a_little_off_is_not_taken_for_derived():
    def grown(p, g):
        return g | {"W": g["W"] * (1 + 1e-5)}

    found = examine(written(STRUCTURES[1], grown), points=3)
    assert (found.verdict, found.findings) == ("wrong", ())
    assert found.blocks[0].difference > 4e-6


def test_where_kinks_cancel_the_chain_rule_is_right():
    kinked = Structure((HIDDEN, LAYER), "relu", "identity", "softmax", 1.0)
    subject = planted(kinked)

    def draw(rng, integers):
        p = subject.draw(rng, integers)
        x = np.concatenate([p.x[:2], -p.x[:2], p.x[4:]])
        return p._replace(x=x, params=p.params | {"a": np.zeros(C), "V": np.where(np.eye(C) > 0, 0.0, p.params["V"])})

    assert examine(subject._replace(draw=draw), points=3).verdict == "right"


@pytest.mark.parametrize("at_zero", [0.0, 1.0])
def test_a_unit_on_its_kink_may_have_the_slope_to_either_side(at_zero):
    kinked = Structure((HIDDEN, LAYER), "relu", "identity", "squared_error", 1.0)
    subject = planted(kinked)

    def evaluate(p):
        z = p.x @ p.params["V"].T + p.params["a"]
        h = np.maximum(0, z)
        d = (h @ p.params["W"] + p.params["b"] - p.y) / len(p.x)
        dz = d @ p.params["W"].T * np.where(z == 0, at_zero, z > 0)
        value = 0.5 * len(p.x) * (d**2).sum()
        return Evaluation(value, {"V": dz.T @ p.x, "a": dz.sum(0), "W": h.T @ d, "b": d.sum(0)})

    def draw(rng, integers):
        # Mirrored images whose errors are mirrored too: of the first unit the slopes to both sides are the same.
        x, error, v, w, a, b = (rng.standard_normal(shape) for shape in ((3, C), (3, C), (C, C), (C, C), C, C))
        x, v[0], a[0] = np.concatenate([x, -x]), 0, 0
        outputs = np.maximum(0, x @ v.T + a) @ w + b
        return Problem(x, {"V": v, "a": a, "W": w, "b": b}, outputs - np.concatenate([error, -error]), 0)

    assert examine(subject._replace(evaluate=evaluate, draw=draw), points=3).verdict == "right"


def test_one_wrong_entry_is_pointed_at():
    def spoiled(p, g):
        wrong = g["W"].copy()
        wrong[0, 1] *= 1.5
        return g | {"W": wrong}

    assert "wrong: W at [0, 1]; right: b" in examine(written(STRUCTURES[1], spoiled), points=3).sentence


def test_a_gradient_that_is_no_number_is_said():
    found = examine(written(STRUCTURES[1], lambda p, g: g | {"b": g["b"] * np.nan}), points=3)
    assert found.sentence == "the gradient is wrong: b: not finite"


def test_of_two_faults_with_one_factor_fewer_images_tell():
    structure = Structure((LAYER,), "identity", "identity", "sigmoid", 1.0)
    missing = find("faults", "missing_mean").ways(structure, ["W", "b"])[0]
    subject = planted(structure, (missing,))

    def draw(rng, integers):
        p = subject.draw(rng, integers)
        return p._replace(x=p.x[:C], y=p.y[:C])

    found = examine(subject._replace(draw=draw), points=3)
    assert [finding.fault for finding in found.findings] == ["missing_mean"]


def test_two_faults_at_once_are_both_named():
    label = find("faults", "label_not_subtracted").ways(STRUCTURES[1], ["W", "b"])[0]
    last = find("faults", "bias_not_summed").ways(STRUCTURES[1], ["W", "b"])[1]
    (found,) = examine(planted(STRUCTURES[1], (label, last)), points=3).findings
    assert sorted(found.fault.split(" + ")) == ["bias_not_summed", "label_not_subtracted"]


def test_what_no_fault_explains_is_placed():
    found = examine(written(STRUCTURES[1], lambda p, g: g | {"b": g["b"] + p.x.sum() ** 2}), points=3)
    assert (found.verdict, found.findings) == ("wrong", ())
    assert "wrong: b; right: W" in found.sentence
    assert {block.name: block.wrong for block in found.blocks} == {"W": 0, "b": 3}


def of(f, grad, **fields):
    """A function of x alone."""
    subject = Subject(
        "f",
        lambda p: Evaluation(float(f(p.x)), {"x": np.asarray(grad(p.x), dtype=float)}),
        lambda rng, integers: Problem(
            rng.integers(-1, 2, 4).astype(float) if integers else rng.standard_normal(4), {}, None
        ),
        ("x",),
        {},
        lambda p: None,
    )
    return subject._replace(**fields)


def test_a_function_that_is_not_recognized_is_examined_too():
    def value(x):
        return np.sin(x).sum()

    assert examine(of(value, np.cos)).verdict == "right"
    found = examine(of(value, lambda x: -np.cos(x)))
    assert [finding.fault for finding in found.findings] == ["sign"]


@pytest.mark.parametrize(("step", "why"), [(1e-15, "rounding"), (3.0, "curve")])
def test_an_unfit_step_is_said_and_nobody_accused(step, why):
    found = examine(of(lambda x: np.sin(x).sum(), np.cos), step=step)
    assert found.verdict == "right"
    assert any("unfit" in remark and why in remark for remark in found.remarks)
    assert not examine(of(lambda x: np.sin(x).sum(), np.cos), step=1e-6).remarks


def test_float32_inside_is_said_and_nobody_accused():
    def value(x):
        return np.tanh(x.astype(np.float32)).sum(dtype=np.float32)

    found = examine(of(value, lambda x: 1 - np.tanh(x) ** 2))
    assert found.verdict == "right"
    assert any("float32" in remark for remark in found.remarks)


@pytest.mark.parametrize("offset", [1e13, 1e14])
def test_what_differences_cannot_tell_is_not_called_right(offset):
    found = examine(of(lambda x: offset + np.sin(x).sum(), lambda x: -np.cos(x)))
    assert found.verdict in ("unclear", "wrong")
    traced = of(lambda x: offset + np.sin(x).sum(), np.cos, traced=lambda p: {"x": np.cos(p.x)})
    assert examine(traced).verdict == "right"


def test_a_rounded_value_is_said_and_the_gradient_not_accused():
    assert examine(of(lambda x: round(np.sin(x).sum(), 4), np.cos)).verdict == "unclear"


def test_smooth_functions_have_no_kinks_where_their_curve_is_flat():
    assert examine(of(lambda x: (x**4).sum(), lambda x: 4 * x**3)).on_kinks == 0
    assert not examine(of(lambda x: 3.0, lambda x: 0 * x)).remarks


def test_kinks_are_counted_and_no_accusation():
    found = examine(of(lambda x: np.maximum(0, x).sum(), lambda x: x > 0))
    assert (found.verdict, found.on_kinks) == ("right", found.subgradients)
    assert found.on_kinks > 0
    beyond = examine(of(lambda x: np.maximum(0, x).sum(), lambda x: np.where(x == 0, 5.0, x > 0)))
    assert (beyond.verdict, beyond.subgradients) == ("right", 0)
    broken = examine(of(lambda x: np.maximum(0, x).sum(), lambda x: np.where(x == 0, np.nan, x > 0)))
    assert broken.verdict == "wrong"
    assert "not finite" in broken.sentence


def test_a_fault_that_shows_seldom_is_found_with_more_points():
    def hits(found):
        return found.blocks[0].wrong

    seldom = of(lambda x: (x**2).sum(), lambda x: 2 * x + (x[0] > 0.7))
    found = [examine(seldom, seed=seed) for seed in range(6)]
    assert {one.points for one in found} == {5, 20}
    for one in found:
        assert one.verdict == ("wrong" if hits(one) > 1 else "right")
        assert one.points == 20 or hits(one) != 1


def test_nothing_is_judged_where_the_value_is_no_number():
    assert examine(of(lambda x: np.nan, lambda x: x)).verdict == "unclear"
    some = examine(of(lambda x: (x**2).sum() if x[0] < 0.5 else np.inf, lambda x: 2 * x))
    assert some.verdict == "right"
    assert any("not finite" in remark for remark in some.remarks)


def test_the_same_seed_examines_the_same():
    one, two = (examine(planted(STRUCTURES[0]), seed=4, points=2) for _ in range(2))
    assert one == two


def test_autograd_that_agrees_clears_what_differences_doubt():
    def value(x):
        return np.abs(x).sum() + 1e-9 * np.sign(x).sum() / 1e-9

    subject = of(value, np.sign, traced=lambda p: {"x": np.sign(p.x)})
    found = examine(subject)
    assert found.verdict == "right"
    assert found.blocks[0].autograd == 0
    assert torch.is_grad_enabled()
