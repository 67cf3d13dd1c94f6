"""Clipping by global norm (Pascanu et al. 2013), each member by its own: g ← g · min(1, c / (‖g‖ + 1e-6))."""

__all__ = ["clip"]

import torch
from torch import Tensor

from tenfold.engine.arrays import per_member
from tenfold.engine.types import Grads, Scalar


def clip(grads: Grads, norm: Scalar) -> Tensor:
    """Scale gradients (P, ...) in place to at most the given norm c (a number or (P,)). Returns the factors (P,).

    A member with an infinite c keeps its gradient, whatever its norm.
    """
    total = torch.stack([torch.linalg.vector_norm(grad.flatten(1), dim=1) for grad in grads.values()])
    factor: Tensor = (norm / (torch.linalg.vector_norm(total, dim=0) + 1e-6)).clamp_max(1.0)
    if isinstance(norm, Tensor):  # a norm that overflows, though the gradient does not, would make ∞/∞ of it
        factor.masked_fill_(norm.isinf(), 1.0)
    # Where nobody is above the norm, the pass over all gradients is saved; a NaN is not 1 and goes on into all of them.
    for grad in grads.values() if bool((factor != 1).any()) else ():
        grad.mul_(per_member(factor, grad))
    return factor
