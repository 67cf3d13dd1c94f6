"""Affine map of every member.

    y = x Wᵀ + b
    ∂L/∂W = ∂L/∂yᵀ x      ∂L/∂b = Σ_B ∂L/∂y      ∂L/∂x = ∂L/∂y W

Inputs that all members share meet the folded (P·O, I) view of the weights in one product. Scores lie in memory as
(P, O, B), so that this view, its gradient and every reduction over classes run along contiguous memory.
"""

__all__ = ["linear"]

from torch import Tensor

from tenfold.engine.products import product
from tenfold.engine.types import Pull


def linear(x: Tensor, w: Tensor, b: Tensor, narrow: bool = False) -> tuple[Tensor, Pull]:
    """Return the scores of every member, and their pullback.

    x: (B, I) shared or (P, B, I); w: (P, O, I); b: (P, O); narrow: multiply in bfloat16, the rest stays wide.
    Returns (P, B, O).
    """
    multiply, x = (_narrow, x.bfloat16()) if narrow else (product, x)
    shared = x.dim() == 2
    folded = w.flatten(0, 1) if shared else w
    y = multiply(folded, x.mT).view(b.size(0), b.size(1), -1).add_(b.unsqueeze(-1)).mT

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None, Tensor, Tensor]:
        dz = dy.mT.contiguous()
        rows = dz.flatten(0, 1) if shared else dz
        dw = multiply(rows, x).view(w.shape)
        # A shared input collects the gradients of all members: the folded product sums over them.
        dx = multiply(folded.mT, rows).mT if need_dx else None
        return dx, dw, dz.sum(-1)

    return y, pull


def _narrow(a: Tensor, b: Tensor) -> Tensor:
    return product(a.bfloat16(), b.bfloat16()).to(a.dtype)
