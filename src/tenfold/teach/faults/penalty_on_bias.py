"""The gradient of a bias holds a penalty that the value puts on the weights alone."""

__all__ = ["penalty_on_bias"]

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure
from tenfold.teach.faults import changed, groups

SAYS = "the penalty is on the bias: {of} holds 2λb, but the value penalizes the weights alone"


@Fault
def penalty_on_bias(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the biases that may hold a penalty, where the value penalizes weights alone."""
    if structure.loss and (not structure.penalty or structure.penalty.endswith("biases")):
        return []
    biases = [layer.bias for layer in structure.layers if layer.bias in names] if structure.loss else names
    return [changed(group, lambda run: 1, SAYS, _vectors) for group in groups(biases)]


def _vectors(run: Pass, name: str) -> bool:
    return run.params[name].squeeze().dim() < 2
