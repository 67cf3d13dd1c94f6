"""Affine map of every member.

    y = x Wᵀ + b
    ∂L/∂W = ∂L/∂yᵀ x      ∂L/∂b = Σ_B ∂L/∂y      ∂L/∂x = ∂L/∂y W

Inputs that all members share meet the folded (P·O, I) view of the weights in one product. Scores lie in memory as
(P, O, B), so that this view, its gradient and every reduction over classes run along contiguous memory.
"""

__all__ = ["linear"]

import torch
from torch import Tensor

from tenfold.products import product
from tenfold.types import Pull


def linear(x: Tensor, w: Tensor, b: Tensor, narrow: bool = False) -> tuple[Tensor, Pull]:
    """Scores of every member, and their pullback.

    x: (B, I) shared or (P, B, I); w: (P, O, I); b: (P, O); narrow: multiply in bfloat16, the rest stays wide.
    Returns (P, B, O).
    """
    to = torch.bfloat16 if narrow else w.dtype
    x, wide = x.to(to), w.to(to)
    z = _folded(x, wide) if x.dim() == 2 else product(wide, x)
    y = z.to(w.dtype).add_(b[..., None]).mT

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None, Tensor, Tensor]:
        dz = dy.mT.contiguous()
        factor = dz.to(to)
        dw = product(factor.flatten(0, 1), x.mT).view(w.shape) if x.dim() == 2 else product(factor, x.mT)
        dx = _input_gradient(factor, wide, x).to(w.dtype) if need_dx else None
        return dx, dw.to(w.dtype), dz.sum(-1)

    return y, pull


def _folded(x: Tensor, w: Tensor) -> Tensor:
    """(B, I) against (P, O, I) as one product; returns (P, O, B)."""
    return product(w.flatten(0, 1), x).view(*w.shape[:2], x.shape[0])


def _input_gradient(dz: Tensor, w: Tensor, x: Tensor) -> Tensor:
    """dz: (P, O, B). A shared input collects the gradients of all members."""
    if x.dim() == 2:
        return product(w.flatten(0, 1).mT, dz.flatten(0, 1).mT).mT
    return product(w.mT, dz.mT).mT
