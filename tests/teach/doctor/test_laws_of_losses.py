"""The laws of losses: each holds of a loss of which it is true and fails of one of which it is not."""

import math
import textwrap

import numpy as np
import pytest

from tenfold.choices import recipe
from tenfold.rooms import names
from tenfold.seeds import generator
from tenfold.teach.doctor.entries import entry_subject
from tenfold.teach.doctor.laws import laws, reach
from tenfold.teach.doctor.userfile import user_subjects
from tests.engine.cases import declared


def facts(case):
    """Shift, rows, value at zero for C = 4, growth, all right: as the mirror file of a loss declares them."""
    numeric = "target" in case
    zero, right = (None, None) if numeric else (case["at_zero"](4), case.get("zero_when_right", True))
    return case["shift_invariant"], case["rows_sum_to_zero"], zero, 2 if numeric else 1, right


KNOWN = {word: facts(declared("losses", word)) for word in names("losses")}


def found(subject, seed=0):
    return {law.name: law for law in laws(subject, seed)}


def entry(word):
    return entry_subject(f"losses/{word}", recipe({}))


@pytest.mark.parametrize(("word", "known"), KNOWN.items(), ids=KNOWN)
def test_laws_of_the_rooms_losses(word, known):
    shift, rows, zero, growth, right = known
    holds = found(entry(word))
    assert holds["shift invariance"].holds is shift
    assert holds["rows sum to zero"].holds is rows
    assert holds["growth"].measured == pytest.approx(growth, abs=0.1)
    assert all(holds[name].holds for name in ("convexity", "mean over the batch"))
    assert holds["same for every output" if zero is None else "same for every class"].holds
    assert holds["finite at huge scores"].holds
    if zero is None:
        assert "ln C at zero" not in holds
        assert "0 when all are right" not in holds
    else:
        assert holds["ln C at zero"].measured == pytest.approx(zero)
        assert holds["ln C at zero"].holds is (zero == pytest.approx(math.log(4)))
        assert holds["0 when all are right"].holds is right


def test_what_certainty_is_worth_is_told():
    assert "from some margin on" in found(entry("hinge"))["0 when all are right"].says
    assert "only in the limit" in found(entry("softmax"))["0 when all are right"].says


@pytest.fixture
def own(tmp_path):
    """`own(body, shapes, arguments)`: the laws of a function of one's own."""

    def build(body, shapes="z=3x4,y=3:4", arguments="z, y", seed=0):
        text = f"import numpy as np\n\ndef f({arguments}):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n"
        (tmp_path / "my.py").write_text(text)
        (subject,) = user_subjects(f"{tmp_path / 'my.py'}:f", shapes)
        return found(subject, seed)

    return build


SOFTMAX = """
n = len(z)
p = np.exp(z - z.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
d = p - np.eye(z.shape[1])[y]
loss = -np.log(p[np.arange(n), y]).mean()
"""
FAILS = {
    "batch, a sum": ("return n * loss, d", "mean over the batch", "a sum"),
    "batch, neither": ("return n * n * loss, n * d", "mean over the batch", "neither a mean nor a sum"),
    "batch, gradient not averaged": ("return loss, d", "gradient of the mean", "one of them is averaged"),
    "shift": ("return loss + z.mean(), d / n + 1 / z.size", "shift invariance", "threshold of its own"),
    "rows": ("return loss, (d + 0.1) / n", "rows sum to zero", "but the gradient says it does"),
    "classes": ("return loss * (1 + z[0, 0] ** 2), d / n", "same for every class", "or an index wrong"),
    "bulges": ("return np.log1p(loss), d / n", "convexity", "where a descent ends"),
    "at zero": ("return 3 * loss, 3 * d / n", "ln C at zero", "it is 4.159, not ln C = 1.386"),
    "never 0": ("return loss + 1, d / n", "0 when all are right", "not 0"),
    "too sure": ("return loss + (z ** 2).mean(), d / n", "0 when all are right", "being too sure is punished"),
}


