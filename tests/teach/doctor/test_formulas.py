"""Wrong formulas that a report printed, in other places than there: each is named, and the right one left alone."""

import textwrap

import pytest

from tenfold.errors import DataError
from tenfold.teach.doctor.diagnosis import examine
from tenfold.teach.doctor.userfile import user_subjects

SHAPES = "x=6x4,W=5x4,y=6:5"
SCORES = """
n, rows = len(y), np.arange(len(y))
s = x @ W.T
m = 1 + s - s[rows, y][:, None]
m[rows, y] = -np.inf
top = m == m.max(1, keepdims=True)
"""
HINGE = f"{SCORES}value = np.maximum(0, m.max(1)).mean()\n"
SUMMED = f"{SCORES}value = np.maximum(0, m).sum() / n\n"
LABELED = f"{SCORES}value = np.maximum(1, m.max(1)).mean()\n"
BALANCED = """
d = d * 1.0
d[rows, y] = 0
d[rows, y] = -d.sum(1)
return value, d.T @ x / n
"""
ONCE = "d = d * 1.0\nd[rows, y] = -1.0 * (m.max(1) > 0)\nreturn value, d.T @ x / n"
PRINTED = """
d = np.zeros(W.shape)
for i in rows:
    for k in RIVALS:
        term = (1 * (s[i, k] + 1 > 0) + 1) * x[i] - s[i, y[i]]
        d[k] += term / n
        d[y[i]] -= term / n
return value, d
"""
EVERY, LARGEST = "[k for k in range(len(W)) if k != y[i]]", "[m[i].argmax()]"


@pytest.fixture
def named(tmp_path):
    """`named(body, shapes, arguments)`: the faults that a function is said to have, or its verdict."""

    def look(body, shapes=SHAPES, arguments="x, W, y", points=3):
        text = f"import numpy as np\n\ndef f({arguments}):\n{textwrap.indent(body, '    ')}\n"
        (tmp_path / "my.py").write_text(text)
        (subject,) = user_subjects(f"{tmp_path / 'my.py'}:f", shapes)
        found = examine(subject, points=points)
        return [finding.fault for finding in found.findings] or found.verdict

    return look


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (HINGE + "d = top & (m > 0)" + BALANCED, ""),
        (SUMMED + "d = m > 0" + BALANCED, ""),
        (HINGE + "d = m > 0" + BALANCED, "other_hinge"),
        (LABELED + "d = m > 0" + BALANCED, "other_hinge"),
        (SUMMED + "d = top & (m > 0)" + BALANCED, "other_hinge"),
        (HINGE + "d = m > 0\n" + ONCE, "other_hinge"),
        (SUMMED + "d = m > 0\n" + ONCE, "other_hinge"),
        (HINGE + "d = top & (s + 1 > 0)" + BALANCED, "hinge_indicator"),
        (HINGE + "d = s + 1 > 0" + BALANCED, "hinge_indicator"),
        (SUMMED + "d = s + 1 > 0" + BALANCED, "hinge_indicator"),
        (SUMMED + "d = np.ones(s.shape)" + BALANCED, "hinge_indicator"),
        (LABELED + "d = top & (s + 1 > 0)" + BALANCED, "hinge_indicator"),
        (HINGE + PRINTED.replace("RIVALS", EVERY), "hinge_indicator"),
        (HINGE + PRINTED.replace("RIVALS", LARGEST), "hinge_indicator"),
        (SUMMED + PRINTED.replace("RIVALS", EVERY), "hinge_indicator"),
    ],
)
def test_hinges(named, body, fault):
    assert named(body) == ([fault] if fault else "right")


