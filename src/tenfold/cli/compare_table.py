"""What `tenfold compare` prints: both runs, who gets what right, every class, and the sentence that sums it up."""

__all__ = ["print_comparison"]

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tenfold.cli.display import inert
from tenfold.cli.layout import print_text

_ROWS = 20
_WIDTH = 80
_ABSENT = "–"
_LIMIT = 30


def print_comparison(result: Mapping[str, Any]) -> None:
    """Runs, agreement and classes as tables, then the verdict as one sentence, then what is to be known of it."""
    for side in ("first", "second"):
        print_text(f"{side:<8}{inert(result[side]['run'])}: {inert(result[side]['rung'])}\n")
    images = f"{result['n']} {result['part']} images that both were scored on"
    print_text(f"{'data':<8}{inert(result['data'])}, {images}\n\n")
    _print(_scores(result))
    _print(_agreement(result))
    _print(_classes(result["per_class"]))
    if len(result["per_class"]) > _ROWS:
        print_text(f"… and {len(result['per_class']) - _ROWS} more classes; --json has them all\n\n")
    print_text("p: exact McNemar test of the class; (Holm): adjusted for testing so many classes at once\n\n")
    print_text(inert(result["sentence"]) + "\n")
    for note in result["notes"]:
        print_text(f"note: {inert(note)}\n")


def _scores(result: Mapping[str, Any]) -> Table:
    table = _table("", ["accuracy\n%", "95 %\ninterval", "macro\nF1", "95 %\ninterval"])
    for side in ("first", "second"):
        scores = result[side]
        f1 = [f"{value:.3f}" for value in (scores["macro_f1"], *scores["macro_f1_interval"])]
        table.add_row(side, _percent(scores["accuracy"]), _span(scores["interval"]), f1[0], f"{f1[1]} to {f1[2]}")
    # Where the two are never apart, the bootstrap has nothing to draw from: its (0, 0) is no certainty.
    apart = result["first_only"] + result["second_only"]
    table.add_row("difference", _percent(result["difference"]), _span(result["interval"]) if apart else _ABSENT)
    return table


def _agreement(result: Mapping[str, Any]) -> Table:
    table = _table("images", ["second right", "second wrong"])
    table.add_row("first right", str(result["both"]), str(result["first_only"]))
    table.add_row("first wrong", str(result["second_only"]), str(result["neither"]))
    return table


def _classes(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("class", ["images", "first\n%", "second\n%", "difference\n%", "p", "p (Holm)"])
    for row in rows[:_ROWS]:
        scores = [_percent(row[name]) for name in ("first_accuracy", "second_accuracy", "difference")]
        table.add_row(Text(_name(row["class"])), str(row["n"]), *scores, _chance(row["p"]), _chance(row["p_holm"]))
    return table


def _name(name: str) -> str:
    shown = inert(name) or "?"
    return shown if len(shown) <= _LIMIT else f"{shown[: _LIMIT - 8]}…{shown[-7:]}"


def _percent(share: float | None) -> str:
    # Adding 0 makes a zero of a negative zero.
    return _ABSENT if share is None else f"{round(100 * share, 2) + 0.0:.2f}"


def _span(bounds: Sequence[float]) -> str:
    return f"{_percent(bounds[0])} to {_percent(bounds[1])}"


def _chance(p: float | None) -> str:
    if p is None:
        return _ABSENT
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def _table(first: str, numbers: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="bold")
    height = max(header.count("\n") for header in numbers)
    table.add_column("\n" * height + first, overflow="fold")
    for header in numbers:
        table.add_column("\n" * (height - header.count("\n")) + header, justify="right", no_wrap=True)
    return table


def _print(table: Table) -> None:
    """Followed by a blank line."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = max(console.width, _WIDTH)
    with console.capture() as capture:
        console.print(table)
    print_text("\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n\n")
