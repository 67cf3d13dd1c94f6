"""Where a search found its scores: mean validation score over two axes, learning rate and l2 where it has them."""

__all__ = ["sweep_map"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from tenfold.report.figures import BEST, SHADES, SIMPLEST, Ruler, ruler, typed, unit
from tenfold.report.results import Plot, Results, Sweep
from tenfold.text import label, short

_FIRST = ("learning_rate", "l2")
_COLUMNS, _PANELS = 3, 9
# More marks than this make a file that no page has room for.
_MARKS = 1800
_TEXTS = 10
# So many percent below the best the darkest color begins, or at the median where that is lower.
_SPAN = 10.0
_FAILED = "#7A7A7A"


class _Panel(NamedTuple):
    """Settings of one combination of words: their numbers, from the worst score to the best, so that it lies on top."""

    words: str
    members: tuple[int, ...]


@dataclass(frozen=True)
class _SweepMap:
    """names: of the two axes; rulers: of all members on them; scores: in the unit shown, NaN for those that failed."""

    name: str
    metric: str
    names: tuple[str, str]
    rulers: tuple[Ruler, Ruler]
    scores: NDArray[np.float64]
    panels: tuple[_Panel, ...]
    combinations: int
    others: tuple[str, ...]
    best: int
    simplest: int
    runs: int


def _select(results: Results) -> _SweepMap | None:
    sweep = results.sweep
    numbers = [name for name, scale in sweep.axes.items() if scale != "words"] if sweep else []
    if sweep is None or len(numbers) < 2 or not np.isfinite(sweep.scores).any():
        return None
    across, up = sorted(numbers, key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))[:2]
    panels = _panels(sweep)
    _, factor, _ = unit(sweep.metric)
    return _SweepMap(
        results.name,
        sweep.metric,
        (across, up),
        (_ruler(sweep, across), _ruler(sweep, up)),
        factor * sweep.scores,
        panels[:_PANELS],
        len(panels),
        tuple(name for name in numbers if name not in (across, up)),
        sweep.ranked[0],
        sweep.simplest,
        sweep.runs,
    )


def _ruler(sweep: Sweep, name: str) -> Ruler:
    return ruler([settings.get(name) for settings in sweep.settings], sweep.axes[name])


def _panels(sweep: Sweep) -> tuple[_Panel, ...]:
    """Make a panel for each combination of the axes of words, that with the best setting first."""
    words = [name for name, scale in sweep.axes.items() if scale == "words" and "seed" not in name]
    panels: dict[str, list[int]] = {}
    for member in sweep.ranked[:_MARKS]:
        members = sweep.settings[member]
        panels.setdefault(", ".join(typed(members[name]) for name in words if name in members), []).append(member)
    return tuple(_Panel(words, tuple(members[::-1])) for words, members in panels.items())


