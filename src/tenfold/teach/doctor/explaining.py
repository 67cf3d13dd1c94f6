"""Which known fault gives the very gradients that a function returned.

Where the function is recognized by its values, the network is taken backwards with every fault in turn. Where it is
not, only what happens to whole gradients can be tried, on those that autograd or differences give. A fault explains a
gradient where every block agrees at every point; where two do so (N = C, say), fewer images tell them apart. If no
single fault explains it, pairs of them are tried.
"""

__all__ = ["NOISY", "SAME_VALUE", "Finding", "derived", "explained", "inputs_of"]

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.engine.types import Grads
from tenfold.errors import TenfoldError
from tenfold.rooms import find, names
from tenfold.teach.doctor.backward import Pass, Structure, Way, backward, forward
from tenfold.teach.doctor.looking import Evaluate, Look, spread
from tenfold.teach.doctor.recognition import point, recognized
from tenfold.teach.doctor.subject import Subject

Array = NDArray[np.float64]

SAME_VALUE = 1e-9
ALIKE, ALIKE_NOISY = 1e-5, 1e-3
"""Relative error below which a predicted gradient is the one that was returned; the latter where values wander."""
DERIVED, DERIVED_NOISY = 1e-9, 1e-4
NOISY = 1e-11
ROUNDED_AWAY = 1e-13
SCALES = {"doubled_mean", "factor_of_two", "missing_mean", "scaled", "sign", "sum_over_classes", "wrong_divisor"}
"""Of these one is enough: two of them make one factor, which might be split in many ways."""


class Finding(NamedTuple):
    """fault: its word, or two joined with " + "; sentence: a tutor's; blocks: those whose gradients are wrong."""

    fault: str
    sentence: str
    blocks: tuple[str, ...]


class _Case(NamedTuple):
    """All points in one structure: passes, the right gradients, those that were returned, and how close is alike."""

    structure: Structure | None
    passes: list[Pass]
    right: list[Grads]
    claimed: list[Grads]
    alike: float


def explained(
    subject: Subject, evaluate: Evaluate, looks: Sequence[Look], structures: Sequence[Structure], wrong: Sequence[str]
) -> list[Finding]:
    """Faults that explain what was returned, the likeliest first; empty where no known one does.

    structures: what the function may compute, by its values. wrong: the blocks whose gradients are.
    """
    cases = [case for structure in structures if _holds(case := _recognized_case(structure, looks), looks)]
    for case in (*cases, _bare_case(subject, looks)):
        single = [(fault, way) for fault, way in _ways(case, subject.blocks) if _explains(case, (way,))]
        if single:
            kept = _narrowed(subject, evaluate, looks, sorted(single, key=lambda found: found[1].rank))
            return [Finding(fault, _said((way,), case), tuple(wrong)) for fault, way in kept]
    pairs = (pair for case in cases if (pair := _pair(case, subject.blocks, tuple(wrong))))
    return [found for found in [next(pairs, None)] if found]


def derived(looks: Sequence[Look], structures: Sequence[Structure]) -> bool:
    """Whether what was returned is the chain rule's gradient of a structure, with the slope to the left or to the right
    of z = 0 for that of max(0, z) on it.

    Where kinks of several images cancel, the value has a slope there that the chain rule does not give.
    """
    near = DERIVED_NOISY if spread(looks) > NOISY else DERIVED
    cases = (_recognized_case(structure, looks)._replace(alike=near) for structure in structures)
    return any(_explains(case, ()) or _explains(_from_the_right(case), ()) for case in cases)


def _from_the_right(case: _Case) -> _Case:
    """The same with activations at 0 taken for what they are just above it."""
    passes = [
        p._replace(pre=tuple(torch.where(z == 0, torch.finfo(z.dtype).tiny, z) for z in p.pre)) for p in case.passes
    ]
    return case._replace(passes=passes)


def _recognized_case(structure: Structure, looks: Sequence[Look]) -> _Case:
    claimed = [_tensors(one.given.grads) for one in looks]
    points = [point(one.problem, one.given.value) for one in looks]
    passes = [
        forward(structure, p.x, p.params, p.targets)._replace(claimed=(claimed[k], *claimed[:k], *claimed[k + 1 :]))
        for k, p in enumerate(points)
    ]
    right = [backward(known) for known in passes]
    if not structure.penalty:
        fitted = _fitted(points[0].params, claimed[0], right[0])
        passes = [known._replace(fitted=fitted) for known in passes]
    return _Case(structure, passes, right, claimed, _alike_at(looks))


def _bare_case(subject: Subject, looks: Sequence[Look]) -> _Case:
    """What is known of a function that was not recognized: its right gradients, where they were looked at."""
    claimed, right = [_tensors(one.given.grads) for one in looks], [_tensors(_seen(one)) for one in looks]
    params = [_tensors(one.problem.params) for one in looks]
    fitted, unknown = _fitted(params[0], claimed[0], right[0]), Structure((), "", "", "", 1.0)
    passes = []
    for k, (one, own) in enumerate(zip(looks, params, strict=True)):
        images = one.problem.x if one.problem.y is None else one.problem.y
        scores = torch.zeros(len(np.atleast_1d(images)), one.problem.classes or 1, dtype=torch.float64)
        others = (claimed[k], *claimed[:k], *claimed[k + 1 :])
        passes.append(Pass(unknown, own, scores, (), (), (), 0.0, scores, scores, fitted, others))
    return _Case(None, passes, right, claimed, _alike_at(looks))


