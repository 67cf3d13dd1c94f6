"""Hyperbolic tangent: y = tanh x, ∂y/∂x = 1 − y²."""

__all__ = ["tanh"]

from torch import Tensor

from tenfold.engine.types import Pull

ACTIVATION = True


def tanh(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x and y: any shape."""
    y = x.tanh()

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (dy * (1 - y * y) if need_dx else None,)

    return y, pull
