"""A margin on stdout: the line, what proves it, who supports it, and what was asked beside it."""

__all__ = ["print_margin"]

import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tenfold.cli import layout
from tenfold.cli.display import inert

if TYPE_CHECKING:
    from rich.table import Table

    from tenfold.teach.margin.finding import Margin
    from tenfold.teach.margin.types import Exact, Inseparable, Number, Points, Separated, Soft
    from tenfold.teach.margin.verdicts import Verdict

_LONG = 6  # weights that a sentence can hold
_SOLVED = 1e-6  # the gap of a soft margin up to which it counts as solved
_CLOSED = 1e-15  # up to which it is one of rounding
_ROUNDING = 1e-8  # residuals up to which are those of floats


def print_margin(found: "Margin", figures: Sequence[str]) -> None:
    """All that was found; the exact values where they are known, else floats of six digits."""
    from tenfold.teach.margin.types import Inseparable, Separated

    points, solution = found.material.points, found.solution
    layout.show(layout.facts(_about(found)))
    if isinstance(solution, Separated):
        layout.show(_support(points, solution))
        layout.say_more(len(solution.support), "points on the margin; --json prints all\n")
    if isinstance(solution, Inseparable) and not _short(solution):
        layout.show(_weights(points, solution))
    if found.soft:
        layout.show(layout.facts(_soft(points, found.soft)))
    title = f"new points, by the {'hard' if isinstance(solution, Separated) else 'soft'} margin"
    _lines(
        title if found.soft else "new points", [_predicted(one.label, one.value, one.kind) for one in found.predictions]
    )
    if found.given:
        _lines("the given line", found.given.sentences)
    if found.verdicts:
        layout.echo("reported:")
        layout.show(layout.facts(map(_reported, found.verdicts)))
    for note in found.material.notes:
        _wrapped(f"note: {note}", "  ")
    for path in figures:
        layout.echo(f"{'figure':<10}  {inert(path)}")


def _about(found: "Margin") -> list[tuple[str, str]]:
    from tenfold.teach.margin.types import Separated

    points, solution = found.material.points, found.solution
    counts = [int((points.sign == sign).sum()) for sign in (1, -1)]
    marked = zip("+−", map(layout.name, points.names), strict=True)
    names = [f"class {mark}" if name in ("+", "-") else f"{name} ({mark})" for mark, name in marked]
    width = points.x.shape[1]
    told = ", ".join(f"{count:,} of {name}" for count, name in zip(counts, names, strict=True))
    head = [("data", found.material.name), ("points", f"{told}, {width:,} coordinate{'s' * (width != 1)}")]
    rows = _separated(solution) if isinstance(solution, Separated) else _inseparable(points, solution, bool(found.soft))
    rest = found.rest
    if rest:
        share = f"{rest.right:,} of {rest.n:,} right, {100 * rest.right / rest.n:.2f} %"
        rows.append(("test" if rest.part == "test" else "the rest", f"{share}, of the images that it was not made of"))
    return head + rows


def _separated(found: "Separated") -> list[tuple[str, str]]:
    from tenfold.teach.margin.verdicts import line_of
    from tenfold.teach.margin.wording import equated, hyperplane, told

    exact, (w, b, _) = found.exact, line_of(found)
    line = hyperplane(w, b)
    if len(w) > _LONG:
        line = f"w = {len(w):,} numbers (--json prints them), {equated('b', b)}"
    line += _exactly(line) if exact else ""
    primal, dual = (exact.primal, exact.dual) if exact else (found.primal, found.dual)
    objective = f"primal {equated('½‖w‖²', primal)}, dual {told(dual)}, gap {_rest(0.0 if exact else found.gap)}"
    return [
        ("separable", "yes"),
        ("line", line),
        ("margin", f"1/‖w‖ = {_root(exact)}{told(found.margin)}, on either side of it"),
        ("objective", objective),
        ("proof", _proof(found)),
        ("support", _supported(found)),
    ]


def _root(exact: "Exact | None") -> str:
    """The margin as a root, where that is none of a fraction and short."""
    from tenfold.teach.margin.verdicts import root

    if exact is None or not isinstance(root(exact.squared_margin), float) or len(str(exact.squared_margin)) > 2 * _LONG:
        return ""
    above, below = exact.squared_margin.as_integer_ratio()
    return f"1/√{below} = " if above == 1 else f"√{above} = " if below == 1 else f"√({above}/{below}) = "


def _rest(value: float) -> str:
    """What should be 0, as far as it matters."""
    return f"{value:.0e}".replace("e-0", "e-").replace("-", "−") if value else "0"


def _exactly(text: str) -> str:
    """Behind fractions; some may be too long to print."""
    return " (in full: --json)" if "≈" in text else ", exactly"


def _proof(found: "Separated") -> str:
    if found.exact:
        return "every condition of optimality holds in fractions: residuals 0"
    worst = max(found.residuals)
    holds = "every condition of optimality holds"
    if not worst <= _ROUNDING:
        holds = f"the conditions of optimality hold to within {_rest(worst)}"
    residuals = (f"{name.replace('_', ' ')} {_rest(value)}" for name, value in found.residuals._asdict().items())
    return f"{holds}: residuals {', '.join(residuals)}"


