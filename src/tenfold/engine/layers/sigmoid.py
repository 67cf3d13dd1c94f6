"""Logistic function: y = 1 / (1 + e^−x), ∂y/∂x = y (1 − y)."""

__all__ = ["sigmoid"]

from torch import Tensor

from tenfold.engine.types import Pull

ACTIVATION = True


def sigmoid(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x and y: any shape."""
    y = x.sigmoid()

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (dy * y * (1 - y) if need_dx else None,)

    return y, pull
