"""Judges of statements about a margin that are right or not: equations, sides, support vectors, multipliers."""

__all__ = ["judge_equation", "judge_multipliers", "judge_side", "judge_support"]

import operator
from collections.abc import Sequence
from fractions import Fraction

from tenfold.errors import UsageError
from tenfold.teach.judge import RIGHT, SLIP, Judgment, worst_rendering
from tenfold.teach.margin.equations import Equation, constraint, read_equation, stated_equation
from tenfold.teach.margin.phrases import equated, hyperplane, listed, shown, vector
from tenfold.teach.margin.points import Places, parse_places
from tenfold.teach.margin.problem import Hyperplane, Inseparable, Number, Points, Separated, dot
from tenfold.teach.printed import exactly, fidelity, quantum

NAMED = 5  # points that a sentence names


def judge_equation(judgment: Judgment, points: Points, plane: Hyperplane, place: Places | None) -> Judgment:
    """Judge whether an equation is what its point says, and holds; without a point, whether it holds."""
    equation = read_equation(judgment.printed)
    left = _left(equation, plane)
    holds = fidelity(str(equation.right), left) == "exact"
    label, meant = _meant(equation, points, plane, place) if place or not holds else ("", None)
    same = meant is None or _normal(equation) == _normal(meant)
    if holds and same:
        return judgment._replace(verdict=RIGHT, right=stated_equation(equation))
    right = equated("…", left) if meant is None else stated_equation(meant)
    sentence = f"at {hyperplane(plane)} its left side is {shown(left)}"
    sentence += f", not {shown(equation.right)}" * (not holds) + f"; the point {label} says {right}" * (not same)
    return judgment._replace(verdict=SLIP, right=right, sentence=sentence)


def judge_support(judgment: Judgment, points: Points, plane: Hyperplane) -> Judgment:
    """Judge whether these are the points on the margin, all of them and no other."""
    places = [tuple(x) for x in points.x.tolist()]
    names = dict(zip(reversed(places), reversed(points.labels), strict=True))
    on_margin = dict.fromkeys(places[k] for k in plane.support)
    stated = names
    if judgment.printed.strip().lower() != "all":
        stated = dict.fromkeys(map(tuple, parse_places(judgment.printed, points.x.shape[1]).x.tolist()), "")
    right = ", ".join(names[x] for x in on_margin) or "none"
    missing = [names[x] for x in on_margin if x not in stated]
    wrong = [names.get(x) or vector(x) for x in stated if x not in on_margin]
    if not missing and not wrong:
        every = len(on_margin) == len(names)
        count = f"all {len(on_margin)} points" if every else f"these {len(on_margin)} and no other"
        return judgment._replace(verdict=RIGHT, right=right, sentence=f"{count} lie on the margin")
    parts = [f"{_are(missing)} on the margin: left out"] * bool(missing)
    parts += [f"{_are(wrong)} not on the margin"] * bool(wrong)
    return judgment._replace(verdict=SLIP, right=right, sentence="; ".join(parts))


def judge_side(judgment: Judgment, points: Points, plane: Hyperplane, place: Places, alone: bool) -> Judgment:
    """Judge whether a point lies on the side of the class that was printed, by its name or its sign."""
    value = plane.value(place.numbers[0])
    name = points.side(value) or "none: it lies on the line"
    sign = {"+": 1, "-": -1, "−": -1}.get(judgment.printed, 0)
    sentence = equated("w·x + b", value) + ", on the margin" * (
        "exact" in (fidelity("1", value), fidelity("-1", value))
    )
    if alone:
        sentence = f"the other points alone give {hyperplane(plane)}: {sentence}"
    right = (points.side(sign) or judgment.printed) == name
    return judgment._replace(verdict=RIGHT if right else SLIP, right=name, sentence=sentence)


def judge_multipliers(
    judgment: Judgment, printed: Sequence[str], points: Points, solution: Separated | Inseparable
) -> Judgment:
    """Judge multipliers as numbers; if they are not unique, as a proof: α ≥ 0, Σ α s = 0, Σ α s x = w."""
    if isinstance(solution, Inseparable):
        return judgment._replace(verdict=SLIP, right="none", sentence="the classes are not separable")
    alpha = solution.alpha
    judgment = judgment._replace(right=vector(alpha), verdict=worst_rendering(printed, alpha))
    if len(printed) != len(alpha):
        count = f"{len(printed)} numbers for {len(alpha)} points"
        return judgment._replace(sentence=f"{count}: all of them, 0 where there is none, are expected")
    if judgment.verdict == SLIP and not solution.unique and (proof := _proof(printed, points, solution)):
        return judgment._replace(verdict=proof, sentence="not the only ones, and these prove the margin as well")
    return judgment


def _meant(equation: Equation, points: Points, plane: Hyperplane, place: Places | None) -> tuple[str, Equation | None]:
    """Return the point that an equation is about and what it says: the one at a place, else one with its numbers."""
    if points.exact is None:
        return "", None
    for k in points.positions(place.x[0]) if place else plane.support:
        said = constraint(points.exact[k], int(points.sign[k]))
        if place or _sizes(said) == _sizes(equation):
            return points.labels[k], said
    return "", None


def _left(equation: Equation, plane: Hyperplane) -> Number:
    numbers: dict[str, Number] = {f"w{k}": number for k, number in enumerate(plane.w, 1)} | {"b": plane.b}
    if strange := [name for name in equation.factors if name not in numbers]:
        raise UsageError(f"it speaks of {strange[0]}, and w has {len(plane.w)} numbers")
    return dot(list(equation.factors.values()), [numbers[name] for name in equation.factors])


def _normal(equation: Equation) -> Equation:
    """Scale an equation so that its first factor is 1; multiples of each other become equal."""
    first = next(iter(equation.factors.values()), Fraction(1))
    return Equation({name: factor / first for name, factor in equation.factors.items()}, equation.right / first)


def _sizes(equation: Equation) -> Equation:
    return Equation({name: abs(factor) for name, factor in equation.factors.items()}, abs(equation.right))


def _are(names: Sequence[str]) -> str:
    return f"{listed(names, NAMED)} {'is' if len(names) == 1 else 'are'}"


def _proof(printed: Sequence[str], points: Points, solution: Separated) -> str:
    """Return how written multipliers prove the margin: "exact", "rounded" if it takes their last digits, else ""."""
    alpha, digits = [exactly(text) for text in printed], [quantum(text) for text in printed]
    if points.exact is None or solution.exact is None or min(alpha) < 0:
        return ""
    beta = [a * s for a, s in zip(alpha, points.sign.tolist(), strict=True)]
    rows = [[Fraction(1)] * len(beta), *map(list, zip(*points.exact, strict=True))]
    errors = [abs(dot(beta, row) - number) for row, number in zip(rows, (Fraction(), *solution.exact.w), strict=True)]
    room = [dot(digits, list(map(abs, row))) / 2 for row in rows]
    if not any(errors):
        return "exact"
    return "rounded" if all(map(operator.le, errors, room)) else ""
