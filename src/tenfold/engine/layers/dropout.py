"""Inverted dropout (Srivastava et al. 2014): y = x ∘ m with m = [u ≥ p] / (1 − p), ∂L/∂x = ∂L/∂y ∘ m.

The uniform draws u are an argument, so a step that is replayed drops the same units.
"""

__all__ = ["dropout"]

from torch import Tensor

from tenfold.engine.types import Pull


def dropout(x: Tensor, u: Tensor, p: float) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x, y: (P, B, H); u: (B, H) uniform in [0, 1), shared by members; p: share dropped."""
    mask = (u >= p).to(x.dtype).div_(1 - p)

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (dy * mask if need_dx else None,)

    return x * mask, pull
