"""One number a channel: its maximum over the image, or its mean.

maximum: ∂L/∂x = ∂L/∂y where x is largest, shared equally by equal ones        mean: ∂L/∂x = ∂L/∂y / (H W)
"""

__all__ = ["global_pool"]

from torch import Tensor

from tenfold.engine.types import Pull

IMAGES = True


def global_pool(x: Tensor, maximum: bool = True) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x: (P, B, C, H, W); y: (P, B, C)."""
    y = x.amax((-2, -1)) if maximum else x.mean((-2, -1))

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        if not need_dx:
            return (None,)
        d = dy[..., None, None]
        if not maximum:
            return ((d / (x.shape[-1] * x.shape[-2])).expand_as(x).contiguous(),)
        first = x == y[..., None, None]
        return (first * (d / first.sum((-2, -1), keepdim=True)),)

    return y, pull
