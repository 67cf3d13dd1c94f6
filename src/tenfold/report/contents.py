"""Contents of a data set: images of each class in each part, some of them, and their mean."""

__all__ = ["ClassContents", "Contents", "contents"]

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.report.pictures import Album, Picture
from tenfold.text import label

# Classes with pictures, pictures of a class, and images that its mean is taken of.
CLASSES, EXAMPLES, AVERAGED = 30, 10, 500
LINES = 200


class ClassContents(NamedTuple):
    """Images of one class. counts: images in each part; mean, examples: of some training images."""

    name: str
    counts: list[int]
    mean: Picture
    examples: list[Picture]


class Contents(NamedTuple):
    """Contents of a data set. parts: names; totals: their images; kinds: classes; more: classes not listed.

    pictured: the classes have a mean image and examples.
    """

    parts: list[str]
    totals: list[int]
    kinds: list[ClassContents]
    more: int
    pictured: bool


def contents(album: Album, split: Mapping[str, NDArray[np.int64]], images: Mapping[str, int]) -> Contents:
    """Count and show the images of each class. images: in each part, for when the data set is absent."""
    dataset = album.dataset
    if dataset is None:
        totals = dict(images)
        return Contents(list(totals), list(totals.values()), [], 0, False)
    labels, classes = dataset.labels.numpy(), len(dataset.class_names)
    parts = dict(split) or {"images": np.arange(len(labels))}
    counts = np.stack([np.bincount(labels[rows], minlength=classes) for rows in parts.values()])
    first = next(iter(parts.values()))
    pictured = album.open
    kinds = []
    for k in range(min(classes, LINES)):
        members = first[labels[first] == k] if pictured and k < CLASSES else first[:0]
        mean, examples = album.mean(_spread(members, AVERAGED)), [album.picture(p) for p in _spread(members, EXAMPLES)]
        kinds.append(ClassContents(label(dataset.class_names[k]), counts[:, k].tolist(), mean, examples))
    return Contents(list(parts), counts.sum(1).tolist(), kinds, max(0, classes - LINES), pictured)


def _spread(positions: NDArray[np.int64], most: int) -> list[int]:
    """Return at most `most` of the positions, evenly spread over them."""
    if len(positions) <= most:
        return [int(position) for position in positions]
    return [int(positions[k]) for k in np.linspace(0, len(positions) - 1, most).round().astype(int)]
