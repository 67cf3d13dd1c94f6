"""Training and validation loss of many runs, a small panel each; where all that counts is which run learns at all."""

__all__ = ["run_losses"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tenfold.report.figures import HUGE, marks
from tenfold.report.results import Plot, Results
from tenfold.text import short

_COLUMNS = 4
# So many runs can still be told apart in one panel.
_TOGETHER = 6
_STYLES: dict[str, dict[str, Any]] = {
    "training": {"color": "#D55E00", "linewidth": 1.3, "linestyle": (0, (4, 2))},
    "validation": {"color": "#0072B2", "linewidth": 1.6},
}


@dataclass(frozen=True)
class _RunLosses:
    """times: run -> (T,), what `time` counts; losses: run -> (2, T), training and validation, NaN for none."""

    name: str
    time: str
    times: dict[str, NDArray[np.float64]]
    losses: dict[str, NDArray[np.float64]]


def _select(results: Results) -> _RunLosses | None:
    """Select only runs of one member each: where many trained, the curves of their winners say more."""
    curves, runs = results.curves, list(results.winners)
    if len(runs) <= _TOGETHER or len(set(zip(curves["rung"], curves["member"], strict=True))) > len(runs):
        return None
    times, losses = {}, {}
    for run in runs:
        rows = curves["rung"] == run
        both = np.stack([curves[f"{part}_loss"][rows].astype(np.float64) for part in ("train", "validation")])
        times[run], losses[run] = results.times(rows), np.where(np.abs(both) < HUGE, both, np.nan)
    return _RunLosses(results.name, results.time, times, losses)


def _draw(data: _RunLosses) -> Figure:
    lines = -(-len(data.losses) // _COLUMNS)
    figure = Figure(figsize=(11, 0.7 + 1.75 * lines), layout="constrained")
    panels = figure.subplots(lines, _COLUMNS, squeeze=False)
    for panel in panels.flat[len(data.losses) :]:
        panel.set_visible(False)
    for panel, run in zip(panels.flat, data.losses, strict=False):
        _panel(panel, run, data)
    handles = panels[0, 0].get_lines()[:2]
    figure.legend(handles, ["training", "validation"], loc="outside lower center", ncols=2, frameon=False)
    figure.suptitle(
        f"{short(data.name)}: loss of {len(data.losses)} runs over the {data.time}s", fontsize=11, parse_math=False
    )
    return figure


def _panel(panel: Axes, run: str, data: _RunLosses) -> None:
    times, losses = data.times[run], data.losses[run]
    for values, (part, style) in zip(losses, _STYLES.items(), strict=True):
        alone = marks(1, part) if np.isfinite(values).sum() == 1 else {}
        panel.plot(times, values, **style, **alone)
    finite = np.isfinite(losses).all(0)
    panel.set_title(short(run), fontsize=9, parse_math=False)
    if not finite.all():
        title = "goes non-finite" if finite.any() else f"non-finite from the first {data.time}"
        panel.text(0.5, 0.5, title, transform=panel.transAxes, ha="center", va="center", color="#A03A00", fontsize=9)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))
    panel.yaxis.set_major_locator(MaxNLocator(nbins=4))
    panel.ticklabel_format(axis="y", useOffset=False)
    if not finite.any():
        panel.set_xticks([])
        panel.set_yticks([])
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)


run_losses = Plot(_select, _draw)
