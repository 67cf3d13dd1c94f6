"""Pairs of images that may be one picture: all pairs of small thumbnails, compared by blocked matrix products.

A thumbnail is the 8 × 8 lowest frequencies of each channel without its brightness, an image's own cosine transform.
The data set's mean and its strongest directions are damped, since two skies agree in those as well as two twins:

    t = (S + ε λ₁ I)^(−1/2) (c − μ),    S = mean (c − μ)(c − μ)ᵀ,    λ₁ its largest eigenvalue,    ε = 0.03

and scaled to unit length, so that contrast does not count. A mirror image has the same coefficients with those of odd
horizontal frequency negated, so the even and odd parts of two products, E and O, give both answers: E + O for the image
and E − O for its mirror image.
"""

__all__ = ["candidates"]

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.engine.products import product

SIDE = 8  # coefficients of each channel, in both directions
DAMPING = 0.03
STEADY = 1000  # a mean over fewer images than this is drawn to zero, so that a pair does not cancel itself
FLAT = 1e-3  # thumbnails with less contrast than this share of the data set's are of one color
SLACK = 1e-4  # what rounding to float32 may take from a product of unit vectors
ROWS, COLUMNS = 1024, 2048  # of one block, which stays in the processor's cache
IMAGES = 2048  # transformed at a time
PAIRS = 2**19  # kept at most


def candidates(
    images: Tensor, rows: NDArray[np.int64], mirrored: bool, threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Find pairs whose thumbnails have a cosine above the threshold; tell whether it is the mirror image that is close.

    images: (N, C, H, W), H and W at least 8. rows: positions of those to compare. mirrored: with mirror images, too.
    Returns (K, 2) positions, the closest pair first and in it the smaller position, and (K,); a pair that is close both
    ways comes twice. Where the threshold leaves more than half a million pairs it is raised until it does not. The
    answer is decided in float64. Time grows as N², memory as N.
    """
    thumbnails, contrast = _coefficients(images)
    kept = rows[contrast[rows] > FLAT * np.sqrt(np.mean(contrast**2))]
    thumbnails = thumbnails[kept]
    for part in (slice(0, None, 2), slice(1, None, 2)) if mirrored else (slice(None),):
        _whiten(thumbnails, part, centered=not (mirrored and part.start == 1))
    length = np.sqrt(np.einsum("nchw,nchw->n", thumbnails, thumbnails))
    thumbnails /= np.maximum(length, np.finfo(np.float64).tiny)[:, None, None, None]
    pairs, threshold = _close(torch.from_numpy(thumbnails.astype(np.float32)), mirrored, threshold)
    even, odd = _products(thumbnails, pairs)
    flipped = np.repeat([False, True], len(pairs))
    pairs, cosines = np.tile(pairs, (2, 1)), np.concatenate([even + odd, even - odd])
    order = np.lexsort((flipped, pairs[:, 1], pairs[:, 0], -cosines))
    order = order[(cosines[order] > threshold) & (mirrored | ~flipped[order])]
    return kept[pairs[order]], flipped[order]


def _coefficients(images: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the lowest frequencies (N, C, 8, 8) of each image, without the lowest, and their lengths (N,)."""
    rows, columns = (torch.from_numpy(_cosines(side)) for side in images.shape[2:])
    coefficients = np.empty((*images.shape[:2], SIDE, SIDE))
    for start in range(0, len(images), IMAGES):
        coefficients[start : start + IMAGES] = rows @ (images[start : start + IMAGES].double() @ columns.mT)
    coefficients[:, :, 0, 0] = 0
    return coefficients, np.sqrt(np.einsum("nchw,nchw->n", coefficients, coefficients))


def _cosines(side: int) -> NDArray[np.float64]:
    """Return the cosine transform of the means over eighths of a side: (8, side)."""
    edges = np.arange(SIDE + 1) * side / SIDE
    pixels = np.arange(side)
    shares = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    frequency = np.arange(SIDE)[:, None]
    waves = np.where(frequency, 1.0, np.sqrt(0.5)) * np.cos(np.pi * frequency * (np.arange(SIDE) + 0.5) / SIDE)
    return np.asarray(waves @ (shares.clip(0, 1) / (side / SIDE)))


def _whiten(coefficients: NDArray[np.float64], part: slice, centered: bool) -> None:
    """Damp the mean and the strongest directions of those coefficients, in place."""
    flat = coefficients[..., part].reshape(len(coefficients), -1)
    if centered:
        flat -= flat.sum(0) / (len(flat) + STEADY)
    values, vectors = np.linalg.eigh(flat.T @ flat / max(1, len(flat)))
    values = values.clip(0)
    damped = values + DAMPING * values[-1] + np.finfo(np.float64).tiny
    coefficients[..., part] = (flat @ ((vectors / np.sqrt(damped)) @ vectors.T)).reshape(coefficients[..., part].shape)


def _close(thumbnails: Tensor, mirrored: bool, threshold: float) -> tuple[NDArray[np.int64], float]:
    """Find pairs (K, 2), smaller position first, near or above the threshold in float32; return it, perhaps raised."""
    even, odd = thumbnails[..., ::2].flatten(1).contiguous(), thumbnails[..., 1::2].flatten(1).contiguous()
    whole = thumbnails.flatten(1)
    pairs, values = torch.empty((0, 2), dtype=torch.int64), torch.empty(0)
    for i in range(0, len(whole), ROWS):
        for j in range(i // COLUMNS * COLUMNS, len(whole), COLUMNS):
            rows, columns = slice(i, i + ROWS), slice(j, j + COLUMNS)
            if mirrored:
                cosines = product(even[rows], even[columns].mT).add_(product(odd[rows], odd[columns].mT).abs_())
            else:
                cosines = product(whole[rows], whole[columns].mT)
            hits = (cosines.amax(1) > threshold - SLACK).nonzero().flatten()
            if not len(hits):
                continue
            row, column = (cosines[hits] > threshold - SLACK).nonzero(as_tuple=True)
            block = torch.stack([hits[row] + i, column + j], 1)
            above = block[:, 0] < block[:, 1]
            pairs = torch.cat([pairs, block[above]])
            values = torch.cat([values, cosines[hits[row], column][above]])
            while len(pairs) > PAIRS:
                threshold = (1 + threshold) / 2
                pairs, values = pairs[values > threshold - SLACK], values[values > threshold - SLACK]
    return pairs.numpy(), threshold


def _products(
    thumbnails: NDArray[np.float64], pairs: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return even and odd parts of the thumbnails' products, float64, (K,) each."""
    even, odd = np.empty(len(pairs)), np.empty(len(pairs))
    for start in range(0, len(pairs), IMAGES):
        block = slice(start, start + IMAGES)
        a, b = thumbnails[pairs[block, 0]], thumbnails[pairs[block, 1]]
        even[block] = np.einsum("nchw,nchw->n", a[..., ::2], b[..., ::2])
        odd[block] = np.einsum("nchw,nchw->n", a[..., 1::2], b[..., 1::2])
    return even, odd
