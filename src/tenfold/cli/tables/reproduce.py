"""Reproductions on stdout: every reported number beside the measured one, claims, what explains a gap."""

__all__ = ["print_dry_run", "print_explanation", "print_list", "print_reproduction"]

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tenfold.cli import layout
from tenfold.reproduce.phrases import (
    CellRow,
    RunRow,
    WayRow,
    added_rows,
    basis,
    cell_rows,
    counts,
    failures,
    own_rows,
    reason,
    value,
    way_rows,
)
from tenfold.reproduce.records import (
    ChoiceResult,
    ClaimResult,
    Explanation,
    ExtraTable,
    ListedTable,
    PopulationCost,
    Rehearsal,
    Reproduction,
)
from tenfold.reproduce.tolerance import BY_DEFAULT
from tenfold.text import ABSENT, count, inert, label, number

# Width up to which names stay whole in a narrow terminal; verdicts are folded first.
NAMES = 26

if TYPE_CHECKING:
    from rich.table import Table


def print_reproduction(result: Reproduction) -> None:
    """Print the cells, then whatever there is of choices, failed runs, claims, gaps and runs of ours."""
    verdicts = ", ".join(f"{n} {kind}" for kind, n in counts([result]).items())
    about = [("table", f"{result.name}: {result.title}"), ("report", result.report)]
    rows = [*about, ("measured", basis(result)), ("found", verdicts)]
    layout.show(layout.facts([(name, text) for name, text in rows if text]))
    cells = cell_rows(result)
    if cells:
        layout.show(_cells(cells, result.seeds))
        _line("within: how far the mean may lie off, by the default rule; p: by the printed digits; c: by choice")
        _lines("tolerances by choice", dict.fromkeys(cell.why for cell in cells if cell.why))
        _lines("causes of gaps", (f"{cell.id}: {cell.cause}" for cell in cells if cell.cause))
    _lines("choices that the report leaves open, and their values here", map(_choice, enumerate(result.choices, 1)))
    _lines("diverged", (f"{name}: {places}" for name, places in failures(result)))
    _lines("claims", map(_claim, result.claims))
    for cell in result.cells:
        if explanation := result.explained.get(cell.id):
            _line(f"{cell.id}: {explanation.sentence}")
            layout.show(_ways(way_rows(explanation)))
    _lines("best by validation", map(_run, own_rows(result)))
    _lines("runs beside those of the report", map(_run, added_rows(result)))
    for table in result.tables:
        _line(table.title)
        layout.show(_extra(table))


def print_explanation(explanation: Explanation) -> None:
    """Print what settles a cell, and everything that was tried."""
    _line(explanation.sentence)
    layout.show(_ways(way_rows(explanation)))


def print_dry_run(rehearsals: Sequence[Rehearsal]) -> None:
    """Print the populations that every table would train, and about how long that takes."""
    for rehearsal in rehearsals:
        _line(f"{rehearsal.name}: {rehearsal.title}, {rehearsal.scale} scale")
        layout.show(_populations(rehearsal.populations))
    _line(f"about {sum(rehearsal.seconds for rehearsal in rehearsals) / 60:.1f} minutes")


def print_list(rows: Sequence[ListedTable]) -> None:
    """Print the tables that can be reproduced."""
    table = layout.table("name", ["report", "runs", "minutes"], "title")
    for row in rows:
        numbers = [inert(row.report), str(row.runs), number(row.minutes, ".1f")]
        table.add_row(label(row.name, 32), *numbers, inert(row.title))
    layout.show(table)


def _cells(cells: Sequence[CellRow], seeds: int) -> "Table":
    differ = len({cell.rests for cell in cells}) > 1  # else the list of choices says it
    measured = f"measured\n({count(seeds, 'seed')})"
    table = layout.table("cell", ["reported", measured, "gap", "within", *["rests\non"] * differ], "verdict")
    table.columns[0].min_width = min(NAMES, max(len(cell.id) for cell in cells))
    for cell in cells:
        few = f" ({cell.runs.removesuffix(' seeds').removesuffix(' seed')})" if cell.runs else ""
        rests = [",".join(map(str, cell.rests)) or ABSENT] * differ
        numbers = [cell.reported, cell.measured.removesuffix(" %") + few, cell.gap, _tolerance(cell), *rests]
        table.add_row(inert(cell.id), *map(inert, numbers), inert(cell.verdict))
    return table


def _tolerance(cell: CellRow) -> str:
    """Return the tolerance with a letter where it is not that of the default rule; a line below explains it."""
    words, _, by = cell.tolerance.removeprefix("±").partition(", ")
    return words.removesuffix(" points") + by[:1] * (by != BY_DEFAULT)


def _choice(numbered: tuple[int, ChoiceResult]) -> str:
    place, choice = numbered
    return f"{place} {choice.field} = {value(choice.value)}: {reason(choice)}"


def _claim(claim: ClaimResult) -> str:
    return f"{claim.verdict}: {claim.text}" + (f"; {claim.evidence}" if claim.evidence else "")


def _populations(costs: Iterable[PopulationCost]) -> "Table":
    table = layout.table("runs in one population", ["members", "seeds", "minutes"])
    for cost in costs:
        minutes = number(cost.seconds * cost.seeds / 60, ".1f")
        table.add_row(inert(", ".join(cost.runs)), str(cost.members), str(cost.seeds), minutes)
    return table


def _run(row: RunRow) -> str:
    return f"{row.about}: {row.where} {row.measured}; reported {row.reported}"


def _ways(tried: Iterable[WayRow]) -> "Table":
    table = layout.table("done otherwise", ["measured", "gap", "closes"], "the report")
    for way in tried:
        name = f"{way.question}: {way.label}" if way.question else way.label
        stated = "says otherwise" if way.stated else "leaves it open"
        table.add_row(inert(name), inert(way.measured), inert(way.gap), "yes" if way.closes else "no", stated)
    return table


def _extra(extra: ExtraTable) -> "Table":
    first, *others = map(inert, extra.columns)
    table = layout.table(first, others or [""])
    for k, column in enumerate(table.columns[1 : len(extra.columns)], 1):
        if any(isinstance(row[k], str) for row in extra.rows):
            column.justify, column.no_wrap, column.overflow = "left", False, "fold"
    for row in extra.rows:
        table.add_row(*[inert(value(entry)) for entry in row])
    return table


def _line(text: str) -> None:
    layout.echo(inert(text))


def _lines(title: str, lines: Iterable[str]) -> None:
    """Print lines under a title; nothing without lines."""
    rows = list(map(inert, lines))
    if rows:
        layout.echo("\n".join([f"{title}:", *(f"  {line}" for line in rows), ""]))
