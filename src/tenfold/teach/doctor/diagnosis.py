"""Judge whether a gradient is right, and if not, which known fault explains it, at random points and on exact kinks.

First how the function behaves when it is called again (conduct.py): what changes between calls is said before any
gradient is judged. Then every block is seen three ways (looking.py): as returned, by autograd where the function can be
traced, by central differences that know their own error. A gradient is called wrong where it is off by far more than
that error, at two points at least, away from kinks. Last, known faults are tried until one gives the very gradients
that were returned (explaining.py).
"""

__all__ = ["Block", "Examination", "examine"]

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from tenfold.seeds import generator
from tenfold.teach.doctor.conduct import DRAWING, DREW_AGAIN, NEW_EACH_CALL, REMEMBERED, conduct, held
from tenfold.teach.doctor.explaining import NOISY, SAME_VALUE, FaultExplanation, derived, explained, structures_of
from tenfold.teach.doctor.looking import Look, look, off, off_places, on_kinks, relative, spread, step_remark
from tenfold.teach.doctor.recognition import described
from tenfold.teach.doctor.subject import Problem, Subject

POINTS, MORE = 5, 3
SAME_FLOAT32 = 1e-5
DECIMALS = 6
BLIND = 0.01
ROUNDED = "the value is rounded, so differences see its steps and not its slope: return it as it is"
BLUR = "the value is so large or noisy that differences tell slopes to {blind:.0e} of their size only: nothing to judge"
RIGHT = "the gradient is right: off by {worst:.0e} of its size at most, at {points} random points"
WRONG = "the gradient is wrong"
UNKNOWN = "no known fault explains it"
RESTLESS = "two calls at one point differ, though all random numbers that are known of were replayed: nothing to judge"
NOTHING = "the value is not finite at any of the random points: nothing to judge"
NOT_FINITE = "the value is not finite at {count} of {points} random points, which were left out"
BROKEN = "on kinks, {count} entries of the gradient are not finite though the value is"
FLOAT32 = "its value wanders by {noise:.0e} of itself, as float32 does, so differences are taken over wider steps"
RARE = "{names}: off at {count} of {points} points only, which noise and kinks can do: those were left out"
KINKS = "{count} entries lay on a kink, where the slopes to both sides differ: they were left out"


@dataclass(frozen=True)
class Block:
    """One block over all points: the largest relative errors, as in a gradient check.

    difference: of what was returned against central differences, away from kinks; autograd: against autograd, NaN where
    the function cannot be traced. entries: how many were looked at; kinks: of these, how many lay on one. wrong: at how
    many points it is off by more than the differences' own error allows.
    """

    name: str
    difference: float
    autograd: float
    entries: int
    kinks: int
    wrong: int


@dataclass(frozen=True)
class Examination:
    """The verdict on a function's gradients.

    verdict: "right"; "wrong"; "unsteady" where they are right but only once random numbers are held; "unclear" where
    they cannot be judged. sentence: that in words. findings: faults that explain it, the likeliest first; empty where
    none of the room does. described: what the function computes, "" where that was not recognized. remarks: what the
    checker noticed about its own settings, kinks and random numbers. noise: of the value, relative. points: random
    ones. on_kinks: entries of integer points that lie on a kink; subgradients: of these, how many have what was
    returned between the slopes to both sides.
    """

    verdict: str
    sentence: str
    findings: tuple[FaultExplanation, ...]
    blocks: tuple[Block, ...]
    described: str
    remarks: tuple[str, ...]
    dtype: str
    noise: float
    points: int
    on_kinks: int
    subgradients: int


