"""Is a gradient right, and if not, which known fault explains it: examined at random points and on exact kinks.

First how the function behaves when it is called again (conduct.py): what changes between calls is told before any
gradient is judged. Then every block is seen three ways (looking.py): as returned, by autograd where the function can be
traced, by central differences that know their own error. A gradient is called wrong where it is off by far more than
that error, at two points at least, away from kinks. Last, known faults are tried until one gives the very gradients
that were returned (explaining.py).
"""

__all__ = ["Block", "Examination", "examine"]

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tenfold.seeds import generator
from tenfold.teach.doctor.backward import Structure
from tenfold.teach.doctor.conduct import DREW_AGAIN, NEW_EACH_CALL, REMEMBERED, Conduct, conduct
from tenfold.teach.doctor.explaining import NOISY, SAME_VALUE, Finding, derived, explained, inputs_of
from tenfold.teach.doctor.looking import NONE, Look, OnKinks, look, off, off_places, on_kinks, spread, step_remark
from tenfold.teach.doctor.measuring import relative
from tenfold.teach.doctor.recognition import described, recognized
from tenfold.teach.doctor.subject import Problem, Subject

POINTS, MORE = 5, 3
SAME_FLOAT32 = 1e-5
DECIMALS = 6
BLIND = 0.01
ROUNDED = "the value is rounded, so differences see its steps and not its slope: return it as it is"
UNSURE = (
    "the value is so large or noisy that differences tell slopes to {blind:.0e} of their size only: nothing to judge"
)
RIGHT = "the gradient is right: off by {worst:.0e} of its size at most, at {points} random points"
WRONG = "the gradient is wrong"
UNKNOWN = "no known fault explains it"
SOME = f"{UNKNOWN}; wrong: {{wrong}}; right: {{right}}: look at what only the former are computed from"
RESTLESS = "two calls at one point differ, though all random numbers that are known of were replayed: nothing to judge"
NOTHING = "the value is not finite at any of the random points: nothing to judge"
NOT_FINITE = "the value is not finite at {count} of {points} random points, which were left out"
BROKEN = "on kinks, {count} entries of the gradient are not finite though the value is"
FLOAT32 = "its value wanders by {noise:.0e} of itself, as float32 does, so differences are taken over wider steps"
RARE = "{names}: off at {count} of {points} points only, which noise and kinks can do: those were left out"
KINKS = "{count} entries lay on a kink, where the slopes to both sides differ: they were left out"


class Block(NamedTuple):
    """What was seen of one block over all points: the largest relative errors, as in a gradient check.

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


class Examination(NamedTuple):
    """The verdict on a function's gradients.

    verdict: "right"; "wrong"; "unsteady" where they are right but only once random numbers are held; "unclear" where
    they cannot be judged. sentence: that in words. findings: faults that explain it, the likeliest first; empty where
    no known one does. described: what the function computes, "" where that was not recognized. remarks: what the
    checker found about its own settings, kinks and random numbers. noise: of the value, relative. points: random ones.
    on_kinks: entries of integer points that lie on a kink; subgradients: of these, how many have what was returned
    between the slopes to both sides.
    """

    verdict: str
    sentence: str
    findings: tuple[Finding, ...]
    blocks: tuple[Block, ...]
    described: str
    remarks: tuple[str, ...]
    dtype: str
    noise: float
    points: int
    on_kinks: int
    subgradients: int


class _Seen(NamedTuple):
    """All looks under one control of the random numbers; at which of the finite ones each block was off.

    tolerance: relative error that is never called off. cleared: what was returned is the chain rule's gradient all the
    same, so kinks met at those points.
    """

    looks: list[Look]
    off: dict[str, list[bool]]
    tolerance: float
    cleared: bool = False

    @property
    def wrong(self) -> tuple[str, ...]:
        """The blocks that are wrong: at two points at least, where there are two."""
        least = math.inf if self.cleared else min(2, len(self.looks))
        return tuple(name for name, flags in self.off.items() if sum(flags) >= least)

    @property
    def finite(self) -> list[Look]:
        """The points where the value is a number."""
        return [one for one in self.looks if math.isfinite(one.given.value)]


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
    watch: told lines of text. Raises UsageError or DataError where the function cannot be called.
    """
    problems = [subject.draw(generator(seed, "check", k), False) for k in range(points)]
    behavior = conduct(subject, problems)
    watch(f"{subject.name}: {points} points")
    seen = _seen(behavior, "replayed", problems, seed, tolerance)
    if 1 in map(sum, seen.off.values()):  # a rare fault, or a kink that was not seen: more points tell
        problems += [subject.draw(generator(seed, "check", "more", k), False) for k in range(MORE * points)]
        seen = _seen(behavior, "replayed", problems, seed, tolerance)
    if behavior.kind == "restless":
        return _examination(subject, seen, "unclear", RESTLESS)
    if not seen.finite:
        return _examination(subject, seen, "unclear", NOTHING)
    mode, judged = "replayed", seen
    if behavior.draws and seen.wrong:
        watch(f"{subject.name}: {points} points, every draw the same")
        mode, judged = "frozen", _seen(behavior, "frozen", problems, seed, tolerance)
    with behavior.controlled(mode) as evaluate:
        structures = _structures(subject, judged)
        if (judged.wrong or _blindness(judged) > BLIND) and derived(judged.finite, structures):
            seen = judged = judged._replace(cleared=True)
        findings = _behavioral(behavior, seen, judged)
        if judged.wrong:
            findings += explained(subject, evaluate, judged.finite, structures, judged.wrong)
        kinks = on_kinks(subject, evaluate, seed)
        odd = step_remark(subject, evaluate, judged.finite[0], step, tolerance) if step else ""
    known = described(structures[0], len(problems[0].x)) if structures else ""
    return _examination(subject, seen, *_verdict(seen, findings, kinks), findings, known, odd, kinks)


