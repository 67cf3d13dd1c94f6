"""Mixup (Zhang et al. 2018): x ← λ x + (1 − λ) x', x' another image of the batch; the loss is λ L(y) + (1 − λ) L(y').

One λ from Beta(α, α) and one permutation a batch.
"""

__all__ = ["mixup"]

import numpy as np
import torch
from torch import Tensor

from tenfold.rooms import Hyperparameter

NUMBERS = (Hyperparameter("mixup", 0.0, "α of the Beta distribution that mixes pairs of training images", least=0),)
MIXES = True


def mixup(images: Tensor, stream: np.random.Generator, mixup: float) -> tuple[Tensor, Tensor, float]:
    """Mix every image with another. images: (B, …). Returns them, positions (B,) of the others, and the share λ."""
    share = float(stream.beta(mixup, mixup))
    others = torch.from_numpy(stream.permutation(len(images))).to(images.device)
    return images * share + images[others] * (1 - share), others, share