class _Looks(NamedTuple):
    """All looks under one control of the random numbers, the finite ones; at which of these each block was off.

    tolerance: relative error that is never called off. cleared: what was returned is the chain rule's gradient all the
    same, so kinks met at those points.
    """

    every: list[Look]
    finite: list[Look]
    off: dict[str, list[bool]]
    tolerance: float
    cleared: bool = False

    @property
    def wrong(self) -> tuple[str, ...]:
        """Return the blocks that are wrong: at two points at least, where there are two."""
        least = math.inf if self.cleared else min(2, len(self.every))
        return tuple(name for name, flags in self.off.items() if sum(flags) >= least)

    @property
    def blind(self) -> float:
        """Return the error of differences as a share of the largest slope here; 0 where autograd looks on."""
        shares = []
        for one in self.finite:
            largest = max((float(np.abs(grad).max(initial=0.0)) for grad in one.given.grads.values()), default=0.0)
            error = max((float(slopes.error.max(initial=0.0)) for slopes in one.slopes.values()), default=0.0)
            if one.autograd is None and largest:
                shares.append(error / largest)
        return float(np.median(shares)) if shares else 0.0


def examine(
    subject: Subject,
    seed: int = 0,
    points: int = POINTS,
    step: float = 0.0,
    tolerance: float = 1e-6,
    watch: Callable[[str], None] = lambda line: None,
) -> Examination:
    """Examine a function's gradients.

    points: random ones. step: of the central differences, relative to a block's largest entry; 0 lets the checker
    choose. tolerance: relative error (max|a − n| / max(1e-8, max|a| + max|n|) of a block) that is never called wrong.
    watch: receives lines of text, many of them. Raises UsageError or DataError where the function cannot be called.
    """
    problems = [subject.draw(generator(seed, "check", k), False) for k in range(points)]
    kind = conduct(subject, problems)
    seen = _looked(subject, kind, "replayed", problems, seed, tolerance)
    if 1 in map(sum, seen.off.values()):  # a rare fault, or a kink that was not seen: more points tell
        problems += [subject.draw(generator(seed, "check", "more", k), False) for k in range(MORE * points)]
        seen = _looked(subject, kind, "replayed", problems, seed, tolerance)
    if kind == "restless" or not seen.finite:
        return _examination(seen, "unclear", RESTLESS if kind == "restless" else NOTHING)
    mode, judged = "replayed", seen
    if kind in DRAWING and seen.wrong:
        mode, judged = "frozen", _looked(subject, kind, "frozen", problems, seed, tolerance)
    with held(subject, kind, mode) as controlled:
        exact = judged.finite[0].given.dtype == "float64" and spread(judged.finite) < SAME_VALUE / 100
        structures = structures_of(subject, judged.finite, SAME_VALUE if exact else SAME_FLOAT32)
        if (judged.wrong or judged.blind > BLIND) and derived(judged.finite, structures):
            seen = judged = judged._replace(cleared=True)
        findings = _behavioral(kind, seen, judged)
        if judged.wrong:
            findings += explained(controlled, judged.finite, structures, judged.wrong, watch)
        entries, between, broken = on_kinks(controlled, seed)
        odd = step_remark(controlled, judged.finite[0], step, tolerance) if step else ""
    result = _examination(seen, *_verdict(seen, findings, broken), (entries, between))
    formula, remarks = described(structures[0], len(problems[0].x)) if structures else "", (odd, *result.remarks)
    return replace(result, findings=tuple(findings), described=formula, remarks=tuple(filter(None, remarks)))


def _looked(subject: Subject, kind: str, mode: str, problems: Sequence[Problem], seed: int, tolerance: float) -> _Looks:
    with held(subject, kind, mode) as controlled:
        looks = [look(controlled, p, generator(seed, "check", "around", k)) for k, p in enumerate(problems)]
    finite = [one for one in looks if math.isfinite(one.given.value)]
    flags = {name: [off(one, name, tolerance) for one in finite] for name in subject.blocks}
    return _Looks(looks, finite, flags, tolerance)


def _behavioral(kind: str, seen: _Looks, judged: _Looks) -> list[FaultExplanation]:
    """Return what repeated calls have shown; judged: under the control that its code is judged by."""
    if kind == "stale":
        return [FaultExplanation("stale", REMEMBERED, tuple(seen.off))]
    if kind == "random" and not seen.wrong:
        return [FaultExplanation("differs_between_calls", NEW_EACH_CALL, ())]
    redrawn = kind in DRAWING and seen.wrong and not judged.wrong
    return [FaultExplanation("mask_redrawn", DREW_AGAIN, seen.wrong)] if redrawn else []


