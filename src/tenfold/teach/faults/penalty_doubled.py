"""The gradient of the penalty is counted twice: 4λW for λ‖W‖²."""

__all__ = ["penalty_doubled"]

from collections.abc import Sequence

from tenfold.teach.doctor.backward import Fault, Structure, Way
from tenfold.teach.faults import penalty

SAYS = "the penalty is counted twice in {of}: once more {grad} than the value asks for"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    return penalty(structure, names, lambda known: 1, SAYS)


penalty_doubled = Fault(_ways)
