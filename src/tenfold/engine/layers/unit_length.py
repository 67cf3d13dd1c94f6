"""Rows of length 1: y = x / ‖x‖,  ∂L/∂x = (∂L/∂y − y (y · ∂L/∂y)) / ‖x‖.

A row of zeros has no direction: y = 0, and its gradient, 0/0, is taken as 0.
"""

__all__ = ["unit_length"]

import torch
from torch import Tensor

from tenfold.engine.types import Pull


def unit_length(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x, y: (P, B, D)."""
    length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    inverse = torch.where(length > 0, 1 / length, 0.0)
    y = x * inverse

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return ((dy - y * (y * dy).sum(-1, keepdim=True)) * inverse if need_dx else None,)

    return y, pull
