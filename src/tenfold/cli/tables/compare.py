"""Results of `compare` as text on stdout: both runs, their agreement, every class, and one sentence that sums it up."""

__all__ = ["print_comparison"]

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenfold.cli import layout
from tenfold.text import ABSENT, inert, interval, p_value, percent, rounded, short, signed

if TYPE_CHECKING:
    from rich.table import Table


def print_comparison(result: Mapping[str, Any]) -> None:
    """Print runs, agreement and classes as tables, then the verdict as one sentence, then notes on it."""
    for side in ("first", "second"):
        layout.print_text(f"{side:<8}{inert(result[side]['run'])}: {inert(result[side]['rung'])}\n")
    images = f"{result['n']} {result['part']} images that both runs were scored on"
    layout.print_text(f"{'data':<8}{inert(result['data'])}, {images}\n\n")
    layout.show(_scores(result))
    layout.show(_agreement(result))
    layout.show(_classes(result["per_class"]))
    if len(result["per_class"]) > layout.ROWS:
        layout.print_text(f"… and {len(result['per_class']) - layout.ROWS} more classes; --json has them all\n\n")
    layout.print_text("p: exact McNemar test of the class; (Holm): adjusted for testing so many classes at once\n\n")
    layout.print_text(inert(result["sentence"]) + "\n")
    for note in result["notes"]:
        layout.print_text(f"note: {inert(note)}\n")


def _scores(result: Mapping[str, Any]) -> "Table":
    table = layout.table("", ["accuracy\n%", "95 %\ninterval", "macro\nF1", "95 %\ninterval"])
    for side in ("first", "second"):
        scores = result[side]
        f1 = [rounded(scores["macro_f1"]), interval(scores["macro_f1_interval"], rounded)]
        table.add_row(side, percent(scores["accuracy"]), interval(scores["interval"]), *f1)
    table.add_row("difference", percent(result["difference"]), interval(result["interval"], _points))
    return table


def _points(share: float | None) -> str:
    """Return an end of the interval of a difference: on its side of 0, as the test has it."""
    return ABSENT if share is None else signed(100 * share, 2)


def _agreement(result: Mapping[str, Any]) -> "Table":
    table = layout.table("images", ["second right", "second wrong"])
    table.add_row("first right", str(result["both"]), str(result["first_only"]))
    table.add_row("first wrong", str(result["second_only"]), str(result["neither"]))
    return table


def _classes(rows: Sequence[Mapping[str, Any]]) -> "Table":
    table = layout.table("class", ["images", "first\n%", "second\n%", "difference\n%", "p", "p (Holm)"])
    for row in rows[: layout.ROWS]:
        scores = [percent(row[name]) for name in ("first_accuracy", "second_accuracy", "difference")]
        table.add_row(short(row["class"]), str(row["n"]), *scores, p_value(row["p"]), p_value(row["p_holm"]))
    return table