def _draw(data: _SweepMap) -> Figure:
    columns = 2 if len(data.panels) == 4 else min(_COLUMNS, len(data.panels))
    lines = -(-len(data.panels) // columns)
    size = (max(8.2, 3.1 * columns + 1.4), 2.7 * lines + 1.5 + 0.6 * (lines == 1))
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for panel in panels.flat[len(data.panels) :]:
        panel.set_axis_off()
    scale = _scale(data)
    for panel, shown in zip(panels.flat, data.panels, strict=False):
        _draw_panel(panel, shown, data, scale)
    for panel in panels[:, 0]:
        panel.set_ylabel(data.names[1].replace("_", " "))
    for column in range(columns):
        last = panels[(len(data.panels) - 1 - column) // columns, column]
        last.set_xlabel(data.names[0].replace("_", " "))
        last.tick_params(labelbottom=True)
    _legend(figure, panels, data, scale)
    return figure


def _title(data: _SweepMap) -> str:
    shown = sum(len(panel.members) for panel in data.panels)
    total = len(data.scores)
    tried = f"{total:,} settings" if shown == total else f"{shown:,} of {total:,} settings"
    over = f", mean of {data.runs} runs" if data.runs > 1 else ""
    lines = [
        f"{short(data.name)}: where the search found its scores",
        f"validation {unit(data.metric)[0]}{over}, {tried}",
    ]
    if data.others:
        lines.append(label(f"{', '.join(data.others).replace('_', ' ')} vary too", 90))
    if data.combinations > len(data.panels):
        lines.append(f"the {len(data.panels)} best of {data.combinations} combinations of words")
    return "\n".join(lines)


def _scale(data: _SweepMap) -> Normalize:
    finite = data.scores[np.isfinite(data.scores)]
    top, span = float(finite.max()), _SPAN * unit(data.metric)[1] / 100
    low = max(float(finite.min()), min(top - span, float(np.median(finite))))
    return Normalize(min(low, top - 0.02 * span), top, clip=True)


def _draw_panel(panel: Axes, shown: _Panel, data: _SweepMap, scale: Normalize) -> None:
    members = np.array(shown.members)
    across, up = (cells.places[members] for cells in data.rulers)
    scores = data.scores[members]
    alive = np.isfinite(scores)
    size = 130 if _gridded(data) else 52
    panel.scatter(
        across[alive],
        up[alive],
        s=size,
        c=scores[alive],
        cmap=SHADES,
        norm=scale,
        edgecolors="#FFFFFF",
        linewidths=0.6,
        zorder=3,
    )
    panel.scatter(across[~alive], up[~alive], s=30, marker="x", c=_FAILED, linewidths=1.2, zorder=2)
    rings = {data.simplest: (SIMPLEST, "D", 1.9)} | {data.best: (BEST, "o", 2.6)}
    for member in sorted(set(rings) & set(shown.members)):
        color, mark, wide = rings[member]
        place = [cells.places[member] for cells in data.rulers]
        panel.plot(*place, mark, markersize=size**0.5 + 5, mfc="none", mec=color, mew=wide, zorder=4)
    if _gridded(data):
        for x, y in sorted(set(zip(across.tolist(), up.tolist(), strict=True))):
            _write(panel, (x, y), scores[(across == x) & (up == y)], data)
    _name_axes(panel, shown, data)


def _gridded(data: _SweepMap) -> bool:
    """Say if few values of both axes meet each other: there is room for the numbers themselves."""
    values = [np.unique(axes.places[np.isfinite(axes.places)]).size for axes in data.rulers]
    return max(values) <= _TEXTS and values[0] * values[1] <= len(data.scores)


def _write(panel: Axes, place: tuple[float, float], scores: NDArray[np.float64], data: _SweepMap) -> None:
    finite = scores[np.isfinite(scores)]
    text = format(float(finite.max()), unit(data.metric)[2]) if finite.size else "failed"
    panel.annotate(
        text, place, (0, -11), textcoords="offset points", ha="center", va="top", fontsize=7.5, color="#303030"
    )


def _name_axes(panel: Axes, shown: _Panel, data: _SweepMap) -> None:
    panel.set_title(label(shown.words, 60) if shown.words else "", fontsize=9.5, parse_math=False)
    across, up = data.rulers
    panel.xaxis.set_ticks(across.ticks, labels=across.labels, fontsize=8.5)
    panel.yaxis.set_ticks(up.ticks, labels=up.labels, fontsize=8.5)
    # Room for the numbers below the marks, at the ends of a line too.
    aside = 0.05 * (across.high - across.low) if _gridded(data) else 0.0
    panel.set_xlim(across.low - aside, across.high + aside)
    panel.set_ylim(up.low - (0.12 * (up.high - up.low) if _gridded(data) else 0.0), up.high)
    for gap, line in ((data.rulers[0].gap, panel.axvline), (data.rulers[1].gap, panel.axhline)):
        if np.isfinite(gap):
            line(gap, color="#B4B4B4", linewidth=0.8, linestyle=(0, (3, 3)), zorder=1)
    panel.grid(color="#ECECEC", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure, panels: NDArray[Any], data: _SweepMap, scale: Normalize) -> None:
    extend = "min" if bool((data.scores < (scale.vmin or 0.0)).any()) else "neither"
    bar = figure.colorbar(
        ScalarMappable(scale, SHADES), ax=panels, fraction=0.05, pad=0.02, aspect=28, extend=extend, extendfrac=0.03
    )
    bar.set_label(f"validation {unit(data.metric)[0]}", fontsize=9)
    bar.outline.set_visible(False)
    ring: dict[str, Any] = {"linestyle": "none", "markerfacecolor": "none"}
    handles = [Line2D([], [], marker="o", markersize=10, markeredgecolor=BEST, markeredgewidth=2.6, **ring)]
    words = ["the best"]
    if data.simplest != data.best:
        handles.append(Line2D([], [], marker="D", markersize=9, markeredgecolor=SIMPLEST, markeredgewidth=1.9, **ring))
        words.append("largest l2 within one standard error of it")
    if not np.isfinite(data.scores).all():
        handles.append(Line2D([], [], marker="x", color=_FAILED, linestyle="none"))
        words.append("failed")
    figure.legend(handles, words, loc="outside lower center", ncols=3, frameon=False, fontsize=9)


sweep_map = Plot(_select, _draw)
