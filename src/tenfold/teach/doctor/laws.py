"""The kind of a loss: which laws hold of its scores, and what each of them means, in a sentence.

For scores z (B, C) and labels y:

    shift         L(z + c 1ᵀ) = L(z), and then the rows of ∂L/∂z sum to 0
    zero          L(0), the cost of knowing nothing: ln C for softmax
    convex        L((z + z')/2) ≤ (L(z) + L(z'))/2, of batches far apart and of one image moved a little
    scaling       L(s z) for s → ∞: the order of growth where some are wrong, and the limit where all are right
    batch         L of the batch twice: once L for a mean, twice L for a sum
    permutation   L(z Π, Π y) = L(z, y): no class is treated differently
    overflow      finite at scores of ±10⁴
"""

__all__ = ["Law", "laws"]

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from tenfold.errors import TenfoldError
from tenfold.seeds import generator
from tenfold.teach.doctor.scores import IMAGES, LossOfScores, Targets, reach
from tenfold.teach.doctor.subject import Array, Subject

LONG, SHORT = 50, 150
"""Segments: of whole batches, which see a bowl that flattens out; of one image, where no other hides its bulge."""

CHANCES = 8
FAR = (20.0, 40.0)
HUGE = 1e4
CURES = {
    "infinite": "take log p as z − log Σ e^z, not as the logarithm of a p that may be 0",
    "NaN": "shift each row of scores by its maximum before an exponential",
}


class Law(NamedTuple):
    """holds: None where there is nothing to hold. says: a sentence; measured: the number that it rests on."""

    name: str
    holds: bool | None
    says: str
    measured: float


def laws(subject: Subject, seed: int = 0) -> list[Law]:
    """Return the laws of a loss of scores; [] where a function has none, or they cannot be reached (see scores.py)."""
    loss = reach(subject, generator(seed, "laws", "reach"))
    if loss is None or not _depends(loss, generator(seed, "laws", "depends")):
        return []
    left_out = () if loss.labeled else _OF_LABELS if loss.classes > 1 else (*_OF_LABELS, *_OF_SEVERAL)
    results: list[Law] = []
    for name in [name for name in _TESTS if name not in left_out]:
        try:
            results += _TESTS[name](loss, generator(seed, "laws", name))
        except TenfoldError as error:
            results.append(Law(name, False, f"could not be tried: {_cause(str(error))}", math.nan))
    return results


def _law(name: str, measured: float, holds: bool, yes: str, no: str) -> Law:
    return Law(name, holds, yes if holds else no, measured)


def _draw(loss: LossOfScores, rng: np.random.Generator, size: float = 2.0) -> tuple[Array, Targets]:
    """Draw scores and targets."""
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
    adding = f"adding a constant to all {'scores of an image' if loss.labeled else 'outputs of an input'} changes"
    level = "every class has a threshold of its own" if loss.labeled else "every output has a level of its own"
    yes, no = f"{adding} nothing, so the bias is determined only up to a shift", f"{adding} the loss: {level}"
    shift = _law("shift invariance", change, holds, yes, no)
    return [shift] if dz is None else [shift, _rows(dz, holds, loss)]


def _rows(dz: Array, shift: bool, loss: LossOfScores) -> Law:
    part, whole, scores = ("class", "image", "scores") if loss.labeled else ("output", "input", "outputs")
    worst = float(np.abs(dz.sum(1)).max() / max(np.abs(dz).max(), 1e-300))
    yes = f"what the gradient takes from one {part} of an {whole} it gives to the others"
    scores = f"{scores} of an {whole}"
    wrong = f"the value does not change when all {scores} rise together, but the gradient says it does"
    no = wrong if shift else f"{scores} can all rise or fall together"
    return _law("rows sum to zero", worst, worst <= loss.close, yes, no)


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
    (
        "C ln 2",
        lambda c: c * math.log(2),
        ": yes or no is guessed for each of C classes, and their losses are summed",
    ),
    ("C − 1", lambda c: c - 1, ": the margin that every image lacks against each of its rivals"),
    ("1", lambda c: 1, ": the margin that every image lacks by as much"),
    ("C", lambda c: c, ""),
    ("0", lambda c: 0, ""),
)


