"""Worth of embeddings, without training anything on them by descent: probes, spread, and how classes lie in it.

With rows u_i of length 1,

    kNN             votes of the K nearest of some labeled embeddings, each weighted e^{u·u_k / τ} (Wu et al. 2018)
    linear probe    the affine map of least squares onto one-hot labels, ridge r: (HᵀH + r I)⁻¹ HᵀY
    effective rank  exp(−Σ p_i log p_i), p the singular values as shares of their sum (Roy and Vetterli 2007); of the
                    embeddings as they are: a batch that has shrunk to a point has a rank of 1, wherever that lies
    alignment       mean ‖u_i − u_j‖² over pairs of one class        (Wang and Isola 2020)
    uniformity      log of the mean of e^{−2 ‖u_i − u_j‖²} over all pairs; −4 at most of what a sphere allows
"""

__all__ = ["VOTES", "alignment", "effective_rank", "neighbor_votes", "ridge_scores", "uniformity"]

import math

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from tenfold.engine.models.knn import NO_VOTE, SHARPNESS

NEIGHBORS = 20
VOTES = f"votes of the {NEIGHBORS} nearest training embeddings: the encoder itself knows no classes"
# Ridge as a share of the mean squared length of an embedding's coordinate.
RIDGE = 1e-3
# Similarities at a time.
SLICE = 500


def neighbor_votes(h: Tensor, references: Tensor, labels: Tensor, classes: int, itself: Tensor | None = None) -> Tensor:
    """Return logarithms of the votes (N, C) of the nearest references (R, D) of embeddings h (N, D).

    labels: (R,). itself: (N,) the place among the references of an embedding that is one of them, −1 for others; it has
    no vote of its own.
    """
    u, others = normalize(h, dim=-1), normalize(references, dim=-1)
    count = min(NEIGHBORS, len(others) - (itself is not None))
    votes = h.new_full((len(h), classes), NO_VOTE)
    for start in range(0, len(h), SLICE):
        near = u[start : start + SLICE] @ others.T
        if itself is not None:
            places = itself[start : start + SLICE]
            near[(places >= 0).nonzero()[:, 0], places[places >= 0]] = -torch.inf
        best = near.topk(count, dim=-1)
        weights = ((best.values - 1) * SHARPNESS).exp()
        votes[start : start + SLICE].scatter_add_(1, labels[best.indices], weights)
    return votes.log()


def ridge_scores(h: Tensor, references: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Return scores (N, C) of embeddings h (N, D) by least squares from references (R, D) and their labels (R,)."""
    center = references.mean(0)
    if not bool(references.isfinite().all()):
        return h.new_zeros(len(h), classes)
    x = (references - center).double()
    y = one_hot(labels, classes).double()
    gram = x.T @ x
    gram.diagonal().add_(RIDGE * gram.diagonal().mean() + torch.finfo(gram.dtype).tiny)
    weights: Tensor = torch.linalg.solve(gram, x.T @ (y - y.mean(0)))
    return (h - center).double() @ weights + y.mean(0)


def effective_rank(h: Tensor) -> float:
    """Return the effective rank of embeddings (N, D), from 1 to min(N, D); 1 where all are zero, NaN if not finite."""
    x = h.double()
    if not bool(x.isfinite().all()):
        return math.nan
    gram = x @ x.T if len(x) < x.shape[1] else x.T @ x
    values = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
    share = values / values.sum().clamp(min=torch.finfo(values.dtype).tiny)
    return float(torch.special.entr(share).sum().exp())


def alignment(h: Tensor, labels: Tensor) -> float:
    """Return the mean squared distance of two embeddings (N, D) of one class, each of length 1; NaN without a pair."""
    same = (labels[:, None] == labels) & ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    return float(_distances(h)[same].mean())


def uniformity(h: Tensor) -> float:
    """Return the logarithm of the mean of e^{−2 d} over pairs of embeddings (N, D), d their squared distance."""
    apart = ~torch.eye(len(h), dtype=torch.bool, device=h.device)
    return float((-2 * _distances(h)[apart]).exp().mean().log())


def _distances(h: Tensor) -> Tensor:
    u = normalize(h.double(), dim=-1)
    return (2 - 2 * (u @ u.T)).clamp(min=0)
