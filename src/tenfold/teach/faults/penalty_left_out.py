"""The value has the penalty λ‖W‖², the gradient lacks its 2λW."""

__all__ = ["penalty_left_out"]

from collections.abc import Sequence

from tenfold.teach.doctor.backward import Fault, Structure, Way
from tenfold.teach.faults import penalty

SAYS = "the penalty is left out of {of}: λ‖W‖² in the value asks for 2λW, here {grad}"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    return penalty(structure, names, lambda known: -1, SAYS)


penalty_left_out = Fault(_ways)
