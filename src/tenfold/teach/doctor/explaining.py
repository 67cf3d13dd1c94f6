"""Search for the known fault that gives the very gradients that a function returned.

Where the function is recognized by its values, the network is taken backwards with every fault in turn. Where it is
not, only what happens to whole gradients can be tried, on those that autograd or differences give. A fault explains a
gradient where every block agrees at every point; where two do so (N = C, say), fewer images tell them apart. If no
single fault explains it, pairs of them are tried.
"""

__all__ = ["NOISY", "SAME_VALUE", "FaultExplanation", "derived", "explained", "structures_of"]

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch

from tenfold.engine.types import Grads
from tenfold.errors import TenfoldError
from tenfold.rooms import find, names
from tenfold.teach.doctor.backward import Mistake, Pass, Structure, altered, backward, forward
from tenfold.teach.doctor.looking import Look, spread
from tenfold.teach.doctor.recognition import point, recognized
from tenfold.teach.doctor.subject import Array, Subject

SAME_VALUE = 1e-9
# Relative error below which a predicted gradient is the one that was returned; the latter where values wander.
ALIKE, ALIKE_NOISY = 1e-5, 1e-3
DERIVED, DERIVED_NOISY = 1e-9, 1e-4
NOISY = 1e-11
ROUNDED_AWAY = 1e-13
# Of these one is enough: two of them make one factor, which might be split in many ways.
SCALES = {"doubled_mean", "factor_of_two", "missing_mean", "scaled", "sign", "sum_over_classes", "wrong_divisor"}
LATER = SCALES | {"bias_from_weights"}  # what multiplies a gradient, or hands it on, comes after what replaces it
POINTS = 5  # of these, one may be at a kink that was not seen
UNRECOGNIZED = Structure((), "", "", "", 1.0)


@dataclass(frozen=True)
class FaultExplanation:
    """fault: its word, or two joined with " + "; sentence: a tutor's; blocks: those whose gradients are wrong."""

    fault: str
    sentence: str
    blocks: tuple[str, ...]


class _Case(NamedTuple):
    """All points in one structure: passes, with the returned gradients; the right ones; and how close is alike."""

    structure: Structure
    passes: list[Pass]
    right: list[Grads]
    alike: float


def explained(
    subject: Subject,
    looks: Sequence[Look],
    structures: Sequence[Structure],
    wrong: tuple[str, ...],
    watch: Callable[[str], None],
) -> list[FaultExplanation]:
    """Return the faults that explain what was returned, the likeliest first; none where no known one does.

    structures: those that the function may compute, by its values. wrong: the blocks whose gradients are.
    """
    cases = [case for structure in structures if _holds(case := _recognized_case(structure, looks), looks)]
    for case in (*cases, _bare_case(looks)):
        if single := [(fault, way) for fault, way in _ways(case, subject.blocks) if _explains(case, (way,))]:
            kept = _narrowed(subject, looks, sorted(single, key=lambda pair: pair[1].rank))
            return [FaultExplanation(fault, _sentence((way,), case), wrong) for fault, way in kept.items()]
    for case in cases:
        pairs = combinations(_ways(case, subject.blocks), 2)
        likelier = sorted(pairs, key=lambda pair: pair[0][1].rank + pair[1][1].rank)
        for number, ((fault, way), (other, second)) in enumerate(likelier):
            watch(f"{subject.name}: no single fault explains the gradient; {number:,} pairs of faults tried")
            both = (second, way) if fault in LATER else (way, second)
            if fault != other and not {fault, other} <= SCALES and _explains(case, both):
                return [FaultExplanation(f"{fault} + {other}", _sentence((way, second), case), wrong)]
    return []


def structures_of(subject: Subject, looks: Sequence[Look], tolerance: float = SAME_VALUE) -> list[Structure]:
    """Return the structures that a function may compute, by its values at some points."""
    values, constants = [one.given.value for one in looks], tuple(subject.constants.values())
    inputs = next((name for name in looks[0].given.grads if name not in looks[0].problem.params), "x")
    return recognized([one.problem for one in looks], values, tolerance, constants, inputs)


def derived(looks: Sequence[Look], structures: Sequence[Structure]) -> bool:
    """Judge whether what was returned is the chain rule's gradient of a structure, by either slope of max(0, z) at 0.

    Where kinks of several images cancel, the value has a slope there that the chain rule does not give.
    """
    near = DERIVED_NOISY if spread(looks) > NOISY else DERIVED
    for case in (_recognized_case(structure, looks)._replace(alike=near) for structure in structures):
        # Activations at 0 are taken for what they are just above it.
        moved = [[torch.where(z == 0, torch.finfo(z.dtype).tiny, z) for z in run.pre] for run in case.passes]
        right = case._replace(passes=[run._replace(pre=pre) for run, pre in zip(case.passes, moved, strict=True)])
        if _explains(case, ()) or _explains(right, ()):
            return True
    return False


def _recognized_case(structure: Structure, looks: Sequence[Look]) -> _Case:
    points = [point(one.problem, one.given.value) for one in looks]
    passes = [forward(structure, p.x, p.params, p.targets) for p in points]
    return _case(structure, looks, passes, [backward(run) for run in passes])


