"""The gradient of a bias holds a penalty that the value puts on the weights alone."""

__all__ = ["penalty_on_bias"]

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure, penalty_gradient
from tenfold.teach.faults import groups

SAYS = "the penalty is on the bias: the gradient of {of} holds 2λb, but the value penalizes the weights alone"


@Fault
def penalty_on_bias(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the biases that may hold a penalty, where the value penalizes weights alone."""
    if structure.loss and (not structure.penalty or structure.penalty.endswith("biases")):
        return []
    biases = [layer.bias for layer in structure.layers if layer.bias in names] if structure.loss else names
    return [_on(group) for group in groups(biases)]


def _on(group: Blocks) -> Mistake:
    def change(run: Pass, grads: Grads) -> Grads:
        biases = [name for name in group if name in run.params and run.params[name].squeeze().dim() < 2]
        return grads | {name: grads[name] + penalty_gradient(run, name) for name in biases}

    return Mistake("whole", change, SAYS.format(of=", ".join(group)))
