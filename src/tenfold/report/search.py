"""Section of a sweep, as rows and sentences: its ranked table, its choice, its axes and where to widen."""

__all__ = ["Ranked", "Search", "search"]

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tenfold.report.case import Case
from tenfold.report.results import Sweep, Trained
from tenfold.runs.result import SweepResult
from tenfold.search.axes import Axis, parse_axis, text
from tenfold.search.choice import Edge, edges
from tenfold.text import count, label, metric_name, score, score_interval, setting, settings

# Rows that are open, and rows in all; what is left out is counted.
OPEN, MOST = 20, 500


class Ranked(NamedTuple):
    """A member of the table: values of the axes, score and its bounds, both as shown, too, and how it is marked."""

    rank: int
    member: int
    values: list[str]
    score: float | None
    bounds: tuple[float, float] | None
    shown: str
    reach: str
    mark: str


class Option(NamedTuple):
    """An axis: what was searched of it, its value in the best and in the simplest setting, and what to search next."""

    name: str
    searched: str
    best: str
    simplest: str
    edge: str
    widen: str


class Search(NamedTuple):
    """Everything of the section. best, simplest: settings; same: they are one; rows: open ones, rest: the others."""

    sentences: list[str]
    best: str
    scored: str
    simplest: str
    simplest_scored: str
    same: bool
    several: bool
    options: list[Option]
    names: list[str]
    rows: list[Ranked]
    rest: list[Ranked]
    more: int
    span: tuple[float, float]
    metric: str
    again: str


def search(case: Case) -> Search | None:
    """Return the section of a sweep; None for another run."""
    sweep = case.results.sweep
    if sweep is None:
        return None
    ranked = [_ranked(sweep, rank, member) for rank, member in enumerate(sweep.ranked[:MOST], 1)]
    best = sweep.ranked[0]
    widest = [end for row in ranked[:OPEN] for end in row.bounds or (row.score,) if end is not None]
    return Search(
        _sentences(case, sweep),
        settings(sweep.settings[best]),
        _scored(sweep, best),
        settings(sweep.settings[sweep.simplest]),
        _scored(sweep, sweep.simplest),
        sweep.simplest == best,
        sweep.runs > 1,
        _options(case, sweep),
        [name.replace("_", " ") for name in sweep.axes],
        ranked[:OPEN],
        ranked[OPEN:],
        max(0, len(sweep.ranked) - MOST),
        (min(widest, default=0.0), max(widest, default=1.0)),
        metric_name(sweep.metric) + ", %" * (sweep.metric == "accuracy"),
        _again(case),
    )


def _ranked(sweep: Sweep, rank: int, member: int) -> Ranked:
    chosen, mean, ends = sweep.settings[member], float(sweep.scores[member]), sweep.intervals[member]
    bounds = (float(ends[0]), float(ends[1])) if np.isfinite(ends).all() else None
    mark = "best" if member == sweep.ranked[0] else "simplest" if member == sweep.simplest else ""
    return Ranked(
        rank,
        member,
        [setting(chosen.get(name)) for name in sweep.axes],
        mean if np.isfinite(mean) else None,
        bounds,
        score(mean, sweep.metric) if np.isfinite(mean) else "failed",
        score_interval(bounds, sweep.metric),
        mark,
    )


def _scored(sweep: Sweep, member: int) -> str:
    """Return the score of a member with its interval, in words."""
    mean = score(float(sweep.scores[member]), sweep.metric, " %")
    low, high = (float(end) for end in sweep.intervals[member])
    return f"{mean} (95 % interval {score_interval((low, high), sweep.metric)})" if math.isfinite(low) else mean


def _sentences(case: Case, sweep: Sweep) -> list[str]:
    """Say how it searched: what was asked, the populations, halving, failures."""
    rounds = int(case.recipe.get("rounds") or 1)
    sampler = str(case.recipe.get("sampler") or "").replace("_", "-")
    asked = f", asked for in {rounds} rounds" if rounds > 1 else ""
    chosen = f"drawn by {label(sampler)}{asked}" if sampler and sampler != "grid" else "every combination of the lists"
    lines = [f"{count(len(sweep.settings), 'setting')}, {chosen}."]
    populations = case.result.populations if isinstance(case.result, SweepResult) else ()
    populations_said = [label(line, 400) for line in populations]
    # Every round says much the same of its populations; of several, what they come to is said instead.
    lines += populations_said if len(populations_said) == len(set(populations_said)) else [_populations(sweep)]
    lines += [line for line in [_halved(sweep.populations)] if line]
    failed = int((~np.isfinite(sweep.scores)).sum())
    return lines + ([f"{count(failed, 'setting')} failed: numbers that were no longer finite."] if failed else [])


def _populations(sweep: Sweep) -> str:
    sizes = [len(population.members) for population in sweep.populations]
    low, high = min(sizes, default=0), max(sizes, default=0)
    each = count(high, "member") if low == high else f"{low} to {count(high, 'member')}"
    return f"{count(sum(sizes), 'run')} in {count(len(sizes), 'population')}, {each} each."


def _halved(populations: Sequence[Trained]) -> str:
    """Say when how many members of the largest population were dropped, and what that saved; "" without halving."""
    halved = [population for population in populations if population.dropped.any()]
    if not halved:
        return ""
    largest = max(halved, key=lambda population: len(population.members))
    ends = largest.validations[largest.dropped]
    steps = [(int(end), len(largest.members) - int((ends <= end).sum())) for end in np.unique(ends)]
    first, *later = [(stay, f"{largest.epochs[end - 1]:g}") for end, stay in steps]
    left = ", ".join(
        [f"{first[0]} went on after epoch {first[1]}", *(f"{stay} after {epoch}" for stay, epoch in later)]
    )
    spent = sum(float(p.epochs[p.validations - 1].sum()) for p in populations)
    whole = sum(float(p.epochs.max()) * len(p.members) for p in populations)
    return (
        f"The worst were dropped on the way: of {count(len(largest.members), 'member')} {left}. "
        f"That took {100 * spent / whole:.0f} % of the updates that all of them would have taken."
    )


def _options(case: Case, sweep: Sweep) -> list[Option]:
    lines = [str(line).partition("=") for line in case.recipe.get("vary") or ()]
    axes = [parse_axis(name, option) for name, _, option in lines]
    best, simplest = (sweep.settings[member] for member in (sweep.ranked[0], sweep.simplest))
    at_edge = {edge.name: edge for edge in edges(axes, best)}
    return [
        _option(axis, best, simplest, at_edge.get(axis.name), sweep.axes.get(axis.name) != "words") for axis in axes
    ]


def _option(
    axis: Axis, best: Mapping[str, Any], simplest: Mapping[str, Any], edge: Edge | None, numbers: bool
) -> Option:
    name, searched = axis.name, text(axis)
    return Option(
        name.replace("_", " "),
        label(searched.replace(",", ", "), 120),
        setting(best.get(name)),
        setting(simplest.get(name)),
        f"at the {edge.end} end" if edge else "inside" * numbers,
        f"--{name.replace('_', '-')} {label(edge.option, 120)}" if edge else "",
    )


def _again(case: Case) -> str:
    """Say how the model of the page was made of the best setting."""
    columns = case.results.curves
    final = columns["rung"] == case.results.best
    epochs = float(columns["epoch"][final].max()) if final.any() else 0.0
    length = f" for {epochs:g} epoch{'s' * (epochs != 1)}" if epochs else ""
    return f"The best setting was then trained again from its start{length}, on all images but the test images."