@pytest.mark.parametrize(
    ("gradient", "fault"),
    [
        ("np.sign(W)", ""),
        ("np.sign(abs(W))", "penalty_sign_lost"),
        ("np.ones(W.shape)", "penalty_sign_lost"),
        ("np.full(W.shape, np.sign(W).sum())", "penalty_summed"),
    ],
)
@pytest.mark.parametrize("shape", ["5x4", "9x8"])
def test_a_penalty_alone_of_absolute_values(named, gradient, fault, shape):
    """Beyond 24 entries of a block the others' slopes are not taken."""
    if shape == "9x8" and fault == "penalty_summed":
        pytest.skip("the sum of signs cannot be told from some of them")
    told = named(f"return 0.3 * abs(W).sum(), 0.3 * {gradient}", f"W={shape}", "W")
    assert told == ([fault] if fault else "right")


@pytest.mark.parametrize("shape", ["5x4", "9x8", "6"])
def test_a_penalty_alone_of_squares(named, shape):
    value = "0.3 * (W * W).sum()"
    assert named(f"return {value}, 0.6 * W", f"W={shape}", "W") == "right"
    assert named(f"return {value}, 0.6 * np.full(W.shape, W.sum())", f"W={shape}", "W") == ["penalty_summed"]
    assert named(f"return {value}, 0.6 * abs(W)", f"W={shape}", "W") == ["penalty_sign_lost"]
    with pytest.raises(DataError, match="each number has a derivative of its own"):
        named(f"return {value}, 0.6 * W.sum()", f"W={shape}", "W")


SOFTMAX = """
n = len(y)
p = np.exp(x @ W.T + b)
p /= p.sum(1, keepdims=True)
value = -np.log(p[np.arange(n), y]).mean() + 0.1 * PENALTY
p[np.arange(n), y] -= 1
dW, db = p.T @ x / n, p.sum(0) / n
"""


@pytest.mark.parametrize(
    ("penalty", "gradient", "fault"),
    [
        ("abs(W).sum()", "dW + 0.1 * np.sign(abs(W)), db", "penalty_sign_lost"),
        ("abs(W).sum()", "dW + 0.1 * np.sign(W).sum(), db", "penalty_summed"),
        ("(W * W).sum()", "dW + 0.2 * W.sum(0), db", "penalty_summed"),
        ("(W * W).sum()", "dW + 0.2 * W.sum(1, keepdims=True), db", "penalty_summed"),
        ("(W * W).sum()", "dW + 0.2 * W, dW.mean(1)", "bias_from_weights"),
        ("(W * W).sum()", "dW + 0.2 * W, (dW + 0.2 * W)[:, -1]", "bias_from_weights"),
        ("(W * W).sum()", "dW + 0.2 * W.sum(), (dW + 0.2 * W.sum()).sum(1)", "bias_from_weights + penalty_summed"),
    ],
)
def test_penalties_and_biases_of_another_loss(named, penalty, gradient, fault):
    body = SOFTMAX.replace("PENALTY", penalty) + f"return value, {gradient}"
    assert named(body, "x=6x4,W=5x4,b=5,y=6:5", "x, W, b, y") == [fault]


@pytest.mark.parametrize(
    ("shapes", "db", "other"),
    [("x=6x4,W=5x4,b=5,y=6:5", "dW", "W"), ("x=5x4,W=5x4,b=5,y=5:5", "dW", "W"), ("x=6x4,W=5x4,b=5,y=6:5", "dW.T", "")],
)
def test_a_bias_with_the_very_gradient_of_the_weights(named, shapes, db, other):
    body = SOFTMAX.replace("PENALTY", "0") + f"return value, dW, {db}"
    with pytest.raises(DataError) as caught:
        named(body, shapes, "x, W, b, y")
    assert ("it is the gradient of W again" in str(caught.value)) == bool(other)


@pytest.mark.parametrize("scale", ["* n", "/ n", "* -1.0"])
def test_a_formula_of_another_loss_may_be_scaled_besides(named, scale):
    first = {"* n": "missing_mean", "/ n": "doubled_mean", "* -1.0": "sign"}[scale]
    (told,) = named(HINGE + "d = m > 0" + BALANCED.replace("/ n", f"/ n {scale}"))
    assert set(told.split(" + ")) == {first, "other_hinge"}
