"""Loss, cost and accuracy over the epochs: training and validation of each rung's winner."""

__all__ = ["learning_curves"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from tenfold.report.figures import rung_colors
from tenfold.report.results import Plot, Results
from tenfold.text import count, short

_MEASURES = ("loss", "cost", "accuracy")
_LABELS = ("loss", "cost = loss + penalty", "accuracy (%)")
_GREY = "#9A9A9A"
_FEW_POINTS = 12
# From this ratio on, a linear axis presses most of a curve onto its floor.
_LOG_RATIO = 8.0
# Below the square root of the largest float, so that no margin or ratio overflows.
_HUGE = 1e100


class _WinnerLine(NamedTuple):
    """Curves of one member over its epochs (T,): train and validation, each (3, T), loss, cost, accuracy in percent."""

    rung: str
    member: int
    epoch: NDArray[np.float64]
    train: NDArray[np.float64]
    validation: NDArray[np.float64]


@dataclass(frozen=True)
class _LearningCurves:
    """winners: one line a rung; others: the rest of the population where there is a single rung."""

    name: str
    best: str
    members: int
    winners: tuple[_WinnerLine, ...]
    others: tuple[_WinnerLine, ...]


def _select(results: Results) -> _LearningCurves | None:
    curves = results.curves
    if not len(curves.get("rung", ())):
        return None
    winners = tuple(_line(curves, rung, member) for rung, member in results.winners.items())
    winners = tuple(line for line in winners if line.epoch.size)
    if not winners:
        return None
    members = [_members(curves, line.rung) for line in winners]
    rest = [member for member in members[0] if member != winners[0].member] if len(winners) == 1 else []
    others = tuple(_line(curves, winners[0].rung, member) for member in rest)
    return _LearningCurves(results.name, results.best, sum(map(len, members)), winners, others)


def _members(curves: dict[str, NDArray[Any]], rung: str) -> list[int]:
    return [int(member) for member in np.unique(curves["member"][curves["rung"] == rung])]


def _line(curves: dict[str, NDArray[Any]], rung: str, member: int) -> _WinnerLine:
    rows = np.flatnonzero((curves["rung"] == rung) & (curves["member"] == member))
    unit = np.array([[1.0], [1.0], [100.0]])
    train, validation = (
        np.stack([curves[f"{part}_{measure}"][rows].astype(np.float64) for measure in _MEASURES]) * unit
        for part in ("train", "validation")
    )
    return _WinnerLine(rung, member, curves["epoch"][rows].astype(np.float64), train, validation)


def _draw(data: _LearningCurves) -> Figure:
    figure = Figure(figsize=(11, 4.2), layout=ConstrainedLayoutEngine(wspace=0.05))
    panels = figure.subplots(1, 3)
    for measure, panel in enumerate(panels):
        _panel(panel, data, measure)
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    _legend(figure, data)
    return figure


def _title(data: _LearningCurves) -> str:
    rungs = len(data.winners)
    if data.members == rungs > 1:
        return f"{short(data.name)}: learning curves of {rungs} runs"
    winner = "the winner" if rungs == 1 else "the winner of each rung"
    trained = f"{count(data.members, 'member')} in {count(rungs, 'rung')}"
    return f"{short(data.name)}: learning curves of {winner} by validation accuracy, {trained}"


def _panel(panel: Axes, data: _LearningCurves, measure: int) -> None:
    for line in data.others:
        _curve(panel, line.epoch, line.validation[measure], {"color": _GREY, "linewidth": 0.6, "alpha": 0.55})
    for line, color in zip(data.winners, rung_colors(len(data.winners)), strict=True):
        dashed = {"color": color, "linewidth": 1.2, "alpha": 0.75, "linestyle": (0, (4, 2))}
        _curve(panel, line.epoch, line.train[measure], dashed)
        _curve(panel, line.epoch, line.validation[measure], {"color": color, "linewidth": 1.9})
    panel.set_xlabel("epoch")
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    _scale(panel, data, measure)


def _curve(panel: Axes, epoch: NDArray[np.float64], values: NDArray[np.float64], style: dict[str, Any]) -> None:
    """Return a member's curve: a failed one ends; rows with only training or only validation leave no gap."""
    shown = np.abs(values) < _HUGE
    marker = "o" if epoch.size <= _FEW_POINTS or shown.sum() == 1 else ""
    panel.plot(epoch[shown], values[shown], marker=marker, markersize=3, **style)


def _scale(panel: Axes, data: _LearningCurves, measure: int) -> None:
    """Let the winners set the scale, so that a member that diverges does not press them onto the axis."""
    panel.set_ylabel(_LABELS[measure])
    values = np.concatenate([np.r_[line.train[measure], line.validation[measure]] for line in data.winners])
    values = values[np.abs(values) < _HUGE]
    if not values.size:
        return
    low, high = float(values.min()), float(values.max())
    if _MEASURES[measure] != "accuracy" and low > 0 and high / low > _LOG_RATIO:
        panel.set_ylim(low / 1.3, high * 1.3)
        panel.set_yscale("log")
        panel.set_ylabel(f"{_LABELS[measure]} (log scale)")
        panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high / low < 1000 else (1,)))
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.yaxis.set_minor_formatter(NullFormatter())
        return
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    panel.set_ylim(low - margin, high + margin)


def _legend(figure: Figure, data: _LearningCurves) -> None:
    dark = "#404040"
    handles = [Line2D([], [], color=color, linewidth=2.4) for color in rung_colors(len(data.winners))]
    handles.append(Line2D([], [], color=dark, linewidth=1.9))
    handles.append(Line2D([], [], color=dark, linewidth=1.2, linestyle=(0, (4, 2))))
    names = [*(_rung_name(line, data) for line in data.winners), "validation", "training"]
    if data.others:
        handles.append(Line2D([], [], color=_GREY, linewidth=0.8))
        names.append(f"validation of the other {len(data.others)} members")
    legend = figure.legend(handles, ["name"] * len(names), loc="outside lower center", ncols=4, frameon=False)
    # Given as labels, names with a leading underscore would be left out, and dollars read as mathematics.
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def _rung_name(line: _WinnerLine, data: _LearningCurves) -> str:
    best = line.rung == data.best and len(data.winners) > 1
    if data.members == len(data.winners) > 1:  # runs of one member each: there is nobody that it won against
        return short(line.rung) + " (best by validation)" * best
    return f"{short(line.rung)} (member {line.member}{', best rung' * best})"


learning_curves = Plot(_select, _draw)
