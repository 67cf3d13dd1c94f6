"""Distances of an image's patches to a dictionary that K-means learned (Coates, Ng and Lee 2011).

A patch x of 6 × 6 pixels, (D,), on the scale 0 to 255, is freed of brightness and contrast, and whitened:

    x̂ = (x − mean x) / √(var x + 10)            var: over D − 1
    w = (x̂ − μ) P,   P = V (Λ + 0.1)^(−½) Vᵀ     μ and V Λ Vᵀ: mean and covariance of the x̂ of the training images

K-means finds centroids c_k of the w. A patch answers with those that are nearer than their mean distance ("triangle"),
an image with the sums over its four quadrants, 4K numbers, quadrant by quadrant:

    z_k = ‖w − c_k‖ = √(‖w‖² − 2 w·c_k + ‖c_k‖²),   f_k = max(0, z̄ − z_k),   S_qk = Σ_{patches of q} f_k

The sums of a quadrant are strongly correlated (their covariance has eigenvalues from 1e-3 to 3e5), so that gradient
descent would take thousands of times as many steps along some directions as along others. They are whitened as the
patches were, by one matrix for all four quadrants:

    F_q = (S_q − m) Q,   Q = U (D + ε d̄)^(−½) Uᵀ     m and U D Uᵀ: mean and covariance of the S_q, d̄: mean of D

‖w‖² and ‖c_k‖² come out of the same product as w·c_k: (w, ‖w‖², 1)·(−2c_k, 1, ‖c_k‖²) = z_k².

https://proceedings.mlr.press/v15/coates11a.html; the number of patches that are learned from, 400,000, and the order
of the steps are those of the paper's code. Whitening the sums is ours: from 20,000 images and K = 1600 it takes softmax
from 69.5 to 76.8 % of 5,000 others.
"""

__all__ = ["patches"]

import itertools
import math
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise

import torch
from torch import Tensor

from tenfold.data.types import Dataset, Feature
from tenfold.engine.products import product
from tenfold.errors import UsageError
from tenfold.recipe import Recipe
from tenfold.seeds import generator

SIDE = 6
LEARNED_FROM = 400_000
CONTRAST, WHITENING = 10.0, 0.1
# Images whose sums are whitened, and ε: what is smaller than that much of the mean eigenvalue is noise.
WHITENED_FROM, NOISE = 5000, 1e-3
# Of K-means: the mean squared distance is then within 0.3 % of that after the 50 rounds of the paper's code (CIFAR-10).
ROUNDS = 20
PIECE = 10_000
# Images at a time whose sums are whitened.
SOME = 500
# Distances at a time, 4 MB of them: they stay in the processor's cache from the product to the sums.
SLICE = 2**20


def _fit(
    dataset: Dataset, rows: Tensor, recipe: Recipe, device: torch.device, watch: Callable[[str], None]
) -> dict[str, Tensor]:
    """Learn centroids (K, D), mean (D,), whitening (D, D), and the factor that brings a pixel to the scale 0 to 255.

    And the center (K,) and decorrelation (K, K) of a quadrant's sums.
    Raises UsageError for images that have no patch, or fewer patches than the dictionary is to have.
    """
    count, side = recipe.feature_count, min(dataset.images.shape[2:])
    if side < SIDE:
        raise UsageError(
            f"features patches: images need {SIDE} pixels a side, those of {dataset.name} have {side}; use pixels"
        )
    factor = torch.tensor(255 * dataset.scale, dtype=torch.float64)
    x = _normalized(_drawn(dataset.images, rows, recipe.seed).to(device), float(factor))
    if count > len(x):
        raise UsageError(f"feature_count {count}: the training images have {len(x):,} patches; choose fewer centroids")
    watch(f"features: {count:,} centroids by K-means from {len(x):,} patches")
    mean, whitening = _whitening(x, absolute=WHITENING)
    centroids = _centroids(product(x.sub_(mean), whitening), count)
    learned = {"centroids": centroids, "mean": mean, "whitening": whitening, "factor": factor}
    some = rows[torch.from_numpy(generator(recipe.seed, "sums").permutation(len(rows))[:WHITENED_FROM])]
    sums = torch.cat([_sums(learned, dataset.images[piece].to(device)) for piece in torch.split(some, SOME)])
    center, decorrelation = _whitening(sums.flatten(0, 1), relative=NOISE)
    learned |= {"center": center, "decorrelation": decorrelation}
    return {name: tensor.cpu() for name, tensor in learned.items()}


