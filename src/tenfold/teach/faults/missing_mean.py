"""The mean over the batch is missing: ∂L/∂z is the sum's gradient, N times that of the value."""

__all__ = ["missing_mean"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way
from tenfold.teach.faults import multiplied

SAYS = "{of} is N times too large: the value is a mean over the batch, so its gradient needs the 1/N too"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    return [
        Way("scores", _summed, SAYS.format(of="the scores' gradient")),
        *multiplied(names, lambda p: p.images, SAYS),
    ]


def _summed(known: Pass, layer: int, right: Tensor) -> Tensor:
    return right * known.images


missing_mean = Fault(_ways)
