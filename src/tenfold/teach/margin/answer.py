"""The answer of `tenfold margin`: the largest margin, a given line, new points, reported numbers, images left out."""

__all__ = ["DEFAULT", "Margin", "Predicted", "Rest", "answer"]

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np

from tenfold.errors import UsageError, blamed
from tenfold.report.judge import Judgment
from tenfold.teach.margin.given import judge
from tenfold.teach.margin.points import parse_given
from tenfold.teach.margin.problem import Hyperplane, Inseparable, Judged, Number, Separated, Soft
from tenfold.teach.margin.reported import judge_statements
from tenfold.teach.margin.soft import soft_margin
from tenfold.teach.margin.solving import solve
from tenfold.teach.margin.sources import Material, new_places, pixels
from tenfold.teach.margin.statements import Sheet, read_sheet

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
    """The result of `margin`. solution: the largest margin with its proof, or the proof that there is none.

    given: a line that was judged beside it. soft: the soft margin that was asked for. verdicts: on reported numbers.
    seconds: that the solver took.
    """

    material: Material
    solution: Separated | Inseparable
    given: Judged | None
    soft: Soft | None
    predictions: tuple[Predicted, ...]
    rest: Rest | None
    verdicts: tuple[Judgment, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Return all of it in plain values; the solution's fractions as texts."""
        points, separable = self.material.points, isinstance(self.solution, Separated)
        solution = _json(self.solution, str)
        new = [{"point": new.label, "value": float(new.value), "class": new.kind or None} for new in self.predictions]
        return {
            "data": self.material.name,
            "notes": list(self.material.notes),
            "points": len(points.x),
            "dimensions": points.x.shape[1],
            "classes": {"+": points.names[0], "-": points.names[1]},
            "labels": list(points.labels),
            "separable": separable,
            **(solution if separable else {"certificate": solution}),
            "given": _json(self.given),
            "soft": _json(self.soft),
            "predictions": new,
            "rest": _json(self.rest),
            "reported": _json(self.verdicts),
            "seconds": self.seconds,
        }


def answer(
    material: Material, source: str, predict: str = "", given: str = "", soft: float | None = None, reported: str = ""
) -> Margin:
    """Solve for the largest margin and what else was asked; source: the data's name, which messages begin with.

    Raises UsageError or DataError in one plain line.
    """
    if soft is not None and not 1 / LARGEST <= soft <= LARGEST:
        raise UsageError(f"--soft {soft:g}: expected a price C between {1 / LARGEST:g} and {LARGEST:g}, such as 1")
    if material.dataset and (predict or given):
        word = "predict" if predict else "given"
        raise UsageError(f"--{word} is for points; {material.name} are images: leave it out")
    sheet = _sheet(reported, material) if reported else material.sheet
    points, width, source = material.points, material.points.x.shape[1], reported or source
    line, asked = given or (sheet.given if sheet else ""), predict or (sheet.predict if sheet else "")
    with blamed("--given" if given else source):
        plane = parse_given(line, width) if line else None
    with blamed("--predict" if predict else source):
        places = new_places(asked, width) if asked else None
    begun = time.perf_counter()
    solution = solve(points)
    seconds = time.perf_counter() - begun
    judged = judge(points, plane.w, plane.b, solution) if plane else None
    softened = soft_margin(points, soft) if soft else None
    with blamed(source):
        verdicts = judge_statements(sheet.statements, points, solution, judged) if sheet else ()
    best = solution if isinstance(solution, Separated) else softened
    new = zip(places.labels, map(best.plane.value, places.numbers), strict=True) if places and best else ()
    predictions = tuple(Predicted(label, value, points.side(value)) for label, value in new)
    rest = _rest(material, best.plane) if best else None
    return Margin(material, solution, judged, softened, predictions, rest, verdicts, seconds)


def _sheet(name: str, material: Material) -> Sheet:
    """Read the sheet of reported numbers; those about other points would be judged wrongly."""
    sheet = read_sheet(name)
    if sheet.points and (not material.sheet or material.sheet.points != sheet.points):
        raise UsageError(f"{name} is about points of its own: leave POINTS out, or take the points out of the file")
    return sheet


def _rest(material: Material, plane: Hyperplane) -> Rest | None:
    if not len(material.rest) or material.dataset is None:
        return None
    w, right = np.array(plane.w, dtype=np.float64), 0
    for start in range(0, len(material.rest), BLOCK):
        rows = slice(start, start + BLOCK)
        values = pixels(material.dataset, material.rest[rows]) @ w + float(plane.b)
        right += int((np.sign(values) == material.rest_sign[rows]).sum())
    return Rest(len(material.rest), right, "test" if "test" in material.dataset.parts else "rest")


def _json(value: Any, fraction: type[float] | type[str] = float) -> Any:
    """Return nouns as mappings and fractions as asked; what is not finite as None, for JSON has no word for it."""
    fields = value._asdict() if hasattr(value, "_asdict") else value
    if isinstance(fields, Mapping):
        return {str(key): _json(part, fraction) for key, part in fields.items()}
    if isinstance(value, np.ndarray | tuple):
        return [_json(part, fraction) for part in value]
    if isinstance(value, Fraction):
        return fraction(value)
    if value is None or isinstance(value, bool | int | str):
        return value
    return float(value) if math.isfinite(value) else None
