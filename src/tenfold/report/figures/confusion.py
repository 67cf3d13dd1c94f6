"""Which class the best rung takes for which: counts on the test images, shaded by their share of the true class."""

__all__ = ["confusion"]

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.report.results import Plot, Results
from tenfold.text import short

_CELLS_WITH_TEXT = 20
_NAMED = 100


@dataclass(frozen=True)
class _Confusion:
    """counts: (C, C) images, true class × predicted class."""

    name: str
    rung: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    apart: bool


def _select(results: Results) -> _Confusion | None:
    if not results.labels.size or results.best not in results.predicted:
        return None
    classes = len(results.class_names)
    pairs = results.labels * classes + results.predicted[results.best]
    counts = np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)
    return _Confusion(results.name, results.best, results.class_names, counts, results.apart)


def _draw(data: _Confusion) -> Figure:
    classes = len(data.class_names)
    figure = Figure(figsize=_size(data.class_names), layout="compressed")
    panel = figure.subplots()
    shares = data.counts / np.maximum(data.counts.sum(axis=1, keepdims=True), 1)
    # A square root, because with a linear scale a confusion of one in fifty could not be seen.
    image = panel.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=1), interpolation="nearest")
    if classes <= _CELLS_WITH_TEXT:
        _write_counts(panel, data.counts, shares)
    _name_axes(panel, data.class_names)
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    bar = figure.colorbar(image, ax=panel, shrink=0.8, aspect=28, ticks=[0, 0.01, 0.05, 0.2, 0.5, 1])
    bar.ax.set_yticklabels(["0", "1", "5", "20", "50", "100"], fontsize=8)
    bar.set_label("share of the true class (%, square-root scale)", fontsize=8.5)
    bar.outline.set_visible(False)
    return figure


def _size(class_names: tuple[str, ...]) -> tuple[float, float]:
    """Return inches: the matrix, and room for the longest name on the left and below."""
    classes = len(class_names)
    cell, letter = (0.46, 0.08) if classes <= _CELLS_WITH_TEXT else (0.13, 0.05)
    side = min(max(cell * classes, 3.4), 13.0)
    name = letter * max(len(short(name)) for name in class_names)
    return max(side + name + 1.5, 6.2), side + name + 1.0


def _title(data: _Confusion) -> str:
    total = int(data.counts.sum())
    accuracy = 100 * np.trace(data.counts) / total
    chosen = f"{short(data.rung)}, the best {'run' if data.apart else 'rung'} by validation"
    return f"{short(data.name)}: confusion on n = {total} test images\n{chosen}: accuracy {accuracy:.2f} %"


def _write_counts(panel: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]) -> None:
    size = 9 if counts.max() < 1000 else 7.5
    for row, column in np.argwhere(counts > 0):
        tone = "white" if shares[row, column] > 0.36 else "#202020"
        panel.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=size, color=tone)


def _name_axes(panel: Axes, class_names: tuple[str, ...]) -> None:
    classes = len(class_names)
    places = np.arange(0, classes, -(-classes // _NAMED))
    names = [short(class_names[place]) for place in places]
    size = 9 if classes <= _CELLS_WITH_TEXT else 6
    panel.set_xticks(places, labels=names, fontsize=size, rotation=90, parse_math=False)
    panel.set_yticks(places, labels=names, fontsize=size, parse_math=False)
    panel.set_xlabel("predicted class")
    panel.set_ylabel("true class")
    panel.tick_params(length=0)
    panel.spines[:].set(color="#C8C8C8", linewidth=0.6)
    if classes <= _CELLS_WITH_TEXT:
        panel.set_xticks(np.arange(classes - 1) + 0.5, minor=True)
        panel.set_yticks(np.arange(classes - 1) + 0.5, minor=True)
        panel.grid(which="minor", color="#E4E4E4", linewidth=0.6)
        panel.tick_params(which="minor", length=0)


confusion = Plot(_select, _draw)
