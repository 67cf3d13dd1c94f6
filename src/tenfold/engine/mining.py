"""Mining: the triplets of a batch that are trained on, from squared distances to loss and slope.

A triplet is an anchor a, a positive p that belongs to it and a negative n that does not. With the margin α,

    v = d_ap − d_an + α        L = mean over the mined triplets of max(0, v)
    ∂L/∂d_ap = [v > 0] / T     ∂L/∂d_an = −[v > 0] / T        T: number of mined triplets

The choice is a constant to the gradient. Of a batch without a triplet the loss is 0, and so is its slope.

    random               one positive and one negative of each anchor, drawn
    all                  every triplet
    semi-hard            every anchor and positive, with the nearest negative that is farther than the positive; where
                         there is none, with the farthest negative (Schroff et al. 2015)
    batch-hard           each anchor with its farthest positive and its nearest negative (Hermans et al. 2017)
    distance-weighted    a drawn positive; a negative drawn with a weight of 1 / q(r), r = √d (Wu et al. 2017)

On the sphere of D dimensions most points lie at r ≈ √2: q(r) ∝ r^(D−2) (1 − r²/4)^((D−3)/2) is the density of r. As in
the paper's code, r counts as at least 0.5 and negatives beyond 1.4 have no weight; where all are, all weigh the same.
Every triplet is never listed: with the negatives of an anchor in order, sums up to d_ap + α are differences of one
running sum, so that `all` costs B² log B and not B³.
"""

__all__ = ["MININGS", "active_share"]

from collections.abc import Callable

import torch
from torch import Tensor

from tenfold.engine.arrays import per_member
from tenfold.engine.pairs import others, squared_distances
from tenfold.engine.types import Scalar

CUTOFF, FARTHEST = 0.5, 1.4
# Draws stay below 1 when they are multiplied by a sum that rounding may have made smaller.
BELOW_ONE = 1 - 1e-6

Mined = tuple[Tensor, Tensor]
"""Loss (...,) and slope ∂L/∂d (..., B, B)."""


def _random(d: Tensor, y: Tensor, u: Tensor, margin: Scalar, width: int) -> Mined:
    positives, negatives = (_drawn(mask.to(d), u[:, [k]]) for k, mask in enumerate(others(y)))
    return _triplets(d, positives.expand_as(d[..., :1]), negatives.expand_as(d[..., :1]), _anchors(y), margin)


def _batch_hard(d: Tensor, y: Tensor, u: Tensor, margin: Scalar, width: int) -> Mined:
    positive, negative = others(y)
    farthest = d.masked_fill(~positive, -torch.inf).argmax(-1, keepdim=True)
    nearest = d.masked_fill(~negative, torch.inf).argmin(-1, keepdim=True)
    return _triplets(d, farthest, nearest, _anchors(y), margin)


def _semi_hard(d: Tensor, y: Tensor, u: Tensor, margin: Scalar, width: int) -> Mined:
    places, there = _positives(d, y)
    ordered, order, last = _negatives(d, y)
    farther = torch.searchsorted(ordered, d.gather(-1, places), right=True)
    chosen = order.gather(-1, farther.minimum(last).clamp(min=0))
    return _triplets(d, places, chosen, there & (last >= 0), margin)


def _distance_weighted(d: Tensor, y: Tensor, u: Tensor, margin: Scalar, width: int) -> Mined:
    positive, negative = others(y)
    square = d.clamp(min=CUTOFF**2, max=4 - 1e-3)
    weight = (2 - width) / 2 * square.log() - (width - 3) / 2 * (1 - square / 4).log()
    weight = weight.masked_fill(~negative | (d > FARTHEST**2), -torch.inf)
    none = weight.isinf().all(-1, keepdim=True) & negative
    weight = weight.masked_fill(none, 0.0).softmax(-1).nan_to_num(0.0)
    positives = _drawn(positive.to(d), u[:, :1]).expand_as(d[..., :1])
    return _triplets(d, positives, _drawn(weight, u[:, 1:]), _anchors(y), margin)


