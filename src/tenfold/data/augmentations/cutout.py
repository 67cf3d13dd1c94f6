"""Cutout (DeVries and Taylor 2017): a random square, which may hang over the edge, becomes the mean color."""

__all__ = ["cutout"]

import numpy as np
import torch
from torch import Tensor

from tenfold.rooms import Hyperparameter

NUMBERS = (Hyperparameter("cutout", 0, "side in pixels of a square left blank in each training image", least=0),)


def cutout(images: Tensor, stream: np.random.Generator, cutout: int) -> Tensor:
    """Set a square of every image to 0, the mean of standardized inputs. images: (B, C, H, W)."""
    inside = [
        _within(torch.from_numpy(stream.integers(size, size=len(images))).to(images.device), size, cutout)
        for size in images.shape[-2:]
    ]
    return images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0)


def _within(centers: Tensor, size: int, side: int) -> Tensor:
    first = centers[:, None] - side // 2
    position = torch.arange(size, device=centers.device)
    return (position >= first) & (position < first + side)