@pytest.mark.parametrize(("body", "law", "says"), FAILS.values(), ids=FAILS)
def test_every_law_can_fail(own, body, law, says):
    right, wrong = own(SOFTMAX + "return loss, d / n"), own(SOFTMAX + body)
    assert law not in right or right[law].holds
    assert wrong[law].holds is False
    assert says in wrong[law].says


SMALLEST = """
costs = -np.log(p[np.arange(n), y])
one = np.arange(n) == costs.argmin()
return costs.min(), d * one[:, None]
"""
NEITHER = {
    "mean and a constant in the gradient": "return loss, d / n + 0.3",
    "smallest of the batch": SMALLEST,
    "smallest of the batch and a constant in the gradient": SMALLEST.replace("None]", "None] + 0.3"),
    "largest of the batch": SMALLEST.replace("min", "max"),
    "sum and a constant in the value": "return n * loss + 5, d",
    "squared sum": "return (n * loss) ** 2, 2 * n * loss * d",
    "sum and its square": "return n * loss + (n * loss) ** 2, (1 + 2 * n * loss) * d",
    "one wrong entry": "d[0, 0] *= 2\nreturn loss, d / n",
}


@pytest.mark.parametrize("body", NEITHER.values(), ids=NEITHER)
def test_nobody_is_accused_of_averaging_who_does_not(own, body):
    assert "gradient of the mean" not in own(SOFTMAX + body)


@pytest.mark.parametrize(
    ("body", "value", "gradient"),
    [
        ("return n * loss, d / n", "2", "1"),
        ("return loss + 5, d", "1", "2"),
        ("return loss, d / n**2", "1", "0.5"),
        ("return n * loss + 5, d / n", "2", "1"),
    ],
)
def test_a_gradient_averaged_otherwise_than_its_value_is(own, body, value, gradient):
    law = own(SOFTMAX + body)["gradient of the mean"]
    assert law.says.startswith(f"the value goes by {value} and the gradient by {gradient} when the batch is doubled")


FOCAL = """
n = len(z)
p = np.exp(z - z.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
q = p[np.arange(n), y]
return np.mean(-((1 - q) ** 2) * np.log(q)), 0 * z
"""


@pytest.mark.parametrize("seed", range(3))
def test_a_bulge_that_only_one_image_shows_is_seen(own, seed):
    law = own(FOCAL, seed=seed)["convexity"]
    assert law.holds is False
    assert 1e-5 < law.measured < 1e-2


def test_that_no_bulge_was_found_is_said_as_such(own):
    assert "no bulge was found on 200 random segments" in own(SOFTMAX + "return loss, d / n")["convexity"].says


HINGES = """
s = x @ W.T
m = np.maximum(0, s - s[np.arange(len(y)), y][:, None] + 1)
return m.sum() / len(y) - 1 + 0.1 * (W * W).sum(), 0 * W
"""


def test_what_a_penalty_leaves_behind_does_not_turn_a_hinge_into_a_softmax(own):
    law = own(HINGES, "x=3x7,W=4x7,y=3:4", "x, W, y")["0 when all are right"]
    assert law.holds
    assert "from some margin on" in law.says


def test_a_value_that_ignores_the_scores_has_no_laws(own):
    assert own("return 3.0, 0 * z") == {}


SQUARES = "return ((z - y) ** 2).sum(), 2 * (z - y)"


def test_laws_of_regressions_speak_of_outputs(own):
    several, one = own(SQUARES, "z=3x4,y=3x4"), own(SQUARES, "z=3x1,y=3x1")
    assert not any(word in law.name + law.says for law in several.values() for word in ("class", "image"))
    assert several["same for every output"].holds
    assert {"same for every output", "shift invariance", "rows sum to zero"} == set(several) - set(one)


ONE_HOT = """
n = len(z)
p = np.exp(z - z.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
assert (y.sum(1) == 1).all() and ((y == 0) | (y == 1)).all()
return -(y * np.log(p + 1e-300)).sum() / n, (p - y) / n
"""


