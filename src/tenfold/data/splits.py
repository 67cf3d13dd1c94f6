"""Training, validation and test positions of a data set: stratified, seeded, disjoint.

The test and validation parts of the source are kept; a missing part is drawn from the training part, each class by its
share, fractions to the largest remainder; which of many small classes get the one image that is left over for each is
drawn, not a matter of their names. Images that are one group, as duplicates are, are drawn together or not at all.
Positions stay in their order.
"""

__all__ = ["read_split", "split", "stratified"]

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.archive import arrays_in
from tenfold.data.types import Dataset
from tenfold.errors import DataError, FileError, UsageError
from tenfold.seeds import generator

Positions = NDArray[np.int64]
PARTS = ("train", "validation", "test")


def split(
    dataset: Dataset,
    seed: int,
    validation: float = 0.1,
    test: float = 0.2,
    limit: int = 0,
    rows: str = "",
    validation_rows: str = "",
    groups: Positions | None = None,
) -> dict[str, Tensor]:
    """Return positions (int64, ascending) of "train", "validation" and "test".

    validation, test: below 1 a share, else a number of images; used where the source has no such part. limit: size of a
    stratified sample of the training part, 0 for all. rows, validation_rows: "a:b", positions in the training part.
    groups: (N,) number of each image's group; a drawn part takes a group whole. None: every image is a group.
    Raises UsageError for parts that cannot be had, DataError where a class is left without training images.
    """
    labels = dataset.labels.numpy()
    official = {name: part.numpy() for name, part in dataset.parts.items()}
    groups = np.arange(len(labels)) if groups is None else groups
    pool = official.get("train", np.arange(len(labels)))
    chosen, held = _ranges(pool, rows, validation_rows)
    if "test" not in official:
        official["test"], chosen = stratified(labels, chosen, test, seed, "test", groups)
    if limit:
        chosen, _ = stratified(labels, chosen, _count(limit, len(chosen), "limit"), seed, "limit", groups)
    if held is None and "validation" not in official:
        held, chosen = stratified(labels, chosen, validation, seed, "validation", groups)
    parts = {"train": chosen, "validation": official["validation"] if held is None else held, "test": official["test"]}
    _complete(parts, labels, dataset.class_names)
    return {name: torch.from_numpy(np.sort(part)) for name, part in parts.items()}


def read_split(path: Path) -> dict[str, Tensor]:
    """Read the positions of each part from a run's splits.npz; a FileError that names it where it is damaged."""
    try:
        arrays = arrays_in(path)
    except DataError as error:
        raise FileError(f"{path}: damaged ({_cause(path, error)}); restore it from a copy") from None
    for part in PARTS:
        if part not in arrays or arrays[part].dtype.kind not in "iu" or arrays[part].ndim != 1:
            raise FileError(f"{path}: damaged (it has no positions of the {part} part); restore it from a copy")
    return {part: torch.from_numpy(arrays[part].astype(np.int64)) for part in PARTS}


def _cause(path: Path, error: DataError) -> str:
    return str(error).removeprefix(f"{path}: ")


def stratified(
    labels: Positions, pool: Positions, size: float, seed: int, purpose: str, groups: Positions
) -> tuple[Positions, Positions]:
    """Draw a part of the pool, every class by its share; returns (drawn, left). size: below 1 a share, else a count.

    A group counts for the class of its first image; where it is larger than what its class still lacks, it is left.
    """
    count = round(size * len(pool)) if size < 1 else _count(size, len(pool), purpose)
    classes, members = np.unique(labels[pool], return_inverse=True)
    sizes = np.bincount(members)
    exact = sizes * count / len(pool)
    quota = np.floor(exact).astype(np.int64)
    quota[np.lexsort((_turns(quota, seed, purpose), quota - exact))[: count - quota.sum()]] += 1
    _, first, group = np.unique(groups[pool], return_index=True, return_inverse=True)
    first, weight = np.sort(first), np.bincount(group)[group]
    drawn = np.zeros(weight.size, dtype=bool)  # by group
    for k in range(len(classes)):
        of_class = first[members[first] == k]
        of_class = of_class[generator(seed, "split", purpose, int(classes[k])).permutation(len(of_class))]
        drawn[group[of_class[_fitting(weight[of_class], int(quota[k]))]]] = True
    mask = drawn[group]
    return pool[mask], pool[~mask]


def _turns(quota: Positions, seed: int, purpose: str) -> Positions:
    """Return the order in which classes whose remainders are equal are served: drawn where one might get no image.

    Elsewhere the smaller class number comes first, as it always did: splits of such data stay the same.
    """
    if quota.all():
        return np.arange(len(quota))
    return generator(seed, "split", purpose, "turns").permutation(len(quota))


def _fitting(weights: Positions, quota: int) -> NDArray[np.bool_]:
    """Select the groups, taken in this order, that still fit into the quota. weights: images in each."""
    taken = np.zeros(len(weights), dtype=bool)
    for place, weight in enumerate(weights.tolist()):
        if weight <= quota:
            taken[place], quota = True, quota - weight
        if not quota:
            break
    return taken


def _count(size: float, available: int, purpose: str) -> int:
    if not 0 < size <= available or size != int(size):
        raise UsageError(
            f"{purpose} of {size:g} images: there are {available}; give a whole number up to that, or a share below 1"
        )
    return int(size)


def _ranges(pool: Positions, rows: str, validation_rows: str) -> tuple[Positions, Positions | None]:
    chosen = pool[_slice(rows, len(pool), "rows")] if rows else pool
    if not validation_rows:
        return chosen, None
    held = pool[_slice(validation_rows, len(pool), "validation-rows")]
    if not rows:
        return np.setdiff1d(pool, held), held
    shared = np.intersect1d(chosen, held)
    if len(shared):
        raise UsageError(
            f"rows {rows} and validation-rows {validation_rows} share {len(shared)} images: give disjoint ranges"
        )
    return chosen, held


def _slice(text: str, size: int, option: str) -> slice:
    first, colon, last = text.partition(":")
    if not colon or not all(end.isascii() and (end or "0").isdecimal() for end in (first, last)):
        raise UsageError(f"{option} {text!r}: expected two positions like 0:10000")
    start, stop = int(first or 0), int(last or size)
    if not 0 <= start < stop <= size:
        raise UsageError(f"{option} {text}: the training part has positions 0:{size}")
    return slice(start, stop)


def _complete(parts: dict[str, Positions], labels: Positions, names: tuple[str, ...]) -> None:
    for part, positions in parts.items():
        if not len(positions):
            raise DataError(
                f"the {part} part is empty: give more images (copies of one picture stay together), or a larger share"
            )
    missing = np.setdiff1d(np.arange(len(names)), labels[parts["train"]])
    if len(missing):
        raise DataError(f"class {names[missing[0]]!r} has no training image: add images of it, or leave the class out")
