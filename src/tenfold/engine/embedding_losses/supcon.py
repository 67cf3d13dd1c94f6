"""Supervised contrastive loss (Khosla et al. 2020), with the logarithm in either place.

With s_ij = z_i·z_j / τ, the positives P(i) of anchor i, and shares q_ia = e^{s_ia} / Σ_{k≠i} e^{s_ik},

    out:  L_i = −(1/|P(i)|) Σ_{p∈P(i)} log q_ip          ∂L_i/∂s_ia = q_ia − [a ∈ P(i)] / |P(i)|
    in:   L_i = −log ((1/|P(i)|) Σ_{p∈P(i)} q_ip)        ∂L_i/∂s_ia = q_ia − [a ∈ P(i)] q_ia / Σ_{p∈P(i)} q_ip

    L = mean of L_i over the anchors that have a positive        ∂L/∂z_i = Σ_j (G_ij + G_ji) z_j / τ,  G_ij = ∂L/∂s_ij

By Jensen's inequality `in` is at most `out`; they are equal where anchors have one positive, and then they are NT-Xent
of two views. The paper finds `out` better: it weighs every positive alike, where `in` forgets the hard ones.
Embeddings have length 1. L(c z; τ) = L(z; τ/c²); a shift of all z changes it.

pytorch-metric-learning 2.9's SupConLoss is `out`, and the same. The paper's own code multiplies by τ / 0.07 besides.
"""

__all__ = ["supcon"]

import torch
from torch import Tensor

from tenfold.engine.arrays import per_member
from tenfold.engine.pairs import others
from tenfold.engine.products import product
from tenfold.engine.types import Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("temperature", 0.1, "what similarities of embeddings are divided by", above=0, varies=True),
    Hyperparameter("logarithm", "out", "place of the logarithm, outside or inside the sum", words=("out", "in")),
)
UNIT = True
VIEWS = 2


def supcon(z: Tensor, y: Tensor, u: Tensor, temperature: Scalar = 0.1, logarithm: str = "out") -> tuple[Tensor, Tensor]:
    """Return the mean loss of each member and its gradient in the embeddings.

    z: (..., B, D) of length 1; y: (B,), equal where rows belong together; u: (B, 2), not used; temperature: τ, a
    number, or (P,) with z (P, B, D). Returns (...,) and (..., B, D).
    """
    positive, _ = others(y)
    count = positive.sum(-1, keepdim=True)
    share = (count > 0).to(z) / (count > 0).sum().clamp(min=1)
    weight = positive.to(z) / count.clamp(min=1)
    sharp = 1 / per_member(temperature, z)
    s = (product(z, z.mT) * sharp).masked_fill(torch.eye(len(y), dtype=torch.bool, device=z.device), -torch.inf)
    log_q = s.log_softmax(-1)
    if logarithm == "out":
        loss = -(weight * log_q.masked_fill(~positive, 0.0)).sum(-1, keepdim=True)
    else:
        of_positives = log_q.masked_fill(~positive, -torch.inf)
        loss = (count.clamp(min=1).to(z).log() - of_positives.logsumexp(-1, keepdim=True)).masked_fill(count == 0, 0.0)
        weight = of_positives.softmax(-1).nan_to_num(0.0)
    slope = (log_q.exp() - weight) * share
    return (loss * share).sum((-2, -1)), product(slope + slope.mT, z) * sharp