def _all(d: Tensor, y: Tensor, u: Tensor, margin: Scalar, width: int) -> Mined:
    (places, there), (ordered, order, _), triplets = _positives(d, y), _negatives(d, y), _count(y)
    bound = d.gather(-1, places) + per_member(margin, d)
    nearer = torch.searchsorted(ordered, bound) * there
    sums = ordered.nan_to_num(posinf=0.0).cumsum(-1)
    sums = torch.cat((torch.zeros_like(sums[..., :1]), sums), -1).gather(-1, nearer)
    # The k-th nearest negative violates the positives whose bound has more than k of them below it.
    ranks = torch.cat((torch.zeros_like(d), d.new_zeros(d[..., :1].shape)), -1)
    ranks = ranks.scatter_add_(-1, nearer, there.to(d).expand_as(bound)).cumsum(-1)
    violated = (ranks[..., -1:] - ranks[..., :-1]) / triplets
    slope = torch.zeros_like(d).scatter_add_(-1, places, nearer.to(d) / triplets).scatter_add_(-1, order, -violated)
    return (nearer * bound - sums).sum((-2, -1)) / triplets, slope


MININGS: dict[str, Callable[[Tensor, Tensor, Tensor, Scalar, int], Mined]] = {
    "all": _all,
    "batch-hard": _batch_hard,
    "distance-weighted": _distance_weighted,
    "random": _random,
    "semi-hard": _semi_hard,
}
"""Word -> `mining(d, y, u, margin, width)`; width: D, that of the embeddings."""


def active_share(z: Tensor, y: Tensor, margin: Scalar) -> Tensor:
    """Return the share (...,) of all triplets of embeddings z (..., B, D) whose loss is not zero. y: (B,)."""
    d, _ = squared_distances(z)
    places, there = _positives(d, y)
    nearer = torch.searchsorted(_negatives(d, y)[0], d.gather(-1, places) + per_member(margin, d)) * there
    return nearer.sum((-2, -1)) / _count(y)


def _positives(d: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the places (..., B, K) of each row's positives, K those of the largest class, and which there are."""
    positive, _ = others(y)
    first = positive.to(d).topk(max(1, int(positive.sum(-1).max())), dim=-1)
    return first.indices.expand(*d.shape[:-1], -1), first.values > 0


def _negatives(d: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return each row's distances to its negatives in order, ∞ behind them, their places, and that of the last."""
    _, negative = others(y)
    ordered, order = d.masked_fill(~negative, torch.inf).sort(-1)
    return ordered, order, negative.sum(-1, keepdim=True) - 1


def _count(y: Tensor) -> Tensor:
    """Count the triplets of a batch, at least 1."""
    positive, negative = others(y)
    return (positive.sum(-1) * negative.sum(-1)).sum().clamp(min=1)


def _anchors(y: Tensor) -> Tensor:
    """Return which rows (B, 1) have a positive and a negative."""
    positive, negative = others(y)
    return (positive.any(-1) & negative.any(-1)).unsqueeze(-1)


def _drawn(weight: Tensor, u: Tensor) -> Tensor:
    """Draw a place (..., B, 1) in each row of weights (..., B, B). u: (B, 1) uniform in [0, 1)."""
    sums = weight.cumsum(-1)
    target = u.to(sums) * BELOW_ONE * sums[..., -1:]
    return torch.searchsorted(sums, target, right=True).clamp(max=weight.shape[-1] - 1)


def _triplets(d: Tensor, positives: Tensor, negatives: Tensor, there: Tensor, margin: Scalar) -> Mined:
    """Return loss and slope of triplets, K of each anchor. positives, negatives: (..., B, K) places; there: (B, K)."""
    violation = d.gather(-1, positives) - d.gather(-1, negatives) + per_member(margin, d)
    active = ((violation > 0) & there).to(d) / there.sum().clamp(min=1)
    slope = torch.zeros_like(d).scatter_add_(-1, positives, active).scatter_add_(-1, negatives, -active)
    return (violation * active).sum((-2, -1)), slope
