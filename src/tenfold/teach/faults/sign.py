"""The wrong sign: −∂L instead of ∂L, which climbs where it should descend."""

__all__ = ["sign"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way
from tenfold.teach.faults import multiplied

SAYS = "{of} has the wrong sign: a step against it makes the loss larger"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    ways = [Way("scores", _flipped, SAYS.format(of="the scores' gradient")), *multiplied(names, lambda known: -1, SAYS)]
    for i, _ in enumerate(structure.layers[1:] if structure else (), start=1):
        ways.append(Way("below", _flipped_below, SAYS.format(of=f"what layer {i + 1} hands down to layer {i}"), i))
    return ways


def _flipped(known: Pass, layer: int, right: Tensor) -> Tensor:
    return -right


def _flipped_below(known: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    return -right


sign = Fault(_ways)
