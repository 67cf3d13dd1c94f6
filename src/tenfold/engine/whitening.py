"""Filters that whiten the patches of images, as Page (2019) puts them first in a network for CIFAR-10.

Patches q (k·k·C numbers of a k × k square) of mean zero have the covariance Σ = E q qᵀ = V diag(λ) Vᵀ. The filters

    f_i = v_i / √(λ_i + ε)        and their negatives −f_i, since the activation behind them keeps one sign

give responses that are uncorrelated and, where λ_i ≫ ε, of variance 1.
"""

__all__ = ["filters"]

import torch
from torch import Tensor
from torch.nn.functional import unfold

EPSILON = 5e-4


def filters(images: Tensor, size: int, stride: int, most: int) -> Tensor:
    """Return the filters (2·n, C, size, size), float64, of the n <= most directions of largest variance.

    images: (N, C, H, W), standardized.
    """
    channels = images.shape[1]
    total = torch.zeros(channels * size**2, channels * size**2, dtype=torch.float64)
    patches = 0
    for some in torch.split(images, 500):
        q = unfold(some.double(), size, stride=stride).transpose(1, 2).flatten(0, 1)
        total += q.T @ q
        patches += len(q)
    values, vectors = torch.linalg.eigh(total / max(patches, 1))
    order = values.argsort(descending=True)[: min(most, len(values))]
    chosen = (vectors[:, order] / (values[order].clamp(min=0) + EPSILON).sqrt()).T
    # The sign of an eigenvector is the solver's whim: its largest number is made positive.
    largest = chosen.gather(1, chosen.abs().argmax(1, keepdim=True))
    chosen = chosen * largest.sign().where(largest != 0, torch.ones_like(largest))
    return torch.cat((chosen, -chosen)).view(-1, channels, size, size)
