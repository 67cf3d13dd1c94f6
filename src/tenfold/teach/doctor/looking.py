"""One point of a function seen three ways: what was returned, autograd, central differences; and how they agree.

    D(h) = (f(θ + h) − f(θ − h)) / 2h

is off by f''' h² / 6 from the curve and by ε / h from the noise ε of f itself. ε is read off f (fourth differences over
a few nearly equal points, Moré and Wild 2011); of four steps around (ε/|f|)^⅓ the one is taken whose difference from
the next smaller step and whose noise are smallest together, and these two are its error.

At a kink the slopes to both sides differ however small the step:  f(θ + h) + f(θ − h) − 2 f(θ) goes with h, not h².
"""

__all__ = ["Look", "look", "noise", "off", "off_places", "on_kinks", "relative", "slopes", "spread", "step_remark"]

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import TenfoldError
from tenfold.seeds import generator
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Subject

Value = Callable[[Problem], float]

ENTRIES = 24
FACTORS = (100.0, 10.0, 1.0, 0.1)
EPSILON = float(np.finfo(np.float64).eps)
SPANS = (1e-6, 1e-5)
SMALLEST = 1e-2
SURE = 10.0  # by how many times the error of a difference a gradient must be off to be called wrong
KINKED = 3  # integer points
CLOSE = 1e-9
HALF = 4 * float(np.finfo(np.float16).eps)  # relative error allowed to gradients that float16 holds exactly


class Slopes(NamedTuple):
    """One block. places: (m,) flat positions of the entries that were looked at; value, error: (m,) of each.

    left, right: (m,) one-sided slopes. kink: (m,) bool, true where they differ however small the step. wide: (m,) the
    difference over the largest step.
    """

    places: NDArray[np.int64]
    value: Array
    error: Array
    left: Array
    right: Array
    kink: NDArray[np.bool_]
    wide: Array


class Look(NamedTuple):
    """One point: what was returned there, slopes of the sampled entries, autograd's gradients or None, the noise."""

    problem: Problem
    given: Evaluation
    slopes: dict[str, Slopes]
    autograd: dict[str, Array] | None
    noise: float


def relative(a: Array, n: Array) -> float:
    """Return the relative error of two gradients: max|a − n| / max(1e-8, max|a| + max|n|); 0 where they are empty."""
    return float(np.abs(a - n).max(initial=0.0) / max(1e-8, np.abs(a).max(initial=0.0) + np.abs(n).max(initial=0.0)))


def noise(f: Value, problem: Problem, blocks: Sequence[str], rng: np.random.Generator) -> float:
    """Measure by how much f's value wanders between points that should give nearly the same one.

    The points lie on a ray, which leaves a kink at its start behind. Values in float32 hardly change over the narrower
    span, so few different ones are seen there; over the wider span a kink is likelier.
    """
    arrays = {name: problem.block(name) for name in blocks}
    along = {name: rng.standard_normal(array.shape) * _size(array) for name, array in arrays.items()}

    def value_at(distance: float) -> float:
        moved = problem
        for name, array in arrays.items():
            moved = moved.replaced(name, array + distance * along[name])
        return f(moved)

    near, far = ([value_at(k * span) for k in range(1, 10)] for span in SPANS)
    coarse = len(set(near)) <= len(near) // 2
    wandering = _wandering(far) if coarse else min(_wandering(near), _wandering(far))
    return max(3 * wandering, _precision(far) * max(map(abs, near)), 1e-300)


def _wandering(values: Sequence[float]) -> float:
    # The sum of the squared binomials 1 4 6 4 1 is 70.
    return math.sqrt(float(np.square(np.diff(np.nan_to_num(values), 4)).mean()) / 70)


def _precision(values: Sequence[float]) -> float:
    """Return that of the type in which values were likely computed: the coarsest that holds all, wandering or not."""
    for kind in (np.float16, np.float32):
        if all(abs(value) < float(np.finfo(kind).max) and float(kind(value)) == value for value in values):
            # One and the same short number, such as 3.0, tells nothing.
            constant = len(set(values)) == 1 and kind is np.float16
            return EPSILON if constant else float(np.finfo(kind).eps)
    return EPSILON


def slopes(
    f: Value, problem: Problem, name: str, level: float, rng: np.random.Generator, steps: tuple[float, ...] = ()
) -> Slopes:
    """Measure f's slopes along the entries of a block, some of them where they are many.

    level: f's noise. steps: to take instead of those that fit the noise, large before small.
    """
    array, middle = problem.block(name), f(problem)
    places = np.sort(rng.permutation(array.size)[:ENTRIES])
    best = (level / max(abs(middle), level)) ** (1 / 3)
    steps = steps or tuple(best * factor * _size(array) for factor in FACTORS)

    def moved(place: int, by: float) -> float:
        other = array.copy()
        other.flat[place] += by
        return f(problem.replaced(name, other))

    sides = np.array([[[moved(place, step), moved(place, -step)] for step in steps] for place in places])
    return _chosen(places, sides.reshape(len(places), -1, 2), middle, np.array(steps), level)


