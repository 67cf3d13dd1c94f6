"""Leaky rectifier of Maas et al. (2013): y = x where x > 0, else 0.01 x; ∂y/∂x = 1 or 0.01, at the kink 0.01."""

__all__ = ["leaky_relu"]

import torch
from torch import Tensor

from tenfold.engine.types import Pull

ACTIVATION = True
SLOPE = 0.01


def leaky_relu(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x and y: any shape."""

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (torch.where(x > 0, dy, SLOPE * dy) if need_dx else None,)

    return torch.maximum(x, SLOPE * x), pull
