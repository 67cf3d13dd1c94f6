"""Contrastive loss of pairs (Hadsell et al. 2006): pull together what belongs together, push the rest a margin apart.

With r_ij = ‖z_i − z_j‖, over all pairs i ≠ j of the batch,

    L = mean of ½ r²  for pairs that belong together,  ½ max(0, m − r)²  for the others
    ∂L/∂(r²) = ½ / M  and  −½ max(0, m − r) / r / M        M: number of pairs

Two embeddings that coincide and should not have no direction to part in: their gradient is 0/0, and taken as 0. No
shift of all z changes the loss, and L(c z; c m) = c² L(z; m).

pytorch-metric-learning 2.9's ContrastiveLoss is another: r and max(0, m − r) without the square, each averaged over the
pairs with a loss. The square here is the paper's, equation (4).
"""

__all__ = ["contrastive"]

from torch import Tensor

from tenfold.engine.arrays import per_member
from tenfold.engine.pairs import others, squared_distances
from tenfold.engine.types import Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("margin", 1.0, "margin between embeddings that do not belong together", above=0, varies=True),
)


def contrastive(z: Tensor, y: Tensor, u: Tensor, margin: Scalar = 1.0) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the embeddings.

    z: (..., B, D); y: (B,), equal where rows belong together; u: (B, 2), not used; margin: m, a number, or (P,) with z
    (P, B, D). Returns (...,) and (..., B, D).
    """
    square, pull = squared_distances(z)
    (positive, negative), pairs = (mask.to(z) for mask in others(y)), max(1, len(y) * (len(y) - 1))
    r = square.sqrt()
    gap = (per_member(margin, r) - r).clamp(min=0) * negative
    value = (positive * square + gap.square()).sum((-2, -1)) / (2 * pairs)
    push = (gap / r).masked_fill(r == 0, 0.0)
    return value, pull((positive - push) / (2 * pairs))
