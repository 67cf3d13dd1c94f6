"""Multiclass hinge of Crammer and Singer (2001).

With the rival r = argmax_{k≠y} z_k and the margin violation m = 1 + z_r − z_y,

    L(z)     = max(0, m)
    ∂L/∂z_k  = [m > 0] ([k = r] − [k = y])
"""

__all__ = ["hinge"]

import torch
from torch import Tensor

from tenfold.engine.types import Scalar


def hinge(z: Tensor, y: Tensor, weight: Scalar = 1.0) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the scores.

    z: (..., B, C) scores; y: (B,) labels; weight: of each image, (B, 1) or one number. Returns (...,) and (..., B, C).
    """
    share = weight / z.shape[-2]
    label = y.expand(z.shape[:-1]).unsqueeze(-1)
    best, rival = z.scatter(-1, label, -torch.inf).max(-1, keepdim=True)
    violation = 1 + best - z.gather(-1, label)
    active = (violation > 0).to(z.dtype) * share
    dz = torch.zeros_like(z).scatter_(-1, rival, active).scatter_(-1, label, -active)
    return (violation.relu() * share).sum((-2, -1)), dz
