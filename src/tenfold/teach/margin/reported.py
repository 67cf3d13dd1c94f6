"""Reported numbers and statements about a maximum margin, each held against the solution, in the order of the report.

A number is exact, rounded or truncated; or it follows from a w or b that was printed before it, and otherwise than it
is; or the slip is here. A statement (who supports the margin, on which side a point lies, an equation) is right, or the
slip is here. The solution is that of the largest margin, or the line that the report was given, where it was given one.
"""

__all__ = ["judge_statements"]

import math
from collections.abc import Sequence
from fractions import Fraction

from tenfold.errors import UsageError
from tenfold.teach.judge import EARLIER_SLIP, SLIP, Judgment, worst_rendering
from tenfold.teach.margin.claims import judge_equation, judge_multipliers, judge_side, judge_support
from tenfold.teach.margin.phrases import shown, vector
from tenfold.teach.margin.points import Places, parse_places
from tenfold.teach.margin.problem import Hyperplane, Inseparable, Judged, Number, Points, Separated, dot, root
from tenfold.teach.margin.solving import solve
from tenfold.teach.margin.statements import Statement
from tenfold.teach.printed import exactly

_NAMES = {
    "norm": "‖w‖",
    "margin": "margin 1/‖w‖",
    "width": "width 2/‖w‖",
    "objective": "½‖w‖²",
    "value": "w·x + b",
    "support": "support vectors",
    "multipliers": "multipliers α",
}
Printed = dict[str, tuple[Fraction, ...]]


def judge_statements(
    statements: Sequence[Statement], points: Points, solution: Separated | Inseparable, judged: Judged | None
) -> tuple[Judgment, ...]:
    """Return a judgment of each statement. judged: the line that the report was given, else None.

    Raises UsageError for a point of other dimensions, or one that must be one of the points and is not.
    """
    plane = judged.plane if judged else _plane(solution)
    judgments = []
    printed: Printed = {}
    for number, statement in enumerate(statements, 1):
        try:
            judgment = _judgment(statement, points, plane, solution, printed)
        except UsageError as error:
            raise UsageError(f"reported {number}, {statement.kind}: {error}") from None
        judgments.append(judgment._replace(note=statement.note))
        if statement.kind in ("w", "b"):
            printed[statement.kind] = tuple(map(exactly, statement.printed))
    return tuple(judgments)


def _plane(solution: Separated | Inseparable) -> Hyperplane | None:
    return None if isinstance(solution, Inseparable) else solution.plane


def _judgment(
    statement: Statement,
    points: Points,
    plane: Hyperplane | None,
    solution: Separated | Inseparable,
    printed: Printed,
) -> Judgment:
    kind, place = statement.kind, _place(statement.at, points) if statement.at else None
    if statement.alone and place:
        plane = _without(points, place)
    text = ", ".join(statement.printed)
    about = _NAMES.get(kind, kind) + (f" at {place.labels[0]}" if place else "")
    judgment = Judgment(about, f"({text})" if kind in ("w", "multipliers") else text, "none", SLIP)
    if plane is None:
        return judgment._replace(sentence="no line separates these classes, so there is none to report")
    if kind == "equation":
        return judge_equation(judgment, points, plane, place)
    if kind == "support":
        return judge_support(judgment, points, plane)
    if kind == "multipliers":
        return judge_multipliers(judgment, statement.printed, points, solution)
    if kind == "class" and place:
        return judge_side(judgment, points, plane, place, statement.alone)
    numbers = _numbers(kind, plane, place)
    right = vector(numbers) if kind == "w" else shown(numbers[0])
    judgment = judgment._replace(right=right, verdict=worst_rendering(statement.printed, numbers))
    if judgment.verdict != SLIP or kind in ("w", "b"):
        return judgment
    return _followed(judgment, statement, plane, place, printed)


def _numbers(kind: str, plane: Hyperplane, place: Places | None) -> tuple[Number, ...]:
    """Return the number of a kind that a hyperplane has, or all those of w."""
    if kind in ("w", "b"):
        return plane.w if kind == "w" else (plane.b,)
    if kind == "value" and place:
        return (plane.value(place.numbers[0]),)
    squared = dot(plane.w, plane.w)
    norm = root(squared)
    if kind in ("norm", "objective"):
        return (norm if kind == "norm" else squared / 2,)
    return ((2 if kind == "width" else 1) / norm if norm else math.inf,)


def _followed(
    judgment: Judgment, statement: Statement, plane: Hyperplane, place: Places | None, printed: Printed
) -> Judgment:
    """Judge whether it is right for the w and b that were printed before it."""
    w, (b,) = printed.get("w", plane.w), printed.get("b", (plane.b,))
    if len(w) != len(plane.w):
        return judgment
    causes = [f"w printed as {vector(w)}"] * (w != plane.w) + [f"b printed as {shown(b)}"] * (b != plane.b)
    if not causes or worst_rendering(statement.printed, _numbers(statement.kind, Hyperplane(w, b), place)) == SLIP:
        return judgment
    return judgment._replace(verdict=EARLIER_SLIP, sentence=f"follows from {' and '.join(causes)}")


def _place(text: str, points: Points) -> Places:
    places = parse_places(text, points.x.shape[1])
    if len(places.labels) > 1:
        raise UsageError(f"at {text[:60]!r}: expected one point")
    return places


def _without(points: Points, place: Places) -> Hyperplane | None:
    """Return the line of the other points alone."""
    removed = points.positions(place.x[0])
    if not removed:
        raise UsageError(f"{place.labels[0]} is none of the points")
    others = points.only([k for k in range(len(points.x)) if k not in removed])
    if len(set(others.sign.tolist())) < 2:
        raise UsageError(f"without {place.labels[0]} a class has no point left: leave out alone = true")
    return _plane(solve(others))
