"""Gaussian error linear unit of Hendrycks and Gimpel (2016), exact.

y = x Φ(x),  Φ(x) = (1 + erf(x / √2)) / 2;   ∂y/∂x = Φ(x) + x φ(x),  φ(x) = e^(−x²/2) / √(2π)
"""

__all__ = ["gelu"]

import math

from torch import Tensor

from tenfold.engine.types import Pull

ACTIVATION = True


def gelu(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x and y: any shape."""
    share = (1 + (x / math.sqrt(2)).erf()) / 2

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        density = (-x * x / 2).exp() / math.sqrt(2 * math.pi)
        return (dy * (share + x * density) if need_dx else None,)

    return x * share, pull
