"""What a reproduction found, on stdout: every reported number beside what was measured, claims, what explains a gap."""

__all__ = ["print_dry_run", "print_explanation", "print_list", "print_reproduction"]

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenfold.cli import layout
from tenfold.cli.display import inert
from tenfold.reproduce.telling import Own, Told, Way, added, basis, counts, failures, own, tell, value, ways

if TYPE_CHECKING:
    from rich.table import Table


def print_reproduction(result: Mapping[str, Any]) -> None:
    """The cells of a result.json, then whatever it has of choices, failed runs, claims, gaps and runs of ours."""
    found = ", ".join(f"{number} {kind}" for kind, number in counts([result]).items())
    about = [("table", f"{result['name']}: {result['title']}"), ("report", str(result["report"]))]
    rows = [*about, ("measured", basis(result)), ("found", found)]
    layout.show(layout.facts([(name, text) for name, text in rows if text]))
    cells = tell(result)
    if cells:
        layout.show(_cells(cells, int(result["seeds"])))
    _lines("what the report leaves open, and what is taken", map(_choice, enumerate(result["choices"], 1)))
    _lines("diverged", (f"{name}: {told}" for name, told in failures(result)))
    _lines("claims", map(_claim, result["claims"]))
    for cell in result["cells"]:
        if found := result["explained"].get(cell["id"]):
            _line(f"{cell['id']}: {found['sentence']}")
            layout.show(_ways(ways(found, cell)))
    _lines("best by validation", map(_own, own(result)))
    _lines("runs beside those of the report", map(_own, added(result)))
    for table in result.get("tables") or ():
        _line(table["title"])
        layout.show(_plain(table["columns"], table["rows"]))


def print_explanation(found: Mapping[str, Any]) -> None:
    """What settles a cell, and everything that was tried. unit: as the report prints the cell, if found has it."""
    _line(found["sentence"])
    layout.show(_ways(ways(found, {"unit": "", **found})))


def print_dry_run(found: Mapping[str, Any]) -> None:
    """The populations that every table would train, and about how long that takes."""
    for table in found["tables"]:
        _line(f"{table['name']}: {table['title']}, {table['scale']} scale")
        layout.show(_populations(table["populations"]))
    _line(f"about {found['seconds'] / 60:.1f} minutes")


def print_list(rows: Sequence[Mapping[str, Any]]) -> None:
    """The tables that can be reproduced: name, title, report, runs, and minutes on this machine (None: not known)."""
    table = layout.table("name", ["report", "runs", "minutes"], "title")
    for row in rows:
        numbers = [inert(str(row["report"])), str(row["runs"]), layout.number(row["minutes"], ".1f")]
        table.add_row(layout.name(row["name"], 32), *numbers, inert(str(row["title"])))
    layout.show(table)


def _cells(cells: Sequence[Told], seeds: int) -> "Table":
    given = len({cell.rests for cell in cells}) > 1  # else the list of choices says it
    measured = f"measured\n({seeds} seed{'s' * (seeds != 1)})"
    table = layout.table("cell", ["reported", measured, "gap", *["rests\non"] * given], "verdict")
    for cell in cells:
        few = f" ({cell.runs.removesuffix(' seeds').removesuffix(' seed')})" if cell.runs else ""
        rests = [",".join(map(str, cell.rests)) or layout.ABSENT] * given
        numbers = [cell.reported, cell.measured.removesuffix(" %") + few, cell.gap, *rests]
        table.add_row(inert(cell.id), *map(inert, numbers), inert(cell.verdict))
    return table


def _choice(numbered: tuple[int, Mapping[str, Any]]) -> str:
    number, row = numbered
    return f"{number} {row['field']} = {value(row['value'])}: {row['why']}"


def _claim(row: Mapping[str, Any]) -> str:
    return f"{row['verdict']}: {row['text']}" + (f"; {row['told']}" if row["told"] else "")


def _populations(rows: Iterable[Mapping[str, Any]]) -> "Table":
    table = layout.table("runs in one population", ["members", "seeds", "minutes"])
    for row in rows:
        minutes = layout.number(row["seconds"] * row["seeds"] / 60, ".1f")
        table.add_row(inert(", ".join(row["runs"])), str(row["members"]), str(row["seeds"]), minutes)
    return table


def _own(row: Own) -> str:
    return f"{row.about}: {row.where} {row.measured}; reported {row.reported}"


def _ways(tried: Iterable[Way]) -> "Table":
    table = layout.table("done otherwise", ["measured", "gap", "closes"], "the report")
    for way in tried:
        told = f"{way.question}: {way.label}" if way.question else way.label
        stated = "says otherwise" if way.stated else "leaves it open"
        table.add_row(inert(told), inert(way.measured), inert(way.gap), "yes" if way.closes else "no", stated)
    return table


def _plain(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> "Table":
    first, *others = map(inert, columns)
    table = layout.table(first, others or [""])
    for k, column in enumerate(table.columns[1 : len(columns)], 1):
        if any(isinstance(row[k], str) for row in rows):
            column.justify, column.no_wrap, column.overflow = "left", False, "fold"
    for row in rows:
        table.add_row(*[inert(value(entry)) for entry in row])
    return table


def _line(text: str) -> None:
    layout.echo(inert(text))


def _lines(title: str, lines: Iterable[str]) -> None:
    """Under a title; nothing without lines."""
    shown = list(map(inert, lines))
    if shown:
        layout.echo("\n".join([f"{title}:", *(f"  {line}" for line in shown), ""]))
