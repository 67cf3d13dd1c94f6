"""The kind of a loss: which laws hold of its scores, and what each of them means, in a sentence.

For scores z (B, C) and labels y:

    shift         L(z + c 1ᵀ) = L(z), and then the rows of ∂L/∂z sum to 0
    zero          L(0), the cost of knowing nothing: ln C for softmax
    convex        L((z + z')/2) ≤ (L(z) + L(z'))/2, of batches far apart and of one image moved a little
    scaling       L(s z) for s → ∞: the order of growth where some are wrong, and the limit where all are right
    batch         L of the batch twice: once L for a mean, twice L for a sum
    permutation   L(z Π, Π y) = L(z, y): no class is treated differently
    overflow      finite at scores of ±10⁴

The loss is reached as a function of the scores alone: f(z, y) takes them as they are. Of f(x, W[, b], y) with scores
z = x Wᵀ + b,

    x = [z | I],  W = [I | 0],  b = 0        gives the scores z (B, C), and ∂L/∂z_i stands in column C + i of ∂L/∂W;
    x = [0 | I],  W = [0 | zᵀ],  b = 0       has to give the same value, or these are not the scores.

A penalty on W adds what is left of value and gradient at x = 0.
"""

__all__ = ["Law", "laws", "reach"]

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError, TenfoldError
from tenfold.seeds import generator
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Subject

IMAGES = 7
CLOSE = {"float64": 1e-9, "float32": 1e-4}
# Segments: of whole batches, which see a bowl that flattens out; of one image, where no other hides its bulge.
LONG, SHORT = 50, 150
CHANCES = 8
FAR = (20.0, 40.0)
HUGE = 1e4
CURES = {
    "infinite": "take log p as z − log Σ e^z, not as the logarithm of a p that may be 0",
    "NaN": "shift each row of scores by its maximum before an exponential",
}
GROWTH = {
    0: "does not grow: a mistake costs at most so much, however sure",
    1: "grows linearly: one far outlier pulls with a bounded gradient",
    2: "grows like a square: one far outlier can outweigh all others",
}
NOUNS = {True: ("class", "classes", "image", "scores"), False: ("output", "outputs", "input", "outputs")}
"""By labels or none: what a score is of, one and several; what a row is of; the scores."""

Targets = NDArray[Any]
Of = Callable[[Array, Targets], tuple[float, Array | None]]


@dataclass(frozen=True)
class Law:
    """holds: None where there is nothing to hold. says: a sentence; measured: the number that it rests on."""

    name: str
    holds: bool | None
    says: str
    measured: float


class LossOfScores(NamedTuple):
    """`of(z, y) -> value, dz`, dz None where it cannot be seen. z: (B, C), y: (B,) labels, or (B, C) real targets.

    Of a function that takes its labels as one-hot rows, y are the labels. classes: C; labeled: true where y are labels;
    close: relative difference that counts as none.
    """

    of: Of
    classes: int
    labeled: bool
    close: float


class _LinearScores(NamedTuple):
    """Scores that a function makes itself. inward: its weight lies as (D, C); bias: zeros by name; classes: labels'."""

    subject: Subject
    weight: str
    inward: bool
    bias: dict[str, Array]
    classes: int

    def of(self, z: Array, y: Targets) -> tuple[float, Array | None]:
        """Return value and gradient of the scores z."""
        images, width = z.shape
        value, dw = self.unpenalized(np.hstack((z, np.eye(images))), np.eye(width, width + images), y)
        return value, None if dw is None else dw[:, width:].T

    def unpenalized(self, x: Array, w: Array, y: Targets) -> tuple[float, Array | None]:
        """Return the value without a penalty, and its gradient in W, as (C, D)."""
        given, alone, zero = self._call(x, w, y), self._call(0 * x, w, y), self._call(0 * x, 0 * w, y)
        value = given.value - (alone.value - zero.value)
        if self.weight not in self.subject.blocks:
            return value, None
        dw = given.grads[self.weight] - alone.grads[self.weight]
        return value, dw.T if self.inward else dw

    def _call(self, x: Array, w: Array, y: Targets) -> Evaluation:
        params = {self.weight: w.T if self.inward else w, **self.bias}
        return _evaluated(self.subject, Problem(x, params, y, self.classes))


def laws(subject: Subject, seed: int = 0) -> list[Law]:
    """Return the laws of a loss of scores; [] where a function has none, or they cannot be reached."""
    loss = reach(subject, generator(seed, "laws", "reach"))
    if loss is None or not _depends(loss, generator(seed, "laws", "depends")):
        return []
    left_out = () if loss.labeled else _OF_LABELS if loss.classes > 1 else (*_OF_LABELS, *_OF_SEVERAL)
    results: list[Law] = []
    for name in [name for name in _TESTS if name not in left_out]:
        try:
            results += _TESTS[name](loss, generator(seed, "laws", name))
        except TenfoldError as error:
            results.append(Law(name, False, f"could not be tried: {_cause(error)}", math.nan))
    return results


