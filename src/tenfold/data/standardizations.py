"""Standardization of pixels to inputs, x = pixel · factor + offset, with statistics of the training part only.

    pixel: each dimension to mean 0 and deviation 1      channel: the same with one mean and deviation for each channel
    unit: to the unit interval      mean_image: raw pixels less their mean image      none: raw pixels

A dimension that never varies has deviation 1, as in scikit-learn's StandardScaler.
"""

__all__ = ["channel", "mean_image", "none", "pixel", "unit"]

import torch
from torch import Tensor

# The largest batch whose sum of squares of uint8 pixels is exact in float32: 256 · 255² < 2²⁴.
EXACT = 256


def pixel(images: Tensor, rows: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return factor and offset, each (D,) float64, from images (N, C, H, W) at positions rows.

    scale: from a pixel to the unit interval.
    """
    mean, square = _moments(images, rows)
    return _affine(mean, square - mean**2)


def channel(images: Tensor, rows: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return factor and offset, each (D,) float64, equal within a channel; arguments as `pixel`."""
    mean, square = (moment.view(images.shape[1], -1) for moment in _moments(images, rows))
    middle = mean.mean(1, keepdim=True)
    factor, offset = _affine(middle, square.mean(1, keepdim=True) - middle**2)
    return factor.expand_as(mean).flatten(), offset.expand_as(mean).flatten()


def unit(images: Tensor, rows: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return factor and offset, each (D,) float64: pixels to the unit interval; arguments as `pixel`."""
    ones = torch.ones(images[0].numel(), dtype=torch.float64)
    return scale * ones, 0 * ones


def mean_image(images: Tensor, rows: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return factor and offset, each (D,) float64: raw pixels less the mean image; arguments as `pixel`."""
    mean, _ = _moments(images, rows)
    return torch.ones_like(mean), -mean


def none(images: Tensor, rows: Tensor, scale: float) -> tuple[Tensor, Tensor]:
    """Return factor and offset, each (D,) float64: pixels as they are; arguments as `pixel`."""
    return unit(images, rows, 1.0)


def _affine(mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    # Rounding leaves a variance of about 1e-16 · mean² where pixels are constant.
    deviation = torch.where(variance > 1e-12 * mean**2 + 1e-24, variance, 1.0).sqrt()
    return 1 / deviation, -mean / deviation


def _moments(images: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of x and of x² in each dimension: exact sums for uint8, so no thread count changes them."""
    total = torch.zeros(images[0].numel(), dtype=torch.float64)
    square = total.clone()
    kind = torch.float32 if images.dtype == torch.uint8 else torch.float64
    for part in torch.split(rows, EXACT):
        x = images[part].flatten(1).to(kind)
        total += x.sum(0)
        square += x.square_().sum(0)
    return total / len(rows), square / len(rows)
