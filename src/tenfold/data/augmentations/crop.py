"""Random shift: the image is mirrored outwards at its edges by some pixels, then cut at a random place."""

__all__ = ["crop"]

import numpy as np
import torch
from torch import Tensor

from tenfold.rooms import Hyperparameter

NUMBERS = (Hyperparameter("crop", 0, "largest shift of a training image in pixels, edges mirrored", least=0, below=65),)
ON_PIXELS = True


def crop(images: Tensor, stream: np.random.Generator, crop: int) -> Tensor:
    """Shift every image by −crop to crop pixels each way. images: (B, C, H, W)."""
    shifts = torch.from_numpy(stream.integers(-crop, crop + 1, size=(2, len(images)))).to(images.device)
    rows, columns = (
        _mirrored(torch.arange(size, device=images.device) + shift[:, None], size)
        for size, shift in zip(images.shape[-2:], shifts, strict=True)
    )
    picture = torch.arange(len(images), device=images.device)[:, None, None]
    return images.permute(0, 2, 3, 1)[picture, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _mirrored(positions: Tensor, size: int) -> Tensor:
    """Fold positions back into 0 … size − 1 without repeating the edge."""
    if size == 1:
        return torch.zeros_like(positions)
    around = positions.remainder(2 * size - 2)
    return torch.minimum(around, 2 * size - 2 - around)
