"""Maximum over windows that do not overlap: y = max over the window, ∂L/∂x = ∂L/∂y where x was the first maximum.

What does not fill a window at the right and lower edge is left out, as in torch.
"""

__all__ = ["max_pool"]

import torch
from torch import Tensor

from tenfold.engine.types import Pull

IMAGES = True


def max_pool(x: Tensor, window: int = 2) -> tuple[Tensor, Pull]:
    """Return y and its pullback. x: (P, B, C, H, W); y: (P, B, C, ⌊H / window⌋, ⌊W / window⌋)."""
    images = x.flatten(0, 1)
    largest, where = torch.ops.aten.max_pool2d_with_indices(images, [window, window], [window, window])

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        if not need_dx:
            return (None,)
        dx = torch.ops.aten.max_pool2d_with_indices_backward(
            dy.flatten(0, 1), images, [window, window], [window, window], [0, 0], [1, 1], False, where
        )
        return (dx.unflatten(0, x.shape[:2]),)

    return largest.unflatten(0, x.shape[:2]), pull
