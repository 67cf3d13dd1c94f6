"""Share of each class's test images that are classified right: the rungs side by side, a panel each."""

__all__ = ["class_accuracy"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.report.figures import rung_colors
from tenfold.report.results import Plot, Results
from tenfold.text import short

_COLUMNS = 5
# Keeps the line of the overall accuracy out of the numbers.
_CLEAR = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}


@dataclass(frozen=True)
class _Accuracies:
    """counts: (C,) test images; accuracy: rung -> (C,) percent, NaN for a class without images; overall: rung -> %.

    panels: the rungs of each panel: one, or two that belong side by side. best: the rung that is marked, "" for none.
    """

    name: str
    best: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    accuracy: dict[str, NDArray[np.float64]]
    overall: dict[str, float]
    panels: tuple[tuple[str, ...], ...]


def _select(results: Results) -> _Accuracies | None:
    if not results.labels.size or not results.predicted:
        return None
    classes = len(results.class_names)
    counts = np.bincount(results.labels, minlength=classes)
    hits = {rung: predicted == results.labels for rung, predicted in results.predicted.items()}
    accuracy = {rung: _by_class(hit, results.labels, counts) for rung, hit in hits.items()}
    overall = {rung: 100 * float(hit.mean()) for rung, hit in hits.items()}
    pairs = tuple(pair for pair in results.pairs if set(pair) <= set(accuracy))
    panels = (*pairs, *[(rung,) for rung in accuracy if not any(rung in pair for pair in pairs)])
    return _Accuracies(results.name, results.marked, results.class_names, counts, accuracy, overall, panels)


def _by_class(hit: NDArray[np.bool_], labels: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    share = np.full(len(counts), np.nan)
    present = counts > 0
    share[present] = 100 * np.bincount(labels[hit], minlength=len(counts))[present] / counts[present]
    return share


def _draw(data: _Accuracies) -> Figure:
    classes, count = len(data.class_names), len(data.panels)
    columns = min(_COLUMNS, count)
    lines = -(-count // columns)
    bar = 0.3 if len(data.panels[0]) > 1 else 0.21
    figure = Figure(figsize=(max(2.0 * columns + 1.9, 6.5), lines * (bar * classes + 0.9) + 0.6), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for panel in panels.flat[count:]:
        panel.set_axis_off()
    colors = dict(zip([rung for rungs in data.panels for rung in rungs], _colors(data), strict=True))
    for panel, rungs in zip(panels.flat, data.panels, strict=False):
        _panel(panel, data, rungs, colors)
    names = [f"{short(name)}  ({count})" for name, count in zip(data.class_names, data.counts, strict=True)]
    # The panels share their axis: the names are set once, and shown on the left of every line.
    panels[0, 0].set_yticks(np.arange(classes), labels=names, parse_math=False)
    panels[0, 0].set_ylim(classes - 0.4, -0.6)
    for column in range(columns):
        last = panels[(count - 1 - column) // columns, column]
        last.tick_params(labelbottom=True)
        last.set_xlabel("accuracy (%)", fontsize=8)
    return figure


def _colors(data: _Accuracies) -> list[str]:
    """Return a color for each rung; two in one panel differ most."""
    colors = rung_colors(len(data.accuracy))
    if len(data.panels[0]) == 1:
        return colors
    both = rung_colors(2)
    return [both[place] for rungs in data.panels for place in range(len(rungs))]


def _title(data: _Accuracies) -> str:
    chosen = f"\nchosen by validation: {short(data.best)}" if data.best else ""
    return f"{short(data.name)}: accuracy per class, n = {data.counts.sum():,} test images{chosen}"


def _panel(panel: Axes, data: _Accuracies, rungs: tuple[str, ...], colors: Mapping[str, str]) -> None:
    height = 0.8 / len(rungs)
    for place, rung in enumerate(rungs):
        away = (place - (len(rungs) - 1) / 2) * height
        _bars(panel, data.accuracy[rung], away, 0.9 * height, colors[rung])
        panel.axvline(data.overall[rung], color="#808080", linewidth=0.9, linestyle=(0, (4, 2)), zorder=0)
    if len(rungs) > 1:
        _name_pair(panel, data, rungs, colors)
    else:
        weight = "bold" if data.best in rungs else "normal"
        heading = f"{short(rungs[0])}\noverall {data.overall[rungs[0]]:.2f} %"
        panel.set_title(heading, fontsize=8.5, fontweight=weight, parse_math=False)
    # Beyond 100 % there is only room for the number.
    panel.set_xlim(0, 119)
    panel.set_xticks([0, 25, 50, 75, 100])
    panel.spines["bottom"].set_bounds(0, 100)
    panel.tick_params(axis="x", labelsize=8)
    panel.tick_params(axis="y", length=0, labelsize=8)
    panel.spines[["top", "right", "left"]].set_visible(False)


def _name_pair(panel: Axes, data: _Accuracies, rungs: tuple[str, ...], colors: Mapping[str, str]) -> None:
    """Name two rungs above their panel, each in the color of its bars."""
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "center"}
    for line, rung in enumerate(reversed(rungs)):
        text = f"{short(rung)}: {data.overall[rung]:.2f} %"
        place: dict[str, Any] = {
            "xytext": (0, 5 + 11 * line),
            "fontsize": 8.5,
            "color": colors[rung],
            "parse_math": False,
        }
        panel.annotate(text, (0.5, 1), fontweight="bold", **above, **place)


def _bars(panel: Axes, accuracy: NDArray[np.float64], away: float, height: float, color: str) -> None:
    rows = np.arange(len(accuracy)) + away
    panel.barh(rows, np.nan_to_num(accuracy), height=height, color=color)
    for row, share in zip(rows, accuracy, strict=True):
        text = f"{share:.1f}" if np.isfinite(share) else "no images"
        panel.text(np.nan_to_num(share) + 2, row, text, va="center", fontsize=7.5, color="#303030", bbox=_CLEAR)


class_accuracy = Plot(_select, _draw)
