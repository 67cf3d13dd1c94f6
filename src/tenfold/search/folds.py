"""Folds for cross-validation: stratified, seeded, duplicates together (Stone 1974; Kohavi 1995 for stratification)."""

__all__ = ["folds"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import UsageError
from tenfold.seeds import generator

Positions = NDArray[np.int64]


def folds(
    labels: Positions, pool: Positions, count: int, seed: int, groups: Positions, class_names: Sequence[str]
) -> list[Positions]:
    """Return positions held out in each of `count` folds: disjoint, together the pool, each in the pool's order.

    labels, groups: (N,) of all images; pool: positions of the training and validation images. Train a fold on
    `np.setdiff1d(pool, held)`. Without duplicates every class, and a fold as a whole, is within one image of even. A
    group goes, whole, to the fold that has the fewest images of its first image's class; large groups go first.
    Raises UsageError for fewer than two folds, or more than the smallest class has images (or groups of duplicates).
    """
    _, first, group = np.unique(groups[pool], return_index=True, return_inverse=True)
    sizes, classes = np.bincount(group), labels[pool][first]
    _enough(labels[pool], classes, count, class_names)
    fold_of = np.zeros(len(first), dtype=np.int64)
    totals = np.zeros(count, dtype=np.int64)
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        members = members[generator(seed, "folds", int(label)).permutation(len(members))]
        members = members[np.argsort(-sizes[members], kind="stable")]
        fold_of[members] = _dealt(sizes[members], totals)
    return [pool[fold_of[group] == fold] for fold in range(count)]


def _dealt(sizes: Positions, totals: Positions) -> Positions:
    """Deal a fold to each group: with the fewest images of this class, then in all; add to totals (count,) in place."""
    held, all_held = [0] * len(totals), totals.tolist()
    chosen = np.empty(len(sizes), dtype=np.int64)
    for place, size in enumerate(sizes.tolist()):
        fold = min(range(len(held)), key=lambda k: (held[k], all_held[k]))
        chosen[place] = fold
        held[fold] += size
        all_held[fold] += size
    totals[:] = all_held
    return chosen


def _enough(labels: Positions, classes: Positions, count: int, class_names: Sequence[str]) -> None:
    """Check that every fold is able to hold an image of every class. classes: of each group."""
    if count < 2:
        raise UsageError(f"--folds {count}: give 2 or more, or leave it out for one validation part")
    parts = np.bincount(classes, minlength=len(class_names))
    there = np.bincount(labels, minlength=len(class_names))
    label = int(np.argmin(np.where(there > 0, parts, parts.max() + 1)))
    if parts[label] < count:
        lacking = f"{there[label]} image{'s' * int(there[label] != 1)}"
        if there[label] > parts[label]:
            lacking += f" in {parts[label]} group{'s' * int(parts[label] != 1)} of duplicates"
        most = f"at most {parts[label]} folds" if parts[label] > 1 else "more images of it"
        raise UsageError(f"--folds {count}: the smallest class, {class_names[label]!r}, has {lacking}; give {most}")
