"""Mean squared error: squared differences averaged over the D elements of a row, then over the rows.

L(ŷ)      = (1/D) Σ_d (ŷ_d − y_d)²
∂L/∂ŷ_d   = (2/D) (ŷ_d − y_d)
"""

__all__ = ["mean_squared_error"]

from torch import Tensor

from tenfold.engine.types import Scalar

UNLABELED = True


def mean_squared_error(z: Tensor, y: Tensor, weight: Scalar = 1.0) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the outputs.

    z: (..., B, D) outputs ŷ; y: (B, D) targets, or (..., B, D), each member's own; weight: of each row, (B, 1) or one
    number. Returns (...,) and (..., B, D).
    """
    gap = z - y
    dz = gap * (2 * weight / (z.shape[-2] * z.shape[-1]))
    return gap.mul_(dz).sum((-2, -1)) / 2, dz
