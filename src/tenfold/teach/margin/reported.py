"""Reported numbers and statements about a maximum margin, each held against the solution, in the order of the report.

A number is exact, rounded or truncated; or it follows from a w or b that was printed before it, and otherwise than it
is; or the slip is here. A statement (who supports the margin, on which side a point lies, an equation) is right, or the
slip is here. The solution is that of the largest margin, or the line that the report was given, where it was given one.
"""

__all__ = ["judge_statements"]

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from tenfold.errors import UsageError, blamed
from tenfold.report.judge import EARLIER_SLIP, RIGHT, SLIP, Judgment, worst_rendering
from tenfold.report.printed import exactly, fidelity, quantum
from tenfold.teach.margin.exact import root
from tenfold.teach.margin.phrases import equated, hyperplane, listed, shown, vector
from tenfold.teach.margin.points import parse_places
from tenfold.teach.margin.problem import Hyperplane, Inseparable, Judged, Number, Points, Separated, dot
from tenfold.teach.margin.solving import solve
from tenfold.teach.margin.statements import Equation, Statement, constraint, read_equation, stated_equation

NAMED = 5  # points that a sentence names
_NAMES = {
    "norm": "‖w‖",
    "margin": "margin 1/‖w‖",
    "width": "width 2/‖w‖",
    "objective": "½‖w‖²",
    "value": "w·x + b",
    "support": "support vectors",
    "multipliers": "multipliers α",
}
Opinion = tuple[str, str, str]  # a verdict, what is right, and a sentence or ""


class _Claim(NamedTuple):
    """A statement beside the line that it is about. place: its point, or None; printed: the w and b above it.

    rows: a place for every statement above it, with the equation where that is one, and right; else None.
    """

    statement: Statement
    points: Points
    plane: Hyperplane
    place: Points | None
    solution: Separated | Inseparable
    printed: dict[str, tuple[Fraction, ...]]
    rows: Sequence[Equation | None]


def judge_statements(
    statements: Sequence[Statement], points: Points, solution: Separated | Inseparable, judged: Judged | None
) -> tuple[Judgment, ...]:
    """Return a judgment of each statement. judged: the line that the report was given, else None.

    Raises UsageError for a point of other dimensions, or one that must be one of the points and is not.
    """
    best, judgments = solution.plane if isinstance(solution, Separated) else None, []
    printed: dict[str, tuple[Fraction, ...]] = {}
    rows: list[Equation | None] = []
    for number, statement in enumerate(statements, 1):
        kind, texts = statement.kind, statement.printed
        with blamed(f"reported {number}, {kind}"):
            place = parse_places(statement.at, points.x.shape[1]) if statement.at else None
            if place and len(place.labels) > 1:
                raise UsageError(f"at {statement.at[:60]!r}: expected one point")
            line = judged.plane if judged else best
            plane = _without(points, place) if statement.alone and place else line
            opinion = SLIP, "none", "no line separates these classes, so there is none to report"
            if plane is not None:
                judge = _JUDGES.get(kind, _number)
                opinion = judge(_Claim(statement, points, plane, place, solution, printed, rows))
        plain = (kind, *opinion[::2]) == ("equation", RIGHT, "")
        rows.append(read_equation(texts[0]) if plain else None)
        if kind in ("w", "b"):
            printed[kind] = tuple(map(exactly, texts))
        about = _NAMES.get(kind, kind) + (f" at {place.labels[0]}" if place else "")
        text = f"({', '.join(texts)})" if kind in ("w", "multipliers") else ", ".join(texts)
        verdict, right, sentence = opinion
        judgments.append(Judgment(about, text, right, verdict, sentence, statement.note))
    return tuple(judgments)


def _without(points: Points, place: Points) -> Hyperplane | None:
    removed = points.positions(place.x[0])
    if not removed:
        raise UsageError(f"{place.labels[0]} is none of the points")
    others = points.only([k for k in range(len(points.x)) if k not in removed])
    if len(set(others.sign.tolist())) < 2:
        raise UsageError(f"without {place.labels[0]} a class has no point left: leave out alone = true")
    solution = solve(others)
    return solution.plane if isinstance(solution, Separated) else None