def _verdict(seen: _Looks, findings: Sequence[FaultExplanation], broken: int) -> tuple[str, str]:
    if findings and findings[0].fault == "differs_between_calls":
        return "unsteady", findings[0].sentence
    values = [one.given.value for one in seen.finite]
    rounded = len(values) > 2 and all(round(value, DECIMALS) == value for value in values)
    if rounded and seen.wrong and len(set(values)) > 2:
        return "unclear", ROUNDED
    if findings or seen.wrong:
        return "wrong", f"{WRONG}: {findings[0].sentence if findings else _where(seen)}"
    if broken:
        return "wrong", f"{WRONG}: {BROKEN.format(count=broken)}"
    if seen.blind > BLIND and not seen.cleared:
        return "unclear", BLUR.format(blind=seen.blind)
    return "right", RIGHT.format(worst=max(_block(name, seen).difference for name in seen.off), points=len(values))


def _where(seen: _Looks) -> str:
    """Say as much as can be said without knowing the fault: which blocks it has reached."""
    right = [name for name in seen.off if name not in seen.wrong]
    broken = [n for n in seen.wrong if not all(np.isfinite(one.given.grads[n]).all() for one in seen.finite)]
    if broken:
        return f"{', '.join(broken)}: not finite"
    wrong = ", ".join(name + _entries(seen, name) for name in seen.wrong)
    if right:
        return f"{UNKNOWN}; wrong: {wrong}; right: {', '.join(right)}: look at what only the former are computed from"
    shared = "; all blocks are wrong, so look at what they share first, the scores' gradient"
    return f"{UNKNOWN}: {wrong}{shared if len(seen.wrong) > 1 else ''}"


def _entries(seen: _Looks, name: str) -> str:
    """Say which entries are off, where they are few: " at [0, 1]"."""
    shape = seen.every[0].given.grads[name].shape
    places = {place for one in seen.finite for place in off_places(one, name, seen.tolerance)}
    looked = {int(place) for one in seen.finite for place in one.slopes[name].places}
    # Flat positions have the order of the entries that they stand for.
    entries = [str([int(i) for i in np.unravel_index(place, shape)]) for place in sorted(places)]
    return f" at {', '.join(entries)}" if 0 < 4 * len(entries) <= len(looked) else ""


def _examination(seen: _Looks, verdict: str, sentence: str, kinks: tuple[int, int] = (0, 0)) -> Examination:
    """Return what the looks alone tell, beside a verdict."""
    blocks = tuple(_block(name, seen) for name in seen.off)
    noise, count = spread(seen.finite) if seen.finite else math.nan, len(seen.finite)
    remarks = []
    if count < len(seen.every):
        remarks.append(NOT_FINITE.format(count=len(seen.every) - count, points=len(seen.every)))
    if noise > NOISY:
        remarks.append(FLOAT32.format(noise=noise))
    if met := sum(block.kinks for block in blocks):
        remarks.append(KINKS.format(count=met))
    if rare := [name for name, flags in seen.off.items() if any(flags) and name not in seen.wrong]:
        met = sum(map(any, zip(*seen.off.values(), strict=True)))
        remarks.append(RARE.format(names=", ".join(rare), count=met, points=count))
    dtype = seen.every[0].given.dtype
    return Examination(verdict, sentence, (), blocks, "", tuple(remarks), dtype, noise, count, *kinks)


def _block(name: str, seen: _Looks) -> Block:
    differences, autograds, entries, kinks = [0.0], [], 0, 0
    for one, odd in zip(seen.finite, seen.off[name], strict=True):
        if odd and name not in seen.wrong:  # at such a point of a right block lay kinks that were not seen
            continue
        slopes, returned = one.slopes[name], one.given.grads[name]
        smooth = ~slopes.kink & np.isfinite(slopes.value)
        differences.append(relative(returned.flat[slopes.places][smooth], slopes.value[smooth]))
        entries, kinks = entries + len(slopes.places), kinks + int(slopes.kink.sum())
        if one.autograd is not None:
            autograds.append(relative(returned, one.autograd[name]))
    worst = max(differences), max(autograds, default=math.nan)
    return Block(name, *worst, entries, kinks, sum(seen.off[name]))
