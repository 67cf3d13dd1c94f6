"""The 2 of a square: ½ (ŷ − y)² has the gradient ŷ − y, (ŷ − y)² has 2 (ŷ − y)."""

__all__ = ["factor_of_two"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way
from tenfold.teach.faults import multiplied

SAYS = "{{of}} is {what}: the gradient of ½(ŷ − y)² is ŷ − y, that of (ŷ − y)² is 2(ŷ − y)"
TWICE, HALF = SAYS.format(what="twice the right one"), SAYS.format(what="half of the right one")
SQUARES = ("squared_error", "mean_squared_error")


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    if structure is not None and structure.loss not in SQUARES:
        return []
    scores = "the scores' gradient"
    return [
        Way("scores", _twice, TWICE.format(of=scores)),
        Way("scores", _half, HALF.format(of=scores)),
        *multiplied(names, lambda known: 2, TWICE),
        *multiplied(names, lambda known: 0.5, HALF),
    ]


def _twice(known: Pass, layer: int, right: Tensor) -> Tensor:
    return 2 * right


def _half(known: Pass, layer: int, right: Tensor) -> Tensor:
    return right / 2


factor_of_two = Fault(_ways)
