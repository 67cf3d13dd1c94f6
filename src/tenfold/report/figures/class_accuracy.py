"""Share of each class's test images that are classified right: the rungs side by side, a panel each."""

__all__ = ["class_accuracy"]

from dataclasses import dataclass

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
    """counts: (C,) test images; accuracy: rung -> (C,) percent, NaN for a class without images; overall: rung -> %."""

    name: str
    best: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    accuracy: dict[str, NDArray[np.float64]]
    overall: dict[str, float]


def _select(results: Results) -> _Accuracies | None:
    if not results.labels.size or not results.predicted:
        return None
    classes = len(results.class_names)
    counts = np.bincount(results.labels, minlength=classes)
    hits = {rung: predicted == results.labels for rung, predicted in results.predicted.items()}
    accuracy = {rung: _by_class(hit, results.labels, counts) for rung, hit in hits.items()}
    overall = {rung: 100 * float(hit.mean()) for rung, hit in hits.items()}
    return _Accuracies(results.name, results.best, results.class_names, counts, accuracy, overall)


def _by_class(hit: NDArray[np.bool_], labels: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    share = np.full(len(counts), np.nan)
    present = counts > 0
    share[present] = 100 * np.bincount(labels[hit], minlength=len(counts))[present] / counts[present]
    return share


def _draw(data: _Accuracies) -> Figure:
    classes, rungs = len(data.class_names), len(data.accuracy)
    columns = min(_COLUMNS, rungs)
    lines = -(-rungs // columns)
    figure = Figure(figsize=(max(2.0 * columns + 1.9, 6.5), lines * (0.21 * classes + 0.9) + 0.6), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panels = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    for panel in panels.flat[rungs:]:
        panel.set_axis_off()
    for panel, rung, color in zip(panels.flat, data.accuracy, rung_colors(rungs), strict=False):
        _panel(panel, data, rung, color)
    names = [f"{short(name)}  ({count})" for name, count in zip(data.class_names, data.counts, strict=True)]
    # The panels of a line share their axis: the names are set once, on the left.
    panels[0, 0].set_yticks(np.arange(classes), labels=names, fontsize=8, parse_math=False)
    panels[0, 0].set_ylim(classes - 0.4, -0.6)
    return figure


def _title(data: _Accuracies) -> str:
    chosen = f"chosen by validation: {short(data.best)}"
    return f"{short(data.name)}: accuracy per class, n = {data.counts.sum()} test images\n{chosen}"


def _panel(panel: Axes, data: _Accuracies, rung: str, color: str) -> None:
    accuracy, overall = data.accuracy[rung], data.overall[rung]
    panel.barh(np.arange(len(accuracy)), np.nan_to_num(accuracy), height=0.72, color=color)
    panel.axvline(overall, color="#808080", linewidth=0.9, linestyle=(0, (4, 2)), zorder=0)
    for row, share in enumerate(accuracy):
        text = f"{share:.1f}" if np.isfinite(share) else "no images"
        panel.text(np.nan_to_num(share) + 2, row, text, va="center", fontsize=7.5, color="#303030", bbox=_CLEAR)
    weight = "bold" if rung == data.best else "normal"
    panel.set_title(f"{short(rung)}\noverall {overall:.2f} %", fontsize=9, fontweight=weight, parse_math=False)
    # Beyond 100 % there is only room for the number.
    panel.set_xlim(0, 119)
    panel.set_xticks([0, 25, 50, 75, 100])
    panel.spines["bottom"].set_bounds(0, 100)
    panel.set_xlabel("accuracy (%)", fontsize=8)
    panel.tick_params(axis="x", labelsize=8)
    panel.tick_params(axis="y", length=0)
    panel.spines[["top", "right", "left"]].set_visible(False)


class_accuracy = Plot(_select, _draw)