def _bare_case(looks: Sequence[Look]) -> _Case:
    """Return all that is known of a function that was not recognized, with NaN where no slope was taken."""
    passes, right = [], []
    for one in looks:
        images = one.problem.x if one.problem.y is None else one.problem.y
        scores = torch.zeros(len(np.atleast_1d(images)), one.problem.classes or 1, dtype=torch.float64)
        # Of a function of one array, such as a penalty, that is what it differentiates.
        params = one.problem.params or dict.fromkeys(one.given.grads, one.problem.x)
        passes.append(Pass(UNRECOGNIZED, _tensors(params), scores, (), (), (), 0.0, scores, scores))
        grads = {name: np.full(grad.shape, np.nan) for name, grad in one.given.grads.items()}
        for name, slopes in one.slopes.items():
            grads[name].flat[slopes.places] = np.where(slopes.kink, np.nan, slopes.value)
        right.append(_tensors(grads if one.autograd is None else one.autograd))
    return _case(UNRECOGNIZED, looks, passes, right)


def _case(structure: Structure, looks: Sequence[Look], passes: Sequence[Pass], right: list[Grads]) -> _Case:
    """Add the gradients that were returned, and what a penalty's strength would be where there is none."""
    claimed = [_tensors(one.given.grads) for one in looks]
    if not structure.penalty:
        structure = structure._replace(strength=_fitted(passes[0].params, claimed[0], right[0]))
    others = [(claimed[k], *claimed[:k], *claimed[k + 1 :]) for k in range(len(looks))]
    runs = [run._replace(structure=structure, claimed=grads) for run, grads in zip(passes, others, strict=True)]
    return _Case(structure, runs, right, ALIKE_NOISY if spread(looks) > NOISY else ALIKE)


def _holds(case: _Case, looks: Sequence[Look]) -> bool:
    """Compare a structure's own gradients with the slopes that were seen: two structures may share a few values.

    A kink that was not seen as one may part them at a few points.
    """
    apart = 0
    for one, right in zip(looks, case.right, strict=True):
        pairs = [(right[name], s) for name, s in one.slopes.items()]
        gaps = [(grad, np.abs(grad.numpy().flat[s.places] - s.value)[~s.kink].max(initial=0.0)) for grad, s in pairs]
        apart += any(gap > 1e-2 * max(float(grad.abs().max()), 1e-8) for grad, gap in gaps)
    return apart <= len(looks) // POINTS


def _ways(case: _Case, blocks: Sequence[str]) -> Iterator[tuple[str, Mistake]]:
    for word in names("faults"):
        for way in find("faults", word).ways(case.structure, blocks):
            if case.structure.loss or way.stage == "whole":
                yield word, way


def _explains(case: _Case, ways: Sequence[Mistake]) -> bool:
    """Judge whether these, taken together, give what was returned: every block at every point, and change something."""
    changed = not ways
    for run, right in zip(case.passes, case.right, strict=True):
        predicted = backward(run, ways) if case.structure.loss else altered(ways, "whole", -1, run, right)
        if not _all_alike(run.claimed[0], predicted, case.alike):
            return False
        changed = changed or not _all_alike(run.claimed[0], right, case.alike)
    return changed


def _all_alike(claimed: Grads, predicted: Grads, alike: float) -> bool:
    """Judge whether every block's relative error is below what is alike, or no more than sums to zero are left with."""
    slack = ROUNDED_AWAY * max(float(grad.abs().max()) for grad in claimed.values())
    seen = {name: ~predicted[name].isnan() for name in claimed}
    pairs = ((grad[seen[name]], predicted[name][seen[name]]) for name, grad in claimed.items())
    return all(
        len(a) and float((a - n).abs().max()) <= alike * max(1e-8, float(a.abs().max() + n.abs().max())) + slack
        for a, n in pairs
    )


def _narrowed(subject: Subject, looks: Sequence[Look], ways: list[tuple[str, Mistake]]) -> dict[str, Mistake]:
    """Keep the first way of each of the likeliest faults; of several, those that explain a batch with an image less."""
    first: dict[str, Mistake] = {}
    for fault, way in ways:
        if way.rank == ways[0][1].rank:
            first.setdefault(fault, way)
    if len(first) < 2 or any(one.problem.y is None or len(one.problem.x) < 3 for one in looks):
        return first
    smaller = []
    try:
        for one in looks:
            fewer = one.problem._replace(x=one.problem.x[:-1], y=one.problem.y[:-1])  # type: ignore[index]
            smaller.append(one._replace(problem=fewer, given=subject.evaluate(fewer)))
    except TenfoldError:  # it takes this many images only
        return first
    cases = [_recognized_case(structure, smaller) for structure in structures_of(subject, smaller)]
    words = {word for case in cases for word, way in _ways(case, subject.blocks) if _explains(case, (way,))}
    return {fault: way for fault, way in first.items() if fault in words} or first


def _sentence(ways: Sequence[Mistake], case: _Case) -> str:
    return "; and ".join(way.says if isinstance(way.says, str) else way.says(case.passes[0]) for way in ways)


def _fitted(params: Grads, claimed: Grads, right: Grads) -> float:
    """Return the strength λ of the penalty whose 2 λ W would explain most of what is wrong in a block."""
    best, fitted = 0.0, 0.0
    for name in claimed.keys() & params.keys():
        rest, block = (claimed[name] - right[name]).nan_to_num(), params[name]
        slope = float((rest * block).sum() / block.square().sum().clamp(min=1e-300))
        share = abs(slope) * float(block.norm()) / max(float(rest.norm()), 1e-300)
        if share > best:
            best, fitted = share, abs(slope) / 2
    return fitted


def _tensors(arrays: Mapping[str, Array]) -> Grads:
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
