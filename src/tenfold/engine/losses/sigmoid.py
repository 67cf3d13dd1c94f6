"""Per-class sigmoid: binary cross-entropy of every class against the rest, mean over the C classes.

With p_k = σ(z_k) and t_k = [k = y],

    L(z)     = −(1/C) Σ_k [t_k log p_k + (1 − t_k) log(1 − p_k)]
             = −(1/C) Σ_k log σ(−z_k) − z_y / C              (since log p − log(1 − p) = z)
    ∂L/∂z_k  = (p_k − t_k) / C
"""

__all__ = ["sigmoid"]

from torch import Tensor
from torch.nn.functional import logsigmoid

from tenfold.engine.arrays import one_hot
from tenfold.engine.types import Scalar

PER_CLASS = True


def sigmoid(z: Tensor, y: Tensor, weight: Scalar = 1.0) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the scores.

    z: (..., B, C) scores; y: (B,) labels; weight: of each image, (B, 1) or one number. Returns (...,) and (..., B, C).
    """
    share = weight / (z.shape[-2] * z.shape[-1])
    label = y.expand(z.shape[:-1]).unsqueeze(-1)
    loss = (-logsigmoid(-z).sum(-1, keepdim=True) - z.gather(-1, label)) * share
    dz = z.sigmoid().sub_(one_hot(y, z)).mul_(share)
    return loss.sum((-2, -1)), dz