def _law(name: str, measured: float, holds: bool, yes: str, no: str) -> Law:
    return Law(name, holds, yes if holds else no, measured)


def _draw(loss: LossOfScores, rng: np.random.Generator, size: float = 2.0) -> tuple[Array, Targets]:
    z = size * rng.standard_normal((IMAGES, loss.classes))
    return z, rng.integers(0, loss.classes, IMAGES) if loss.labeled else rng.standard_normal(z.shape)


def _depends(loss: LossOfScores, rng: np.random.Generator) -> bool:
    """Judge whether the value changes with the scores: of a constant, every law would hold or fail for no reason."""
    _, y = _draw(loss, rng)
    try:
        return len({loss.of(_draw(loss, rng)[0], y)[0] for _ in range(CHANCES)}) > 1
    except TenfoldError:  # it is not finite somewhere, so it does change
        return True


def _shift(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    z, y = _draw(loss, rng)
    value, dz = loss.of(z, y)
    change = _apart(value, loss.of(z + 3 * rng.standard_normal((len(z), 1)), y)[0])
    holds = change <= loss.close
    part, _, whole, scores = NOUNS[loss.labeled]
    adding = f"adding a constant to all {scores} of an {whole} changes"
    level = f"every {part} has a {'threshold' if loss.labeled else 'level'} of its own"
    yes, no = f"{adding} nothing, so the bias is determined only up to a shift", f"{adding} the loss: {level}"
    shift = _law("shift invariance", change, holds, yes, no)
    if dz is None:
        return [shift]
    worst = float(np.abs(dz.sum(1)).max() / max(np.abs(dz).max(), 1e-300))
    yes = f"what the gradient takes from one {part} of an {whole} it gives to the others"
    no = f"{scores} of an {whole} can all rise or fall together"
    if holds:
        no = f"the value does not change when all {scores} of an {whole} rise together, but the gradient says it does"
    return [shift, _law("rows sum to zero", worst, worst <= loss.close, yes, no)]


def _zero(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    _, y = _draw(loss, rng)
    classes = loss.classes
    value = loss.of(np.zeros((len(y), classes)), y)[0]
    for sums, factor in (("", 1), (f" for each of the {len(y)} images", len(y))):
        for name, number, says in _COSTS:
            cost = number(classes)
            if math.isclose(value / factor, cost, rel_tol=10 * loss.close, abs_tol=loss.close):
                equation = name if name.isdigit() else f"{name} = {cost:.4g}"
                return [Law("ln C at zero", name == "ln C", f"at zero scores it is {equation}{sums}{says}", value)]
    return [Law("ln C at zero", False, f"at zero scores it is {value:.4g}, not ln C = {math.log(classes):.4g}", value)]


_COSTS: tuple[tuple[str, Callable[[int], float], str], ...] = (
    ("ln C", math.log, ": what guessing among C classes costs, and what a first loss should be near"),
    ("ln 2", lambda c: math.log(2), ": what guessing yes or no costs, class by class"),
    ("C ln 2", lambda c: c * math.log(2), ": yes or no is guessed for each of C classes, and their losses are summed"),
    ("C − 1", lambda c: c - 1, ": the margin that every image lacks against each of its rivals"),
    ("1", lambda c: 1, ": the margin that every image lacks by as much"),
    ("C", lambda c: c, ""),
    ("0", lambda c: 0, ""),
)


def _convex(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    segments: list[tuple[Array, Array, Targets]] = []
    for _ in range(LONG):  # of many sizes, for a bowl near zero may flatten out far from it
        (a, y), (b, _) = (_draw(loss, rng, 10 ** rng.uniform(-1, 1.5)) for _ in range(2))
        segments.append((a, b, y))
    for k in range(SHORT):
        a, y = _draw(loss, rng, 10 ** rng.uniform(-0.5, 0.8))
        b = a.copy()
        b[k % len(b)] += 10 ** rng.uniform(-1, 0.5) * rng.standard_normal(loss.classes)
        segments.append((a, b, y))
    worst = -math.inf
    for a, b, y in segments:
        ends, middle = (loss.of(a, y)[0] + loss.of(b, y)[0]) / 2, loss.of((a + b) / 2, y)[0]
        worst = max(worst, (middle - ends) / max(1.0, abs(ends)))
    none = f"no bulge was found on {LONG + SHORT} random segments"
    yes = f"{none}: where there is none, with linear scores, a minimum that is found is the lowest there is"
    no = f"bulges upwards between two points (by {worst:.2g}): where a descent ends depends on where it began"
    return [_law("convexity", worst, worst <= loss.close, yes, no)]


def _scaling(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    z, y = _draw(loss, rng)
    one, two, three, near, far = (loss.of(s * z, y)[0] for s in (1.0, 2.0, 3.0, *FAR))
    order = math.log(far / near) / math.log(FAR[1] / FAR[0]) if near > 0 and far > 0 else math.nan
    degree = math.log(two / one, 2) if one > 0 and two > 0 else math.nan
    exact = math.isfinite(degree) and _apart(three, 3**degree * one) <= 10 * loss.close
    holds = exact and abs(degree) > loss.close
    yes = f"twice the scores, {2**degree:.3g} times the loss: it has no scale, only directions matter"
    no = "the size of the scores matters, not their directions alone"
    scale = _law("homogeneity", degree, holds, yes, no)
    power = round(order) if math.isfinite(order) and abs(order - round(order)) < 0.1 else -1
    other = f"goes with their power {order:.2g}" if math.isfinite(order) else "has no power law"
    grows = f"for large scores with mistakes among them, the loss {GROWTH.get(power, other)}"
    return [scale, Law("growth", None, grows, order), *(_separable(loss, rng) if loss.labeled else [])]


def _separable(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    """Take all images to the right side, to see what more and more certainty is worth."""
    _, y = _draw(loss, rng)
    right = 2 * np.eye(loss.classes)[y] - 1
    base, *values = (loss.of(s * right, y)[0] for s in (0.0, 1.0, 4.0, 16.0, 100.0))
    # What is left when a penalty is taken off again is rounding.
    end, nothing = values[-1], loss.close * max(map(abs, (base, *values)))
    if end > base and end > nothing:
        says = f"scores that are right by a wide margin cost {end:.3g}: being too sure is punished"
    elif end > nothing:
        says = f"where all images are right by a wide margin it is {end:.3g}, not 0: certainty is never rewarded fully"
    elif values[1] <= nothing:
        says = "exactly, from some margin on: images that are right by enough have no say any more"
    else:
        says = "but only in the limit: on separable data the weights grow without end, unless a penalty stops them"
    return [Law("0 when all are right", end <= nothing, says, end)]


def _batch(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    z, y = _draw(loss, rng)

    def doubled(scores: Array) -> tuple[float, Array | None]:
        return loss.of(np.vstack((scores, scores)), np.concatenate((y, y)))

    (once, dz), (twice, ddz) = loss.of(z, y), doubled(z)
    ratio = twice / once if once else math.nan
    mean = _apart(ratio, 1.0) <= loss.close
    if mean:
        says = "a mean: twice the batch, the same loss, so the learning rate need not follow the batch size"
    elif _apart(ratio, 2.0) <= loss.close:
        says = "a sum: twice the batch, twice the loss, so the learning rate has to shrink as the batch grows"
    else:
        says = f"neither a mean nor a sum: the same batch twice gives {ratio:.4g} times the loss"
    results = [Law("mean over the batch", mean, says, ratio)]
    if dz is not None and ddz is not None and np.abs(dz).max() > 0:
        # Both copies of an image have a share, or one of them has it all, where the value is that of its largest.
        whole, others = ddz[: len(z)] + ddz[len(z) :], [_draw(loss, rng)[0] for _ in range(2)]
        pull = float((whole * dz).sum() / (dz * dz).sum())
        # A constant in the value goes into no gradient, so its changes tell; one in the gradient is no average.
        grows = [(doubled(other)[0] - twice) / (loss.of(other, y)[0] - once or math.nan) for other in others]
        same = all(math.isfinite(one) and _apart(one, grows[0]) <= 10 * loss.close for one in grows)
        parallel = np.abs(whole - pull * dz).max() <= 10 * loss.close * np.abs(whole).max()
        if same and parallel and _apart(pull, grows[0]) > 10 * loss.close:
            says = f"the value goes by {grows[0]:.3g} and the gradient by {pull:.3g} when the batch is doubled"
            says += ": one of them is averaged, the other is not"
            results.append(Law("gradient of the mean", False, says, pull))
    return results


def _permutation(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    z, y = _draw(loss, rng)
    # Round by one: no class stays where it was, and only what is the same for all does not notice.
    order = np.roll(np.arange(loss.classes), 1)
    # Column k of the new scores is column order[k] of the old, so label y becomes its place in the order.
    labels = np.argsort(order)[y] if loss.labeled else y[:, order]
    (value, dz), (other, moved) = loss.of(z, y), loss.of(z[:, order], labels)
    change = _apart(value, other)
    if dz is not None and moved is not None:
        change = max(change, float(np.abs(dz[:, order] - moved).max() / max(np.abs(dz).max(), 1e-300)))
    one, several, *_ = NOUNS[loss.labeled]
    yes = f"{several} in another order, the same loss: none is privileged"
    no = f"{several} in another order, another loss: is one weighed, or an index wrong?"
    return [_law(f"same for every {one}", change, change <= loss.close, yes, no)]


def _overflow(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    _, y = _draw(loss, rng)
    z = HUGE * np.sign(rng.standard_normal((len(y), loss.classes)))
    name, scores = "finite at huge scores", f"scores of ±{HUGE:,.0f}"
    try:
        return [Law(name, True, f"{scores} overflow nowhere", loss.of(z, y)[0])]
    except TenfoldError as error:
        cause = _cause(error)
        cure = CURES["infinite" if "infinite" in cause else "NaN"]
        return [Law(name, False, f"at {scores}: {cause}; {cure}", math.inf)]


def _cause(error: TenfoldError) -> str:
    return str(error).rpartition(": ")[2]  # the part that does not name file and function


def _apart(a: float, b: float) -> float:
    return abs(a - b) / max(1e-300, abs(a), abs(b), 1e-12)


def reach(subject: Subject, rng: np.random.Generator) -> LossOfScores | None:
    """Return the loss of a subject's scores, None where it has no scores, or they cannot be reached."""
    problem = subject.draw(rng, False)
    if problem.y is None or problem.x.ndim != 2 or subject.kind in ("layer", "model"):
        return None
    classes = problem.classes or (problem.y.shape[1] if problem.y.ndim == 2 else 0)
    if not classes or (problem.classes and problem.y.ndim != 1):
        return None
    labeled = bool(problem.classes) or problem.onehot
    rows = subject._replace(evaluate=lambda p: subject.evaluate(p._replace(y=np.eye(classes)[p.y])))
    try:
        close = CLOSE[subject.evaluate(problem).dtype]
        of = _reached(rows if problem.onehot else subject, problem, classes, labeled, close, rng)
    except TenfoldError:
        return None
    return LossOfScores(of, classes, labeled, close) if of else None


def _reached(
    subject: Subject, problem: Problem, classes: int, labeled: bool, close: float, rng: np.random.Generator
) -> Of | None:
    """Find one matrix that turns inputs into scores, and perhaps a bias; None where there is anything else."""
    width, params = problem.x.shape[1], problem.params
    if not params:
        return partial(_bare, subject, problem.classes) if width == classes and subject.blocks else None
    weights = [name for name, p in params.items() if p.shape in ((classes, width), (width, classes))]
    biases = {name: np.zeros_like(p) for name, p in params.items() if p.shape in ((classes,), (1, classes))}
    bias = {name: zeros for name, zeros in biases.items() if name not in weights}
    if len(weights) != 1 or len(bias) > 1 or 1 + len(bias) != len(params):
        return None
    inward = params[weights[0]].shape == (width, classes) != (classes, width)
    linear = _LinearScores(subject, weights[0], inward, bias, problem.classes)
    z = rng.standard_normal((IMAGES, classes))
    y: Targets = rng.integers(0, classes, IMAGES)
    if not labeled:
        y = rng.standard_normal((IMAGES, classes))
    # The same scores, made the other way round.
    x, w = np.eye(IMAGES, classes + IMAGES, classes), np.hstack((np.zeros((classes, classes)), z.T))
    value, other = linear.of(z, y)[0], linear.unpenalized(x, w, y)[0]
    return linear.of if abs(value - other) <= 10 * close * max(1.0, abs(value)) else None


def _bare(subject: Subject, classes: int, z: Array, y: Targets) -> tuple[float, Array | None]:
    given = _evaluated(subject, Problem(z, {}, y, classes))
    return given.value, next(iter(given.grads.values()))


def _evaluated(subject: Subject, problem: Problem) -> Evaluation:
    """Call the function; a DataError where a number is not finite."""
    given = subject.evaluate(problem)
    if not math.isfinite(given.value):
        raise DataError(f"the value is {'NaN' if math.isnan(given.value) else 'infinite'}")
    if not all(np.isfinite(grad).all() for grad in given.grads.values()):
        raise DataError("the gradient is not finite")
    return given


_TESTS = {
    "zero": _zero,
    "shift invariance": _shift,
    "convexity": _convex,
    "scaling": _scaling,
    "batch": _batch,
    "permutation": _permutation,
    "overflow": _overflow,
}
_OF_LABELS, _OF_SEVERAL = ("zero",), ("shift invariance", "permutation")
"""Tests that need labels; and that need several scores, as of one output all outputs are the same one."""
