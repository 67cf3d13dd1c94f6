"""A product with a square factor the wrong way round: Wᵀ for W, or a gradient as its transpose."""

__all__ = ["transposed"]

from torch import Tensor

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Structure
from tenfold.teach.faults import on_blocks

SAYS = "the gradient of {of} is transposed: rows and columns are exchanged, which a square shape does not show"
BELOW = "layer {of} hands its gradient down through Wᵀ where ∂L/∂h = ∂L/∂z W, with W as (outputs, inputs)"


@Fault
def transposed(structure: Structure, names: Blocks) -> list[Mistake]:
    """List gradients, and weights on the way down, that may be turned."""
    ways = [on_blocks([name], lambda run, grad: _turned(grad), SAYS.format(of=name)) for name in names]
    for i, layer in enumerate(structure.layers):
        # The loss's part alone, as a penalty added later is not turned.
        ways.append(Mistake("weight", lambda run, i, right, d: _turned(right), SAYS.format(of=layer.weight), i))
        ways.append(Mistake("below", lambda run, i, right, d: d @ _turned(run.weights[i]), BELOW.format(of=i + 1), i))
    return ways


def _turned(block: Tensor) -> Tensor:
    return block.mT if block.dim() == 2 and block.shape[0] == block.shape[1] else block
