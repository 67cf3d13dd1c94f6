"""A product with a square factor the wrong way round: Wᵀ for W, or a gradient as its transpose."""

__all__ = ["transposed"]

from collections.abc import Sequence

from torch import Tensor

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way

SAYS = "the gradient of {of} is transposed: rows and columns are exchanged, which a square shape does not show"
BELOW = "layer {of} hands its gradient down through Wᵀ where ∂L/∂h = ∂L/∂z W, with W as (outputs, inputs)"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    ways = [_block(name) for name in names]
    for i, layer in enumerate(structure.layers if structure else ()):
        ways.append(Way("weight", _turned, SAYS.format(of=layer.weight), i))
        ways.append(Way("below", _down, BELOW.format(of=i + 1), i))
    return ways


def _block(name: str) -> Way:
    def change(known: Pass, grads: Grads) -> Grads:
        grad = grads[name]
        square = grad.dim() == 2 and grad.shape[0] == grad.shape[1]
        return grads | ({name: grad.mT} if square else {})

    return Way("whole", change, SAYS.format(of=name))


def _turned(known: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    """The loss's part alone, as a penalty added later is not turned."""
    return right.mT if right.shape[0] == right.shape[1] else right


def _down(known: Pass, layer: int, right: Tensor, d: Tensor) -> Tensor:
    w = known.weights[layer]
    return d @ w.mT if w.shape[0] == w.shape[1] else right


transposed = Fault(_ways)