def test_one_hot_rows_are_labels_to_the_laws(own):
    laws_found = own(ONE_HOT, "z=3x4,y=3:4:onehot")
    assert laws_found["ln C at zero"].holds
    for name in ("rows sum to zero", "convexity", "same for every class", "mean over the batch"):
        assert laws_found[name].holds, name
    linear = "z = x @ W.T\n" + ONE_HOT.replace("(p - y) / n", "(p - y).T @ x / n")
    assert own(linear, "x=3x7,W=4x7,y=3:4:onehot", "x, W, y")["ln C at zero"].holds


OVERFLOWING = "p = np.exp(z)\np /= p.sum(1, keepdims=True)\nreturn -np.log(p[np.arange(len(y)), y]).mean(), p"


def test_a_softmax_that_does_not_shift_overflows(own):
    law = own(OVERFLOWING)["finite at huge scores"]
    assert law.holds is False
    assert "shift each row" in law.says


def test_homogeneity_and_bounded_growth_are_told(own):
    leading = "return (z.max(1) - z[np.arange(len(y)), y]).mean(), 0 * z"
    bounded = "m = z.max(1) - z[np.arange(len(y)), y]\nreturn np.tanh(m).mean(), 0 * z"
    assert own(leading)["homogeneity"].holds
    assert own(leading)["homogeneity"].measured == pytest.approx(1)
    assert own(bounded)["homogeneity"].holds is False
    assert "does not grow" in own(bounded)["growth"].says


LINEAR = """
s = x @ W.T + b
n = len(s)
p = np.exp(s - s.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
loss = -np.log(p[np.arange(n), y]).mean() + 0.3 * (W * W).sum()
p[np.arange(n), y] -= 1
p /= n
return loss, p.T @ x + 0.6 * W, p.sum(0)
"""
LAYOUTS = {
    "weights (C, D)": ("x=3x10,W=4x10,b=4,y=3:4", LINEAR, "x, W, b, y"),
    "weights (D, C)": ("x=3x10,W=10x4,b=4,y=3:4", "W = W.T" + LINEAR, "x, W, b, y"),
    "square": ("x=3x4,W=4x4,b=4,y=3:4", LINEAR, "x, W, b, y"),
    "a row as bias": ("x=3x10,W=4x10,b=1x4,y=3:4", LINEAR.replace("p.sum(0)", "p.sum(0, keepdims=True)"), "x, W, b, y"),
    "no bias": ("x=3x10,W=4x10,y=3:4", "b = 0" + LINEAR.replace(", p.sum(0)", ""), "x, W, y"),
}


@pytest.mark.parametrize(("shapes", "body", "arguments"), LAYOUTS.values(), ids=LAYOUTS)
def test_scores_are_reached_through_weights_and_a_penalty(own, shapes, body, arguments):
    if "10x4" in shapes:
        body = body.replace("return loss, p.T @ x + 0.6 * W", "return loss, (p.T @ x + 0.6 * W).T")
    laws_found = own(body, shapes, arguments)
    assert laws_found["ln C at zero"].measured == pytest.approx(math.log(4))
    for name in ("shift invariance", "rows sum to zero", "convexity", "mean over the batch", "same for every class"):
        assert laws_found[name].holds, name


def test_scores_behind_a_hidden_layer_are_not_reached(own):
    hidden = "x = np.tanh(x)\n" + LINEAR
    assert own(hidden, "x=3x10,W=4x10,b=4,y=3:4", "x, W, b, y") == {}


def test_the_gradient_that_is_reached_is_that_of_the_scores(tmp_path):
    (tmp_path / "my.py").write_text(f"import numpy as np\ndef f(x, W, b, y):\n{textwrap.indent(LINEAR, '    ')}")
    (subject,) = user_subjects(f"{tmp_path / 'my.py'}:f", "x=3x10,W=4x10,b=4,y=3:4")
    through, direct = (reach(one, generator(0)) for one in (subject, entry("softmax")))
    z, y = np.random.default_rng(0).standard_normal((6, 4)), np.array([0, 1, 2, 3, 3, 0])
    for a, b in zip(through.of(z, y), direct.of(z, y), strict=True):
        assert np.abs(a - b).max() < 1e-12


@pytest.mark.parametrize("target", ["layers/relu", "models/linear"])
def test_what_is_no_loss_has_no_laws(target):
    assert laws(entry_subject(target, recipe({}))) == []
