"""Duplicates in a data set: identical images, and pictures that were resized, cropped, brightened or saved again.

Identical: all stored pixels are equal. Near: thumbnails that are close (`tenfold.lookalikes`) and then, in float64, the
images laid over each other agree in outline and in fine detail (`tenfold.matching`); where the files of a folder hold
more than the stored pixels they are read again at up to 128 × 128 and must agree there, too. Photographs may be
shifted, scaled and mirrored; other images (characters, scans) are compared in place and must be all but equal, since
two writers' "1" differ by less than a photograph from its copy.

Groups are the connected components of all these pairs. One above 50 images is reported and binds nothing: it is more
likely a series than a copy. Where more than a third of all images would be bound to others that are not identical, or
half of them form one group, the measure fails, as it does on drawings and on one scene: then only identical images are
bound.
"""

__all__ = ["Duplicates", "find_duplicates", "group_ids"]

import hashlib
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from tenfold.data.lookalikes import candidates
from tenfold.data.matching import Likeness, likeness
from tenfold.data.progress import Watch, counting, unwatched
from tenfold.data.readers.images import images as picture
from tenfold.data.types import Dataset
from tenfold.errors import DataError

LARGE = 50
# Shares of all images that are no near duplicates, whatever the measure says: that it would bind, and in one group.
DOUBTED, ONE_SCENE = 1 / 3, 1 / 2
LEAST_SIDE = 8
MOST_SIDE = 128  # at which two images are compared
ROUGH_SIDE = 16
BLOCK, ROUGH_BLOCK = 256, 1024  # pairs
CLOSE, CLOSE_IN_PLACE = 0.55, 0.97  # cosine of the thumbnails
# Least correlation of the whole, of the detail, of the detail in the middle; one of the rows must be reached. A picture
# without much detail loses it when it is saved again, so where the whole agrees closely less of it suffices. Chosen by
# eye from the pairs of CIFAR-10, MNIST and Fashion-MNIST that lie next to them.
ROUGH = ((0.80, 0.75, 0.80),)
SAME = ((0.85, 0.88, 0.75), (0.99, 0.60, 0.40))
SAME_IN_PLACE = ((0.98, 0.98, 0.95),)
SLACK = 0.03  # what pairs may lack in float32, of which those that do not are compared again in float64

NO_PAIRS = np.empty((0, 2), np.int64)

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Duplicates:
    """Positions of images that are the same picture, in groups of at least two, ascending.

    exact: identical pixels. near: groups with a pair that is not identical, whatever identical ones they hold. large:
    groups of more than 50, which are in neither. same: (N,) position of the first image with those very pixels.
    searched: whether near duplicates were looked for, which needs images of at least 8 × 8. doubted: images that seemed
    to be near duplicates, too many of all to be right, so that none is bound; else 0. unseen: pairs of look-alikes
    beyond the nearest of each image, which were not compared. late: images and pairs of look-alikes that there was no
    time to compare.
    """

    exact: Groups
    near: Groups
    large: Groups
    same: NDArray[np.int64]
    searched: bool
    doubted: int = 0
    unseen: int = 0
    late: tuple[int, int] = (0, 0)


def find_duplicates(dataset: Dataset, watch: Watch = unwatched, seconds: float = float("inf")) -> Duplicates:
    """Find all exact and near duplicates, within the parts of a data set and across them; the same on every machine.

    watch: called with the progress. seconds: after which near duplicates are no longer looked for.

    60,000 images of 32 × 32 take some 15 seconds on two cores and 300 MB beside the data.
    """
    end = time.monotonic() + seconds
    same = _first_alike(dataset.images)
    searched = min(dataset.images.shape[2:]) >= LEAST_SIDE
    copies = np.stack([same, np.arange(len(same))], 1)
    near, unseen, late = _near(dataset, np.unique(same), watch, end) if searched else (NO_PAIRS, 0, (0, 0))
    doubted = _doubted(len(same), copies, near)
    near = near[:0] if doubted else near
    members = _components(len(same), np.concatenate([copies, near]))
    touched = set(near.ravel().tolist())
    large = [group for group in members if len(group) > LARGE]
    small = [group for group in members if len(group) <= LARGE]
    changed = [group for group in small if not touched.isdisjoint(group)]
    bound = {image for group in small for image in group}
    exact = [group for group in _components(len(same), copies) if group[0] in bound]
    return Duplicates(tuple(exact), tuple(changed), tuple(large), same, searched, doubted, unseen, late)


def _doubted(count: int, copies: NDArray[np.int64], near: NDArray[np.int64]) -> int:
    """Return how many images the near pairs would connect where that is too many to be right, else 0."""
    touched = np.unique(near)
    groups = _components(count, np.concatenate([copies, near])) if len(touched) else []
    changed = [len(group) for group in groups if np.isin(group, touched).any()]
    bound = sum(size for size in changed if size <= LARGE)
    doubted = bound > DOUBTED * count or any(size > ONE_SCENE * count for size in changed if size > LARGE)
    return sum(changed) if doubted else 0


def group_ids(count: int, groups: Iterable[Sequence[int]]) -> NDArray[np.int64]:
    """Return for each of `count` images the first of its group, or its position; groups that share an image are one.

    >>> group_ids(5, [(1, 3), (3, 4)]).tolist()
    [0, 1, 2, 1, 1]
    """
    ids = np.arange(count)
    links = [(group[0], image) for group in groups for image in group]
    for group in _components(count, np.array(links, np.int64).reshape(-1, 2)):
        ids[list(group)] = group[0]
    return ids


