"""Softmax cross-entropy (multinomial logistic loss), Bridle (1990).

With p_k = e^{z_k} / Σ_j e^{z_j},

    L(z)     = −log p_y = log Σ_j e^{z_j} − z_y
    ∂L/∂z_k  = p_k − [k = y]

Scores are shifted by their maximum first, so no exponential overflows. The one pass that makes log p is made p and then
the gradient in place; it runs over the classes as they lie in memory, outside of the batch (layers/linear.py).
"""

__all__ = ["softmax"]

from torch import Tensor

from tenfold.engine.arrays import one_hot
from tenfold.engine.types import Scalar


def softmax(z: Tensor, y: Tensor, weight: Scalar = 1.0) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the scores.

    z: (..., B, C) scores; y: (B,) labels; weight: of each image, (B, 1) or one number. Returns (...,) and (..., B, C).
    """
    share = weight / z.shape[-2]
    log_p = z.mT.log_softmax(-2).mT
    loss = log_p.gather(-1, y.expand(z.shape[:-1]).unsqueeze(-1)) * -share
    dz = log_p.exp_().sub_(one_hot(y, z)).mul_(share)
    return loss.sum((-2, -1)), dz
