"""Normalized temperature-scaled cross-entropy (SimCLR, Chen et al. 2020): find an image's other view among the batch.

With s_ij = z_i·z_j / τ and N_i = Σ e^{s_ik} over the rows k that do not belong to i, for every pair i, p that does,

    L_ip = −log (e^{s_ip} / (e^{s_ip} + N_i)) = log(1 + e^x),   x = log N_i − s_ip
    ∂L_ip/∂s_ip = −σ(x)        ∂L_ip/∂s_ik = σ(x) e^{s_ik} / N_i

    L = mean of L_ip over all pairs        ∂L/∂z_i = Σ_j (G_ij + G_ji) z_j / τ,   G_ij = ∂L/∂s_ij

Labels are not used: what belongs together are the views of one image. Embeddings have length 1. L(c z; τ) =
L(z; τ/c²); a shift of all z changes it.

pytorch-metric-learning 2.9's NTXentLoss is the same. With more than two views the other positives are in no
denominator, here and there; in `supcon` they are.
"""

__all__ = ["nt_xent"]

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tenfold.engine.arrays import per_member
from tenfold.engine.pairs import others
from tenfold.engine.products import product
from tenfold.engine.types import Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (Hyperparameter("temperature", 0.1, "what similarities of embeddings are divided by", above=0, varies=True),)
UNIT = True
VIEWS = 2
LABELED = False


def nt_xent(z: Tensor, y: Tensor, u: Tensor, temperature: Scalar = 0.1) -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the embeddings.

    z: (..., B, D) of length 1; y: (B,), equal for the views of an image; u: (B, 2), not used; temperature: τ, a number,
    or (P,) with z (P, B, D). Returns (...,) and (..., B, D).
    """
    positive, negative = others(y)
    sharp = 1 / per_member(temperature, z)
    s = product(z, z.mT) * sharp
    against = s.masked_fill(~negative, -torch.inf)
    x = against.logsumexp(-1, keepdim=True) - s
    share = positive.to(z) / positive.sum().clamp(min=1)
    pulled = x.sigmoid() * share
    slope = pulled.sum(-1, keepdim=True) * against.softmax(-1).nan_to_num(0.0) - pulled
    return (softplus(x) * share).sum((-2, -1)), product(slope + slope.mT, z) * sharp
