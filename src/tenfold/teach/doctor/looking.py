"""One point of a function seen three ways: what was returned, autograd, central differences; and how they agree."""

__all__ = ["NONE", "Look", "OnKinks", "look", "off", "off_places", "on_kinks", "spread", "step_remark"]

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tenfold.errors import TenfoldError
from tenfold.seeds import generator
from tenfold.teach.doctor.measuring import Slopes, noise, slopes
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Subject

SURE = 10.0
"""By how many times the error of a difference a gradient must be off to be called wrong."""
KINKED = 3
"""Integer points, where kinks and ties are met exactly."""
CLOSE = 1e-9
HALF = 4 * float(np.finfo(np.float16).eps)
"""Relative error allowed to gradients that float16 holds exactly."""


class Look(NamedTuple):
    """One point: what was returned there, slopes of the sampled entries, autograd's gradients or None, the noise."""

    problem: Problem
    given: Evaluation
    slopes: dict[str, Slopes]
    autograd: dict[str, Array] | None
    noise: float


class OnKinks(NamedTuple):
    """Of integer points: entries that lie on a kink; of these, how many were given a slope between the two one-sided
    ones; and how many entries of all were not finite.
    """

    entries: int
    between: int
    broken: int


NONE = OnKinks(0, 0, 0)


def look(subject: Subject, problem: Problem, rng: np.random.Generator) -> Look:
    """See one point, and nothing around a value that is no number; rng chooses entries and the noise's direction."""
    given = subject.evaluate(problem)
    if not math.isfinite(given.value):
        return Look(problem, given, {}, None, math.nan)
    level = noise(subject.value, problem, subject.blocks, rng)
    measured = {name: slopes(subject.value, problem, name, level, rng) for name in subject.blocks}
    return Look(problem, given, measured, subject.traced(problem), level)


def off(one: Look, name: str, tolerance: float) -> bool:
    """Judge whether a block's gradient is off by more than its differences can be, at entries that are on no kink.

    Where autograd gives what was returned, the differences met a kink, or a part that is cut off.
    """
    returned = one.given.grads[name]
    if not np.isfinite(returned).all():
        return True
    if not off_places(one, name, tolerance):
        return False
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


def on_kinks(subject: Subject, seed: int) -> OnKinks:
    """See a few integer points."""
    total = NONE
    for k in range(KINKED):
        problem = subject.draw(generator(seed, "kinks", k), True)
        try:
            one = look(subject, problem, generator(seed, "kinks", "around", k))
        except TenfoldError:  # a point that this function does not take
            continue
        for name in one.slopes:
            total = OnKinks(*(a + b for a, b in zip(total, _on_kinks(one, name), strict=True)))
    return total


def _on_kinks(one: Look, name: str) -> OnKinks:
    measured, grad = one.slopes[name], one.given.grads[name]
    returned = grad.flat[measured.places]
    room = measured.error + CLOSE * np.abs(returned)
    sides = np.sort((measured.left, measured.right), axis=0)
    between = measured.kink & (sides[0] - room <= returned) & (returned <= sides[1] + room)
    return OnKinks(int(measured.kink.sum()), int(between.sum()), int((~np.isfinite(grad)).sum()))


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
