"""Reproductions as one page: every reported number beside what was measured, the verdict, and what explains a gap."""

__all__ = ["reproduction_page"]

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, NamedTuple

from tenfold.report.document import document
from tenfold.report.illustrations import Illustration, illustration
from tenfold.report.wording import label
from tenfold.reproduce.telling import (
    KINDS,
    Own,
    Told,
    Way,
    added,
    basis,
    counts,
    failures,
    kind,
    own,
    tell,
    value,
    ways,
)

Result = Mapping[str, Any]
# Longest text of a result that is shown.
LONG = 1500
# What a verdict or the answer to a claim looks like: a shape and a color, the same for both.
STYLES = {
    "reproduced": "holds",
    "within noise": "noise",
    "better": "better",
    "not reproduced": "misses",
    "protocol cannot be what was stated": "other",
    "confirmed": "holds",
    "refuted": "misses",
}


class Count(NamedTuple):
    """How many numbers got a kind of verdict, how it is drawn, and what it means."""

    kind: str
    style: str
    n: int
    meaning: str


class Line(NamedTuple):
    """A cell and how its row is drawn. at: the gap, reach: one more run's, in percent of the strip; 50 is no gap."""

    cell: Told
    style: str
    at: float | None
    reach: tuple[float, float] | None


class Extra(NamedTuple):
    """A table of its own. numeric: positions of its columns of numbers."""

    title: str
    columns: list[str]
    rows: list[list[str]]
    numeric: list[int]


class Section(NamedTuple):
    """A reproduced table. choices: number, field, value, why; runs: name, about, settings, ours; the rest in words.

    rests: choices that every cell rests on, where they are the same. claims: text, verdict, style, what was measured;
    explained: the cell, a sentence, everything that was tried.
    """

    id: str
    result: Result
    basis: str
    counts: list[Count]
    lines: list[Line]
    rests: tuple[int, ...]
    choices: list[tuple[int, str, str, str]]
    runs: list[tuple[str, str, str, bool]]
    failures: list[tuple[str, str]]
    claims: list[tuple[str, str, str, str]]
    explained: list[tuple[Told, str, list[Way]]]
    own: list[Own]
    added: list[Own]
    tables: list[Extra]
    figures: list[Illustration]


def reproduction_page(results: Sequence[Result], figures: Mapping[str, Mapping[str, str]]) -> str:
    """The page of one reproduced table or of several. figures: name of a result -> word -> text of an SVG file."""
    shown = [(_visible(result), figures.get(result["name"]) or {}) for result in results]
    sections = [_section(f"table-{k}", result, drawn) for k, (result, drawn) in enumerate(shown, 1)]
    found = _counts([result for result, _ in shown])
    context = {
        "sections": sections,
        "counts": found,
        "total": sum(count.n for count in found),
        "agree": sum(count.n for count in found if count.style in ("holds", "noise")),
    }
    return document("reproduction.html", context, {})


def _visible(found: Any) -> Any:
    """The same with every text one line of visible characters, so that keys still meet what refers to them."""
    if isinstance(found, str):
        return label(found, LONG) if found else ""
    if isinstance(found, Mapping):
        return {_visible(key): _visible(own) for key, own in found.items()}
    return [_visible(own) for own in found] if isinstance(found, list | tuple) else found


def _section(name: str, result: Result, figures: Mapping[str, str]) -> Section:
    lines = _lines(result)
    explained = result["explained"]
    return Section(
        name,
        result,
        basis(result),
        _counts([result]),
        lines,
        lines[0].cell.rests if len({line.cell.rests for line in lines}) == 1 else (),
        [(n, row["field"], value(row["value"]), row["why"]) for n, row in enumerate(result["choices"], 1)],
        [(run, row["about"], _settings(row["settings"]), bool(row["ours"])) for run, row in result["runs"].items()],
        failures(result),
        [(row["text"], row["verdict"], _style(row["verdict"]), row["told"]) for row in result["claims"]],
        [
            (line.cell, found["sentence"], ways(found, row))
            for line, row in zip(lines, result["cells"], strict=True)
            if (found := explained.get(line.cell.id))
        ],
        own(result),
        added(result),
        [_extra(table) for table in result.get("tables") or ()],
        [drawn for word, svg in figures.items() if (drawn := illustration(label(word), svg, _told(word, result)))],
    )


def _extra(table: Mapping[str, Any]) -> Extra:
    columns, rows = table["columns"], table["rows"]
    numeric = [k for k in range(len(columns)) if not any(isinstance(row[k], str | list) for row in rows)]
    return Extra(table["title"], columns, [list(map(value, row)) for row in rows], numeric)


def _told(word: str, result: Result) -> str:
    return f"{label(word).replace('_', ' ').capitalize()} of {result['title']}"


def _settings(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value(chosen)}" for name, chosen in settings.items())


def _style(verdict: str) -> str:
    return STYLES.get(kind(verdict), "open")


def _counts(results: Sequence[Result]) -> list[Count]:
    return [Count(name, _style(name), n, KINDS.get(name, "")) for name, n in counts(results).items()]


def _lines(result: Result) -> list[Line]:
    """The cells; those of one metric and unit share a scale."""
    groups: dict[tuple[str, str], list[Told]] = {}
    keys = [(cell["metric"], cell["unit"]) for cell in result["cells"]]
    cells = tell(result)
    for key, cell in zip(keys, cells, strict=True):
        groups.setdefault(key, []).append(cell)
    extents = {key: _extent(group) for key, group in groups.items()}
    return [_line(cell, extents[key]) for key, cell in zip(keys, cells, strict=True)]


def _extent(cells: Sequence[Told]) -> float:
    """Half the width of a strip, so that every gap has a place and the usual interval, too."""
    known = [cell.reach for cell in cells if cell.reach]
    gaps = [abs(gap) for gap, _, _ in known]
    ends = [abs(end) for _, *both in known for end in both if end is not None]
    return max(1.15 * max(gaps, default=0.0), 1.15 * median(ends) if ends else 0.0) or 1.0


def _line(cell: Told, extent: float) -> Line:
    style = _style(cell.verdict)
    if cell.reach is None:
        return Line(cell, style, None, None)
    at, low, high = (None if end is None else min(100.0, max(0.0, 50 + 50 * end / extent)) for end in cell.reach)
    return Line(cell, style, at, None if low is None or high is None else (low, high))
