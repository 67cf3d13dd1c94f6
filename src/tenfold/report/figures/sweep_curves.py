"""Validation score over the epochs of every setting of a search; a setting that was dropped ends."""

__all__ = ["sweep_curves"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tenfold.report.figures import BEST, SHADES, SIMPLEST, ruler, unit
from tenfold.report.results import Plot, Results, Sweep
from tenfold.text import short

# More lines, or more points of one, than this make a file that no page has room for.
_LINES, _POINTS = 240, 60


class _MemberLine(NamedTuple):
    """A setting over its epochs (T,): mean score of its runs while all of them go on. shade: what its color says."""

    member: int
    epochs: NDArray[np.float64]
    scores: NDArray[np.float64]
    shade: float
    dropped: bool


@dataclass(frozen=True)
class _SweepCurves:
    """lines: the worst setting first, so that the best is on top. rated: scale of learning rates, "" for ranks."""

    name: str
    metric: str
    lines: tuple[_MemberLine, ...]
    total: int
    rated: str
    best: int
    simplest: int
    runs: int


def _select(results: Results) -> _SweepCurves | None:
    sweep = results.sweep
    if sweep is None or not sweep.populations:
        return None
    rated = sweep.axes.get("learning_rate", "")
    some = _some(sweep)
    lines = [_line(sweep, member, rank, bool(rated)) for rank, member in some[::-1]]
    drawn = tuple(line for line in lines if np.isfinite(line.scores).any())
    best, total = sweep.ranked[0], len(sweep.scores)
    return (
        _SweepCurves(results.name, sweep.metric, drawn, total, rated, best, sweep.simplest, sweep.runs)
        if drawn
        else None
    )


def _some(sweep: Sweep) -> list[tuple[int, int]]:
    """Rank and number of the members that are drawn: all, or some from the best to the worst."""
    total = len(sweep.ranked)
    ranks = np.unique(np.linspace(0, total - 1, min(total, _LINES)).round().astype(int)).tolist()
    wanted = sweep.ranked.index(sweep.simplest)
    return [(rank + 1, sweep.ranked[rank]) for rank in sorted({*ranks, wanted})]


def _line(sweep: Sweep, member: int, rank: int, rated: bool) -> _MemberLine:
    runs = [
        (population, row) for population in sweep.populations for row in np.flatnonzero(population.members == member)
    ]
    length = min((int(population.validations[row]) for population, row in runs), default=0)
    scores = _mean([population.scores[row, :length] for population, row in runs])
    epochs = _mean([population.epochs[:length] for population, _ in runs])
    keep = np.unique(np.linspace(0, length - 1, min(length, _POINTS)).round().astype(int)) if length else slice(0)
    shade = float(sweep.settings[member].get("learning_rate", np.nan)) if rated else float(rank)
    dropped = any(bool(population.dropped[row]) for population, row in runs)
    return _MemberLine(member, epochs[keep], unit(sweep.metric)[1] * scores[keep], shade, dropped)


def _mean(rows: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.mean(rows, axis=0) if rows else np.zeros(0)


def _draw(data: _SweepCurves) -> Figure:
    figure = Figure(figsize=(8.6, 4.9), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panel = figure.subplots()
    scale = _scale(data)
    for line in data.lines:
        _curve(panel, line, data, scale)
    panel.set_xlabel("epoch")
    panel.set_ylabel(f"validation {unit(data.metric)[0]}")
    panel.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    _legend(figure, panel, data, scale)
    return figure


def _title(data: _SweepCurves) -> str:
    shown = len(data.lines)
    tried = f"{shown} settings" if shown == data.total else f"{shown} of {data.total:,} settings"
    over = f", mean of {data.runs} runs each" if data.runs > 1 else ""
    return f"{short(data.name)}: how the settings learned\n{tried}{over}"


def _scale(data: _SweepCurves) -> Normalize:
    shades = [line.shade for line in data.lines if np.isfinite(line.shade)]
    low, high = min(shades, default=1.0), max(shades, default=1.0)
    # A single value has no scale of its own.
    high = high if high > low else 1.01 * low
    return LogNorm(low, high) if data.rated == "log" else Normalize(low, high)


def _curve(panel: Axes, line: _MemberLine, data: _SweepCurves, scale: Normalize) -> None:
    style: dict[str, Any] = {"color": SHADES(scale(line.shade)), "linewidth": 1.1, "alpha": 0.8, "zorder": 2}
    if line.member == data.simplest:
        style = {"color": SIMPLEST, "linewidth": 2.4, "linestyle": (0, (4, 1.5)), "zorder": 4}
    if line.member == data.best:
        style = {"color": BEST, "linewidth": 2.8, "zorder": 5}
    finite = np.isfinite(line.scores)
    panel.plot(line.epochs[finite], line.scores[finite], marker="o" if finite.sum() == 1 else "", markersize=4, **style)
    if line.dropped and finite.any():
        end = np.flatnonzero(finite)[-1]
        panel.plot(line.epochs[end], line.scores[end], "|", markersize=7, color=style["color"], zorder=3)


def _legend(figure: Figure, panel: Axes, data: _SweepCurves, scale: Normalize) -> None:
    bar = figure.colorbar(ScalarMappable(scale, SHADES), ax=panel, fraction=0.05, pad=0.02, aspect=28)
    _mark(bar, data, scale)
    bar.outline.set_visible(False)
    handles, words = [Line2D([], [], color=BEST, linewidth=2.8)], ["the best"]
    if data.simplest != data.best:
        handles.append(Line2D([], [], color=SIMPLEST, linewidth=2.4, linestyle=(0, (4, 1.5))))
        words.append("largest l2 within one standard error of it")
    if any(line.dropped for line in data.lines):
        handles.append(Line2D([], [], color="#7A7A7A", linestyle="none", marker="|", markersize=8))
        words.append("dropped here by halving")
    figure.legend(handles, words, loc="outside lower center", ncols=3, frameon=False, fontsize=9)


def _mark(bar: Colorbar, data: _SweepCurves, scale: Normalize) -> None:
    bar.set_label("learning rate" if data.rated else "rank, 1 the best", fontsize=9)
    if data.rated == "log":
        marks, ends = ruler([line.shade for line in data.lines], "log"), (scale.vmin or 0.0, scale.vmax or 0.0)
        named = [(10**tick, label) for tick, label in zip(marks.ticks, marks.labels, strict=True)]
        inside = [(tick, label) for tick, label in named if 0.999 * ends[0] <= tick <= 1.001 * ends[1]]
        bar.set_ticks([tick for tick, _ in inside], labels=[label for _, label in inside])
        bar.minorticks_off()


sweep_curves = Plot(_select, _draw)
