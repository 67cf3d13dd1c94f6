"""Squared error of a reconstruction or a regression, ½ ‖ŷ − y‖² of each row.

L(ŷ)      = ½ Σ_d (ŷ_d − y_d)²
∂L/∂ŷ_d   = ŷ_d − y_d
"""

__all__ = ["squared_error"]

from torch import Tensor

from tenfold.engine.types import Scalar

UNLABELED = True


def squared_error(z: Tensor, y: Tensor, weight: Scalar = 1.0) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the outputs.

    z: (..., B, D) outputs ŷ; y: (B, D) targets, or (..., B, D), each member's own; weight: of each row, (B, 1) or one
    number. Returns (...,) and (..., B, D).
    """
    gap = z - y
    dz = gap * (weight / z.shape[-2])
    return gap.mul_(dz).sum((-2, -1)) / 2, dz
