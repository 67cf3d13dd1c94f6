"""The penalty's gradient is divided by the number of images, as if it stood inside of the mean."""

__all__ = ["penalty_averaged"]

from collections.abc import Sequence

from tenfold.teach.doctor.backward import Fault, Structure, Way
from tenfold.teach.faults import penalty

SAYS = "the penalty's {grad} is divided by N in {of}: the value adds λ‖W‖² once, outside of the mean over the batch"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    return penalty(structure, names, lambda known: 1 / known.images - 1, SAYS) if structure else []


penalty_averaged = Fault(_ways)
