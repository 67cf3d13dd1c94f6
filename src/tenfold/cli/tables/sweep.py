"""Results of `sweep` as text on stdout: the members ranked, the choice and its test score."""

__all__ = ["print_estimate", "print_rates", "print_sweep"]

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenfold.cli import layout
from tenfold.cli.tables.results import tested
from tenfold.text import count, duration, inert, metric_name, score, score_interval, setting, settings

if TYPE_CHECKING:
    from rich.table import Table


def print_sweep(result: Mapping[str, Any]) -> None:
    """Print the members from best to worst, the best beside the simplest one that is as good, and its test score."""
    layout.show_paths(result)
    layout.show(layout.facts(_facts(result)))
    layout.show(_members(result["table"], result["metric"]))
    layout.say_more(len(result["table"]), "members")
    for warning in result["warnings"]:
        layout.echo(f"warning: {inert(warning)}")
    layout.show_end(result)
    layout.echo(f"{'report':<10}  {inert(str(result['report']))}")


def print_estimate(result: Mapping[str, Any]) -> None:
    """Print the populations of a planned sweep, its number of settings and its minutes."""
    for line in result["populations"]:
        layout.echo(line)
    rounds = f" in each of {result['rounds']} rounds" if result["rounds"] > 1 else ""
    layout.echo(f"{result['members']} settings{rounds}; about {duration(result['seconds'])} on one process")


def print_rates(result: Mapping[str, Any]) -> None:
    """Print the suggested learning rate, the largest one that works and a range to search."""
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
    rows = [("best", f"member {best['member']} of {len(result['table'])}: {settings(best['settings'])}")]
    if simple["member"] != best["member"]:
        member = f"member {simple['member']}: {settings(simple['settings'])}"
        rows.append(("", f"within one standard error, with more l2: {member}"))
    runs = f"{count(result['runs_each'], 'run')} of each member"
    failed = f", {result['failed']} failed" if result["failed"] else ""
    rows.append(("validation", f"{_score(result['validation'], result['metric'])}, {runs}{failed}"))
    return [*rows, ("test", f"{tested(result['test'])}, trained again on all but the test images")]


def _members(table: Sequence[Mapping[str, Any]], metric: str) -> "Table":
    names = list(dict.fromkeys(name for row in table for name in row["settings"]))
    headers = [name.replace("_", "\n") for name in names[:4]]
    judged = "macro\nF1" if metric == "macro_f1" else "valid.\n%"
    ranking = layout.table("member", [*headers, judged, "95 %\ninterval"], "" if len(names) > 4 else None)
    for row in table[: layout.ROWS]:
        values = [setting(row["settings"].get(name)) for name in names[:4]]
        rest = {name: row["settings"][name] for name in names[4:] if name in row["settings"]}
        scores = [score(row["score"], metric), score_interval(row["interval"], metric)]
        ranking.add_row(str(row["member"]), *values, *scores, *([settings(rest)] if len(names) > 4 else []))
    return ranking


def _score(scores: Mapping[str, Any], metric: str) -> str:
    bounds = f" (95 % interval {score_interval(scores['interval'], metric)})" if scores["interval"] else ""
    return f"{metric_name(metric)} {score(scores['score'], metric, ' %')}{bounds}"
