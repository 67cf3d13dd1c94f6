"""Random contrast: m + (1 + u) (x − m), m the image's mean, u uniform in [−strength, strength]."""

__all__ = ["contrast"]

import numpy as np
import torch
from torch import Tensor

from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("contrast", 0.0, "largest change of contrast of a training image, as a share", least=0, below=10),
)


def contrast(images: Tensor, stream: np.random.Generator, contrast: float) -> Tensor:
    """Change the contrast of every image by a draw of its own. images: (B, C, H, W), standardized."""
    draws = torch.from_numpy(stream.uniform(-contrast, contrast, size=(len(images), 1, 1, 1))).to(images)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (1 + draws) * (images - mean)
