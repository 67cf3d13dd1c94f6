"""What kind of loss a function is: which laws hold of its scores, and what each of them means, in a sentence.

For scores z (B, C) and labels y:

    shift         L(z + c 1ᵀ) = L(z), and then the rows of ∂L/∂z sum to 0
    zero          L(0), what knowing nothing costs: ln C for softmax
    convex        L((z + z')/2) ≤ (L(z) + L(z'))/2, of batches far apart and of one image moved a little
    scaling       L(s z) for s → ∞: the order of growth where some are wrong, and the limit where all are right
    batch         L of the batch twice: once L for a mean, twice L for a sum
    permutation   L(z Π, Π y) = L(z, y): no class is treated differently
    overflow      finite at scores of ±10⁴
"""

__all__ = ["Law", "laws"]

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import TenfoldError
from tenfold.seeds import generator
from tenfold.teach.doctor.scores import IMAGES, Scored, reach
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


class _Draw(NamedTuple):
    """Scores, and what they are compared with."""

    z: Array
    y: NDArray[Any]


def laws(subject: Subject, seed: int = 0) -> list[Law]:
    """The laws of a loss of scores; [] where a function has none, or they cannot be reached (see scores.py)."""
    scored = reach(subject, generator(seed, "laws", "reach"))
    if scored is None or not _depends(scored, generator(seed, "laws", "depends")):
        return []
    tests = _OF_LABELS if scored.labeled else _OF_TARGETS if scored.classes > 1 else _OF_ONE_TARGET
    found: list[Law] = []
    for name, test in tests.items():
        try:
            found += test(scored, generator(seed, "laws", name))
        except TenfoldError as error:
            found.append(Law(name, False, f"could not be tried: {_cause(str(error))}", math.nan))
    return found


def _draw(scored: Scored, rng: np.random.Generator, size: float = 2.0) -> _Draw:
    z = size * rng.standard_normal((IMAGES, scored.classes))
    if scored.labeled:
        return _Draw(z, rng.integers(0, scored.classes, IMAGES))
    return _Draw(z, rng.standard_normal(z.shape))


def _depends(scored: Scored, rng: np.random.Generator) -> bool:
    """Whether the value changes with the scores at all: of a constant, every law would hold or fail for no reason."""
    y = _draw(scored, rng).y
    try:
        return len({scored.of(_draw(scored, rng).z, y)[0] for _ in range(CHANCES)}) > 1
    except TenfoldError:  # it is not finite somewhere, so it does change
        return True


def _shift(scored: Scored, rng: np.random.Generator) -> list[Law]:
    z, y = _draw(scored, rng)
    value, dz = scored.of(z, y)
    moved = scored.of(z + 3 * rng.standard_normal((len(z), 1)), y)[0]
    change = _apart(value, moved)
    holds = change <= scored.close
    adding = f"adding a constant to all {'scores of an image' if scored.labeled else 'outputs of an input'} changes"
    own = "every class has a threshold of its own" if scored.labeled else "every output has a level of its own"
    same, other = f"{adding} nothing, so the bias is determined only up to a shift", f"{adding} the loss: {own}"
    found = [Law("shift invariance", holds, same if holds else other, change)]
    if dz is not None:
        found.append(_rows(dz, holds, scored))
    return found


def _rows(dz: Array, shift: bool, scored: Scored) -> Law:
    classes, scores = ("class", "scores of an image") if scored.labeled else ("output", "outputs of an input")
    worst = float(np.abs(dz.sum(1)).max() / max(np.abs(dz).max(), 1e-300))
    if worst <= scored.close:
        says = f"what the gradient takes from one {classes} of an {scores.split()[-1]} it gives to the others"
        return Law("rows sum to zero", True, says, worst)
    says = f"{scores} can all rise or fall together"
    wrong = f"the value does not change when all {scores} rise together, but the gradient says it does"
    return Law("rows sum to zero", False, wrong if shift else says, worst)


def _zero(scored: Scored, rng: np.random.Generator) -> list[Law]:
    _, y = _draw(scored, rng)
    value, classes = scored.of(np.zeros((len(y), scored.classes)), y)[0], scored.classes
    known = {
        "ln C": math.log(classes),
        "ln 2": math.log(2),
        "C ln 2": classes * math.log(2),
        "C − 1": classes - 1.0,
        "1": 1.0,
        "C": float(classes),
        "0": 0.0,
    }
    for sums, factor in (("", 1), (f" for each of the {len(y)} images", len(y))):
        for name, number in known.items():
            if math.isclose(value / factor, number, rel_tol=10 * scored.close, abs_tol=scored.close):
                says = f"at zero scores it is {_equation(name, number)}{sums}{_CHANCE.get(name, '')}"
                return [Law("ln C at zero", name == "ln C", says, value)]
    return [Law("ln C at zero", False, f"at zero scores it is {value:.4g}, not ln C = {math.log(classes):.4g}", value)]


