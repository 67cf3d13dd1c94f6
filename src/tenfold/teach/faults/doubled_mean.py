"""The mean over the batch is taken twice: ∂L/∂z is divided by N once more than the value."""

__all__ = ["doubled_mean"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way
from tenfold.teach.faults import multiplied

SAYS = "{of} is N times too small: it is divided by the number of images once more than the value is"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    scores = Way("scores", _divided, SAYS.format(of="the scores' gradient"))
    return [scores, *multiplied(names, lambda known: 1 / known.images, SAYS)]


def _divided(known: Pass, layer: int, right: Tensor) -> Tensor:
    return right / known.images


doubled_mean = Fault(_ways)
