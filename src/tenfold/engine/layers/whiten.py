"""Fixed filters that whiten patches, as the first layer of a network; they are learned from images, not trained.

    y[o, i, j] = Σ_c Σ_u Σ_v f[o, c, u, v] x[c, s i + u, s j + v]        stride s, no padding

The filters are buffers and get no gradient (`tenfold.engine.whitening` makes them); that in x is the transposed
convolution of ∂L/∂y with f, which a map of what a prediction rests on asks for.
"""

__all__ = ["whiten"]

import torch
from torch import Tensor

from tenfold.engine.arrays import stacked
from tenfold.engine.types import Pull

IMAGES = True


def whiten(x: Tensor, filters: Tensor, stride: int = 1) -> tuple[Tensor, Pull, tuple[Tensor]]:
    """Return the whitened images of every member, their pullback, and the filters as they were.

    x: (B, C, H, W) shared or (P, B, C, H, W); filters: (P, O, C, k, k). Returns (P, B, O, H', W').
    """
    shared = x.dim() == 4
    images = [x if shared else x[k] for k in range(len(filters))]
    y = stacked([torch.conv2d(images[k], f.to(x.dtype), None, stride) for k, f in enumerate(filters)])

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None]:
        if not need_dx:
            return (None,)
        parts = [_downwards(dy[k], images[k], f.to(x.dtype), stride) for k, f in enumerate(filters)]
        return (torch.stack(parts).sum(0) if shared else stacked(parts),)

    return y, pull, (filters,)


def _downwards(dy: Tensor, x: Tensor, filters: Tensor, stride: int) -> Tensor:
    """Return the gradient in the images of one member."""
    around, only_x = [0, 0], [True, False, False]
    dx: Tensor = torch.ops.aten.convolution_backward(
        dy, x, filters, None, [stride, stride], around, [1, 1], False, around, 1, only_x
    )[0]
    return dx
