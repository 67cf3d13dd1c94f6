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

from tenfold.report.figures import BEST, SHADES, SIMPLEST, Ruler, kept_as_text, ruler, spread, typed, unit
from tenfold.report.results import Plot, Results, Sweep
from tenfold.text import short

# More lines, or more points of one, than this make a file that no page has room for.
_LINES, _POINTS = 240, 60
# So many words have a color each; those of the best and of the simplest setting are taken.
_NAMED = 6
_COLORS = ("#0072B2", "#009E73", "#E69F00", "#56B4E9", "#7B3294", "#8C6D31")


class _MemberLine(NamedTuple):
    """A setting over its times (T,): mean score of its runs while all of them go on. shade: what its color says."""

    member: int
    times: NDArray[np.float64]
    scores: NDArray[np.float64]
    shade: float
    dropped: bool


@dataclass(frozen=True)
class _SweepCurves:
    """lines: the worst setting first, so that the best is on top; their shades are learning rates, words or ranks.

    rated: scale of the learning rates, "" without. words: those that the lines differ in, their shades being places
    among them; of: the axes that they are values of.
    """

    name: str
    metric: str
    time: str
    lines: tuple[_MemberLine, ...]
    total: int
    rated: str
    words: tuple[str, ...]
    of: str
    best: int
    simplest: int
    runs: int


def _select(results: Results) -> _SweepCurves | None:
    sweep = results.sweep
    if sweep is None or not sweep.populations:
        return None
    rated = scale if (scale := sweep.axes.get("learning_rate", "")) != "words" else ""
    axes = () if rated else _axes_of_words(sweep)
    shades = _shades(sweep, bool(rated), axes)
    some = _some(sweep)
    lines = [_line(sweep, member, float(shades.places[member]), results.time) for _, member in some[::-1]]
    drawn = tuple(line for line in lines if np.isfinite(line.scores).any())
    if not drawn:
        return None
    words, of = (tuple(shades.labels), ", ".join(axes).replace("_", " ")) if axes else ((), "")
    best, total = sweep.ranked[0], len(sweep.scores)
    return _SweepCurves(
        results.name, sweep.metric, results.time, drawn, total, rated, words, of, best, sweep.simplest, sweep.runs
    )


def _axes_of_words(sweep: Sweep) -> tuple[str, ...]:
    """Return the axes of words whose values have names in the legend: all, or the first that is short enough."""
    axes = tuple(name for name, scale in sweep.axes.items() if scale == "words" and "seed" not in name)
    for some in (axes, *[(name,) for name in axes]):
        if 1 < len(set(_worded(sweep, some))) <= _NAMED:
            return some
    return ()


def _worded(sweep: Sweep, axes: tuple[str, ...]) -> list[str]:
    return [", ".join(typed(settings[name]) for name in axes if name in settings) for settings in sweep.settings]


def _shades(sweep: Sweep, rated: bool, axes: tuple[str, ...]) -> Ruler:
    """Return what the color of each setting says: its learning rate, its words, or its rank."""
    if axes:
        return ruler(_worded(sweep, axes), "words")
    if rated:
        rates = np.array([float(settings.get("learning_rate", np.nan)) for settings in sweep.settings])
        return ruler(rates.tolist(), "linear")
    ranks = np.empty(len(sweep.ranked))
    ranks[list(sweep.ranked)] = np.arange(1, len(sweep.ranked) + 1)
    return ruler(ranks.tolist(), "linear")


def _some(sweep: Sweep) -> list[tuple[int, int]]:
    """Rank and number of the members that are drawn: all, or some from the best to the worst."""
    total = len(sweep.ranked)
    ranks = np.unique(np.linspace(0, total - 1, min(total, _LINES)).round().astype(int)).tolist()
    wanted = sweep.ranked.index(sweep.simplest)
    return [(rank + 1, sweep.ranked[rank]) for rank in sorted({*ranks, wanted})]