_CHANCE = {
    "ln C": ": what guessing among C classes costs, and what a first loss should be near",
    "ln 2": ": what guessing yes or no costs, class by class",
    "C ln 2": ": yes or no is guessed for each of the C classes, and their losses are summed",
    "1": ": the margin that every image lacks by as much",
    "C − 1": ": the margin that every image lacks against each of its rivals",
}


def _equation(name: str, number: float) -> str:
    return name if name.isdigit() else f"{name} = {number:.4g}"


def _convex(scored: Scored, rng: np.random.Generator) -> list[Law]:
    worst = -math.inf
    for a, b, y in _segments(scored, rng):
        ends, middle = (scored.of(a, y)[0] + scored.of(b, y)[0]) / 2, scored.of((a + b) / 2, y)[0]
        worst = max(worst, (middle - ends) / max(1.0, abs(ends)))
    if worst <= scored.close:
        none = f"no bulge was found on {LONG + SHORT} random segments"
        says = f"{none}: where there is none, with linear scores, a minimum that is found is the lowest there is"
        return [Law("convexity", True, says, worst)]
    says = f"bulges upwards between two points (by {worst:.2g}): where a descent ends depends on where it began"
    return [Law("convexity", False, says, worst)]


def _segments(scored: Scored, rng: np.random.Generator) -> Iterator[tuple[Array, Array, NDArray[Any]]]:
    """Both ends, and what is compared with them: of many sizes, for a bowl near zero may flatten out far from it."""
    for _ in range(LONG):
        (a, y), (b, _) = (_draw(scored, rng, 10 ** rng.uniform(-1, 1.5)) for _ in range(2))
        yield a, b, y
    for k in range(SHORT):
        a, y = _draw(scored, rng, 10 ** rng.uniform(-0.5, 0.8))
        b = a.copy()
        b[k % len(b)] += 10 ** rng.uniform(-1, 0.5) * rng.standard_normal(scored.classes)
        yield a, b, y


def _scaling(scored: Scored, rng: np.random.Generator) -> list[Law]:
    z, y = _draw(scored, rng)
    one, two, three = (scored.of(s * z, y)[0] for s in (1.0, 2.0, 3.0))
    near, far = (scored.of(s * z, y)[0] for s in FAR)
    order = math.log(far / near) / math.log(FAR[1] / FAR[0]) if near > 0 and far > 0 else math.nan
    degree = math.log(two / one, 2) if one > 0 and two > 0 else math.nan
    exact = math.isfinite(degree) and _apart(three, 3**degree * one) <= 10 * scored.close
    if exact and abs(degree) > scored.close:
        says = f"twice the scores, {2**degree:.3g} times the loss: it has no scale, only directions matter"
        found = [Law("homogeneity", True, says, degree)]
    else:
        found = [Law("homogeneity", False, "the size of the scores matters, not their directions alone", degree)]
    return [*found, _growth(order), *(_separable(scored, rng) if scored.labeled else [])]


def _growth(order: float) -> Law:
    words = {
        0: "does not grow: a mistake costs at most so much, however sure",
        1: "grows linearly",
        2: "grows like a square",
    }
    near = next((k for k in words if math.isfinite(order) and abs(order - k) < 0.1), None)
    if near is None:
        told = f"goes with their power {order:.2g}" if math.isfinite(order) else "has no power law"
        return Law("growth", None, f"for large scores with mistakes among them, the loss {told}", order)
    tail = {1: ": one far outlier pulls with a bounded gradient", 2: ": one far outlier can outweigh all others"}
    return Law(
        "growth", None, f"for large scores with mistakes among them, the loss {words[near]}{tail.get(near, '')}", order
    )


