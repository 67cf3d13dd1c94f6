"""What `tenfold compare` prints: both runs, who gets what right, every class, and the sentence that sums it up."""

__all__ = ["print_comparison"]

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenfold.cli import layout
from tenfold.cli.display import inert

if TYPE_CHECKING:
    from rich.table import Table


def print_comparison(result: Mapping[str, Any]) -> None:
    """Runs, agreement and classes as tables, then the verdict as one sentence, then what is to be known of it."""
    for side in ("first", "second"):
        layout.print_text(f"{side:<8}{inert(result[side]['run'])}: {inert(result[side]['rung'])}\n")
    images = f"{result['n']} {result['part']} images that both were scored on"
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
        f1 = [f"{value:.3f}" for value in (scores["macro_f1"], *scores["macro_f1_interval"])]
        table.add_row(side, _percent(scores["accuracy"]), _span(scores["interval"]), f1[0], f"{f1[1]} to {f1[2]}")
    # Where the two are never apart, the bootstrap has nothing to draw from: its (0, 0) is no certainty.
    apart = result["first_only"] + result["second_only"]
    table.add_row("difference", _percent(result["difference"]), _span(result["interval"]) if apart else layout.ABSENT)
    return table


def _agreement(result: Mapping[str, Any]) -> "Table":
    table = layout.table("images", ["second right", "second wrong"])
    table.add_row("first right", str(result["both"]), str(result["first_only"]))
    table.add_row("first wrong", str(result["second_only"]), str(result["neither"]))
    return table


def _classes(rows: Sequence[Mapping[str, Any]]) -> "Table":
    table = layout.table("class", ["images", "first\n%", "second\n%", "difference\n%", "p", "p (Holm)"])
    for row in rows[: layout.ROWS]:
        scores = [_percent(row[name]) for name in ("first_accuracy", "second_accuracy", "difference")]
        table.add_row(layout.name(row["class"]), str(row["n"]), *scores, _chance(row["p"]), _chance(row["p_holm"]))
    return table


def _percent(share: float | None) -> str:
    # Adding 0 makes a zero of a negative zero.
    return layout.ABSENT if share is None else f"{round(100 * share, 2) + 0.0:.2f}"


def _span(bounds: Sequence[float]) -> str:
    return f"{_percent(bounds[0])} to {_percent(bounds[1])}"


def _chance(p: float | None) -> str:
    if p is None:
        return layout.ABSENT
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}"
