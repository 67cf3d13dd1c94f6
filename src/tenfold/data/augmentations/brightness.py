"""Random brightness: x + u, u uniform in [−strength, strength], one number an image."""

__all__ = ["brightness"]

import numpy as np
import torch
from torch import Tensor

from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter(
        "brightness", 0.0, "largest change of brightness of a training image, in deviations", least=0, below=10
    ),
)


def brightness(images: Tensor, stream: np.random.Generator, brightness: float) -> Tensor:
    """Change the brightness of every image by a draw of its own. images: (B, C, H, W), standardized."""
    draws = torch.from_numpy(stream.uniform(-brightness, brightness, size=(len(images), 1, 1, 1))).to(images)
    return images + draws
