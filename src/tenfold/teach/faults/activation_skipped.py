"""The gradient of a layer's weights takes the sums z below instead of the outputs h = φ(z): ∂L/∂W = ∂L/∂zᵀ h."""

__all__ = ["activation_skipped"]

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Structure
from tenfold.teach.faults import hidden

SAYS = "the gradient of {of} is taken with z, before the activation, where the layer's input is its output h"


@Fault
def activation_skipped(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the layers above an activation, whose weights may have met z."""
    behind = {i + 1 for i, _ in hidden(structure)}
    return [
        Mistake("weight", lambda run, i, right, d: d.mT @ run.pre[i - 1], SAYS.format(of=layer.weight), i)
        for i, layer in enumerate(structure.layers)
        if i in behind
    ]
