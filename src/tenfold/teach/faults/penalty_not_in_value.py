"""The gradient holds a penalty's 2λW, the value has no penalty."""

__all__ = ["penalty_not_in_value"]

from collections.abc import Sequence

from tenfold.teach.doctor.backward import Fault, Structure, Way
from tenfold.teach.faults import changed

SAYS = "{of} holds a penalty's {grad}, but the value has no penalty"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    if structure is None or structure.penalty:
        return []
    blocks = [name for layer in structure.layers for name in (layer.weight, layer.bias) if name in names and name]
    weights = [layer.weight for layer in structure.layers if layer.weight in names]
    groups = [weights, blocks, *([name] for name in blocks)]
    groups = [group for k, group in enumerate(groups) if group and group not in groups[:k]]
    return [changed(group, lambda known: 1, SAYS) for group in groups]


penalty_not_in_value = Fault(_ways)
