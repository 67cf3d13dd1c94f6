"""The batch of every step as a function of (seed, step): which images, which of them mirrored, what noise.

Pixels stay as they were read and become numbers one batch at a time: x = pixel · factor + offset.
"""

__all__ = ["Part", "inputs", "sampler", "steps_per_epoch"]

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tenfold.engine.types import Batch, Scalar
from tenfold.rooms import find
from tenfold.seeds import generator


class Part(NamedTuple):
    """One part of a split, ready to be read in batches.

    images: (N, C, H, W) of the whole data set; labels: (N,); rows: positions of this part; factor, offset: (D,).
    weights: of each image by position (N, 1), or 1.0.
    """

    images: Tensor
    labels: Tensor
    rows: Tensor
    factor: Tensor
    offset: Tensor
    weights: Scalar = 1.0

    @property
    def image_shape(self) -> tuple[int, ...]:
        """Return shape of an image: (C, H, W)."""
        return tuple(self.images.shape[1:])


def inputs(part: Part, images: Tensor, takes: tuple[int, ...]) -> Tensor:
    """Standardize images (B, C, H, W). takes: shape of one input, as the model wants it. Returns (B, *takes)."""
    x = images.flatten(1).to(part.factor.dtype)
    # In place, unless the images had that type already and are somebody's.
    return torch.addcmul(part.offset, x, part.factor, out=None if x.dtype == images.dtype else x).view(-1, *takes)


def sampler(
    part: Part,
    batch: int,
    seed: int,
    sampling: str,
    flip_share: Scalar,
    takes: tuple[int, ...],
    noise: Callable[[int], Mapping[str, tuple[int, ...]]],
) -> Callable[[int], Batch]:
    """Return `batches(t)`, which makes the batch of update t.

    sampling: "shuffle" (an epoch is a permutation, its last batch may be short) or "replacement". flip_share:
    probability that an image is mirrored, of all members or of each, (P,) float64. takes: shape of one input of the
    model; noise(b): shapes of the uniform draws that it takes for b images.
    """
    size = min(batch, len(part.rows))
    positions = _shuffled(part.rows, size, seed) if sampling == "shuffle" else _drawn(part.rows, size, seed)

    def batches(t: int) -> Batch:
        rows = positions(t)
        images, mirrored = _flipped(part.images.index_select(0, rows), flip_share, seed, t)
        weight = part.weights if isinstance(part.weights, float) else part.weights.index_select(0, rows)
        draws = {name: _uniform(shape, (seed, name, t), part.factor) for name, shape in noise(len(rows)).items()}
        if mirrored is not None:
            draws = {name: torch.cat((u, u)) for name, u in draws.items()}
        return Batch(inputs(part, images, takes), part.labels.index_select(0, rows), weight, draws, mirrored)

    return batches


def steps_per_epoch(images: int, batch: int) -> int:
    """Return the number of updates in one pass over the images, the last batch short where they do not divide."""
    return math.ceil(images / min(batch, images))


def _shuffled(rows: Tensor, size: int, seed: int) -> Callable[[int], Tensor]:
    count = steps_per_epoch(len(rows), size)

    @lru_cache(maxsize=2)
    def order(epoch: int) -> Tensor:
        permutation = generator(seed, "order", epoch).permutation(len(rows))
        return rows[torch.from_numpy(permutation).to(rows.device)]

    return lambda t: order(t // count)[(t % count) * size : (t % count + 1) * size]


def _drawn(rows: Tensor, size: int, seed: int) -> Callable[[int], Tensor]:
    def draw(t: int) -> Tensor:
        chosen = generator(seed, "draw", t).integers(len(rows), size=size)
        return rows[torch.from_numpy(chosen).to(rows.device)]

    return draw


def _flipped(images: Tensor, share: Scalar, seed: int, t: int) -> tuple[Tensor, Tensor | None]:
    """Mirror some of the images. Where members differ: return images, mirror images, and who sees which (P, B).

    An image has one draw for all members, so that each of them sees what it would see alone.
    """
    if not isinstance(share, Tensor) and not share:
        return images, None
    draws = torch.from_numpy(generator(seed, "flip", t).random(len(images)))
    if isinstance(share, Tensor):
        return torch.cat((images, images.flip(-1))), (draws < share[:, None]).to(images.device)
    mirrored: Tensor = find("augmentations", "flip")(images, (draws < share).to(images.device))
    return mirrored, None


def _uniform(shape: tuple[int, ...], path: tuple[int, str, int], like: Tensor) -> Tensor:
    draws = generator(path[0], "noise", *path[1:]).random(shape, dtype=np.float32)
    return torch.from_numpy(draws).to(like)
