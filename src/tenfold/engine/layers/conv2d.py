"""Two-dimensional convolution of every member, as neural networks mean it: a correlation with zeros around the image.

    y[o, i, j] = Σ_c Σ_u Σ_v w[o, c, u, v] x[c, s i + u − p, s j + v − p] + b[o]        stride s, padding p
    ∂L/∂w[o, c, u, v] = Σ_B Σ_i Σ_j ∂L/∂y[o, i, j] x[c, s i + u − p, s j + v − p]
    ∂L/∂x = the transposed convolution of ∂L/∂y with w        ∂L/∂b[o] = Σ_B Σ_i Σ_j ∂L/∂y[o, i, j]

Both gradients are the library's own kernels. Filters are multiplied in the number format of the images. Members take
turns, so that each has the very bits that it would have alone.
"""

__all__ = ["conv2d"]

import torch
from torch import Tensor

from tenfold.engine.arrays import stacked
from tenfold.engine.types import Pull

IMAGES = True


def conv2d(x: Tensor, w: Tensor, b: Tensor | None = None, stride: int = 1, padding: int = 0) -> tuple[Tensor, Pull]:
    """Return the filtered images of every member, and their pullback.

    x: (B, C, H, W) shared or (P, B, C, H, W); w: (P, O, C, kh, kw); b: (P, O) or None. Returns (P, B, O, H', W').
    """
    shared, narrow = x.dim() == 4, w.to(x.dtype)
    images = [x if shared else x[k] for k in range(len(w))]
    shift = [None if b is None else b[k].to(x.dtype) for k in range(len(w))]
    y = stacked([torch.conv2d(images[k], narrow[k], shift[k], stride, padding) for k in range(len(w))])

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None, ...]:
        asked = (need_dx, True, b is not None)
        grads = [_backward(dy[k], images[k], narrow[k], stride, padding, asked) for k in range(len(w))]
        dx, dw, db = zip(*grads, strict=True)
        # A shared input collects the gradients of all members.
        down = None if not need_dx else sum(dx[1:], dx[0]) if shared else stacked(dx)
        weights = [stacked(dw).to(w.dtype)] + ([] if b is None else [stacked(db).to(b.dtype)])
        return down, *weights

    return y, pull


def _backward(
    dy: Tensor, x: Tensor, w: Tensor, stride: int, padding: int, asked: tuple[bool, bool, bool]
) -> tuple[Tensor, Tensor, Tensor]:
    bias = [len(w)] if asked[2] else None
    around = [padding, padding]
    grads: tuple[Tensor, Tensor, Tensor] = torch.ops.aten.convolution_backward(
        dy, x, w, bias, [stride, stride], around, [1, 1], False, [0, 0], 1, asked
    )
    return grads
