"""What the POINTS of `tenfold margin` name where they are no images: points as typed, a CSV, or a sheet with points."""

__all__ = ["ENDINGS", "Material", "blamed", "pixels", "point_material"]

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import UsageError
from tenfold.rooms import names
from tenfold.teach.margin.points import parse_points, read_points
from tenfold.teach.margin.rows import SHOWN, there
from tenfold.teach.margin.statements import Sheet, read_sheet, shipped
from tenfold.teach.margin.types import Points

if TYPE_CHECKING:  # who has points needs no images, and so does not wait for PyTorch
    from tenfold.data.types import Dataset

ENDINGS = (".csv", ".tsv", ".txt", ".data")
Positions = NDArray[np.int64]


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
    rest_sign: NDArray[np.int8] = np.zeros(0, dtype=np.int8)


def point_material(data: str, classes: Sequence[str]) -> Material | None:
    """The points that `data` names, None where it can only mean images: a data set's word, a folder, or neither.

    classes: two names, that of + first, or () where there are but two. Raises UsageError, DataError for unusable data.
    """
    if len(classes) not in (0, 2) or len(set(classes)) < len(classes):
        told = ",".join(name[:SHOWN] for name in classes[:3])
        raise UsageError(f"--classes {told}: expected two classes, that of + first, such as 0,1")
    path, kind = there(data)
    ending = path.suffix.lower()
    if data in names("datasets") or kind == "folder" or ending == ".npz":
        return None
    if data in shipped() or ending == ".toml":
        return _of_sheet(data, classes)
    if kind == "file":
        points, notes = read_points(path, classes)
        return Material(path.name, points, notes)
    if ending in ENDINGS:
        raise UsageError(f"{data[:60]}: no such file; expected a CSV with the class in its last column")
    return Material("points as typed", parse_points(data, classes)) if ":" in data else None


def pixels(dataset: "Dataset", rows: Positions) -> NDArray[np.float64]:
    """Images as points (n, D), on the unit interval."""
    taken = dataset.images[rows].double().flatten(1).numpy()
    return np.ascontiguousarray(taken * dataset.scale)


@contextmanager
def blamed(source: str) -> Iterator[None]:
    """A UsageError inside the block begins with the file or option that it is about."""
    try:
        yield
    except UsageError as error:
        raise UsageError(f"{source[:200]}: {error}") from None


def _of_sheet(name: str, classes: Sequence[str]) -> Material:
    sheet = read_sheet(name)
    if not sheet.points:
        raise UsageError(f'{name}: has no points; add points = "1,0:+ 1,1:-", or give them and --reported {name}')
    with blamed(name):
        return Material(sheet.title or sheet.name, parse_points(sheet.points, classes), sheet.notes, sheet)
