"""The gradient holds a penalty's 2λW, the value has no penalty."""

__all__ = ["penalty_not_in_value"]

from collections.abc import Sequence

from tenfold.doctor.backward import Fault, Structure, Way
from tenfold.faults import penalty

SAYS = "{of} holds a penalty's {grad}, but the value has no penalty"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    return penalty(structure, names, 1, SAYS) if structure and not structure.penalty else []


penalty_not_in_value = Fault(_ways)
