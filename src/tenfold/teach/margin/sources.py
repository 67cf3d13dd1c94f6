"""Data that the POINTS of `tenfold margin` name: points as typed, a CSV, a sheet with points, or images of two classes.

Of images, a pixel is a coordinate, on the unit interval; the first images of each class are taken, half of them each,
or more of the one where the other has fewer; from the training part where there is one.
"""

__all__ = ["LIMIT", "Material", "material", "new_places", "pixels"]

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tenfold.errors import UsageError, blamed, nearest
from tenfold.rooms import names as words_of
from tenfold.teach.margin.points import POINTS_CAP, choose_classes, parse_places, parse_points, places_of, points_of
from tenfold.teach.margin.problem import Floats, Points, Positions, Signs
from tenfold.teach.margin.rows import SHOWN, read_rows, there
from tenfold.teach.margin.statements import Sheet, read_sheet, shipped

if TYPE_CHECKING:  # who has points needs no images, and so does not wait for PyTorch
    from tenfold.data.types import Dataset

LIMIT = 800
NUMBERS_CAP = 50_000_000  # of points × coordinates: 400 MB, and the solver takes as much again
ENDINGS = (".csv", ".tsv", ".txt", ".data")
USER_ENTRIES = ("arrays", "folder")  # of the data sets: they read the user's own


class Material(NamedTuple):
    """name: of the data; notes: what was taken. sheet: the file of reported numbers that the points are from, or None.

    dataset: that images are from, or None; rest, rest_sign: positions and classes of those that were not taken (the
    test part where there is one), empty for points.
    """

    name: str
    points: Points
    notes: tuple[str, ...] = ()
    sheet: Sheet | None = None
    dataset: "Dataset | None" = None
    rest: Positions = np.zeros(0, dtype=np.int64)
    rest_sign: Signs = np.zeros(0, dtype=np.int8)


def material(
    data: str, classes: Sequence[str], limit: int | None, size: int, load: "Callable[[], Dataset]"
) -> Material:
    """Read the points that `data` names. classes: two names, that of + first, or () where there are but two.

    limit: how many images, 0 for all of them, None for LIMIT. size: in pixels, of images alone. load: reads the images.
    Raises UsageError, or DataError for unusable data.
    """
    if len(classes) not in (0, 2) or len(set(classes)) < len(classes):
        given = ",".join(name[:SHOWN] for name in classes[:3])
        raise UsageError(f"--classes {given}: expected two classes, that of + first, such as 0,1")
    sets = [word for word in words_of("datasets") if word not in USER_ENTRIES]
    path, kind = there(data)
    ending = path.suffix.lower()
    if data in sets or kind == "folder" or ending == ".npz":
        return _images(load(), classes, LIMIT if limit is None else limit)
    if data in shipped() or ending == ".toml":
        sheet = read_sheet(data)
        if not sheet.points:
            raise UsageError(f'{data}: has no points; add points = "1,0:+ 1,1:-", or give them and --reported {data}')
        with blamed(data):
            made = Material(sheet.title or sheet.name, parse_points(sheet.points, classes), sheet.notes, sheet)
    elif kind == "file":
        table = read_rows(path, classed=True)
        made = Material(path.name, points_of(table, classes), table.notes)
    elif ending in ENDINGS:
        raise UsageError(f"{data[:60]}: no such file; expected a CSV with the class in its last column")
    elif ":" in data:
        made = Material("points as typed", parse_points(data, classes))
    else:
        close = nearest(data[:60], (*sets, *shipped()))
        raise UsageError(f'{data[:60]!r} is no file, no points such as "1,0:+ 1,1:-" and no data set; {close}')
    if limit is not None or size:
        word = "size" if limit is None else "limit"
        raise UsageError(f"--{word} is for images; {data[:60]!r} are points: leave it out")
    return made


def new_places(text: str, dimensions: int) -> Points:
    """Read new points, as typed or from a CSV. Raises UsageError, or DataError for an unusable file."""
    path, kind = there(text)
    if kind == "file":
        return places_of(read_rows(path, classed=False), dimensions)
    if kind == "folder":
        raise UsageError(f"{text[:60]} is a folder; expected points such as 0,0 3,3, or a CSV of them")
    if path.suffix.lower() in ENDINGS:
        raise UsageError(f"{text[:SHOWN]}: no such file")
    return parse_places(text, dimensions)


def pixels(dataset: "Dataset", rows: Positions) -> Floats:
    """Return images as points (n, D), on the unit interval."""
    taken = dataset.images[rows].double().flatten(1).numpy()
    return np.ascontiguousarray(taken * dataset.scale)


def _images(dataset: "Dataset", classes: Sequence[str], limit: int) -> Material:
    names = choose_classes(dataset.class_names, classes, dataset.name, UsageError)
    pair, labels = [dataset.class_names.index(name) for name in names], dataset.labels.numpy()
    part = "train" if dataset.parts else ""
    pool = dataset.parts[part].numpy() if part else np.arange(len(labels))
    rows = [pool[labels[pool] == label] for label in pair]
    total = len(rows[0]) + len(rows[1])
    counts = _shares(limit or total, [len(places) for places in rows])
    taken = np.concatenate([places[:count] for places, count in zip(rows, counts, strict=True)])
    width = int(dataset.images[0].numel())
    if len(taken) > POINTS_CAP or len(taken) * width > NUMBERS_CAP:
        most = min(POINTS_CAP, NUMBERS_CAP // width)
        raise UsageError(f"{len(taken):,} images of {width:,} pixels are too many: give --limit {most} or less")
    sign = np.repeat(np.array([1, -1], dtype=np.int8), counts)
    points = Points(pixels(dataset, taken), sign, names, None, tuple(f"image {row}" for row in taken.tolist()))
    other = dataset.parts["test"].numpy() if "test" in dataset.parts else np.setdiff1d(pool, taken)
    rest = other[np.isin(labels[other], pair)]
    rest_sign = np.where(labels[rest] == pair[0], 1, -1).astype(np.int8)
    images = f"{'training ' * bool(part)}images of these classes"
    note = f"{len(taken):,} of {total:,} {images}: the first {counts[0]:,} and {counts[1]:,} (--limit 0 takes all)"
    notes = (*dataset.notes, note if len(taken) < total else f"all {images}")
    return Material(dataset.name, points, notes, None, dataset, rest, rest_sign)


def _shares(limit: int, available: Sequence[int]) -> tuple[int, int]:
    """Share out images: half for each class, and for the other what one has too few of."""
    if limit < 2:
        raise UsageError(f"--limit {limit}: expected at least 2 images, one of each class, or 0 for all")
    first = min(max(limit - limit // 2, limit - available[1]), available[0])
    return first, min(limit - first, available[1])
