"""Loss, cost and accuracy over the epochs: training and validation of each rung's winner."""

__all__ = ["learning_curves"]

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tenfold.report.figures import HUGE, LOG_RATIO, fit_axis, kept_as_text, marks, rung_colors, spread
from tenfold.report.results import Plot, Results
from tenfold.text import count, short

_MEASURES = ("loss", "cost", "accuracy")
_LABELS = ("loss", "cost = loss + penalty", "accuracy (%)")
_GREY, _DARK = "#9A9A9A", "#404040"
# Where a curve spans less than this share of an axis with others, and losses differ by this factor, a log scale helps.
_SQUASHED, _FAR = 0.12, 2.0


class _WinnerLine(NamedTuple):
    """Curves of one member over its times (T,): train and validation, each (3, T), loss, cost, accuracy in percent."""

    rung: str
    member: int
    times: NDArray[np.float64]
    train: NDArray[np.float64]
    validation: NDArray[np.float64]


@dataclass(frozen=True)
class _LearningCurves:
    """winners: one line a rung; others: the rest of the population where there is a single rung.

    best: rung that is marked, "" for none. time: what the times count. losses: times and losses (2, n) of single
    mini-batches, where there is a single rung.
    """

    name: str
    best: str
    time: str
    members: int
    winners: tuple[_WinnerLine, ...]
    others: tuple[_WinnerLine, ...]
    losses: NDArray[np.float64]


def _select(results: Results) -> _LearningCurves | None:
    curves = results.curves
    if not len(curves.get("rung", ())):
        return None
    winners = tuple(_line(results, rung, member) for rung, member in results.winners.items())
    winners = tuple(line for line in winners if line.times.size)
    if not winners:
        return None
    members = [_members(curves, line.rung) for line in winners]
    rest = [member for member in members[0] if member != winners[0].member] if len(winners) == 1 else []
    others = tuple(_line(results, winners[0].rung, member) for member in rest)
    losses = results.kept_losses(winners[0].rung) if len(winners) == 1 else np.zeros((2, 0))
    total = sum(map(len, members))
    return _LearningCurves(results.name, results.marked, results.time, total, winners, others, losses)


def _members(curves: dict[str, NDArray[Any]], rung: str) -> list[int]:
    return [int(member) for member in np.unique(curves["member"][curves["rung"] == rung])]


def _line(results: Results, rung: str, member: int) -> _WinnerLine:
    curves = results.curves
    rows = np.flatnonzero((curves["rung"] == rung) & (curves["member"] == member))
    unit = np.array([[1.0], [1.0], [100.0]])
    train, validation = (
        np.stack([curves[f"{part}_{measure}"][rows].astype(np.float64) for measure in _MEASURES]) * unit
        for part in ("train", "validation")
    )
    return _WinnerLine(rung, member, results.times(rows), train, validation)


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
    if data.members == 1:
        return f"{short(data.name)}: learning curves"
    if not data.best or data.members == rungs > 1:
        return f"{short(data.name)}: learning curves of {count(rungs, 'run')}"
    winner = "the winner" if rungs == 1 else "the winner of each rung"
    trained = f"{count(data.members, 'member')} in {count(rungs, 'rung')}"
    return f"{short(data.name)}: learning curves of {winner} by validation accuracy, {trained}"


def _panel(panel: Axes, data: _LearningCurves, measure: int) -> None:
    if _MEASURES[measure] == "loss" and data.losses.size:
        panel.plot(*data.losses, color=rung_colors(1)[0], linewidth=0.5, alpha=0.55)
    for line in data.others:
        _curve(panel, line.times, line.validation[measure], {"color": _GREY, "linewidth": 0.6, "alpha": 0.55})
    aside = spread([line.times for line in data.winners])
    for line, color, away in zip(data.winners, rung_colors(len(data.winners)), aside, strict=True):
        dashed = {"color": color, "linewidth": 1.2, "alpha": 0.75, "linestyle": (0, (4, 2))}
        _curve(panel, line.times + away, line.train[measure], dashed, "training")
        _curve(panel, line.times + away, line.validation[measure], {"color": color, "linewidth": 1.9})
    panel.set_xlabel(data.time)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    _scale(panel, data, measure)


def _curve(
    panel: Axes,
    times: NDArray[np.float64],
    values: NDArray[np.float64],
    style: dict[str, Any],
    part: str = "validation",
) -> None:
    """Draw a member's curve: a failed one ends; rows with only training or only validation leave no gap."""
    shown = np.abs(values) < HUGE
    panel.plot(times[shown], values[shown], **marks(int(shown.sum()), part), **style)


def _scale(panel: Axes, data: _LearningCurves, measure: int) -> None:
    """Let the winners set the scale, so that a member that diverges does not press them onto the axis."""
    values = [np.r_[line.train[measure], line.validation[measure]] for line in data.winners]
    if _MEASURES[measure] == "loss":
        values.append(np.quantile(data.losses[1], (0.002, 0.998)) if np.isfinite(data.losses[1]).any() else np.zeros(0))
    ratio = math.inf if _MEASURES[measure] == "accuracy" else _FAR if _squashed(values) else LOG_RATIO
    panel.set_ylabel(_LABELS[measure])
    if fit_axis(panel, np.concatenate(values), ratio):
        panel.set_ylabel(f"{_LABELS[measure]} (log scale)")


def _squashed(curves: list[NDArray[np.float64]]) -> bool:
    """Say if one curve sets an axis on which another is a flat line."""
    spans = [np.ptp(drawn) for values in curves if (drawn := values[np.abs(values) < HUGE]).size]
    return len(spans) > 1 and bool(min(spans) < _SQUASHED * max(spans))


def _legend(figure: Figure, data: _LearningCurves) -> None:
    colors = rung_colors(len(data.winners))
    alone = all(line.times.size == 1 for line in data.winners)
    dot, ring = (marks(1, part) if alone else {} for part in ("validation", "training"))
    handles = [Line2D([], [], color=color, linewidth=2.4) for color in colors]
    names = [_rung_name(line, data) for line in data.winners]
    if any(np.isfinite(line.validation).any() for line in data.winners):
        handles.append(Line2D([], [], color=_DARK, linewidth=1.9, **dot))
        names.append("validation")
    handles.append(Line2D([], [], color=_DARK, linewidth=1.2, linestyle=(0, (4, 2)), **ring))
    names.append("training")
    if data.losses.size:
        handles.append(Line2D([], [], color=colors[0], linewidth=0.8, alpha=0.6))
        names.append("single mini-batches")
    if data.others:
        handles.append(Line2D([], [], color=_GREY, linewidth=0.8))
        names.append(f"validation of the other {len(data.others)} members")
    legend = figure.legend(handles, ["name"] * len(names), loc="outside lower center", ncols=4, frameon=False)
    kept_as_text(legend, names)


def _rung_name(line: _WinnerLine, data: _LearningCurves) -> str:
    if not data.best or data.members == 1:
        return short(line.rung)
    best = line.rung == data.best and len(data.winners) > 1
    if data.members == len(data.winners) > 1:  # runs of one member each: there is nobody that it won against
        return short(line.rung) + " (best by validation)" * best
    return f"{short(line.rung)} (member {line.member}{', best rung' * best})"


learning_curves = Plot(_select, _draw)
