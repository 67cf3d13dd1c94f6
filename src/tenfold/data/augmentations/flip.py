"""Horizontal mirror image of a photograph, drawn anew for each image of each batch."""

__all__ = ["flip"]

from torch import Tensor


def flip(images: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror the chosen images in place. images: (B, C, H, W); mirrored: (B,) bool. Returns images."""
    chosen = mirrored.nonzero()[:, 0]
    images[chosen] = images[chosen].flip(-1)
    return images
