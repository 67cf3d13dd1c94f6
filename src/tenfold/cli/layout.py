"""Layout of results on stdout: facts, tables of at most 80 columns in a pipe, notes, lines."""

__all__ = [
    "ROWS",
    "WIDTH",
    "echo",
    "facts",
    "print_text",
    "say_more",
    "show",
    "show_end",
    "show_notes",
    "show_paths",
    "table",
]

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenfold.text import duration, inert

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

ROWS = 20
WIDTH = 80


def table(first: str, numbers: Sequence[str], text: str | None = None) -> "Table":
    """Return an empty table: a column of names, columns of numbers and, if `text` is given, a column of words.

    Where the width does not suffice, the numbers stay whole.
    """
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
    """Return a grid of labels and texts."""
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(min_width=10, style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, text in rows:
        grid.add_row(label, Text(inert(text)))
    return grid


def show_paths(result: Mapping[str, Any]) -> None:
    """Print the paths of the run and its model, unbroken: a table would cut a long path into pieces."""
    for label in ("run", "model"):
        if result.get(label):
            echo(f"{label:<10}  {inert(str(result[label]))}")


def show_notes(result: Mapping[str, Any]) -> None:
    """Print a line for each note."""
    for note in result.get("notes") or ():
        echo(f"note: {inert(note)}")


def show_end(result: Mapping[str, Any], speed: str = "") -> None:
    """Print the notes, and how long it took."""
    show_notes(result)
    echo(f"{duration(result.get('seconds'))}{speed}")


def say_more(total: int, noun: str) -> None:
    """Print how many rows a table left out, if any. noun: what they are, in the plural."""
    if total > ROWS:
        echo(f"… and {total - ROWS} more {noun}")


def show(content: "RenderableType") -> None:
    """Print a table or grid, and a blank line below it."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    # A narrower terminal breaks the lines by itself; a narrower table would lose its names.
    console.width = max(console.width, WIDTH)
    with console.capture() as capture:
        console.print(content)
    # Tables fill their columns with spaces, which nobody wants to paste.
    echo("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n")


def print_text(text: str) -> None:
    """Print a text, with a question mark for a letter that the terminal's encoding lacks.

    The alternative is a crash after hours of training.
    """
    import click

    encoding = sys.stdout.encoding or "utf-8"
    click.echo(text.encode(encoding, "replace").decode(encoding), nl=False)


def echo(line: str) -> None:
    """Print one line."""
    print_text(line + "\n")
