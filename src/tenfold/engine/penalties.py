"""Penalties on weights: value R(W) and gradient leave together, the gradient added where the loss's gradient lies.

l1: R = λ Σ|W|,  ∂R/∂W = λ sign W        l2: R = λ Σ W²,  ∂R/∂W = 2 λ W
"""

__all__ = ["l1", "l2"]

import torch
from torch import Tensor

from tenfold.engine.arrays import per_member
from tenfold.engine.types import Scalar


def l1(weight: Tensor, strength: Scalar, grad: Tensor) -> Tensor:
    """Return λ Σ|W| of each member, (P,). weight, grad: (P, ...); grad gets λ sign W added in place."""
    _add(grad, weight.sign(), per_member(strength, weight))
    return strength * weight.abs().flatten(1).sum(1)


def l2(weight: Tensor, strength: Scalar, grad: Tensor) -> Tensor:
    """Return λ Σ W² of each member, (P,). weight, grad: (P, ...); grad gets 2 λ W added in place."""
    _add(grad, weight, per_member(2 * strength, weight))
    norm: Tensor = torch.linalg.vector_norm(weight.flatten(1), dim=1)
    return strength * norm.square()


def _add(grad: Tensor, direction: Tensor, factor: Scalar) -> None:
    """Add factor times direction in one pass, the factor a number or one for each member."""
    grad.addcmul_(direction, factor) if isinstance(factor, Tensor) else grad.add_(direction, alpha=factor)