def _transform(learned: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Return (N, 4K): quadrant by quadrant all K features."""
    center, decorrelation = (learned[name].to(images.device) for name in ("center", "decorrelation"))
    whole = torch.empty(len(images), 4 * len(center), device=images.device)
    for piece, features in zip(torch.split(images, SOME), torch.split(whole, SOME), strict=True):
        centered = _sums(learned, piece).flatten(0, 1).sub_(center)
        features.view(-1, len(center)).copy_(product(centered, decorrelation))
    return whole


def _sums(learned: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Return (N, 4, K): quadrant by quadrant the sums of all K answers."""
    centroids, mean, whitening = (learned[name].to(images.device) for name in ("centroids", "mean", "whitening"))
    places, ends = _places(tuple(images.shape[1:]))
    pixels, dictionary = places.flatten().to(images.device), _dictionary(centroids)
    whole = torch.empty(len(images), 4, len(centroids), device=images.device)
    size = max(1, SLICE // (len(places) * len(centroids)))
    for piece, sums in zip(torch.split(images, size), torch.split(whole, size), strict=True):
        x = piece.flatten(1).float().index_select(1, pixels).view(-1, places.shape[1])
        w = product(_normalized(x, float(learned["factor"])).sub_(mean), whitening)
        z = product(_augmented(w), dictionary).clamp_(min=0).sqrt_()
        answers = torch.sub(z.mean(1, keepdim=True), z, out=z).relu_().view(len(piece), len(places), -1)
        for quadrant, (begin, end) in enumerate(pairwise(ends)):
            sums[:, quadrant] = answers[:, begin:end].sum(1)
    return whole


@cache
def _places(shape: tuple[int, int, int]) -> tuple[Tensor, tuple[int, ...]]:
    """Return the positions in an image (channels, H, W) of every patch's pixels, (patches, D), and its quadrants' ends.

    Patches are in the order of the four quadrants; where their rows or columns are odd, the first half has more.
    """
    windows = torch.arange(math.prod(shape)).view(shape).unfold(1, SIDE, 1).unfold(2, SIDE, 1).permute(1, 2, 0, 3, 4)
    halves = [half for rows in windows.tensor_split(2, 0) for half in rows.tensor_split(2, 1)]
    flat = [half.reshape(-1, shape[0] * SIDE**2) for half in halves]
    return torch.cat(flat), (0, *itertools.accumulate(map(len, flat)))


def _drawn(images: Tensor, rows: Tensor, seed: int) -> Tensor:
    """Draw random patches (n, D) of the images at rows, float32, in random order: LEARNED_FROM, or all there are."""
    places, _ = _places(tuple(images.shape[1:]))
    total = len(rows) * len(places)
    chosen = generator(seed, "patches").choice(total, min(total, LEARNED_FROM), replace=False)
    flat, pieces = images.flatten(1), torch.split(torch.from_numpy(chosen), PIECE)
    return torch.cat([flat[rows[n // len(places), None], places[n % len(places)]].float() for n in pieces])


def _normalized(x: Tensor, factor: float) -> Tensor:
    """Compute x̂ of patches (n, D) in the data's own unit, in place."""
    x.mul_(factor).sub_(x.mean(1, keepdim=True))
    square = torch.linalg.vector_norm(x, dim=1, keepdim=True).square_()
    return x.div_((square / (x.shape[1] - 1) + CONTRAST).sqrt_())


def _whitening(x: Tensor, absolute: float = 0.0, relative: float = 0.0) -> tuple[Tensor, Tensor]:
    """Return the mean (D,) and whitening matrix (D, D), float32, of x (n, D).

    Added to the eigenvalues of the covariance: absolute, and relative to their mean.
    """
    mean, square = x.mean(0, dtype=torch.float64), torch.zeros(x.shape[1], x.shape[1], dtype=torch.float64)
    for piece in torch.split(x, PIECE):
        centered = piece.double() - mean
        square += (centered.mT @ centered).to(square)
    values, vectors = torch.linalg.eigh(square / (len(x) - 1))
    values = values.clamp(min=0)
    least = values + absolute + relative * values.mean()
    whitening = vectors / least.clamp(min=1e-12).sqrt() @ vectors.mT  # where nothing varies there is nothing to scale
    return mean.float(), whitening.to(mean.device, torch.float32)


def _centroids(w: Tensor, count: int) -> Tensor:
    """Run Lloyd's rounds of K-means from the first patches; a centroid without a patch moves to one that is far off."""
    centroids = w[:count].clone()
    for _ in range(ROUNDS):
        nearest, distance = _nearest(w, centroids)
        members = torch.bincount(nearest, minlength=count)
        centroids = torch.zeros_like(centroids).index_add_(0, nearest, w) / members.clamp(min=1)[:, None]
        alone = members.eq(0).nonzero()[:, 0]
        centroids[alone] = w[distance.topk(len(alone)).indices]
    return centroids


def _nearest(w: Tensor, centroids: Tensor) -> tuple[Tensor, Tensor]:
    """Return for each patch (n, D) the number of the nearest centroid and the square of its distance, (n,)."""
    dictionary = _dictionary(centroids)
    pieces = torch.split(w, max(1, SLICE // len(centroids)))
    minima = [product(_augmented(piece), dictionary).min(1) for piece in pieces]
    return torch.cat([piece.indices for piece in minima]), torch.cat([piece.values for piece in minima])


def _augmented(w: Tensor) -> Tensor:
    """Return (w, ‖w‖², 1) of patches (n, D)."""
    square = torch.linalg.vector_norm(w, dim=1, keepdim=True).square_()
    return torch.cat((w, square, torch.ones_like(square)), 1)


def _dictionary(centroids: Tensor) -> Tensor:
    """Return (−2c, 1, ‖c‖²) of centroids (K, D) as columns."""
    square = centroids.square().sum(1)
    return torch.cat((-2 * centroids.mT, torch.ones_like(square)[None], square[None]))


patches = Feature(_fit, _transform)
