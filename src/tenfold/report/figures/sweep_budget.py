"""Budget of a search: best score so far against epochs × members, population by population."""

__all__ = ["sweep_budget"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, StrMethodFormatter
from numpy.typing import NDArray

from tenfold.report.figures import BEST, unit
from tenfold.report.results import Plot, Results, Sweep, Trained
from tenfold.text import count, short

_GREY = "#8C8C8C"
# More rounds than this have no room for their names.
_NAMED = 12
_FEW = 80


class _Path(NamedTuple):
    """A population. spent: (V,) epochs × members until each validation, all before it included; best: (V,) score."""

    round: int
    spent: NDArray[np.float64]
    best: NDArray[np.float64]


@dataclass(frozen=True)
class _Budget:
    """spent, best: (S,) where settings with all of their runs became known, and the best mean score so far."""

    name: str
    metric: str
    paths: tuple[_Path, ...]
    spent: NDArray[np.float64]
    best: NDArray[np.float64]
    settings: int
    runs: int


def _select(results: Results) -> _Budget | None:
    sweep = results.sweep
    if sweep is None or not sweep.populations or not np.isfinite(sweep.scores).any():
        return None
    paths = _paths(sweep)
    spent, best = _complete(sweep, paths)
    return _Budget(results.name, sweep.metric, paths, spent, best, len(sweep.scores), sweep.runs)


def _paths(sweep: Sweep) -> tuple[_Path, ...]:
    start, factor = 0.0, unit(sweep.metric)[1]
    paths = []
    for population in sweep.populations:
        spent = start + _spent(population)
        paths.append(_Path(population.round, spent, factor * _leading(population.scores)))
        start = float(spent[-1])
    return tuple(paths)


def _spent(population: Trained) -> NDArray[np.float64]:
    """Return epochs × members until each validation, (V,); who was dropped spends nothing."""
    alive = (population.validations[:, None] > np.arange(population.epochs.size)).sum(0)
    return np.asarray(np.cumsum(alive * np.diff(population.epochs, prepend=0.0)))


def _leading(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return best of the members' last known scores at each validation, (V,), NaN before there is one."""
    scored = np.isfinite(scores)
    last = np.maximum.accumulate(np.where(scored, np.arange(scores.shape[1]), -1), axis=1)
    filled = np.where(last >= 0, np.take_along_axis(scores, np.maximum(last, 0), 1), -np.inf)
    best = filled.max(0)
    return np.where(np.isfinite(best), best, np.nan)


def _complete(sweep: Sweep, paths: tuple[_Path, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find where the last run of settings ended, and the best mean score of all that were known by then."""
    last = {int(member): k for k, population in enumerate(sweep.populations) for member in population.members}
    scored: dict[int, float] = {}
    for member, k in last.items():
        if np.isfinite(sweep.scores[member]):
            scored[k] = max(scored.get(k, -np.inf), unit(sweep.metric)[1] * float(sweep.scores[member]))
    ends = sorted(scored)
    best = np.maximum.accumulate([scored[k] for k in ends]) if ends else np.zeros(0)
    return np.array([paths[k].spent[-1] for k in ends]), np.asarray(best)


def _draw(data: _Budget) -> Figure:
    figure = Figure(figsize=(8.6, 4.4), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panel = figure.subplots()
    for path in data.paths:
        scored = np.isfinite(path.best)
        marker = "." if len(data.paths) <= _FEW and path.spent.size <= 60 else ""
        panel.plot(path.spent[scored], path.best[scored], color=_GREY, linewidth=1.1, marker=marker, markersize=3.5)
    total = float(data.paths[-1].spent[-1])
    # The last level goes on to the end of the search.
    across, up = np.r_[data.spent, total], np.r_[data.best, data.best[-1:]]
    panel.plot(across, up, drawstyle="steps-post", color=BEST, linewidth=2.4, zorder=3)
    panel.plot(data.spent, data.best, "o", color=BEST, markersize=6, zorder=4)
    _rounds(panel, data)
    _name_axes(panel, data, total)
    _legend(figure, data)
    return figure


def _title(data: _Budget) -> str:
    each = f" of {data.runs} runs each" if data.runs > 1 else ""
    made = f"{data.settings:,} settings{each} in {count(len(data.paths), 'population')}"
    return f"{short(data.name)}: the best so far against what it cost\n{made}, in the order in which they ran"


def _rounds(panel: Axes, data: _Budget) -> None:
    """Return lines where a new round was asked for, with their names where there is room."""
    starts, end = [(0, 0.0)], 0.0
    for path in data.paths:
        if path.round != starts[-1][0]:
            starts.append((path.round, end))
        end = float(path.spent[-1])
    if len(starts) == 1:
        return
    for number, start in starts:
        panel.axvline(start, color="#B4B4B4", linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
        if len(starts) <= _NAMED:
            place: dict[str, Any] = {
                "xycoords": panel.get_xaxis_transform(),
                "textcoords": "offset points",
                "annotation_clip": False,
            }
            panel.annotate(f"round {number + 1}", (start, 1.0), (3, 2), fontsize=8, color="#404040", **place)


def _name_axes(panel: Axes, data: _Budget, total: float) -> None:
    panel.set_xlabel("budget: epochs × members trained")
    panel.set_ylabel(f"validation {unit(data.metric)[0]}")
    panel.set_xlim(-0.01 * total, 1.02 * total)
    panel.xaxis.set_major_locator(MaxNLocator(7))
    panel.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, data: _Budget) -> None:
    handles = [
        Line2D([], [], color=BEST, linewidth=2.4, marker="o", markersize=6),
        Line2D([], [], color=_GREY, linewidth=1.1, marker=".", markersize=5),
    ]
    whole = "best mean of a setting, all of its runs done" if data.runs > 1 else "best score of a setting at its end"
    words = [whole, "best member of a population, on its own validation images"]
    figure.legend(handles, words, loc="outside lower center", ncols=2, frameon=False, fontsize=9)


sweep_budget = Plot(_select, _draw)