def _components(count: int, pairs: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """Return the connected components of at least two, in the order of their first members."""
    labels = _labels(count, pairs)
    order = np.argsort(labels, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return sorted(tuple(group.tolist()) for group in groups if len(group) > 1)


def _labels(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    graph = coo_array((np.ones(len(pairs), np.bool_), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.int64)


def _first_alike(images: Tensor) -> NDArray[np.int64]:
    """Return the position of the first image with the same bytes, (N,)."""
    flat = images.flatten(1).numpy()
    seen: dict[bytes, int] = {}
    digests = (hashlib.blake2b(row.data, digest_size=16).digest() for row in flat)
    return np.array([seen.setdefault(digest, place) for place, digest in enumerate(digests)], np.int64)


def _near(
    dataset: Dataset, rows: NDArray[np.int64], watch: Watch, end: float
) -> tuple[NDArray[np.int64], int, tuple[int, int]]:
    """Find near pairs (K, 2) among the given images, enough of them to connect each group; count the unseen and late.

    end: time (`time.monotonic`) after which nothing more is compared.
    """
    moved = dataset.photographs
    pairs, mirrored, unseen, skipped = candidates(
        dataset.images, rows, moved, CLOSE if moved else CLOSE_IN_PLACE, watch, end
    )
    if moved and min(dataset.images.shape[2:]) >= ROUGH_SIDE:
        rough = _roughly(dataset.images, pairs, mirrored)
        pairs, mirrored = pairs[rough], mirrored[rough]
    near = NO_PAIRS
    labels = np.arange(len(dataset.images))
    advance = counting(watch, "comparing look-alikes", len(pairs))
    for start in range(0, len(pairs), BLOCK):
        if time.monotonic() > end:
            return near, unseen, (skipped, len(pairs) - start)
        block = slice(start, start + BLOCK)
        # Two images of one group need no comparison, which a long series would fill the day with.
        new = labels[pairs[block, 0]] != labels[pairs[block, 1]]
        chosen, flipped = pairs[block][new], mirrored[block][new]
        same = _same(dataset, chosen, flipped)
        if same.any():
            near = np.concatenate([near, chosen[same]])
            labels = _labels(len(labels), near)
        advance(min(start + BLOCK, len(pairs)))
    return near, unseen, (skipped, 0)


def _roughly(images: Tensor, pairs: NDArray[np.int64], mirrored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Select pairs that agree at 16 × 16, (K,): a tenth of the work, in float32, limits far below the final ones."""
    small = torch.cat([_sized(block.float().mean(1, keepdim=True), ROUGH_SIDE) for block in torch.split(images, BLOCK)])
    agree = [
        _passes(likeness(*_pair(small, pairs[i : i + ROUGH_BLOCK], mirrored[i : i + ROUGH_BLOCK]), True, True), ROUGH)
        for i in range(0, len(pairs), ROUGH_BLOCK)
    ]
    return np.concatenate(agree) if agree else np.zeros(0, np.bool_)


def _same(dataset: Dataset, pairs: NDArray[np.int64], mirrored: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Select pairs that are one picture, (K,)."""
    if not len(pairs):
        return np.zeros(0, np.bool_)
    moved, side = dataset.photographs, min(MOST_SIDE, *dataset.images.shape[2:])
    limits = SAME if moved else SAME_IN_PLACE
    a, b = (_sized(x.float(), side) for x in _pair(dataset.images, pairs, mirrored))
    same = _passes(likeness(a, b, moved, moved), np.array(limits) - SLACK)
    close = torch.from_numpy(np.flatnonzero(same))
    a, b = a[close].double(), b[close].double()
    same[close.numpy()] = _passes(likeness(a, b, moved, moved), limits)
    if dataset.paths:
        for place in np.flatnonzero(same):
            same[place] = _same_files(dataset, pairs[place], bool(mirrored[place]), side)
    return same


def _same_files(dataset: Dataset, pair: NDArray[np.int64], mirrored: bool, side: int) -> bool:
    """Compare two files that agree as stored at a larger size; true where there is none, or no file any more."""
    try:
        headers = [picture(Path(dataset.paths[place])) for place in pair]
        larger = min(MOST_SIDE, *(length for header in headers for length in (header.width, header.height)))
        if larger <= side:
            return True
        mode = "L" if dataset.images.shape[1] == 1 else "RGB"
        read_as = (dataset.background, dataset.levels, dataset.framing)
        read = (header.pixels(mode, larger, *read_as)[0] for header in headers)
        a, b = (torch.from_numpy(pixels)[None].double() for pixels in read)
    except DataError:
        return True
    return bool(_passes(likeness(a, b.flip(-1) if mirrored else b, dataset.photographs, True), SAME)[0])


def _pair(images: Tensor, pairs: NDArray[np.int64], mirrored: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
    a, b = images[torch.from_numpy(pairs[:, 0])], images[torch.from_numpy(pairs[:, 1])]
    flipped = torch.from_numpy(mirrored)
    b[flipped] = b[flipped].flip(-1)
    return a, b


def _sized(x: Tensor, side: int) -> Tensor:
    return x if x.shape[2:] == (side, side) else F.interpolate(x, size=(side, side), mode="area")


def _passes(alike: Likeness, rows: Sequence[Sequence[float]] | NDArray[np.float64]) -> NDArray[np.bool_]:
    """Select those that reach all the limits of a row, (n,)."""
    reached = torch.zeros(len(alike.whole), dtype=torch.bool)
    for limits in rows:
        reached |= (torch.stack(alike) >= torch.tensor(limits)[:, None]).all(0)
    return np.asarray(reached.numpy())