def _number(claim: _Claim) -> Opinion:
    """Judge a number by the line, else by the w and b that were printed before it."""
    kind, texts = claim.statement.kind, claim.statement.printed
    numbers = _numbers(kind, claim.plane, claim.place)
    verdict, right = worst_rendering(texts, numbers), vector(numbers) if kind == "w" else shown(numbers[0])
    w, (b,) = claim.printed.get("w", claim.plane.w), claim.printed.get("b", (claim.plane.b,))
    causes = [f"w printed as {vector(w)}"] * (w != claim.plane.w) + [f"b printed as {shown(b)}"] * (b != claim.plane.b)
    if verdict != SLIP or kind in ("w", "b") or not causes or len(w) != len(claim.plane.w):
        return verdict, right, ""
    if worst_rendering(texts, _numbers(kind, Hyperplane(w, b), claim.place)) == SLIP:
        return verdict, right, ""
    return EARLIER_SLIP, right, f"follows from {' and '.join(causes)}"


def _numbers(kind: str, plane: Hyperplane, place: Points | None) -> tuple[Number, ...]:
    """Return the number of a kind that a hyperplane has, or all those of w."""
    if kind == "w":
        return plane.w
    squared, value = dot(plane.w, plane.w), plane.value(place.numbers[0]) if place else 0.0
    norm = root(squared)
    margin = 1 / norm if norm else math.inf
    numbers = {"b": plane.b, "norm": norm, "margin": margin, "width": 2 * margin, "objective": squared / 2}
    return (numbers.get(kind, value),)


def _equation(claim: _Claim) -> Opinion:
    """Judge whether an equation is what its point says, and holds; without a point, whether it holds."""
    equation = read_equation(claim.statement.printed[0])
    numbers = {f"w{k}": number for k, number in enumerate(claim.plane.w, 1)} | {"b": claim.plane.b}
    if strange := [name for name in equation.factors if name not in numbers]:
        raise UsageError(f"it speaks of {strange[0]}, and w has {len(claim.plane.w)} numbers")
    left = dot(list(equation.factors.values()), [numbers[name] for name in equation.factors])
    holds = fidelity(str(equation.right), left) == "exact"
    label, meant = ("", None) if holds and not claim.place else _meant(claim, equation)
    same = meant is None or equation.normal() == meant.normal()
    if holds and same:
        return RIGHT, stated_equation(equation), ""
    if row := _subtracted(claim):
        return row
    right = equated("…", left) if meant is None else stated_equation(meant)
    sentence = f"at {hyperplane(claim.plane)} its left side is {shown(left)}"
    sentence += f", not {shown(equation.right)}" * (not holds) + f"; the point {label} says {right}" * (not same)
    return SLIP, right, sentence


def _subtracted(claim: _Claim) -> Opinion | None:
    """Judge an equation as a row of an elimination: its minus in front says that a row from above is subtracted.

    That row was printed before, it or a multiple, and so was the one just above, from which it is subtracted.
    """
    text, above = claim.statement.printed[0].strip(), claim.rows[-1] if claim.rows else None
    if above is None or text[0] not in "-−–":
        return None
    row = read_equation(text[1:])
    if row.normal() == above.normal() or row.normal() not in [other.normal() for other in claim.rows if other]:
        return None
    rest, said = stated_equation(above.less(row)), stated_equation(row)
    return RIGHT, said, f"its minus subtracts {said}, printed before, from {stated_equation(above)}: that leaves {rest}"


def _meant(claim: _Claim, equation: Equation) -> tuple[str, Equation | None]:
    """Return the point that an equation is about and what it says: the one at a place, else one with its numbers."""
    points, place, exact = claim.points, claim.place, claim.points.exact or ()
    places = points.positions(place.x[0]) if place else claim.plane.support
    for k in places if exact else ():
        said = constraint(exact[k], int(points.sign[k]))
        if place or said.sizes() == equation.sizes():
            return points.labels[k], said
    return "", None


