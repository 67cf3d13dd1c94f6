"""How results are laid out on stdout: facts, tables of at most 80 columns in a pipe, numbers, names from outside."""

__all__ = [
    "ABSENT",
    "ROWS",
    "WIDTH",
    "echo",
    "facts",
    "interval",
    "known",
    "name",
    "number",
    "percent",
    "print_text",
    "say_more",
    "settings",
    "share",
    "show",
    "show_end",
    "show_notes",
    "show_paths",
    "table",
    "value",
]

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from tenfold.cli.display import inert

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

ROWS = 20
ABSENT = "–"
WIDTH = 80


def known(value: float | None) -> TypeGuard[float]:
    """Whether a number is there and finite."""
    return value is not None and math.isfinite(value)


def number(value: float | None, form: str) -> str:
    """A number in a form, a dash where there is none."""
    return format(value, form) if known(value) else ABSENT


def percent(share: float | None) -> str:
    """A share as percent, two digits."""
    return number(None if share is None else 100 * share, ".2f")


def share(value: float | None) -> str:
    """A share, three digits."""
    return number(value, ".3f")


def interval(bounds: Sequence[float] | None) -> str:
    """Two bounds as percent."""
    return f"{percent(bounds[0])} to {percent(bounds[1])}" if bounds else ABSENT


def settings(settings: Mapping[str, Any]) -> str:
    """Names and values in one line."""
    return ", ".join(f"{name} {value(own)}" for name, own in settings.items()) or ABSENT


def value(setting: object) -> str:
    """A setting as one would type it."""
    if isinstance(setting, float):
        return f"{setting:g}"
    if isinstance(setting, list | tuple):
        return "-".join(map(value, setting)) or "none"
    return ABSENT if setting is None else inert(str(setting))


def name(given: str, limit: int = 24) -> str:
    """A name from outside, short enough to leave the numbers their columns."""
    shown = inert(given) or "?"
    return shown if len(shown) <= limit else f"{shown[: limit - 8]}…{shown[-7:]}"


def table(first: str, numbers: Sequence[str], text: str | None = None) -> "Table":
    """Columns of a name, numbers and, if text is given, words. Where the width does not suffice, numbers stay whole."""
    from rich import box
    from rich.table import Table

    look = box.SIMPLE_HEAD if sys.stdout.isatty() else None
    table = Table(box=look, padding=(0, 1), pad_edge=False, header_style="bold", show_edge=False)
    height = max(header.count("\n") for header in numbers)
    table.add_column("\n" * height + first, overflow="fold")
    for header in numbers:
        table.add_column("\n" * (height - header.count("\n")) + header, justify="right", no_wrap=True)
    if text is not None:
        table.add_column("\n" * height + text, overflow="fold")
    return table


def facts(rows: Iterable[tuple[str, str]]) -> "Table":
    """Labels and what is to be said of them."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=10, style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, Text(inert(text)))
    return grid


def show_paths(result: Mapping[str, Any]) -> None:
    """Outside the tables, which would break a long path into pieces."""
    for label in ("run", "model"):
        if result.get(label):
            echo(f"{label:<10}  {inert(str(result[label]))}")


def show_notes(result: Mapping[str, Any]) -> None:
    """A line for each note."""
    for note in result.get("notes") or ():
        echo(f"note: {inert(note)}")


def show_end(result: Mapping[str, Any], speed: str = "") -> None:
    """Notes, and how long it took."""
    show_notes(result)
    echo(f"{number(result.get('seconds'), '.1f')} s{speed}")


def say_more(total: int, what: str) -> None:
    """That a table was cut."""
    if total > ROWS:
        echo(f"… and {total - ROWS} more {what}")


def show(shown: "RenderableType") -> None:
    """Followed by a blank line."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    # A narrower terminal breaks the lines by itself; a narrower table would lose its names.
    console.width = max(console.width, WIDTH)
    with console.capture() as capture:
        console.print(shown)
    # Tables fill their columns with spaces, which nobody wants to paste.
    echo("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")


def print_text(text: str) -> None:
    """With a question mark for what the terminal's encoding lacks, instead of a crash after hours of training."""
    import click

    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def echo(line: str) -> None:
    """One line."""
    print_text(line + "\n")