def _seen(behavior: Conduct, mode: str, problems: Sequence[Problem], seed: int, tolerance: float) -> _Seen:
    with behavior.controlled(mode) as evaluate:
        streams = [generator(seed, "check", "around", k) for k in range(len(problems))]
        looks = [look(behavior.subject, evaluate, p, rng) for p, rng in zip(problems, streams, strict=True)]
    seen = _Seen(looks, {}, tolerance)
    names = behavior.subject.blocks
    return seen._replace(off={name: [off(one, name, tolerance) for one in seen.finite] for name in names})


def _structures(subject: Subject, seen: _Seen) -> list[Structure]:
    looks = seen.finite
    exact = looks[0].given.dtype == "float64" and spread(looks) < SAME_VALUE / 100
    near, numbers = SAME_VALUE if exact else SAME_FLOAT32, tuple(subject.constants.values())
    values = [one.given.value for one in looks]
    return recognized([one.problem for one in looks], values, near, numbers, inputs_of(looks[0]))


def _behavioral(behavior: Conduct, seen: _Seen, judged: _Seen) -> list[Finding]:
    """What calling it again has shown; judged: under the control that its code is judged by."""
    if behavior.kind == "stale":
        return [Finding("stale", REMEMBERED, behavior.subject.blocks)]
    if behavior.kind == "random" and not seen.wrong:
        return [Finding("differs_between_calls", NEW_EACH_CALL, ())]
    redrawn = behavior.draws and seen.wrong and not judged.wrong
    return [Finding("mask_redrawn", DREW_AGAIN, seen.wrong)] if redrawn else []


def _verdict(seen: _Seen, findings: Sequence[Finding], kinks: OnKinks) -> tuple[str, str]:
    """The verdict and its sentence."""
    if findings and findings[0].fault == "differs_between_calls":
        return "unsteady", findings[0].sentence
    rounded = len(seen.finite) > 2 and all(round(one.given.value, DECIMALS) == one.given.value for one in seen.finite)
    if rounded and seen.wrong and len({one.given.value for one in seen.finite}) > 2:
        return "unclear", ROUNDED
    if findings:
        return "wrong", f"{WRONG}: {findings[0].sentence}"
    if seen.wrong:
        return "wrong", f"{WRONG}: {_where(seen)}"
    if kinks.broken:
        return "wrong", f"{WRONG}: {BROKEN.format(count=kinks.broken)}"
    if (blind := _blindness(seen)) > BLIND and not seen.cleared:
        return "unclear", UNSURE.format(blind=blind)
    worst = max(_block(name, seen).difference for name in seen.off)
    return "right", RIGHT.format(worst=worst, points=len(seen.finite))


