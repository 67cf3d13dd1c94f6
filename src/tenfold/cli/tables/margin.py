"""A margin on stdout: the line, its proof, its support vectors, and what was asked beside it."""

__all__ = ["print_margin"]

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tenfold.cli import layout
from tenfold.report.judge import Judgment, standing
from tenfold.teach.margin.answer import Margin, Predicted
from tenfold.teach.margin.exact import root
from tenfold.teach.margin.phrases import equated, hyperplane, listed, mixture, shown, vector
from tenfold.teach.margin.problem import ExactSolution, Inseparable, Points, Separated, Soft
from tenfold.text import inert, short

if TYPE_CHECKING:
    from rich.table import Table

_LONG = 6  # weights that a sentence can hold
_SOLVED = 1e-6  # the gap of a soft margin up to which it counts as solved
_CLOSED = 1e-15  # up to which it is one of rounding
_ROUNDING = 1e-8  # residuals up to which are those of floats


def print_margin(margin: Margin, figures: Sequence[str]) -> None:
    """Print all that was computed; exact values where there are some, else floats of six digits."""
    points, solution = margin.material.points, margin.solution
    layout.show(layout.facts(_about(margin)))
    if isinstance(solution, Separated):
        layout.show(_support(points, solution))
        layout.say_more(len(solution.support), "points on the margin; --json prints all\n")
    elif not _short(solution):
        layout.show(_weights(points, solution))
    if margin.soft:
        layout.show(layout.facts(_soft(points, margin.soft)))
    kind = ("hard" if isinstance(solution, Separated) else "soft") if margin.soft else ""
    _lines(f"new points, by the {kind} margin" if kind else "new points", map(_predicted, margin.predictions))
    if margin.given:
        _lines("the given line", margin.given.sentences)
    if margin.verdicts:
        layout.echo("reported:")
        layout.show(layout.facts(map(_reported, margin.verdicts)))
    for note in margin.material.notes:
        _wrapped(f"note: {note}", "  ")
    for path in figures:
        layout.echo(f"{'figure':<10}  {inert(path)}")


def _about(margin: Margin) -> list[tuple[str, str]]:
    points, solution, rest = margin.material.points, margin.solution, margin.rest
    counts = [int((points.sign == sign).sum()) for sign in (1, -1)]
    marked = zip("+−", map(short, points.names), strict=True)
    names = [f"class {mark}" if name in ("+", "-") else f"{name} ({mark})" for mark, name in marked]
    width = points.x.shape[1]
    classes = ", ".join(f"{count:,} of {name}" for count, name in zip(counts, names, strict=True))
    head = [("data", margin.material.name), ("points", f"{classes}, {_counted(width, 'coordinate')}")]
    if isinstance(solution, Separated):
        rows = _separated(solution)
    else:
        rows = _inseparable(points, solution, bool(margin.soft))
    if rest:
        share = f"{rest.right:,} of {rest.n:,} right, {100 * rest.right / rest.n:.2f} %"
        rows.append(("test" if rest.part == "test" else "the rest", f"{share}, of the images that it was not made of"))
    return head + rows


def _separated(solution: Separated) -> list[tuple[str, str]]:
    exact, plane = solution.exact, solution.plane
    line = hyperplane(plane)
    if len(plane.w) > _LONG:
        line = f"w = {len(plane.w):,} numbers (--json prints them), {equated('b', plane.b)}"
    line += _exactly(line) if exact else ""
    primal, dual, gap = (exact.primal, exact.dual, 0.0) if exact else (solution.primal, solution.dual, solution.gap)
    return [
        ("separable", "yes"),
        ("line", line),
        ("margin", f"1/‖w‖ = {_root(exact)}{shown(solution.margin)}, on either side of it"),
        ("objective", f"primal {equated('½‖w‖²', primal)}, dual {shown(dual)}, gap {_rest(gap)}"),
        ("proof", _proof(solution)),
        ("support", _supported(solution)),
    ]


def _root(exact: ExactSolution | None) -> str:
    """Write the margin as a root, where that is none of a fraction and short."""
    if exact is None or not isinstance(root(exact.squared_margin), float) or len(str(exact.squared_margin)) > 2 * _LONG:
        return ""
    above, below = exact.squared_margin.as_integer_ratio()
    return f"1/√{below} = " if above == 1 else f"√{above} = " if below == 1 else f"√({above}/{below}) = "


def _rest(value: float) -> str:
    """Write a number that should be 0, to one digit."""
    return f"{value:.0e}".replace("e-0", "e-").replace("-", "−") if value else "0"


def _exactly(text: str) -> str:
    """Say that a text of fractions is exact, or where to read those that are too long to print."""
    return " (in full: --json)" if "≈" in text else ", exactly"


def _proof(solution: Separated) -> str:
    if solution.exact:
        return "every condition of optimality holds in fractions: residuals 0"
    worst = max(solution.residuals)
    holds = "every condition of optimality holds"
    if not worst <= _ROUNDING:
        holds = f"the conditions of optimality hold to within {_rest(worst)}"
    residuals = (f"{name.replace('_', ' ')} {_rest(value)}" for name, value in solution.residuals._asdict().items())
    return f"{holds}: residuals {', '.join(residuals)}"