def _support(claim: _Claim) -> Opinion:
    """Judge whether these are the points on the margin, all of them and no other."""
    text, points = claim.statement.printed[0], claim.points
    places = [tuple(x) for x in points.x.tolist()]
    names = dict(zip(reversed(places), reversed(points.labels), strict=True))
    on_margin = dict.fromkeys(places[k] for k in claim.plane.support)
    every = text.strip().lower() == "all"
    stated = names if every else dict.fromkeys(map(tuple, parse_places(text, points.x.shape[1]).x.tolist()), "")
    right = ", ".join(names[x] for x in on_margin) or "none"
    missing = [names[x] for x in on_margin if x not in stated]
    wrong = [names.get(x) or vector(x) for x in stated if x not in on_margin]
    if not missing and not wrong:
        count = f"all {len(names)} points" if len(on_margin) == len(names) else f"these {len(on_margin)} and no other"
        return RIGHT, right, f"{count} lie on the margin"
    cases = [(missing, "on the margin: left out")] * bool(missing) + [(wrong, "not on the margin")] * bool(wrong)
    parts = (f"{listed(who[:NAMED], len(who))} {'is' if len(who) == 1 else 'are'} {where}" for who, where in cases)
    return SLIP, right, "; ".join(parts)


def _side(claim: _Claim) -> Opinion:
    """Judge whether a point lies on the side of the class that was printed, by its name or its sign."""
    text, points = claim.statement.printed[0], claim.points
    assert claim.place is not None  # a sheet without it is refused
    value = claim.plane.value(claim.place.numbers[0])
    name = points.side(value) or "none: it lies on the line"
    on_margin = "exact" in (fidelity("1", value), fidelity("-1", value))
    sentence = equated("w·x + b", value) + ", on the margin" * on_margin
    if claim.statement.alone:
        sentence = f"the other points alone give {hyperplane(claim.plane)}: {sentence}"
    right = (points.side({"+": 1, "-": -1, "−": -1}.get(text, 0)) or text) == name
    return RIGHT if right else SLIP, name, sentence


def _multipliers(claim: _Claim) -> Opinion:
    """Judge multipliers as numbers; if they are not unique, as a proof: α ≥ 0, Σ α s = 0, Σ α s x = w."""
    texts, solution = claim.statement.printed, claim.solution
    if isinstance(solution, Inseparable):
        return SLIP, "none", "the classes are not separable"
    alpha = solution.alpha
    verdict, right = worst_rendering(texts, alpha), vector(alpha)
    if len(texts) != len(alpha):
        count = f"{len(texts)} numbers for {len(alpha)} points"
        return SLIP, right, f"{count}: all of them, 0 where there is none, are expected"
    if verdict == SLIP and not solution.unique and (proof := _proof(texts, claim.points, solution)):
        return proof, right, "not the only ones, and these prove the margin as well"
    return verdict, right, ""


def _proof(texts: Sequence[str], points: Points, solution: Separated) -> str:
    """Return how written multipliers prove the margin: "exact", "rounded" if it takes their last digits, else ""."""
    alpha, digits = [exactly(text) for text in texts], [quantum(text) for text in texts]
    if points.exact is None or solution.exact is None or min(alpha) < 0:
        return ""
    beta = [a * s for a, s in zip(alpha, points.sign.tolist(), strict=True)]
    rows = [[Fraction(1)] * len(beta), *map(list, zip(*points.exact, strict=True))]
    wanted = Fraction(), *solution.exact.w
    errors = [abs(Fraction(dot(beta, row)) - number) for row, number in zip(rows, wanted, strict=True)]
    room = [Fraction(dot(digits, list(map(abs, row)))) / 2 for row in rows]
    if not any(errors):
        return "exact"
    return "rounded" if all(error <= most for error, most in zip(errors, room, strict=True)) else ""


_JUDGES = {"equation": _equation, "support": _support, "class": _side, "multipliers": _multipliers}
