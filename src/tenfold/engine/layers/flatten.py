"""An image as a row of numbers, channel after channel: y = x, reshaped; ∂L/∂x = ∂L/∂y, reshaped back."""

__all__ = ["flatten"]

from torch import Tensor

from tenfold.engine.types import Pull

IMAGES = True


def flatten(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x: (P, B, C, H, W); y: (P, B, C·H·W)."""

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (dy.reshape(x.shape) if need_dx else None,)

    return x.flatten(2), pull
