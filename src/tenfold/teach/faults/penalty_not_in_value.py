"""The gradient holds a penalty's 2λW, the value has no penalty."""

__all__ = ["penalty_not_in_value"]

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Structure
from tenfold.teach.faults import changed, groups

SAYS = "{of} holds a penalty's {grad}, but the value has no penalty"


@Fault
def penalty_not_in_value(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the blocks that may hold a penalty, where the value has none."""
    if structure.penalty:
        return []
    weights = [layer.weight for layer in structure.layers if layer.weight in names]
    blocks = [name for layer in structure.layers for name in (layer.weight, layer.bias) if name in names]
    return [changed(group, lambda run, right: right, SAYS) for group in groups(weights, blocks)]
