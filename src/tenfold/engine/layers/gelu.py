"""Gaussian error linear unit of Hendrycks and Gimpel (2016), exact.

y = x Φ(x),  Φ(x) = (1 + erf(x / √2)) / 2;   ∂y/∂x = Φ(x) + x φ(x),  φ(x) = e^(−x²/2) / √(2π)

Both are one pass of the library's kernels; the same in several passes took 17 times as long (benchmarks/LOG.md).
"""

__all__ = ["gelu"]

import torch
from torch import Tensor

from tenfold.engine.types import Pull

ACTIVATION = True


def gelu(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x and y: any shape."""

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (torch.ops.aten.gelu_backward(dy, x) if need_dx else None,)

    return torch.nn.functional.gelu(x), pull