def _convex(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    worst = -math.inf
    for a, b, y in _segments(loss, rng):
        ends, middle = (loss.of(a, y)[0] + loss.of(b, y)[0]) / 2, loss.of((a + b) / 2, y)[0]
        worst = max(worst, (middle - ends) / max(1.0, abs(ends)))
    none = f"no bulge was found on {LONG + SHORT} random segments"
    yes = f"{none}: where there is none, with linear scores, a minimum that is found is the lowest there is"
    no = f"bulges upwards between two points (by {worst:.2g}): where a descent ends depends on where it began"
    return [_law("convexity", worst, worst <= loss.close, yes, no)]


def _segments(loss: LossOfScores, rng: np.random.Generator) -> Iterator[tuple[Array, Array, Targets]]:
    """Yield both ends, and targets: of many sizes, for a bowl near zero may flatten out far from it."""
    for _ in range(LONG):
        (a, y), (b, _) = (_draw(loss, rng, 10 ** rng.uniform(-1, 1.5)) for _ in range(2))
        yield a, b, y
    for k in range(SHORT):
        a, y = _draw(loss, rng, 10 ** rng.uniform(-0.5, 0.8))
        b = a.copy()
        b[k % len(b)] += 10 ** rng.uniform(-1, 0.5) * rng.standard_normal(loss.classes)
        yield a, b, y


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
    return [scale, _growth(order), *(_separable(loss, rng) if loss.labeled else [])]


def _growth(order: float) -> Law:
    words = {
        0: "does not grow: a mistake costs at most so much, however sure",
        1: "grows linearly: one far outlier pulls with a bounded gradient",
        2: "grows like a square: one far outlier can outweigh all others",
    }
    other = f"goes with their power {order:.2g}" if math.isfinite(order) else "has no power law"
    grows = next((word for k, word in words.items() if math.isfinite(order) and abs(order - k) < 0.1), other)
    return Law("growth", None, f"for large scores with mistakes among them, the loss {grows}", order)


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
    (once, dz), (twice, ddz) = loss.of(z, y), loss.of(np.vstack((z, z)), np.concatenate((y, y)))
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
        pull = float((ddz[: len(z)] * dz).sum() / (dz * dz).sum())
        if math.isfinite(ratio) and _apart(2 * pull, ratio) > 10 * loss.close:
            says = f"the value goes by {ratio:.3g} and the gradient by {2 * pull:.3g} when the batch is doubled"
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
    one, several = ("class", "classes") if loss.labeled else ("output", "outputs")
    yes = f"{several} in another order, the same loss: none is privileged"
    no = f"{several} in another order, another loss: is one weighed, or an index wrong?"
    return [_law(f"same for every {one}", change, change <= loss.close, yes, no)]


def _overflow(loss: LossOfScores, rng: np.random.Generator) -> list[Law]:
    _, y = _draw(loss, rng)
    z = HUGE * np.sign(rng.standard_normal((len(y), loss.classes)))
    try:
        value, _ = loss.of(z, y)
    except TenfoldError as error:
        cause = _cause(str(error))
        cure = CURES["infinite" if "infinite" in cause else "NaN"]
        return [Law("finite at huge scores", False, f"at scores of ±{HUGE:,.0f}: {cause}; {cure}", math.inf)]
    return [Law("finite at huge scores", True, f"scores of ±{HUGE:,.0f} overflow nowhere", value)]


def _cause(message: str) -> str:
    """Return the part of an error that does not name file and function."""
    return message.rpartition(": ")[2]


def _apart(a: float, b: float) -> float:
    """Return the relative difference of two numbers."""
    return abs(a - b) / max(1e-300, abs(a), abs(b), 1e-12)


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
