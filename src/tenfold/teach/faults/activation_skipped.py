"""The gradient of a layer's weights takes the sums z below instead of the outputs h = φ(z): ∂L/∂W = ∂L/∂zᵀ h."""

__all__ = ["activation_skipped"]

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Structure

SAYS = "the gradient of {of} is taken with z, before the activation, where the layer's input is its output h"


@Fault
def activation_skipped(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the layers above an activation, whose weights may have met z."""
    hidden = dict(structure.hidden())
    above = [(i, layer.weight) for i, layer in enumerate(structure.layers) if i - 1 in hidden]
    return [Mistake("weight", lambda run, i, right, d: d.mT @ run.pre[i - 1], SAYS.format(of=of), i) for i, of in above]
