"""What the POINTS of `tenfold margin` name: points, or images of two classes, of a data set or the user's own.

Of images, a pixel is a coordinate, on the unit interval; the first images of each class are taken, half of them each,
or more of the one where the other has fewer; from the training part where there is one.
"""

__all__ = ["LIMIT", "material"]

from collections.abc import Sequence

import numpy as np

from tenfold.data.load import load, named
from tenfold.data.types import Dataset
from tenfold.errors import UsageError, nearest
from tenfold.teach.margin.material import Material, pixels, point_material
from tenfold.teach.margin.points import POINTS_CAP
from tenfold.teach.margin.rows import SHOWN, there
from tenfold.teach.margin.statements import shipped
from tenfold.teach.margin.types import Points

LIMIT = 800
NUMBERS_CAP = 50_000_000  # of points × coordinates: 400 MB, and the solver takes as much again


def material(data: str, classes: Sequence[str], limit: int | None, data_dir: str, size: int) -> Material:
    """The points that `data` names. classes: two names, that of + first, or () where there are but two.

    limit: how many images, 0 for all of them, None for LIMIT. Raises UsageError, or DataError for unusable data.
    """
    own = point_material(data, classes)
    if own and (limit is not None or size):
        word = "size" if limit is None else "limit"
        raise UsageError(f"--{word} is for images; {data[:60]!r} are points: leave it out")
    if own:
        return own
    path, kind = there(data)
    if data in named() or kind == "folder" or path.suffix.lower() == ".npz":
        return _images(load(data, data_dir=data_dir, size=size), classes, LIMIT if limit is None else limit)
    known = nearest(data[:60], (*named(), *shipped()))
    raise UsageError(f'{data[:60]!r} is no file, no points such as "1,0:+ 1,1:-" and no data set; {known}')


def _images(dataset: Dataset, classes: Sequence[str], limit: int) -> Material:
    pair = _pair(dataset, classes)
    labels = dataset.labels.numpy()
    part = "train" if dataset.parts else ""
    pool = dataset.parts[part].numpy() if part else np.arange(len(labels))
    own = [pool[labels[pool] == label] for label in pair]
    counts = _shares(limit or sum(map(len, own)), [len(rows) for rows in own])
    taken = np.concatenate([rows[:count] for rows, count in zip(own, counts, strict=True)])
    width = int(dataset.images[0].numel())
    if len(taken) > POINTS_CAP or len(taken) * width > NUMBERS_CAP:
        most = min(POINTS_CAP, NUMBERS_CAP // width)
        raise UsageError(f"{len(taken):,} images of {width:,} pixels are too many: give --limit {most} or less")
    sign = np.repeat(np.array([1, -1], dtype=np.int8), counts)
    names = (dataset.class_names[pair[0]], dataset.class_names[pair[1]])
    points = Points(pixels(dataset, taken), sign, names, None, tuple(f"image {row}" for row in taken.tolist()))
    other = dataset.parts["test"].numpy() if "test" in dataset.parts else np.setdiff1d(pool, taken)
    rest = other[np.isin(labels[other], pair)]
    rest_sign = np.where(labels[rest] == pair[0], 1, -1).astype(np.int8)
    whole = f"{'training ' * bool(part)}images of these classes"
    note = f"{len(taken):,} of {sum(map(len, own)):,} {whole}: the first {counts[0]:,} and {counts[1]:,}"
    notes = (*dataset.notes, f"{note} (--limit 0 takes all)" if len(taken) < sum(map(len, own)) else f"all {whole}")
    return Material(dataset.name, points, notes, None, dataset, rest, rest_sign)


def _pair(dataset: Dataset, classes: Sequence[str]) -> tuple[int, int]:
    """Labels of the two classes."""
    names = dataset.class_names
    for name in classes:
        if name not in names:
            raise UsageError(f"--classes: {dataset.name} has no class {name[:SHOWN]!r}: {nearest(name[:SHOWN], names)}")
    if not classes and len(names) > 2:
        few = ", ".join(names[:10]) + ", …" * (len(names) > 10)
        pair = f"--classes {names[0]},{names[1]}"
        raise UsageError(f"{dataset.name} has {len(names)} classes ({few}); choose two of them: {pair}")
    first, second = classes or names
    return names.index(first), names.index(second)


def _shares(limit: int, available: Sequence[int]) -> tuple[int, int]:
    """Half each, and of the other what one has too few of."""
    if limit < 2:
        raise UsageError(f"--limit {limit}: expected at least 2 images, one of each class, or 0 for all")
    first = min(max(limit - limit // 2, limit - available[1]), available[0])
    return first, min(limit - first, available[1])
