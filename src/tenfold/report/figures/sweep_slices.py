"""Score of every setting of a search against each of its axes, a panel for each: what mattered, and where."""

__all__ = ["sweep_slices"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tenfold.report.figures import BEST, SHADES, SIMPLEST, Ruler, ruler, unit
from tenfold.report.results import Plot, Results, Sweep
from tenfold.text import short

_COLUMNS, _PANELS = 3, 12
# Marks of all panels together; more make a file that no page has room for.
_MARKS = 1800
_BLUE, _FAILED = "#0072B2", "#7A7A7A"
# Marks of a word are spread by the golden ratio, the same way every time, as no two neighbors fall together.
_GOLDEN = 0.6180339887


class _Slice(NamedTuple):
    name: str
    scale: str
    ruler: Ruler


@dataclass(frozen=True)
class _Slices:
    """scores, intervals: in the unit shown, by number; rounds: (K,); shown: numbers, worst first; more: panels left."""

    name: str
    metric: str
    scores: NDArray[np.float64]
    intervals: NDArray[np.float64]
    rounds: NDArray[np.int64]
    shown: tuple[int, ...]
    slices: tuple[_Slice, ...]
    more: int
    best: int
    simplest: int
    runs: int


def _select(results: Results) -> _Slices | None:
    sweep = results.sweep
    if sweep is None or not sweep.axes or not np.isfinite(sweep.scores).any():
        return None
    axes = list(sweep.axes.items())
    slices = [
        _Slice(name, scale, ruler([settings.get(name) for settings in sweep.settings], scale))
        for name, scale in axes[:_PANELS]
    ]
    factor = unit(sweep.metric)[1]
    return _Slices(
        results.name,
        sweep.metric,
        factor * sweep.scores,
        factor * sweep.intervals,
        _rounds(sweep),
        sweep.ranked[: _MARKS // len(slices)][::-1],
        tuple(slices),
        len(axes) - len(slices),
        sweep.ranked[0],
        sweep.simplest,
        sweep.runs,
    )


def _rounds(sweep: Sweep) -> NDArray[np.int64]:
    rounds = np.zeros(len(sweep.scores), dtype=np.int64)
    for population in sweep.populations:
        rounds[population.members] = population.round
    return rounds


def _draw(data: _Slices) -> Figure:
    columns = 2 if len(data.slices) == 4 else min(_COLUMNS, len(data.slices))
    lines = -(-len(data.slices) // columns)
    figure = Figure(figsize=(max(8.2, 3.3 * columns + 0.5), 2.9 * lines + 1.1), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panels = figure.subplots(lines, columns, squeeze=False, sharey=True)
    for panel in panels.flat[len(data.slices) :]:
        panel.set_axis_off()
    for panel, shown in zip(panels.flat, data.slices, strict=False):
        _panel(panel, shown, data)
    for panel in panels[:, 0]:
        panel.set_ylabel(f"validation {unit(data.metric)[0]}")
    _legend(figure, panels, data)
    return figure


def _title(data: _Slices) -> str:
    shown, total = len(data.shown), len(data.scores)
    tried = f"{total:,} settings" if shown == total else f"the {shown:,} best of {total:,} settings"
    over = f", mean of {data.runs} runs each" if data.runs > 1 else ""
    more = f", {data.more} more axes are in the table" if data.more else ""
    return f"{short(data.name)}: score against each axis\n{tried}{over}{more}"


def _panel(panel: Axes, shown: _Slice, data: _Slices) -> None:
    members = np.array(data.shown)
    places = shown.ruler.places + (_spread(len(data.scores)) if shown.scale == "words" else 0.0)
    scores, alive = data.scores[members], np.isfinite(data.scores[members])
    color: dict[str, Any] = (
        {"c": _BLUE} if not data.rounds.any() else {"c": data.rounds[members][alive] + 1, "cmap": SHADES}
    )
    panel.scatter(places[members][alive], scores[alive], s=26, alpha=0.75, linewidths=0, zorder=2, **color)
    floor = panel.get_xaxis_transform()
    failed = places[members][~alive]
    panel.plot(failed, np.full(failed.size, 0.02), "x", color=_FAILED, markersize=5, transform=floor)
    for member, (tone, mark) in ({data.simplest: (SIMPLEST, "D")} | {data.best: (BEST, "o")}).items():
        low, high = data.intervals[member]
        panel.plot([places[member]] * 2, [low, high], color=tone, linewidth=1.6, zorder=3)
        panel.plot(places[member], data.scores[member], mark, markersize=9, mfc="none", mec=tone, mew=2.2, zorder=4)
    _name_axis(panel, shown)


def _spread(count: int) -> NDArray[np.float64]:
    return np.asarray(0.5 * (np.arange(count) * _GOLDEN % 1 - 0.5))


def _name_axis(panel: Axes, shown: _Slice) -> None:
    axis = shown.ruler
    steps = slice(None, None, -(-len(axis.ticks) // 12))
    long = shown.scale == "words" and sum(map(len, axis.labels[steps])) > 28
    turned: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if long else {}
    panel.xaxis.set_ticks(axis.ticks[steps], labels=axis.labels[steps], fontsize=8.5, parse_math=False, **turned)
    panel.set_xlim(axis.low, axis.high)
    if np.isfinite(axis.gap):
        panel.axvline(axis.gap, color="#B4B4B4", linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
    panel.set_xlabel(short(shown.name.replace("_", " ")), parse_math=False)
    panel.grid(color="#ECECEC", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, panels: NDArray[Any], data: _Slices) -> None:
    if data.rounds.any():
        shades = ScalarMappable(Normalize(1, int(data.rounds.max()) + 1), SHADES)
        bar = figure.colorbar(shades, ax=panels, fraction=0.04, pad=0.02, aspect=28)
        bar.set_label("round", fontsize=9)
        bar.set_ticks(np.unique(data.rounds + 1)[:: -(-int(data.rounds.max() + 1) // 10)].tolist())
        bar.outline.set_visible(False)
    ring: dict[str, Any] = {
        "linestyle": "-" if np.isfinite(data.intervals).any() else "none",
        "markerfacecolor": "none",
    }
    handles = [Line2D([], [], marker="o", color=BEST, markersize=9, markeredgewidth=2.2, **ring)]
    words = ["the best" + (" and its 95 % interval" if np.isfinite(data.intervals[data.best]).all() else "")]
    if data.simplest != data.best:
        handles.append(Line2D([], [], marker="D", color=SIMPLEST, markersize=8, markeredgewidth=2.2, **ring))
        words.append("largest l2 within one standard error of it")
    if not np.isfinite(data.scores).all():
        handles.append(Line2D([], [], marker="x", color=_FAILED, linestyle="none"))
        words.append("failed")
    figure.legend(handles, words, loc="outside lower center", ncols=3, frameon=False, fontsize=9)


sweep_slices = Plot(_select, _draw)
