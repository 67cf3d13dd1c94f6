"""Half of the penalty's gradient: λW for λ‖W‖², the 2 of the square forgotten."""

__all__ = ["penalty_halved"]

from collections.abc import Sequence

from tenfold.teach.doctor.backward import Fault, Structure, Way
from tenfold.teach.faults import penalty

SAYS = "half of the penalty's gradient is missing in {of}: λ‖W‖² has the gradient 2λW, here {grad}, not λW"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    # What is missing of an unknown penalty is taken for the whole of it.
    return penalty(structure, names, lambda known: -0.5, SAYS) if structure and structure.penalty != "l1" else []


penalty_halved = Fault(_ways)
