"""Page of reproductions: every reported number beside the measured one, the verdict, and what explains a gap."""

__all__ = ["reproduction_page"]

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from statistics import median
from typing import Any, NamedTuple

from tenfold.report.document import document
from tenfold.report.illustrations import Illustration, illustration
from tenfold.reproduce.phrases import (
    KINDS,
    CellRow,
    RunRow,
    WayRow,
    added_rows,
    basis,
    cell_rows,
    counts,
    failures,
    kind,
    own_rows,
    value,
    way_rows,
)
from tenfold.reproduce.records import ExtraTable, Reproduction
from tenfold.text import label

# Longest text of a result that is shown.
LONG = 1500
# Style of a verdict on a cell or a claim: a shape and a color, the same for both.
STYLES = {
    "reproduced": "holds",
    "within noise": "noise",
    "better": "better",
    "not reproduced": "misses",
    "protocol cannot be what was stated": "other",
    "confirmed": "holds",
    "refuted": "misses",
}


class VerdictCount(NamedTuple):
    """A kind of verdict: how it is drawn, how many numbers got it, and what it means."""

    kind: str
    style: str
    n: int
    meaning: str


class CellLine(NamedTuple):
    """A cell and how its row is drawn. at: the gap, reach: one more run's, in percent of the strip; 50 is no gap."""

    cell: CellRow
    style: str
    at: float | None
    reach: tuple[float, float] | None


class PrintedTable(NamedTuple):
    """An extra table in words. numeric: positions of its columns of numbers."""

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
    result: Reproduction
    basis: str
    counts: list[VerdictCount]
    lines: list[CellLine]
    rests: tuple[int, ...]
    choices: list[tuple[int, str, str, str]]
    runs: list[tuple[str, str, str, bool]]
    failures: list[tuple[str, str]]
    claims: list[tuple[str, str, str, str]]
    explained: list[tuple[CellRow, str, list[WayRow]]]
    ours: list[RunRow]
    added: list[RunRow]
    tables: list[PrintedTable]
    figures: list[Illustration]


def reproduction_page(results: Sequence[Reproduction], figures: Mapping[str, Mapping[str, str]]) -> str:
    """Write the page of one reproduced table or of several. figures: name of a result -> word -> an SVG file's text."""
    shown = [(_visible(result), figures.get(result.name, {})) for result in results]
    sections = [_section(f"table-{k}", result, drawn) for k, (result, drawn) in enumerate(shown, 1)]
    tally = _counts([result for result, _ in shown])
    context = {
        "sections": sections,
        "counts": tally,
        "total": sum(count.n for count in tally),
        "agree": sum(count.n for count in tally if count.style in ("holds", "noise")),
    }
    return document("reproduction.html", context, {})


def _visible(record: Any) -> Any:
    """Make every text of a record one line of visible characters, keys too, so that they still match."""
    if isinstance(record, str):
        return label(record, LONG) if record else ""
    if is_dataclass(record) and not isinstance(record, type):
        return replace(record, **{item.name: _visible(getattr(record, item.name)) for item in fields(record)})
    if isinstance(record, Mapping):
        return {_visible(key): _visible(entry) for key, entry in record.items()}
    return tuple(map(_visible, record)) if isinstance(record, list | tuple) else record


def _section(name: str, result: Reproduction, figures: Mapping[str, str]) -> Section:
    lines = _lines(result)
    return Section(
        name,
        result,
        basis(result),
        _counts([result]),
        lines,
        lines[0].cell.rests if len({line.cell.rests for line in lines}) == 1 else (),
        [(n, choice.field, value(choice.value), choice.why) for n, choice in enumerate(result.choices, 1)],
        [(name, run.about, _settings(run.settings), run.ours) for name, run in result.runs.items()],
        failures(result),
        [(claim.text, claim.verdict, _style(claim.verdict), claim.evidence) for claim in result.claims],
        [
            (line.cell, explanation.sentence, way_rows(explanation))
            for line in lines
            if (explanation := result.explained.get(line.cell.id))
        ],
        own_rows(result),
        added_rows(result),
        [_extra(table) for table in result.tables],
        [drawn for word, svg in figures.items() if (drawn := illustration(label(word), svg, _caption(word, result)))],
    )


def _extra(table: ExtraTable) -> PrintedTable:
    columns, rows = table.columns, table.rows
    numeric = [k for k in range(len(columns)) if not any(isinstance(row[k], str | tuple) for row in rows)]
    return PrintedTable(table.title, list(columns), [list(map(value, row)) for row in rows], numeric)


def _caption(word: str, result: Reproduction) -> str:
    figure, _, run = label(word).partition("-")  # a figure of a search bears the name of its run
    return f"{figure.replace('_', ' ').capitalize()} of {f'the run {run} of ' if run else ''}{result.title}"


def _settings(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value(chosen)}" for name, chosen in settings.items())


def _style(verdict: str) -> str:
    return STYLES.get(kind(verdict), "open")


def _counts(results: Sequence[Reproduction]) -> list[VerdictCount]:
    return [VerdictCount(name, _style(name), n, KINDS.get(name, "")) for name, n in counts(results).items()]


def _lines(result: Reproduction) -> list[CellLine]:
    """Place the cells on their strips; those of one metric and unit share a scale."""
    groups: dict[tuple[str, str], list[CellRow]] = {}
    keys = [(cell.metric, cell.unit) for cell in result.cells]
    cells = cell_rows(result)
    for key, cell in zip(keys, cells, strict=True):
        groups.setdefault(key, []).append(cell)
    extents = {key: _extent(group) for key, group in groups.items()}
    return [_line(cell, extents[key]) for key, cell in zip(keys, cells, strict=True)]


def _extent(cells: Sequence[CellRow]) -> float:
    """Return half the width of a strip, so that every gap has a place, and the usual interval, too."""
    reaches = [cell.reach for cell in cells if cell.reach]
    gaps = [abs(gap) for gap, _, _ in reaches]
    ends = [abs(end) for _, *both in reaches for end in both if end is not None]
    return max(1.15 * max(gaps, default=0.0), 1.15 * median(ends) if ends else 0.0) or 1.0


def _line(cell: CellRow, extent: float) -> CellLine:
    style = _style(cell.verdict)
    if cell.reach is None:
        return CellLine(cell, style, None, None)
    at, low, high = (None if end is None else min(100.0, max(0.0, 50 + 50 * end / extent)) for end in cell.reach)
    return CellLine(cell, style, at, None if low is None or high is None else (low, high))
