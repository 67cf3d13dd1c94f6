"""Output of `tenfold trace`: the trace as text, with colors in a terminal, and where its files are."""

__all__ = ["print_files", "print_trace"]

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tenfold.cli import layout
from tenfold.text import inert

if TYPE_CHECKING:
    from tenfold.teach.trace.record import Trace

LOOKS: Mapping[str, dict[str, Any]] = {
    "title": {"bold": True},
    "heading": {"bold": True},
    "stage": {"dim": True},
    "right": {"fg": "green"},
    "follows": {"fg": "yellow"},
    "slip": {"fg": "red", "bold": True},
}


def print_trace(trace: "Trace") -> None:
    """Print the whole trace, line by line."""
    from tenfold.teach.trace.plaintext import text_rows

    colored = sys.stdout.isatty()
    for row in text_rows(trace.display):
        layout.echo(_styled(row.text, LOOKS.get(row.kind, {})) if colored else row.text)


def print_files(paths: Iterable[Path]) -> None:
    """Print a line for each file that was written."""
    for label, path in zip(("written", "answers", "shown in"), paths, strict=False):
        layout.echo(f"{label:<10}  {inert(str(path))}")


def _styled(text: str, look: Mapping[str, Any]) -> str:
    return click.style(text, fg=look.get("fg"), bold=look.get("bold"), dim=look.get("dim"))
