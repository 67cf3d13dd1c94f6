"""No activation: y = x, ∂y/∂x = 1."""

__all__ = ["identity"]

from torch import Tensor

from tenfold.engine.types import Pull

ACTIVATION = True


def identity(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x and y: any shape."""

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (dy if need_dx else None,)

    return x, pull
