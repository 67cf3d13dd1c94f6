"""What a sweep found, on stdout: the members ranked, the choice, what it is worth."""

__all__ = ["print_estimate", "print_rates", "print_sweep"]

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenfold.cli import layout
from tenfold.cli.display import inert
from tenfold.cli.tables.results import tested

if TYPE_CHECKING:
    from rich.table import Table


def print_sweep(result: Mapping[str, Any]) -> None:
    """The members from best to worst, the choice beside the simplest one that is as good, and its test score."""
    layout.show_paths(result)
    layout.show(layout.facts(_facts(result)))
    layout.show(_members(result["table"], result["metric"]))
    layout.say_more(len(result["table"]), "members")
    for warning in result["warnings"]:
        layout.echo(f"warning: {warning}")
    layout.show_end(result)
    layout.echo(f"{'report':<10}  {inert(str(result['report']))}")


def print_estimate(result: Mapping[str, Any]) -> None:
    """What a sweep would do."""
    for line in result["populations"]:
        layout.echo(line)
    rounds = f" in each of {result['rounds']} rounds" if result["rounds"] > 1 else ""
    layout.echo(f"{result['members']} settings{rounds}; about {result['seconds'] / 60:.1f} minutes on one process")


def print_rates(result: Mapping[str, Any]) -> None:
    """What the search for a learning rate found."""
    tried = f"of {len(result['rates'])} after {result['steps']} steps"
    if not any(loss is not None for loss in result["loss"]):
        layout.echo(f"no learning rate {tried} lowers the loss")
    else:
        low, high = (float(f"{end:.1g}") for end in (result["suggested"] / 10, result["largest"]))
        layout.echo(f"suggested learning rate: {result['suggested']:.2g}, with the least loss {tried}")
        layout.echo(f"the loss stays low up to: {result['largest']:.2g}")
        layout.echo(f"a range to search: --learning-rate {low!r}:{high!r}:log")
    layout.echo(f"figure: {inert(result['figure'])}")


def _facts(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    best, simple = result["best"], result["one_standard_error"]
    rows = [("best", f"member {best['member']} of {len(result['table'])}: {layout.settings(best['settings'])}")]
    if simple["member"] != best["member"]:
        told = layout.settings(simple["settings"])
        rows.append(("", f"within one standard error, with more l2: member {simple['member']}: {told}"))
    runs = f"{result['runs_each']} run{'s' * (result['runs_each'] != 1)} of each member"
    failed = f", {result['failed']} failed" if result["failed"] else ""
    rows.append(("validation", f"{_score(result['validation'], result['metric'])}, {runs}{failed}"))
    return [*rows, ("test", f"{tested(result['test'])}, trained again on all but the test images")]


def _members(table: Sequence[Mapping[str, Any]], metric: str) -> "Table":
    names = list(dict.fromkeys(name for row in table for name in row["settings"]))
    headers = [name.replace("_", "\n") for name in names[:4]]
    judged = "macro\nF1" if metric == "macro_f1" else "valid.\n%"
    shown = layout.table("member", [*headers, judged, "95 %\ninterval"], "" if len(names) > 4 else None)
    for row in table[: layout.ROWS]:
        values = [layout.value(row["settings"].get(name)) for name in names[:4]]
        rest = {name: row["settings"][name] for name in names[4:] if name in row["settings"]}
        scores = [_number(row["score"], metric), _span(row["interval"], metric)]
        shown.add_row(str(row["member"]), *values, *scores, *([layout.settings(rest)] if len(names) > 4 else []))
    return shown


def _score(scores: Mapping[str, Any], metric: str) -> str:
    word, unit = ("macro F1", "") if metric == "macro_f1" else ("accuracy", " %")
    told = f" (95 % interval {_span(scores['interval'], metric)})" if scores["interval"] else ""
    return f"{word} {_number(scores['score'], metric)}{unit}{told}"


def _number(value: float | None, metric: str) -> str:
    return layout.share(value) if metric == "macro_f1" else layout.percent(value)


def _span(bounds: Sequence[float] | None, metric: str) -> str:
    return " to ".join(_number(bound, metric) for bound in bounds) if bounds else layout.ABSENT
