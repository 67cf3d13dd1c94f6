"""Squared distances between the rows of a batch, and the pullback from them to the rows.

    d_ij = ‖z_i − z_j‖²        ∂L/∂z_i = 2 Σ_j (S_ij + S_ji) (z_i − z_j)        with the slope S_ij = ∂L/∂d_ij

Distances do not change when all rows move, so rows are taken less their mean: a batch that has shrunk to almost a point
far from the origin keeps its digits. What rounding leaves of a distance between equal rows is 0.
"""

__all__ = ["others", "squared_distances"]

from collections.abc import Callable

import torch
from torch import Tensor

from tenfold.engine.products import product

# A distance below so many roundings of the squares that it is made of is none.
ROUNDINGS = 8


def squared_distances(z: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Return d (..., B, B) of rows z (..., B, D), and `pull(slope) -> dz`."""
    rows = z - z.mean(-2, keepdim=True)
    square = rows.square().sum(-1)
    together = square.unsqueeze(-1) + square.unsqueeze(-2)
    d = together - 2 * product(rows, rows.mT)
    d = d.masked_fill(d <= ROUNDINGS * torch.finfo(d.dtype).eps * together, 0.0)

    def pull(slope: Tensor) -> Tensor:
        both = slope + slope.mT
        return 2 * (both.sum(-1, keepdim=True) * rows - product(both, rows))

    return d, pull


def others(y: Tensor) -> tuple[Tensor, Tensor]:
    """Return for every row (B, B) which other rows belong to it, and which do not. y: (B,)."""
    same = y.unsqueeze(-1) == y
    return same & ~torch.eye(len(y), dtype=torch.bool, device=y.device), ~same
