"""Sigmoid linear unit (Elfwing et al. 2018), also called swish: y = x σ(x), ∂y/∂x = σ(x) (1 + x (1 − σ(x)))."""

__all__ = ["silu"]

from torch import Tensor

from tenfold.engine.types import Pull

ACTIVATION = True


def silu(x: Tensor) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x and y: any shape."""
    share = x.sigmoid()

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        return (dy * share * (1 + x * (1 - share)) if need_dx else None,)

    return x * share, pull
