"""A margin found, with what else was asked: a given line, new points, reported numbers, the images that are left."""

__all__ = ["DEFAULT", "Margin", "Predicted", "Rest", "find"]

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from tenfold.errors import UsageError
from tenfold.teach.margin.given import judge
from tenfold.teach.margin.material import ENDINGS, Material, blamed, pixels
from tenfold.teach.margin.points import Places, parse_given, parse_places, read_places
from tenfold.teach.margin.reported import judge_statements
from tenfold.teach.margin.rows import SHOWN, there
from tenfold.teach.margin.soft import soft_margin
from tenfold.teach.margin.solving import solve
from tenfold.teach.margin.statements import Sheet, read_sheet
from tenfold.teach.margin.telling import given_plain, soft_plain, solution_plain
from tenfold.teach.margin.types import Inseparable, Judged, Number, Points, Separated, Soft
from tenfold.teach.margin.verdicts import Line, Verdict, line_of, value_at

LARGEST = 1e15
BLOCK = 1000  # images that are classified at once
DEFAULT = "maximum-margin-solved"


class Predicted(NamedTuple):
    """A new point: its value w·x + b, and its class, "" on the line itself."""

    label: str
    value: Number
    kind: str


class Rest(NamedTuple):
    """Images that the margin was not made of: how many of them lie on the right side."""

    n: int
    right: int
    part: str


@dataclass(frozen=True)
class Margin:
    """What `margin` found. solution: the largest margin with its proof, or the proof that there is none.

    given: a line that was judged beside it. soft: the soft margin that was asked for. verdicts: on reported numbers.
    seconds: that the solver took.
    """

    material: Material
    solution: Separated | Inseparable
    given: Judged | None
    soft: Soft | None
    predictions: tuple[Predicted, ...]
    rest: Rest | None
    verdicts: tuple[Verdict, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """All of it in plain values; fractions as texts."""
        points, own = self.material.points, self.material
        return {
            "data": own.name,
            "notes": list(own.notes),
            "points": len(points.x),
            "dimensions": points.x.shape[1],
            "classes": {"+": points.names[0], "-": points.names[1]},
            "labels": list(points.labels),
            **solution_plain(self.solution),
            "given": given_plain(self.given) if self.given else None,
            "soft": soft_plain(self.soft) if self.soft else None,
            "predictions": [
                {"point": one.label, "value": float(one.value), "class": one.kind or None} for one in self.predictions
            ],
            "rest": self.rest._asdict() if self.rest else None,
            "reported": [verdict._asdict() for verdict in self.verdicts],
            "seconds": self.seconds,
        }


def find(
    own: Material, source: str, predict: str = "", given: str = "", soft: float | None = None, reported: str = ""
) -> Margin:
    """The largest margin between two classes, and the rest; source: what was asked for, which messages begin with.

    Raises UsageError or DataError in one plain line.
    """
    if soft is not None and not 1 / LARGEST <= soft <= LARGEST:
        raise UsageError(f"--soft {soft:g}: expected a price C between {1 / LARGEST:g} and {LARGEST:g}, such as 1")
    if own.dataset and (predict or given):
        raise UsageError(f"--{'predict' if predict else 'given'} is for points; {own.name} are images: leave it out")
    sheet = _sheet(reported, own) if reported else own.sheet
    points, width, source = own.points, own.points.x.shape[1], reported or source
    told, asked = given or (sheet.given if sheet else ""), predict or (sheet.predict if sheet else "")
    with blamed("--given" if given else source):
        line = parse_given(told, width) if told else None
    with blamed("--predict" if predict else source):
        places = _places(asked, width) if asked else None
    begun = time.perf_counter()
    solution = solve(points)
    seconds = time.perf_counter() - begun
    judged = judge(points, line.w, line.b, solution) if line else None
    softened = soft_margin(points, soft) if soft else None
    with blamed(source):
        verdicts = judge_statements(sheet.statements, points, solution, judged) if sheet else ()
    cut = _cut(solution, softened)
    predictions = tuple(_predicted(places, k, cut, points) for k in range(len(places.labels))) if places and cut else ()
    rest = _rest(own, cut) if own.dataset and cut else None
    return Margin(own, solution, judged, softened, predictions, rest, verdicts, seconds)


def _sheet(name: str, own: Material) -> Sheet:
    """The sheet of reported numbers; those about other points would be judged wrongly."""
    sheet = read_sheet(name)
    if sheet.points and (not own.sheet or own.sheet.points != sheet.points):
        raise UsageError(f"{name} is about points of its own: leave POINTS out, or take the points out of the file")
    return sheet


def _places(text: str, dimensions: int) -> Places:
    path, kind = there(text)
    if kind == "file":
        return read_places(path, dimensions)
    if kind == "folder":
        raise UsageError(f"{text[:60]} is a folder; expected points such as 0,0 3,3, or a CSV of them")
    if path.suffix.lower() in ENDINGS:
        raise UsageError(f"{text[:SHOWN]}: no such file")
    return parse_places(text, dimensions)


def _cut(solution: Separated | Inseparable, soft: Soft | None) -> Line | None:
    """The line that classifies: of the largest margin, else of the soft one."""
    line = solution if isinstance(solution, Separated) else soft
    return line_of(line) if line else None


def _predicted(places: Places, k: int, line: Line, points: Points) -> Predicted:
    exact = (places.exact[k],) if places.exact else None
    value = value_at(line, Places(places.x[k : k + 1], exact, places.labels[k : k + 1]))
    return Predicted(places.labels[k], value, points.names[0 if value > 0 else 1] if value else "")


def _rest(own: Material, line: Line) -> Rest | None:
    if not len(own.rest) or own.dataset is None:
        return None
    w, right = np.array(line.w, dtype=np.float64), 0
    for start in range(0, len(own.rest), BLOCK):
        rows = slice(start, start + BLOCK)
        values = pixels(own.dataset, own.rest[rows]) @ w + float(line.b)
        right += int((np.sign(values) == own.rest_sign[rows]).sum())
    return Rest(len(own.rest), right, "test" if "test" in own.dataset.parts else "rest")
