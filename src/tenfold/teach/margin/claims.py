"""Statements about a margin that are right or not: equations, sides, support vectors, and multipliers as a proof."""

__all__ = ["equation_verdict", "multiplier_verdict", "side_verdict", "support_verdict"]

from collections.abc import Iterable, Sequence
from fractions import Fraction

from tenfold.errors import UsageError
from tenfold.teach.margin.equations import Equation, constraint, read_equation, stated_equation
from tenfold.teach.margin.points import Places, parse_places
from tenfold.teach.margin.types import Inseparable, Number, Points, Separated
from tenfold.teach.margin.verdicts import RIGHT, SLIP, Line, Verdict, dot, follows, value_at
from tenfold.teach.margin.wording import equated, hyperplane, told, vector
from tenfold.teach.printed import exactly, fidelity, quantum


def equation_verdict(verdict: Verdict, points: Points, line: Line, place: Places | None) -> Verdict:
    """Whether an equation is what its point says, and holds; without a point, whether it holds."""
    equation = read_equation(verdict.printed)
    left = _left(equation, line)
    holds = fidelity(str(equation.right), left) == "exact"
    meant = _meant(equation, points, line, place, holds)
    if holds and (not meant or _same(equation, meant[1])):
        return verdict._replace(verdict=RIGHT, right=stated_equation(equation))
    here = f"at {hyperplane(line.w, line.b)} its left side is {told(left)}"
    if not meant:
        return verdict._replace(verdict=SLIP, right=equated("…", left), sentence=f"{here}, not {told(equation.right)}")
    right = stated_equation(meant[1])
    told_so = here + (f", not {told(equation.right)}" if not holds else "")
    if not _same(equation, meant[1]):
        told_so += f"; the point {meant[0]} says {right}"
    return verdict._replace(verdict=SLIP, right=right, sentence=told_so)


def support_verdict(verdict: Verdict, points: Points, line: Line) -> Verdict:
    """Whether these are the points on the margin, all of them and no other."""
    names = {_key(points.x[k].tolist()): points.labels[k] for k in reversed(range(len(points.x)))}
    own = dict.fromkeys(_key(points.x[k].tolist()) for k in line.support)
    everything = verdict.printed.strip().lower() == "all"
    told_ones = names if everything else _listed(verdict.printed, points.x.shape[1])
    right = ", ".join(names[x] for x in own) or "none"
    missing = [names[x] for x in own if x not in told_ones]
    wrong = [names.get(x, vector(x)) for x in told_ones if x not in own]
    if not missing and not wrong:
        count = f"all {len(own)} points" if len(own) == len(names) else f"these {len(own)} and no other"
        return verdict._replace(verdict=RIGHT, right=right, sentence=f"{count} lie on the margin")
    parts = [f"{_few(missing)} on the margin: left out"] * bool(missing)
    parts += [f"{_few(wrong)} not on the margin"] * bool(wrong)
    return verdict._replace(verdict=SLIP, right=right, sentence="; ".join(parts))


def side_verdict(verdict: Verdict, points: Points, line: Line, place: Places, alone: bool) -> Verdict:
    """Whether a point lies on the side of the class that was printed, by its name or its sign."""
    value = value_at(line, place)
    name = points.names[0 if value > 0 else 1] if value else "none: it lies on the line"
    signs = {"+": points.names[0], "-": points.names[1], "−": points.names[1]}
    why = equated("w·x + b", value) + ", on the margin" * ("exact" in (fidelity("1", value), fidelity("-1", value)))
    if alone:
        why = f"the other points alone give {hyperplane(line.w, line.b)}: {why}"
    right = signs.get(verdict.printed, verdict.printed) == name
    return verdict._replace(verdict=RIGHT if right else SLIP, right=name, sentence=why)


def multiplier_verdict(
    verdict: Verdict, printed: Sequence[str], points: Points, solution: Separated | Inseparable
) -> Verdict:
    """Multipliers as numbers; where they are not unique, by what they are for: α ≥ 0, Σ α s = 0, Σ α s x = w."""
    if isinstance(solution, Inseparable):
        return verdict._replace(verdict=SLIP, right="none", sentence="the classes are not separable")
    own: Sequence[Number] = solution.exact.multipliers if solution.exact else solution.multipliers.tolist()
    verdict = verdict._replace(right=vector(own), verdict=follows(printed, own))
    if len(printed) != len(own):
        count = f"{len(printed)} numbers for {len(own)} points"
        return verdict._replace(verdict=SLIP, sentence=f"{count}: all of them, 0 where there is none, are expected")
    if verdict.verdict == SLIP and not solution.unique and (found := _proof(printed, points, solution)):
        return verdict._replace(verdict=found, sentence="not the only ones, and these prove the margin as well")
    return verdict


def _meant(
    equation: Equation, points: Points, line: Line, place: Places | None, holds: bool
) -> tuple[str, Equation] | None:
    """The point that an equation is about and what it says: the one at a place, else one with the same numbers."""
    if points.exact is None or (holds and not place):
        return None
    for k in range(len(points.x)) if place else line.support:
        said = constraint(points.exact[k], int(points.sign[k]))
        if (place and _key(place.x[0].tolist()) == _key(points.x[k].tolist())) or (
            not place and _sizes(said) == _sizes(equation)
        ):
            return points.labels[k], said
    return None


def _left(equation: Equation, line: Line) -> Number:
    known: dict[str, Number] = {f"w{k}": number for k, number in enumerate(line.w, 1)} | {"b": line.b}
    if strange := [name for name in equation.factors if name not in known]:
        raise UsageError(f"it speaks of {strange[0]}, and w has {len(line.w)} numbers")
    return dot(list(equation.factors.values()), [known[name] for name in equation.factors])


def _same(a: Equation, b: Equation) -> bool:
    """Whether one is a multiple of the other."""
    if a.factors.keys() != b.factors.keys():
        return False
    ratio = next((a.factors[name] / b.factors[name] for name in a.factors), Fraction(1))
    return a.right == ratio * b.right and all(a.factors[name] == ratio * b.factors[name] for name in a.factors)


def _sizes(equation: Equation) -> tuple[dict[str, Fraction], Fraction]:
    return {name: abs(factor) for name, factor in equation.factors.items()}, abs(equation.right)


def _key(x: Iterable[float]) -> tuple[float, ...]:
    return tuple(float(number) for number in x)


def _listed(text: str, dimensions: int) -> dict[tuple[float, ...], None]:
    return dict.fromkeys(_key(x) for x in parse_places(text, dimensions).x.tolist())


def _few(names: Sequence[str]) -> str:
    told_ones = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return f"{told_ones} {'is' if len(names) == 1 else 'are'}"


def _proof(printed: Sequence[str], points: Points, solution: Separated) -> str:
    """How written multipliers prove the margin: "exact", "rounded" where it takes their last digits, else ""."""
    α, q = [exactly(text) for text in printed], [quantum(text) for text in printed]
    if points.exact is None or solution.exact is None or min(α) < 0:
        return ""
    s = points.sign.tolist()
    rows = [[Fraction(1)] * len(s), *([x[k] for x in points.exact] for k in range(points.x.shape[1]))]
    errors = [
        abs(sum((a * sign * number for a, sign, number in zip(α, s, row, strict=True)), Fraction()) - wanted)
        for row, wanted in zip(rows, (Fraction(), *solution.exact.w), strict=True)
    ]
    room = [sum((abs(number) * digit / 2 for number, digit in zip(row, q, strict=True)), Fraction()) for row in rows]
    if not any(errors):
        return "exact"
    return "rounded" if all(error <= most for error, most in zip(errors, room, strict=True)) else ""