def _line(sweep: Sweep, member: int, shade: float, time: str) -> _MemberLine:
    runs = [
        (population, row) for population in sweep.populations for row in np.flatnonzero(population.members == member)
    ]
    length = min((int(population.validations[row]) for population, row in runs), default=0)
    scores = _mean([population.scores[row, :length] for population, row in runs])
    counted = [population.steps if time == "iteration" else population.epochs for population, _ in runs]
    times = _mean([places[:length].astype(np.float64) for places in counted])
    keep = np.unique(np.linspace(0, length - 1, min(length, _POINTS)).round().astype(int)) if length else slice(0)
    dropped = any(bool(population.dropped[row]) for population, row in runs)
    return _MemberLine(member, times[keep], unit(sweep.metric)[1] * scores[keep], shade, dropped)


def _mean(rows: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.mean(rows, axis=0) if rows else np.zeros(0)


def _draw(data: _SweepCurves) -> Figure:
    figure = Figure(figsize=(8.6, 4.9), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panel = figure.subplots()
    scale = _scale(data)
    by_shade = sorted(data.lines, key=lambda line: line.shade)
    aside = dict(zip((line.member for line in by_shade), spread([line.times for line in by_shade]), strict=True))
    for line in data.lines:
        _curve(panel, line._replace(times=line.times + aside[line.member]), data, _color(line, data, scale))
    panel.set_xlabel(data.time)
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


def _color(line: _MemberLine, data: _SweepCurves, scale: Normalize) -> Any:
    return _COLORS[int(line.shade)] if data.words else SHADES(scale(line.shade))


def _curve(panel: Axes, line: _MemberLine, data: _SweepCurves, color: Any) -> None:
    style: dict[str, Any] = {"color": color, "linewidth": 1.1, "alpha": 0.8, "zorder": 2}
    if line.member == data.simplest:
        style = {"color": SIMPLEST, "linewidth": 2.4, "linestyle": (0, (4, 1.5)), "zorder": 4}
    if line.member == data.best:
        style = {"color": BEST, "linewidth": 2.8, "zorder": 5}
    finite = np.isfinite(line.scores)
    panel.plot(line.times[finite], line.scores[finite], marker="o" if finite.sum() == 1 else "", markersize=4, **style)
    if line.dropped and finite.any():
        end = np.flatnonzero(finite)[-1]
        panel.plot(line.times[end], line.scores[end], "|", markersize=7, color=style["color"], zorder=3)


def _legend(figure: Figure, panel: Axes, data: _SweepCurves, scale: Normalize) -> None:
    handles = [Line2D([], [], color=color, linewidth=2) for color in _COLORS[: len(data.words)]]
    words = [*data.words, _named("the best", data.best, data)]
    handles.append(Line2D([], [], color=BEST, linewidth=2.8))
    if data.simplest != data.best:
        handles.append(Line2D([], [], color=SIMPLEST, linewidth=2.4, linestyle=(0, (4, 1.5))))
        words.append(_named("largest l2 within one standard error of it", data.simplest, data))
    if any(line.dropped for line in data.lines):
        handles.append(Line2D([], [], color="#7A7A7A", linestyle="none", marker="|", markersize=8))
        words.append("dropped here by halving")
    if not data.words:
        bar = figure.colorbar(ScalarMappable(scale, SHADES), ax=panel, fraction=0.05, pad=0.02, aspect=28)
        _mark(bar, data, scale)
        bar.outline.set_visible(False)
    legend = figure.legend(
        handles, ["name"] * len(words), title=data.of, loc="outside lower center", ncols=3, frameon=False, fontsize=9
    )
    kept_as_text(legend, words)


def _named(text: str, member: int, data: _SweepCurves) -> str:
    """Add the words of a setting whose line has another color than theirs."""
    shades = [line.shade for line in data.lines if line.member == member]
    return f"{text}: {data.words[int(shades[0])]}" if data.words and shades else text


def _mark(bar: Colorbar, data: _SweepCurves, scale: Normalize) -> None:
    bar.set_label("learning rate" if data.rated else "rank, 1 the best", fontsize=9)
    if data.rated == "log":
        marks, ends = ruler([line.shade for line in data.lines], "log"), (scale.vmin or 0.0, scale.vmax or 0.0)
        named = [(10**tick, label) for tick, label in zip(marks.ticks, marks.labels, strict=True)]
        inside = [(tick, label) for tick, label in named if 0.999 * ends[0] <= tick <= 1.001 * ends[1]]
        bar.set_ticks([tick for tick, _ in inside], labels=[label for _, label in inside])
        bar.minorticks_off()


sweep_curves = Plot(_select, _draw)
