"""Comparison of two images that may be one picture: laid over each other, they must agree in fine detail.

b is laid over a by a scale and a shift in each direction, p, with a gain g and an offset o, by Gauss-Newton on

    Σ m (a − g b(W_p x) − o)²,    W_p x = ((1 + p₀) x + p₁, (1 + p₂) y + p₃),    sides from −1 to 1

(Lucas and Kanade 1981), m being 1 where both images are. Then, over m and free of brightness and contrast, the detail
of both is compared: what is left of an image when its blurred self is taken off it. Two photographs of one kind of
thing agree in outline and not in that. Smoothed a little, it survives that a copy was resized and saved again.
"""

__all__ = ["Likeness", "likeness"]

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

FARTHEST = 0.3  # of a side: how far scale and shift may go
STRIDE = 0.1  # and in one step
RIDGE = 1e-3
GAIN = 0.3  # smallest that a step divides by
BLUR, SMOOTH = 2, 1  # pixels of an image of FINE or less
FINE = 64
COARSE = 16  # side at which two images are first laid over each other
COARSE_STEPS, STEPS = 6, 4


class Likeness(NamedTuple):
    """Correlations of two images, (n,) each: of the whole, of their detail, of the detail in the middle."""

    whole: Tensor
    detail: Tensor
    middle: Tensor


def likeness(a: Tensor, b: Tensor, moved: bool, smoothed: bool) -> Likeness:
    """Measure how alike a and b are, (n, C, S, S) each, floating-point, S at least 8.

    moved: lay b over a, else compare them in place. smoothed: compare their detail smoothed.
    """
    a, b = _grey(a), _grey(b)
    place = a.new_zeros(len(a), 4)
    if moved:
        if (coarse := a.shape[-1] // COARSE) > 1:
            place = _laid(F.avg_pool2d(a, coarse), F.avg_pool2d(b, coarse), place, COARSE_STEPS)
        place = _laid(_smooth(a), _smooth(b), place, STEPS)
    over, mask = _warp(b, place)
    fine, other = _detail(a), _detail(over)
    if smoothed:
        fine, other = _smooth(fine), _smooth(other)
    quarter = a.shape[-1] // 4
    amid = F.pad(mask[..., quarter:-quarter, quarter:-quarter], (quarter,) * 4)
    return Likeness(_correlation(a, over, mask), _correlation(fine, other, mask), _correlation(fine, other, amid))


def _grey(x: Tensor) -> Tensor:
    """Return the mean of the channels, standardized: (n, 1, S, S)."""
    grey = x.mean(1, keepdim=True)
    grey = grey - grey.mean((2, 3), keepdim=True)
    return grey / grey.square().mean((2, 3), keepdim=True).sqrt().clamp_min(torch.finfo(x.dtype).tiny)


def _blurred(x: Tensor, reach: int) -> Tensor:
    """Average over squares that reach so far from each pixel; farther in a large image, whose pixels are noisier."""
    side, reach = x.shape[-1], reach * max(1, x.shape[-1] // FINE)
    width = 2 * reach + 1
    x = F.pad(x, (reach,) * 4, mode="replicate")
    for dim in (-2, -1):  # sums of shifted copies: torch's avg_pool2d takes twenty times as long
        total = x.narrow(dim, 0, side)
        for shift in range(1, width):
            total = total + x.narrow(dim, shift, side)
        x = total
    return x / width**2


def _smooth(x: Tensor) -> Tensor:
    return _blurred(x, SMOOTH)


def _detail(x: Tensor) -> Tensor:
    return x - _blurred(x, BLUR)


def _laid(a: Tensor, b: Tensor, place: Tensor, steps: int) -> Tensor:
    """Return scale and shift (n, 4) of b over a after some steps of Gauss-Newton from `place`."""
    columns = b.diff(dim=-1)
    rows = b.diff(dim=-2)
    half = b.shape[-1] / 2
    across = F.pad(columns[..., 1:] + columns[..., :-1], (1, 1)) * (half / 2)
    down = F.pad(rows[..., 1:, :] + rows[..., :-1, :], (0, 0, 1, 1)) * (half / 2)
    sheets = torch.cat([b, across, down], 1)
    for _ in range(steps):
        place = _step(a, sheets, place)
    return place


def _step(a: Tensor, sheets: Tensor, place: Tensor) -> Tensor:
    """Take one step of Gauss-Newton, in scale, shift, gain and offset. sheets: (n, 3, S, S), b and its slopes."""
    warped, mask = _warp(sheets, place)
    over, across, down = warped.unbind(1)
    x = _centers(a)
    slopes = torch.stack([across * x, across, down * x[:, None], down, over, torch.ones_like(over)], 1)
    slopes = (slopes * mask).flatten(2)
    normal = slopes @ slopes.mT
    normal = normal + torch.diag_embed(normal.diagonal(dim1=1, dim2=2) * RIDGE + 1e-6)
    solution: Tensor = torch.linalg.solve(normal, slopes @ a.flatten(2).mT)[..., 0]
    stride = solution[:, :4] / solution[:, 4:5].clamp_min(GAIN)
    return (place + stride.clamp(-STRIDE, STRIDE)).clamp(-FARTHEST, FARTHEST)


def _centers(x: Tensor) -> Tensor:
    """Return the positions of the pixels of a side between −1 and 1."""
    side = x.shape[-1]
    return (2 * torch.arange(side, dtype=x.dtype) + 1) / side - 1


def _warp(x: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
    """Return x (n, C, S, S) warped by W_p, and a mask (n, 1, S, S) of where it has pixels."""
    n, side = len(x), x.shape[-1]
    center = _centers(x)
    across = (1 + place[:, :1]) * center + place[:, 1:2]
    down = (1 + place[:, 2:3]) * center + place[:, 3:]
    grid = torch.stack([across[:, None, :].expand(n, side, side), down[:, :, None].expand(n, side, side)], -1)
    inside = ((down.abs() <= 1)[:, :, None] & (across.abs() <= 1)[:, None, :]).to(x.dtype)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False), inside[:, None]


def _correlation(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Return the correlation (n,) of a and b (n, 1, S, S) where the mask is 1; 0 where one of them is flat there."""
    count = mask.sum((2, 3), keepdim=True).clamp_min(1)
    a = (a - (a * mask).sum((2, 3), keepdim=True) / count) * mask
    b = (b - (b * mask).sum((2, 3), keepdim=True) / count) * mask
    products = [(u * v).sum((1, 2, 3)) for u, v in ((a, b), (a, a), (b, b))]
    return products[0] / (products[1] * products[2]).sqrt().clamp_min(1e-9)