def _chosen(places: NDArray[np.int64], sides: Array, middle: float, steps: Array, level: float) -> Slopes:
    """Choose a step for each entry. sides: (m, steps, 2) values to its right and left."""
    sides = np.where(np.isfinite(sides), sides, np.nan)
    central = (sides[..., 0] - sides[..., 1]) / (2 * steps)
    error = np.abs(central[:, :-1] - central[:, 1:]) + level / steps[1:]
    chosen, rows = np.where(np.isnan(error), np.inf, error).argmin(1), np.arange(len(places))
    there = rows, chosen + 1
    right, left = (sides[..., 0] - middle) / steps, (middle - sides[..., 1]) / steps
    jump, ratio = right - left, steps[chosen] / steps[chosen + 1]
    # A curve's jump falls with the step, J(h) = J(0) + c h; what would be left of it at h = 0 is a kink's.
    wide, narrow = jump[rows, chosen], jump[there]
    left_over = np.abs(ratio * narrow - wide) / (ratio - 1)
    rising = left_over > 2 * np.abs(narrow)  # a jump that falls faster than the step, as of x⁴ at 0, is no kink's
    size = np.abs(right[there]) + np.abs(left[there])
    kink = ~rising & (left_over > 4 * level / steps[chosen + 1] + 1e-6 * size + 0.1 * np.abs(narrow))
    return Slopes(places, central[there], error[rows, chosen], left[there], right[there], kink, central[:, 0])


def _size(array: Array) -> float:
    """Return the scale on which a block's entries move: their largest, as tiny ones are as likely summands of it."""
    return max(float(np.abs(array).max(initial=0.0)), SMALLEST) if array.any() else 1.0


def look(subject: Subject, problem: Problem, rng: np.random.Generator) -> Look:
    """See one point, and nothing around a value that is no number; rng chooses entries and the noise's direction."""
    given = subject.evaluate(problem)
    if not math.isfinite(given.value):
        return Look(problem, given, {}, None, math.nan)
    level = noise(subject.value, problem, subject.blocks, rng)
    measured = {name: slopes(subject.value, problem, name, level, rng) for name in subject.blocks}
    return Look(problem, given, measured, subject.traced(problem), level)


def off(one: Look, name: str, tolerance: float) -> bool:
    """Judge whether a block's gradient is off by more than its differences can be, at entries that are on no kink."""
    returned = one.given.grads[name]
    if not np.isfinite(returned).all():
        return True
    if not off_places(one, name, tolerance):
        return False
    # Where autograd gives what was returned, the differences met a kink, or a part that is cut off.
    gap = np.inf if one.autograd is None else np.abs(returned - one.autograd[name]).max(initial=0.0)
    return not gap <= CLOSE * np.abs(returned).max(initial=0.0)


def off_places(one: Look, name: str, tolerance: float) -> list[int]:
    """Return the flat positions of a block's entries that are off by so much."""
    returned, measured = one.given.grads[name], one.slopes[name]
    gap = np.abs(returned.flat[measured.places] - measured.value)
    scale = float(np.abs(returned).max(initial=0.0) + np.abs(measured.value).max(initial=0.0))
    room = max(tolerance, HALF if np.array_equal(returned.astype(np.float16), returned) else 0.0) * scale
    surely = (gap > SURE * measured.error + room) & ~measured.kink & np.isfinite(measured.value)
    return [int(place) for place in measured.places[surely]]


def on_kinks(subject: Subject, seed: int) -> tuple[int, int, int]:
    """Count entries at a few integer points, where kinks and ties are met exactly: those that lie on a kink; of these,
    those that were given a slope between the two one-sided ones; and of all, those that are not finite."""
    entries = between = broken = 0
    for k in range(KINKED):
        problem = subject.draw(generator(seed, "kinks", k), True)
        try:
            one = look(subject, problem, generator(seed, "kinks", "around", k))
        except TenfoldError:  # a point that this function does not take
            continue
        for name, measured in one.slopes.items():
            returned = one.given.grads[name].flat[measured.places]
            room = measured.error + CLOSE * np.abs(returned)
            low, high = np.sort((measured.left, measured.right), axis=0)
            entries += int(measured.kink.sum())
            between += int((measured.kink & (low - room <= returned) & (returned <= high + room)).sum())
            broken += int((~np.isfinite(one.given.grads[name])).sum())
    return entries, between, broken


def step_remark(subject: Subject, one: Look, step: float, tolerance: float) -> str:
    """Say what a step that somebody chose does to the differences: "" where it does them no harm."""
    worst, why = 0.0, ""
    for name in subject.blocks:
        width = step * (float(np.abs(one.problem.block(name)).max(initial=0.0)) or 1.0)
        steps = (width, width / 2)
        chosen = slopes(subject.value, one.problem, name, one.noise, generator(0), steps)
        best = one.slopes[name]
        common, mine, theirs = np.intersect1d(best.places, chosen.places, return_indices=True)
        gap = np.abs(chosen.wide[theirs] - best.value[mine])[~best.kink[mine]].max(initial=0.0)
        error = float(gap / max(np.abs(best.value).max(initial=0.0), 1e-8))
        if len(common) and error > worst:
            worst, why = error, "rounding" if one.noise / width > 0.1 * gap else "the curve, or a kink that it crosses,"
    if worst <= tolerance:
        return ""
    return f"a step of {step:g} is unfit: {why} makes its differences wrong by {worst:.0e}; other steps were used"


def spread(looks: Sequence[Look]) -> float:
    """Return the noise of the value relative to its size, the median over the points."""
    return float(np.median([one.noise / max(abs(one.given.value), 1e-300) for one in looks]))