def _supported(solution: Separated) -> str:
    some = "those of the least norm" if solution.least else "some of many"
    multipliers = "unique" if solution.unique else f"not unique: {some}"
    return f"{_counted(len(solution.support), 'point')} on the margin, multipliers {multipliers}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _support(points: Points, solution: Separated) -> "Table":
    """List the points on the margin, the largest multipliers first where not all are shown."""
    table, alpha, places = layout.table("on the margin", ["class", "w·x + b", "α"]), solution.alpha, solution.support
    if len(places) > layout.ROWS:
        places = tuple(sorted(places, key=lambda k: -solution.multipliers[k])[: layout.ROWS])
    for k in places:
        mark, value = ("+", "1") if points.sign[k] > 0 else ("−", "−1")
        table.add_row(inert(points.labels[k]), mark, value, shown(alpha[k]))
    return table


def _short(solution: Inseparable) -> bool:
    return len(solution.first) + len(solution.second) <= _LONG


def _inseparable(points: Points, solution: Inseparable, soft: bool) -> list[tuple[str, str]]:
    first, second = solution.first, solution.second
    sides = [mixture(points.labels, first), mixture(points.labels, second)]
    if not _short(solution):
        sides = [f"a mixture of {len(first)} points of one class and of {len(second)} of the other (below)"]
    if vector(solution.meeting) not in sides:
        sides.append(vector(solution.meeting))
    proof = " = ".join(sides).replace("= ≈", "≈")
    exactly = _exactly(proof) if solution.exact else f", to within {_rest(solution.residual)}" * bool(solution.residual)
    offer = [] if soft else [("", "or the soft margin: --soft 1")]
    return [
        ("separable", "no"),
        ("proof", f"{proof}{exactly}: a point that both classes' hulls hold"),
        ("remedy", _removal(points, solution)),
        *offer,
    ]


def _removal(points: Points, solution: Inseparable) -> str:
    names = _named(points, solution.removal)
    sure = "no smaller set will do"
    if not solution.minimal:
        sure = f"whether fewer will do is not known; at least {solution.at_least}"
    return f"without {names} they are separable ({sure})"


def _named(points: Points, places: Sequence[int]) -> str:
    return listed([points.labels[k] for k in places[:_LONG]], len(places))


def _weights(points: Points, solution: Inseparable) -> "Table":
    table = layout.table("point", ["class", "weight"])
    for mark, weights in (("+", solution.first), ("−", solution.second)):
        for k, weight in sorted(weights.items(), key=lambda pair: -pair[1])[: layout.ROWS // 2]:
            table.add_row(inert(points.labels[k]), mark, shown(weight))
    return table


def _soft(points: Points, soft: Soft) -> list[tuple[str, str]]:
    w = f"w = {vector(soft.plane.w)}, " if len(soft.w) <= _LONG else ""
    inside, wrong = int((soft.slack > 1e-6).sum()), _named(points, soft.misclassified) or "none"
    slack = f"Σ ξ = {shown(float(soft.slack.sum()))}: {inside:,} points inside the margin, {wrong} on the wrong side"
    return [
        ("soft", f"C = {shown(soft.C)}: {w}b = {shown(soft.b)}"),
        ("margin", f"1/‖w‖ = {shown(soft.margin)}"),
        ("objective", f"primal {shown(soft.primal)}, dual {shown(soft.dual)}, gap {_soft_gap(soft.gap)}"),
        ("slack", slack),
    ]


def _soft_gap(gap: float) -> str:
    """Write the gap without what rounding leaves of it, which may be below 0."""
    if gap > _SOLVED:
        return f"{_rest(gap)}: not solved, but within {100 * gap:.2g} % of the optimum"
    return _rest(0.0 if abs(gap) < _CLOSED else gap)


def _predicted(point: Predicted) -> str:
    side = f"class {'−' if point.kind == '-' else point.kind}" if point.kind else "on the line itself: of no class"
    return f"{point.label}: {equated('w·x + b', point.value)}, {side}"


def _reported(judgment: Judgment) -> tuple[str, str]:
    """Return a verdict, and the printed number beside the right one."""
    text = f"{judgment.about}: {judgment.printed}"
    if standing(judgment.verdict) != "right":
        text += f", should be {judgment.right}"
    elif judgment.verdict in ("rounded", "truncated"):
        text += f", in full {judgment.right}"
    return judgment.verdict, text + "".join(f"; {why}" for why in (judgment.sentence, judgment.note) if why)


def _lines(title: str, lines: Iterable[str]) -> None:
    """Print lines under a title; nothing without lines."""
    texts = list(lines)
    if texts:
        layout.echo(f"{title}:")
        for text in texts:
            _wrapped(f"  {text}", "    ")
        layout.echo("")


def _wrapped(text: str, indent: str) -> None:
    first = text[: len(text) - len(text.lstrip())]
    for line in textwrap.wrap(inert(text), layout.WIDTH, initial_indent=first, subsequent_indent=indent):
        layout.echo(line)