def _supported(found: "Separated") -> str:
    count = len(found.support)
    told = f"{count:,} point{'s' * (count != 1)} on the margin, "
    some = "those of the least norm" if found.least else "some of many"
    return told + ("multipliers unique" if found.unique else f"multipliers not unique: {some}")


def _support(points: "Points", found: "Separated") -> "Table":
    """The points on the margin, the largest multipliers first where not all are shown."""
    from tenfold.teach.margin.wording import told

    table = layout.table("on the margin", ["class", "w·x + b", "α"])
    α: Sequence[Number] = found.exact.multipliers if found.exact else found.multipliers.tolist()
    shown = found.support
    if len(shown) > layout.ROWS:
        shown = tuple(sorted(shown, key=lambda k: -found.multipliers[k])[: layout.ROWS])
    for k in shown:
        mark, value = ("+", "1") if points.sign[k] > 0 else ("−", "−1")
        table.add_row(inert(points.labels[k]), mark, value, told(α[k]))
    return table


def _short(found: "Inseparable") -> bool:
    return len(found.first) + len(found.second) <= _LONG


def _inseparable(points: "Points", found: "Inseparable", soft: bool) -> list[tuple[str, str]]:
    from tenfold.teach.margin.wording import mixture, vector

    sides = [mixture(points.labels, own) for own in (found.first, found.second)]
    if not _short(found):
        sides = [f"a mixture of {len(found.first)} points of one class and of {len(found.second)} of the other (below)"]
    if vector(found.meeting) not in sides:
        sides.append(vector(found.meeting))
    proof = " = ".join(sides).replace("= ≈", "≈")
    exactly = _exactly(proof) if found.exact else f", to within {_rest(found.residual)}" * bool(found.residual)
    rows = [("separable", "no"), ("proof", f"{proof}{exactly}: a point that both classes' hulls hold")]
    offer = [] if soft else [("", "or the soft margin: --soft 1")]
    return [*rows, ("remedy", _removal(points, found)), *offer]


def _removal(points: "Points", found: "Inseparable") -> str:
    names = ", ".join(points.labels[k] for k in found.removal[:_LONG])
    names += f" and {len(found.removal) - _LONG:,} more" if len(found.removal) > _LONG else ""
    sure = (
        "no smaller set will do" if found.minimal else f"whether fewer will do is not known; at least {found.at_least}"
    )
    return f"without {names} they are separable ({sure})"


def _weights(points: "Points", found: "Inseparable") -> "Table":
    from tenfold.teach.margin.wording import told

    table = layout.table("point", ["class", "weight"])
    for mark, weights in (("+", found.first), ("−", found.second)):
        for k, weight in sorted(weights.items(), key=lambda pair: -pair[1])[: layout.ROWS // 2]:
            table.add_row(inert(points.labels[k]), mark, told(weight))
    return table


def _soft(points: "Points", found: "Soft") -> list[tuple[str, str]]:
    from tenfold.teach.margin.wording import told, vector

    w = f"w = {vector(tuple(found.w.tolist()))}, " if len(found.w) <= _LONG else ""
    inside = int((found.slack > 1e-6).sum())
    wrong = ", ".join(points.labels[k] for k in found.misclassified[:_LONG])
    wrong += f" and {len(found.misclassified) - _LONG:,} more" if len(found.misclassified) > _LONG else ""
    return [
        ("soft", f"C = {told(found.C)}: {w}b = {told(found.b)}"),
        ("margin", f"1/‖w‖ = {told(found.margin)}"),
        ("objective", f"primal {told(found.primal)}, dual {told(found.dual)}, gap {_soft_gap(found.gap)}"),
        (
            "slack",
            f"Σ ξ = {told(float(found.slack.sum()))}: {inside:,} points inside the margin, "
            f"{wrong or 'none'} on the wrong side",
        ),
    ]


def _soft_gap(gap: float) -> str:
    """Without what rounding leaves of it, which may be below 0."""
    if gap > _SOLVED:
        return f"{_rest(gap)}: not solved, but within {100 * gap:.2g} % of the optimum"
    return _rest(0.0 if abs(gap) < _CLOSED else gap)


def _predicted(label: str, value: "Number", kind: str) -> str:
    from tenfold.teach.margin.wording import equated

    return f"{label}: {equated('w·x + b', value)}, " + (
        f"class {'−' if kind == '-' else kind}" if kind else "on the line itself: of no class"
    )


def _reported(verdict: "Verdict") -> tuple[str, str]:
    """Its verdict, and what was printed beside what is right."""
    from tenfold.teach.margin.verdicts import FOLLOWS, SLIP

    wrong = verdict.verdict in (FOLLOWS, SLIP)
    told = f"{verdict.about}: {verdict.printed}"
    if wrong or verdict.verdict in ("rounded", "truncated"):
        told += f", {'should be' if wrong else 'in full'} {verdict.right}"
    return verdict.verdict, told + "".join(f"; {text}" for text in (verdict.sentence, verdict.note) if text)


def _lines(title: str, lines: Iterable[str]) -> None:
    """Under a title; nothing without lines."""
    told = list(lines)
    if told:
        layout.echo(f"{title}:")
        for line in told:
            _wrapped(f"  {line}", "    ")
        layout.echo("")


def _wrapped(text: str, indent: str) -> None:
    first = text[: len(text) - len(text.lstrip())]
    for line in textwrap.wrap(inert(text), layout.WIDTH, initial_indent=first, subsequent_indent=indent):
        layout.echo(line)
