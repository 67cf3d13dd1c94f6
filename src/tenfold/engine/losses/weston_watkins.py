"""Multiclass hinge summed over all rivals (Weston and Watkins 1999); the hinge counts the largest violation alone.

ℓ = mean over images of Σ_{j ≠ y} max(0, 1 + z_j − z_y)
∂ℓ/∂z_j = 1/B where image and class j violate the margin, ∂ℓ/∂z_y = −(how many do)/B; 0 at the kink
"""

__all__ = ["weston_watkins"]

from torch import Tensor

from tenfold.engine.arrays import one_hot
from tenfold.engine.types import Scalar


def weston_watkins(z: Tensor, y: Tensor, weight: Scalar = 1.0) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the scores.

    z: (..., B, C) scores; y: (B,) labels; weight: of each image, (B, 1) or one number. Returns (...,) and (..., B, C).
    """
    right, share = one_hot(y, z), weight / z.shape[-2]
    of_label = z.gather(-1, y.expand(z.shape[:-1]).unsqueeze(-1))
    violation = (1 + z - of_label).clamp_(min=0).mul_(1 - right)
    dz = violation.sign()
    dz.addcmul_(right, dz.sum(-1, keepdim=True), value=-1)
    return (violation * share).sum((-2, -1)), dz.mul_(share)
