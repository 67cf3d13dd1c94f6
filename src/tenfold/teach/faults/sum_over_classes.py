"""The value is a mean over the C classes, its gradient that of their sum: C times too large."""

__all__ = ["sum_over_classes"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way
from tenfold.teach.faults import multiplied

SAYS = "{of} is C times too large: the value is a mean over the classes, the gradient is that of their sum"
MEANS = ("sigmoid", "mean_squared_error")


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    if structure is not None and structure.loss not in MEANS:
        return []
    scores = Way("scores", _summed, SAYS.format(of="the scores' gradient"))
    return [scores, *multiplied(names, lambda known: known.classes, SAYS)]


def _summed(known: Pass, layer: int, right: Tensor) -> Tensor:
    return right * known.classes


sum_over_classes = Fault(_ways)
