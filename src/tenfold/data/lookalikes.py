"""Pairs of images that may be one picture: all pairs of small thumbnails, compared by blocked matrix products.

A thumbnail is the 8 × 8 lowest frequencies of each channel without its brightness, an image's own cosine transform.
The data set's mean and its strongest directions are damped, since two skies agree in those as well as two twins:

    t = (S + ε λ₁ I)^(−1/2) (c − μ),    S = mean (c − μ)(c − μ)ᵀ,    λ₁ its largest eigenvalue,    ε = 0.03

and scaled to unit length, so that contrast does not count. A mirror image has the same coefficients with those of odd
horizontal frequency negated, so the even and odd parts of two products, E and O, give both answers: E + O for the image
and E − O for its mirror image.
"""

__all__ = ["Candidates", "candidates"]

import time
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.progress import Watch, counting, unwatched
from tenfold.engine.products import product

SIDE = 8  # coefficients of each channel, in both directions
DAMPING = 0.03
STEADY = 1000  # a mean over fewer images than this is drawn to zero, so that a pair does not cancel itself
FLAT = 1e-3  # thumbnails with less contrast than this share of the data set's are of one color
SLACK = 1e-4  # what rounding to float32 may take from a product of unit vectors
ROWS, COLUMNS = 512, 512  # of one block, which stays in the processor's cache
IMAGES = 2048  # transformed at a time
NEAREST = 8  # pairs for each image, on the average, that are kept where there are more
HELD = 2**16  # pairs above their limit, before those that cannot stay are dropped


class Candidates(NamedTuple):
    """Pairs that may be one picture.

    pairs: (K, 2) positions. mirrored: (K,), whether it is the mirror image that is close. dropped: how many pairs that
    are close were not kept. skipped: images that there was no time to compare with those behind them.
    """

    pairs: NDArray[np.int64]
    mirrored: NDArray[np.bool_]
    dropped: int
    skipped: int


def candidates(
    images: Tensor,
    rows: NDArray[np.int64],
    mirrored: bool,
    threshold: float,
    watch: Watch = unwatched,
    end: float = float("inf"),
) -> Candidates:
    """Find pairs whose thumbnails have a cosine above the threshold; tell whether it is the mirror image that is close.

    images: (N, C, H, W), H and W at least 8. rows: positions of those to compare. mirrored: with mirror images, too.
    The closest pair comes first and in it the smaller position; a pair that is close both ways comes twice. Where the
    threshold leaves more than 8 pairs for each image, an image keeps those with the nearest others: as many for all as
    make 8 for each. The answer is decided in float64. Time grows as N², memory as N. end: time (`time.monotonic`) after
    which no further images are compared.
    """
    thumbnails, contrast = _coefficients(images)
    kept = rows[contrast[rows] > FLAT * np.sqrt(np.mean(contrast**2))]
    if len(kept) < 2:
        return Candidates(np.empty((0, 2), np.int64), np.empty(0, np.bool_), 0, 0)
    thumbnails = thumbnails[kept]
    for part in (slice(0, None, 2), slice(1, None, 2)) if mirrored else (slice(None),):
        _whiten(thumbnails, part, centered=not (mirrored and part.start == 1))
    length = np.sqrt(np.einsum("nchw,nchw->n", thumbnails, thumbnails))
    thumbnails /= np.maximum(length, np.finfo(np.float64).tiny)[:, None, None, None]
    pairs, cosines, dropped, skipped = _close(thumbnails, mirrored, threshold, watch, end)
    flipped = np.repeat([False, True], len(pairs))
    pairs, cosines = np.tile(pairs, (2, 1)), cosines.ravel()
    order = np.lexsort((flipped, pairs[:, 1], pairs[:, 0], -cosines))
    order = order[(cosines[order] > threshold) & (mirrored | ~flipped[order])]
    if len(order) > NEAREST * len(kept):
        near = _nearest(pairs[order], NEAREST * len(kept))
        dropped += len(order) - len(near)
        order = order[near]
    return Candidates(kept[pairs[order]], flipped[order], dropped, skipped)