def _separable(scored: Scored, rng: np.random.Generator) -> list[Law]:
    """All images on the right side: what more and more certainty is worth."""
    _, y = _draw(scored, rng)
    right = 2 * np.eye(scored.classes)[y] - 1
    base = scored.of(0 * right, y)[0]
    sizes = (1.0, 4.0, 16.0, 100.0)
    values = [scored.of(s * right, y)[0] for s in sizes]
    # What is left when a penalty is taken off again is rounding.
    end, nothing = values[-1], scored.close * max(map(abs, (base, *values)))
    if end > nothing:
        says = f"where all images are right by a wide margin it is {end:.3g}, not 0: certainty is never rewarded fully"
        if end > base:
            says = f"scores that are right by a wide margin cost {end:.3g}: being too sure is punished"
        return [Law("0 when all are right", False, says, end)]
    if values[1] <= nothing:
        says = "exactly, from some margin on: images that are right by enough have no say any more"
    else:
        says = "but only in the limit: on separable data the weights grow without end, unless a penalty stops them"
    return [Law("0 when all are right", True, says, end)]


def _batch(scored: Scored, rng: np.random.Generator) -> list[Law]:
    z, y = _draw(scored, rng)
    (once, dz), (twice, ddz) = scored.of(z, y), scored.of(np.vstack((z, z)), np.concatenate((y, y)))
    ratio = twice / once if once else math.nan
    if _apart(ratio, 1.0) <= scored.close:
        says = "a mean: twice the batch, the same loss, so the learning rate need not follow the batch size"
    elif _apart(ratio, 2.0) <= scored.close:
        says = "a sum: twice the batch, twice the loss, so the learning rate has to shrink as the batch grows"
    else:
        says = f"neither a mean nor a sum: the same batch twice gives {ratio:.4g} times the loss"
    found = [Law("mean over the batch", _apart(ratio, 1.0) <= scored.close, says, ratio)]
    if dz is not None and ddz is not None and np.abs(dz).max() > 0:
        pull = float((ddz[: len(z)] * dz).sum() / (dz * dz).sum())
        if math.isfinite(ratio) and _apart(2 * pull, ratio) > 10 * scored.close:
            told = f"the value goes by {ratio:.3g} and the gradient by {2 * pull:.3g} when the batch is doubled"
            found.append(Law("gradient of the mean", False, f"{told}: one of them is averaged, the other is not", pull))
    return found


def _permutation(scored: Scored, rng: np.random.Generator) -> list[Law]:
    z, y = _draw(scored, rng)
    # Round by one: no class stays where it was, and only what is the same for all does not notice.
    order = np.roll(np.arange(scored.classes), 1)
    # Column k of the new scores is column order[k] of the old, so label y becomes its place in the order.
    labels = np.argsort(order)[y] if scored.labeled else y[:, order]
    (value, dz), (other, moved) = scored.of(z, y), scored.of(z[:, order], labels)
    change = _apart(value, other)
    if dz is not None and moved is not None:
        change = max(change, float(np.abs(dz[:, order] - moved).max() / max(np.abs(dz).max(), 1e-300)))
    one, several = ("class", "classes") if scored.labeled else ("output", "outputs")
    if change <= scored.close:
        says = f"{several} in another order, the same loss: none is privileged"
        return [Law(f"same for every {one}", True, says, change)]
    says = f"{several} in another order, another loss: is one weighed, or an index wrong?"
    return [Law(f"same for every {one}", False, says, change)]


def _overflow(scored: Scored, rng: np.random.Generator) -> list[Law]:
    y = _draw(scored, rng).y
    z = HUGE * np.sign(rng.standard_normal((len(y), scored.classes)))
    try:
        value, _ = scored.of(z, y)
    except TenfoldError as error:
        cause = _cause(str(error))
        cure = CURES["infinite" if "infinite" in cause else "NaN"]
        return [Law("finite at huge scores", False, f"at scores of ±{HUGE:,.0f}: {cause}; {cure}", math.inf)]
    return [Law("finite at huge scores", True, f"scores of ±{HUGE:,.0f} overflow nowhere", value)]


def _cause(message: str) -> str:
    """The part of an error that does not name file and function."""
    return message.rpartition(": ")[2]


def _apart(a: float, b: float) -> float:
    """Relative difference of two numbers."""
    return abs(a - b) / max(1e-300, abs(a), abs(b), 1e-12)


Test = Callable[[Scored, np.random.Generator], Sequence[Law]]
_OF_TARGETS: dict[str, Test] = {
    "shift invariance": _shift,
    "convexity": _convex,
    "scaling": _scaling,
    "batch": _batch,
    "permutation": _permutation,
    "overflow": _overflow,
}
# Of one output, all outputs are the same one.
_OF_ONE_TARGET = {name: test for name, test in _OF_TARGETS.items() if test not in (_shift, _permutation)}
_OF_LABELS: dict[str, Test] = {"zero": _zero, **_OF_TARGETS}