def _alike_at(looks: Sequence[Look]) -> float:
    return ALIKE_NOISY if spread(looks) > NOISY else ALIKE


def _seen(one: Look) -> dict[str, Array]:
    """Autograd's gradients, or those of the differences with NaN where none was taken."""
    if one.autograd is not None:
        return one.autograd
    found = {name: np.full(grad.shape, np.nan) for name, grad in one.given.grads.items()}
    for name, slopes in one.slopes.items():
        found[name].flat[slopes.places] = np.where(slopes.kink, np.nan, slopes.value)
    return found


def _holds(case: _Case, looks: Sequence[Look]) -> bool:
    """Whether a structure's own gradients are the slopes that were seen: two structures may share a few values."""
    for one, right in zip(looks, case.right, strict=True):
        for name, slopes in one.slopes.items():
            gap = np.abs(right[name].numpy().flat[slopes.places] - slopes.value)[~slopes.kink]
            if gap.max(initial=0.0) > 1e-2 * max(float(right[name].abs().max()), 1e-8):
                return False
    return True


def inputs_of(one: Look) -> str:
    """Name of the inputs' block: the one that is no parameter's."""
    return next((name for name in one.given.grads if name not in one.problem.params), "x")


def _ways(case: _Case, blocks: Sequence[str]) -> Iterator[tuple[str, Way]]:
    for word in names("faults"):
        for way in find("faults", word).ways(case.structure, blocks):
            if case.structure is not None or way.stage == "whole":
                yield word, way


def _explains(case: _Case, ways: Sequence[Way]) -> bool:
    """Whether these ways, taken together, give what was returned: every block at every point, and change something."""
    changed = not ways
    for known, right, claimed in zip(case.passes, case.right, case.claimed, strict=True):
        if case.structure is None:
            predicted = right
            for way in ways:
                predicted = way.change(known, predicted)
        else:
            predicted = backward(known, ways)
        if not _all_alike(claimed, predicted, case.alike):
            return False
        changed = changed or not _all_alike(claimed, right, case.alike)
    return changed


def _all_alike(claimed: Grads, predicted: Grads, alike: float) -> bool:
    """Whether every block's relative error is below what is alike, or no more than sums to zero are left with."""
    largest = max(float(grad.abs().max()) for grad in claimed.values())
    return all(_alike(claimed[name], predicted[name], alike, ROUNDED_AWAY * largest) for name in claimed)


def _alike(claimed: Tensor, predicted: Tensor, alike: float, slack: float) -> bool:
    known = ~predicted.isnan()
    a, n = claimed[known], predicted[known]
    if not len(a):
        return False
    return float((a - n).abs().max()) <= alike * max(1e-8, float(a.abs().max() + n.abs().max())) + slack


def _narrowed(
    subject: Subject, evaluate: Evaluate, looks: Sequence[Look], found: list[tuple[str, Way]]
) -> list[tuple[str, Way]]:
    """The first way of each of the likeliest faults; of several, those that explain a batch with an image less too."""
    likely = [(fault, way) for fault, way in found if way.rank == found[0][1].rank]
    first = {fault: (fault, way) for fault, way in reversed(likely)}
    kept = [first[fault] for fault in dict.fromkeys(fault for fault, _ in likely)]
    if len(kept) < 2 or any(one.problem.y is None or len(one.problem.x) < 3 for one in looks):
        return kept
    smaller = []
    try:
        for one in looks:
            fewer = one.problem._replace(x=one.problem.x[:-1], y=one.problem.y[:-1])  # type: ignore[index]
            smaller.append(one._replace(problem=fewer, given=evaluate(fewer)))
    except TenfoldError:  # it takes this many images only
        return kept
    values, numbers = [one.given.value for one in smaller], tuple(subject.constants.values())
    found_again = recognized([one.problem for one in smaller], values, SAME_VALUE, numbers, inputs_of(looks[0]))
    cases = [_recognized_case(structure, smaller) for structure in found_again]
    words = {word for case in cases for word, way in _ways(case, subject.blocks) if _explains(case, (way,))}
    return [pair for pair in kept if pair[0] in words] or kept


def _pair(case: _Case, blocks: Sequence[str], wrong: tuple[str, ...]) -> Finding | None:
    """Two faults that explain it together."""
    ways = list(_ways(case, blocks))
    for (fault, way), (other, second) in combinations(ways, 2):
        if fault != other and not {fault, other} <= SCALES and _explains(case, (way, second)):
            return Finding(f"{fault} + {other}", _said((way, second), case), wrong)
    return None


def _said(ways: Sequence[Way], case: _Case) -> str:
    sentences = [way.says if isinstance(way.says, str) else way.says(case.passes[0]) for way in ways]
    return "; and ".join(sentences)


def _fitted(params: Grads, claimed: Grads, right: Grads) -> float:
    """The strength λ of the penalty whose 2 λ W would explain most of what is wrong in a block."""
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