def _nearest(pairs: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Return places, ascending, of the pairs that are among the k nearest of one of their images, k as `most` allows.

    pairs: (K, 2), the closest first.
    """
    rank = np.minimum(*_ranks(pairs))
    k = int(np.searchsorted(np.cumsum(np.bincount(rank)), most, side="right"))
    return np.flatnonzero(rank < max(1, k))


def _ranks(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return for both images of each pair how many of its pairs are closer: (2, K)."""
    ends = pairs.T.ravel()
    order = np.lexsort((np.tile(np.arange(len(pairs)), 2), ends))
    firsts = np.flatnonzero(np.diff(ends[order], prepend=-1))
    ranks = np.empty(len(ends), np.int64)
    ranks[order] = np.arange(len(ends)) - np.repeat(firsts, np.diff(firsts, append=len(ends)))
    return ranks.reshape(2, -1)


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


def _close(
    thumbnails: NDArray[np.float64], mirrored: bool, threshold: float, watch: Watch, end: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], int, int]:
    """Find pairs (K, 2), smaller position first, and their cosines (2, K), plain and mirrored.

    Count the pairs that were dropped, and the images that were skipped because the time was up. Of many pairs those are
    kept that are among the nearest of one of their images so far, twice what the end asks.
    """
    short = torch.from_numpy(thumbnails.astype(np.float32))
    even, odd = short[..., ::2].flatten(1).contiguous(), short[..., 1::2].flatten(1).contiguous()
    even, odd = (even, odd) if mirrored else (short.flatten(1), odd[:, :0])
    advance = counting(watch, "comparing thumbnails", len(even))
    pairs, cosines, dropped = np.empty((0, 2), np.int64), np.empty((2, 0)), 0
    for i in range(0, len(even), ROWS):
        if time.monotonic() > end:
            return pairs, cosines, dropped, len(even) - i
        starts = range(i // COLUMNS * COLUMNS, len(even), COLUMNS)
        rows = np.concatenate([_above(even, odd, i, j, threshold) for j in starts])
        exact = _products(thumbnails, rows)
        close = (exact.max(0) if mirrored else exact[0]) > threshold
        pairs, cosines = np.concatenate([pairs, rows[close]]), np.concatenate([cosines, exact[:, close]], 1)
        if len(pairs) > 2 * NEAREST * len(even) + HELD:
            order = np.argsort(-(cosines.max(0) if mirrored else cosines[0]), kind="stable")
            near = order[_nearest(pairs[order], 2 * NEAREST * len(even))]
            dropped += len(pairs) - len(near)
            pairs, cosines = pairs[near], cosines[:, near]
        advance(min(i + ROWS, len(even)))
    return pairs, cosines, dropped, 0


def _above(even: Tensor, odd: Tensor, i: int, j: int, threshold: float) -> NDArray[np.int64]:
    """Return the pairs (K, 2) of a block, smaller position first, near or above the threshold in float32."""
    rows, columns = slice(i, i + ROWS), slice(j, j + COLUMNS)
    cosines = product(even[rows], even[columns].mT)
    if odd.shape[1]:
        cosines.add_(product(odd[rows], odd[columns].mT).abs_())
    hits = (cosines.amax(1) > threshold - SLACK).nonzero().flatten()
    if not len(hits):
        return np.empty((0, 2), np.int64)
    row, column = (cosines[hits] > threshold - SLACK).nonzero(as_tuple=True)
    block = torch.stack([hits[row] + i, column + j], 1)
    return np.asarray(block[block[:, 0] < block[:, 1]].numpy())


def _products(thumbnails: NDArray[np.float64], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the cosines (2, K) of the thumbnails of each pair: as they are, and one of them mirrored."""
    cosines = np.empty((2, len(pairs)))
    for start in range(0, len(pairs), IMAGES):
        block = slice(start, start + IMAGES)
        a, b = thumbnails[pairs[block, 0]], thumbnails[pairs[block, 1]]
        even = np.einsum("nchw,nchw->n", a[..., ::2], b[..., ::2])
        odd = np.einsum("nchw,nchw->n", a[..., 1::2], b[..., 1::2])
        cosines[:, block] = even + odd, even - odd
    return cosines
