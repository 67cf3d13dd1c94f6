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
from tenfold.teach.margin.claims import equation_verdict, multiplier_verdict, side_verdict, support_verdict
from tenfold.teach.margin.points import Places, parse_places
from tenfold.teach.margin.solving import solve
from tenfold.teach.margin.statements import Statement
from tenfold.teach.margin.types import Inseparable, Judged, Number, Points, Separated
from tenfold.teach.margin.verdicts import FOLLOWS, SLIP, Line, Verdict, dot, follows, line_of, root, value_at
from tenfold.teach.margin.wording import told, vector
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
) -> tuple[Verdict, ...]:
    """A verdict on each statement. judged: the line that the report was given, else None.

    Raises UsageError for a point of other dimensions, or one that must be one of the points and is not.
    """
    line, verdicts = _line(solution, judged), []
    printed: Printed = {}
    for number, statement in enumerate(statements, 1):
        try:
            verdict = _judged(statement, points, line, solution, printed)
        except UsageError as error:
            raise UsageError(f"reported {number}, {statement.kind}: {error}") from None
        verdicts.append(verdict._replace(note=statement.note))
        if statement.kind in ("w", "b"):
            printed[statement.kind] = tuple(map(exactly, statement.printed))
    return tuple(verdicts)


def _line(solution: Separated | Inseparable, judged: Judged | None) -> Line | None:
    if judged:
        return Line(judged.w, judged.b, judged.on_margin)
    return None if isinstance(solution, Inseparable) else line_of(solution)


def _judged(
    statement: Statement,
    points: Points,
    line: Line | None,
    solution: Separated | Inseparable,
    printed: Printed,
) -> Verdict:
    kind, place = statement.kind, _one(statement.at, points) if statement.at else None
    if statement.alone and place:
        line = _without(points, place)
    text = ", ".join(statement.printed)
    about = _NAMES.get(kind, kind) + (f" at {place.labels[0]}" if place else "")
    verdict = Verdict(about, f"({text})" if kind in ("w", "multipliers") else text, "none", SLIP)
    if line is None:
        return verdict._replace(sentence="no line separates these classes, so there is none to report")
    if kind == "equation":
        return equation_verdict(verdict, points, line, place)
    if kind == "support":
        return support_verdict(verdict, points, line)
    if kind == "multipliers":
        return multiplier_verdict(verdict, statement.printed, points, solution)
    if kind == "class" and place:
        return side_verdict(verdict, points, line, place, statement.alone)
    return _number_verdict(verdict, statement, line, place, printed)


def _number_verdict(
    verdict: Verdict, statement: Statement, line: Line, place: Places | None, printed: Printed
) -> Verdict:
    if statement.kind == "w":
        return verdict._replace(right=vector(line.w), verdict=follows(statement.printed, line.w))
    number = _number(statement.kind, line, place)
    verdict = verdict._replace(right=told(number), verdict=follows(statement.printed, (number,)))
    if verdict.verdict != SLIP or statement.kind == "b":
        return verdict
    return _followed(verdict, statement, line, place, printed)


def _number(kind: str, line: Line, place: Places | None) -> Number:
    if kind == "value" and place:
        return value_at(line, place)
    squared = dot(line.w, line.w)
    norm = root(squared)
    own = {"b": line.b, "norm": norm, "objective": squared / 2}
    return own[kind] if kind in own else (2 if kind == "width" else 1) / norm if norm else math.inf


def _followed(verdict: Verdict, statement: Statement, line: Line, place: Places | None, printed: Printed) -> Verdict:
    """Whether it is right for the w and b that were printed before it."""
    w, (b,) = printed.get("w", line.w), printed.get("b", (line.b,))
    if len(w) != len(line.w):
        return verdict
    if follows(statement.printed, (_number(statement.kind, Line(w, b, ()), place),)) == SLIP:
        return verdict
    causes = [f"w printed as {vector(w)}"] * (w != line.w) + [f"b printed as {told(b)}"] * (b != line.b)
    return verdict._replace(verdict=FOLLOWS, sentence=f"follows from {' and '.join(causes)}") if causes else verdict


def _one(text: str, points: Points) -> Places:
    places = parse_places(text, points.x.shape[1])
    if len(places.labels) > 1:
        raise UsageError(f"at {text[:60]!r}: expected one point")
    return places


def _without(points: Points, place: Places) -> Line | None:
    """The line of the other points alone."""
    same = (points.x == place.x[0]).all(1)
    kept = [int(k) for k in (~same).nonzero()[0]]
    if len(kept) == len(points.x):
        raise UsageError(f"{place.labels[0]} is none of the points")
    if len(set(points.sign[kept].tolist())) < 2:
        raise UsageError(f"without {place.labels[0]} a class has no point left: leave out alone = true")
    exact = tuple(points.exact[k] for k in kept) if points.exact else None
    labels = tuple(points.labels[k] for k in kept)
    return _line(solve(Points(points.x[kept], points.sign[kept], points.names, exact, labels)), None)
