"""Softmax cross-entropy against smoothed labels (Szegedy et al. 2016).

With p_k = e^{z_k} / Σ_j e^{z_j} and targets q_k = (1 − s) [k = y] + s / C,

    L(z)     = −Σ_k q_k log p_k = −(1 − s) log p_y − (s / C) Σ_k log p_k
    ∂L/∂z_k  = p_k − q_k
"""

__all__ = ["smoothed_softmax"]

from torch import Tensor

from tenfold.engine.arrays import one_hot, per_member
from tenfold.engine.types import Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter(
        "smoothing", 0.1, "share s of a label that is spread over all classes", least=0, below=1, varies=True
    ),
)


def smoothed_softmax(z: Tensor, y: Tensor, weight: Scalar = 1.0, smoothing: Scalar = 0.1) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the scores.

    z: (..., B, C) scores; y: (B,) labels; weight: of each image, (B, 1) or one number; smoothing: a number, or (P,)
    with z (P, B, C). Returns (...,) and (..., B, C).
    """
    share, spread = weight / z.shape[-2], per_member(smoothing, z)
    log_p = z.mT.log_softmax(-2).mT
    of_label = log_p.gather(-1, y.expand(z.shape[:-1]).unsqueeze(-1))
    loss = ((spread - 1) * of_label - spread * log_p.mean(-1, keepdim=True)) * share
    dz = log_p.exp_().sub_(one_hot(y, z) * (1 - spread)).sub_(spread / z.shape[-1]).mul_(share)
    return loss.sum((-2, -1)), dz
