"""Rectifier of Nair and Hinton (2010): y = max(0, x), ∂y/∂x = [x > 0]; at the kink the derivative is 0."""

__all__ = ["relu"]

from torch import Tensor

from tenfold.engine.types import Pull

ACTIVATION = True


def relu(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x and y: any shape."""
    y = x.clamp_min(0)

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        # y is never negative, so its sign is [x > 0]; multiplying by a comparison takes six times as long.
        return (y.sign().mul_(dy) if need_dx else None,)

    return y, pull
