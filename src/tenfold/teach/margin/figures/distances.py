"""Distance of every point from the line, whatever the number of coordinates: w·x + b of both classes."""

__all__ = ["distances"]

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from tenfold.report.results import Plot
from tenfold.teach.margin.figures import CLASSES, INK, LIGHT, tint
from tenfold.teach.margin.phrases import shown
from tenfold.teach.margin.problem import Floats, Points, Separated, Soft
from tenfold.text import label

_BINS = 60


@dataclass(frozen=True)
class _Distances:
    """values: w·x + b of the points of + and of those of −."""

    title: str
    names: tuple[str, str]
    values: tuple[Floats, Floats]


def _select(points: Points, line: Separated | Soft, name: str) -> _Distances:
    values = points.x @ line.w + line.b
    against = " against ".join(label(word, 16) for word in points.names)
    kind, support = "soft margin" if isinstance(line, Soft) else "margin", f"{len(line.support):,} support vectors"
    title = f"{label(name, 30)}: {against}\n{kind} 1/‖w‖ = {shown(line.margin)}, {support}"
    return _Distances(title, points.names, (values[points.sign > 0], values[points.sign < 0]))


def _draw(data: _Distances) -> Figure:
    figure = Figure(figsize=(7.4, 3.9), layout="constrained")
    figure.suptitle(data.title, fontsize=10, parse_math=False)
    panel = figure.subplots()
    low, high = min(-1.0, *map(np.min, data.values)), max(1.0, *map(np.max, data.values))
    # The margins are edges of bins, or those on it would be counted on either side of it.
    step = (high - low) / _BINS
    step = 1 / max(1, round(1 / step)) if step < 1 else float(np.ceil(step))
    edges = np.arange(np.floor(low / step - 1e-9), np.ceil(high / step + 1e-9) + 1) * step
    for values, name, mark, color in zip(data.values, data.names, "+−", CLASSES, strict=True):
        legend = f"{label(name, 20)} ({mark}), n = {len(values):,}"
        # A hair outward, for a value of 1 − 1e-15 is one on the margin.
        counts, _ = np.histogram(values * (1 + 1e-9), edges)
        panel.stairs(counts, edges, fill=True, color=tint(color, 0.55), label=legend)
        panel.stairs(counts, edges, color=color, linewidth=1)
    panel.axvline(0, color=INK, linewidth=1.6)
    for place, color in ((1, CLASSES[0]), (-1, CLASSES[1])):
        panel.axvline(place, color=color, linewidth=1.1, linestyle="dashed")
    panel.set_xlim(float(edges[0]), float(edges[-1]))
    panel.set_ylim(bottom=0)
    panel.set_xlabel("w·x + b")
    panel.set_ylabel("points")
    panel.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(axis="y", color=LIGHT, linewidth=0.6)
    panel.set_axisbelow(True)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
    return figure


distances = Plot(_select, _draw)