def _blindness(seen: _Seen) -> float:
    """How well differences can tell a slope here, as a share of the largest one; 0 where autograd looks on."""
    shares = []
    for one in seen.finite:
        largest = max((float(np.abs(grad).max(initial=0.0)) for grad in one.given.grads.values()), default=0.0)
        error = max((float(found.error.max(initial=0.0)) for found in one.slopes.values()), default=0.0)
        if one.autograd is None and largest:
            shares.append(error / largest)
    return float(np.median(shares)) if shares else 0.0


def _where(seen: _Seen) -> str:
    """What can be said without knowing the fault: which blocks it has reached."""
    right = [name for name in seen.off if name not in seen.wrong]
    if broken := [name for name in seen.wrong if _broken(seen, name)]:
        return f"{', '.join(broken)}: not finite"
    wrong = ", ".join(name + _entries(seen, name) for name in seen.wrong)
    if not right:
        shared = "; all blocks are wrong, so look at what they share first, the scores' gradient"
        return f"{UNKNOWN}: {wrong}{shared if len(seen.wrong) > 1 else ''}"
    return SOME.format(wrong=wrong, right=", ".join(right))


def _broken(seen: _Seen, name: str) -> bool:
    return not all(np.isfinite(one.given.grads[name]).all() for one in seen.finite)


def _entries(seen: _Seen, name: str) -> str:
    """Which entries are off, where they are few: " at [0, 1]"."""
    shape, met = seen.looks[0].given.grads[name].shape, set()
    places = {place for one in seen.finite for place in off_places(one, name, seen.tolerance)}
    looked = {int(place) for one in seen.finite for place in one.slopes[name].places}
    met = {tuple(int(i) for i in np.unravel_index(place, shape)) for place in places}
    return f" at {', '.join(str(list(place)) for place in sorted(met))}" if 0 < 4 * len(met) <= len(looked) else ""


def _examination(
    subject: Subject,
    seen: _Seen,
    verdict: str,
    sentence: str,
    findings: Sequence[Finding] = (),
    known: str = "",
    odd: str = "",
    kinks: OnKinks = NONE,
) -> Examination:
    blocks = tuple(_block(name, seen) for name in subject.blocks)
    noise = spread(seen.finite) if seen.finite else math.nan
    remarks = [odd] if odd else []
    if len(seen.finite) < len(seen.looks):
        remarks.append(NOT_FINITE.format(count=len(seen.looks) - len(seen.finite), points=len(seen.looks)))
    if noise > NOISY:
        remarks.append(FLOAT32.format(noise=noise))
    if met := sum(block.kinks for block in blocks):
        remarks.append(KINKS.format(count=met))
    if rare := [name for name, flags in seen.off.items() if any(flags) and name not in seen.wrong]:
        met = sum(any(flags[k] for flags in seen.off.values()) for k in range(len(seen.finite)))
        remarks.append(RARE.format(names=", ".join(rare), count=met, points=len(seen.finite)))
    dtype, count = seen.looks[0].given.dtype, len(seen.finite)
    told = (tuple(findings), blocks, known, tuple(remarks), dtype, noise, count, kinks.entries, kinks.between)
    return Examination(verdict, sentence, *told)


def _block(name: str, seen: _Seen) -> Block:
    """The largest errors of a block over all points."""
    differences, autograds, entries, kinks = [0.0], [], 0, 0
    # Where a block is right, a point at which it was off met kinks that were not seen.
    odd = seen.off.get(name, []) if name not in seen.wrong else []
    for one in [one for k, one in enumerate(seen.finite) if not (odd and odd[k])]:
        found, returned = one.slopes[name], one.given.grads[name]
        smooth = ~found.kink & np.isfinite(found.value)
        differences.append(relative(returned.flat[found.places][smooth], found.value[smooth]))
        entries, kinks = entries + len(found.places), kinks + int(found.kink.sum())
        if one.autograd is not None:
            autograds.append(relative(returned, one.autograd[name]))
    worst = max(autograds, default=math.nan)
    return Block(name, max(differences), worst, entries, kinks, sum(seen.off.get(name, [])))
