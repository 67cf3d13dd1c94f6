"""Curves of runs that stand side by side, each on axes of its own: loss, cost and accuracy, in a row for each run.

Where there are many runs, or pairs that belong together, two share a row. Accuracy has the same axis everywhere.
"""

__all__ = ["run_curves"]

import math
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tenfold.report.figures import HUGE, LOG_RATIO, fit_axis, kept_as_text, marks
from tenfold.report.results import Plot, Results
from tenfold.text import short

_LABELS = {"loss": "loss", "cost": "cost = loss + penalty", "accuracy": "accuracy (%)"}
# So many runs have a row each.
_ROWS = 4
_STYLES: dict[str, dict[str, Any]] = {
    "training": {"color": "#D55E00", "linewidth": 1.3, "linestyle": (0, (4, 2))},
    "validation": {"color": "#0072B2", "linewidth": 1.7},
}
_BATCHES: dict[str, Any] = {"color": "#8A8A8A", "linewidth": 0.5, "alpha": 0.7}
_TITLE: dict[str, Any] = {"fontsize": 9, "loc": "left", "parse_math": False}
_ALERT = "#A03A00"


class _RunCurve(NamedTuple):
    """A run over its times (T,). values: measure -> (2, T), training and validation; losses: (2, n) of mini-batches."""

    run: str
    times: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    losses: NDArray[np.float64]


@dataclass(frozen=True)
class _RunCurves:
    """runs: in rows of one or two; None where a place is empty. measures: those that the runs differ in."""

    name: str
    time: str
    measures: tuple[str, ...]
    rows: tuple[tuple[_RunCurve | None, ...], ...]

    @property
    def runs(self) -> list[_RunCurve]:
        return [run for row in self.rows for run in row if run]


def _select(results: Results) -> _RunCurves | None:
    """Select runs that stand side by side; of a ladder, whose winners are compared, the learning curves say more."""
    if not results.apart:
        return None
    curves = {run: _curve(results, run) for run in results.winners}
    if not any(curve.times.size for curve in curves.values()):
        return None
    penalized = any(not np.array_equal(*_both(curve), equal_nan=True) for curve in curves.values())
    measures = tuple(measure for measure in _LABELS if measure != "cost" or penalized)
    rows = tuple(tuple(curves[run] if run else None for run in row) for row in _rows(list(curves), results.pairs))
    return _RunCurves(results.name, results.time, measures, rows)


def _both(curve: _RunCurve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return curve.values["loss"], curve.values["cost"]


def _curve(results: Results, run: str) -> _RunCurve:
    curves = results.curves
    rows = np.flatnonzero((curves["rung"] == run) & (curves["member"] == results.winners[run]))
    values = {
        measure: np.stack([curves[f"{part}_{measure}"][rows].astype(np.float64) for part in ("train", "validation")])
        * (100.0 if measure == "accuracy" else 1.0)
        for measure in _LABELS
    }
    shown = {measure: np.where(np.abs(both) < HUGE, both, np.nan) for measure, both in values.items()}
    return _RunCurve(run, results.times(rows), shown, results.kept_losses(run))


def _rows(runs: list[str], pairs: tuple[tuple[str, str], ...]) -> list[tuple[str, ...]]:
    """Arrange the runs, pairs first; "" is an empty place.

    >>> _rows(["a", "b", "c"], (("a", "c"),)), _rows(["a", "b"], ())
    ([('a', 'c'), ('b', '')], [('a',), ('b',)])
    """
    paired = list(dict.fromkeys(run for pair in pairs for run in pair))
    rest = [run for run in runs if run not in paired]
    if not pairs and len(runs) <= _ROWS:
        return [(run,) for run in runs]
    return [*pairs, *zip_longest(rest[::2], rest[1::2], fillvalue="")]


def _draw(data: _RunCurves) -> Figure:
    wide, measures = max(map(len, data.rows)), len(data.measures)
    each = 2.15 if wide > 1 else 3.4
    size = (max(6.5, wide * measures * each + 0.2), 1.75 * len(data.rows) + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(len(data.rows), wide * measures, squeeze=False)
    reach = np.concatenate([run.values["accuracy"].ravel() for run in data.runs])
    for row, runs in enumerate(data.rows):
        for column, run in enumerate(runs):
            block = panels[row, column * measures : (column + 1) * measures]
            for panel, measure in zip(block, data.measures, strict=True):
                if run:
                    _panel(panel, run, measure, reach)
                else:
                    panel.set_axis_off()
    _name_times(panels, data)
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    _legend(figure, data)
    return figure


def _title(data: _RunCurves) -> str:
    runs = len(data.runs)
    many = f"{runs} runs, losses on axes of their own" if runs > 1 else "one run"
    return f"{short(data.name)}: learning curves of {many}"


def _panel(panel: Axes, run: _RunCurve, measure: str, reach: NDArray[np.float64]) -> None:
    both = run.values[measure]
    bounds = both.ravel()
    if measure == "loss" and np.isfinite(run.losses[1]).any():
        panel.plot(*run.losses, **_BATCHES)
        # A few spikes may leave the picture: they would press the rest onto its floor.
        bounds = np.r_[bounds, np.nanquantile(run.losses[1], (0.002, 0.998))]
    for values, (part, style) in zip(both, _STYLES.items(), strict=True):
        finite = np.isfinite(values)
        panel.plot(run.times[finite], values[finite], **marks(int(finite.sum()), part), **style)
    accuracy = measure == "accuracy"
    log = fit_axis(panel, reach if accuracy else bounds, math.inf if accuracy else LOG_RATIO)
    head = short(run.run) if measure == "loss" else ""
    panel.set_title(f"{head}\n{_LABELS[measure]}{' (log scale)' if log else ''}", **_TITLE)
    if not np.isfinite(both).any():
        panel.text(0.5, 0.5, "non-finite", transform=panel.transAxes, ha="center", color=_ALERT, fontsize=9)
    _frame(panel)
    if run.losses.size:  # they begin before the first validation
        panel.set_xlim(-0.03 * run.times[-1], 1.03 * run.times[-1])


def _frame(panel: Axes) -> None:
    panel.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    panel.tick_params(labelsize=8.5)
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


def _name_times(panels: NDArray[Any], data: _RunCurves) -> None:
    """Name the time below the last panel of each column."""
    for column in range(panels.shape[1]):
        block = column // len(data.measures)
        last = max(row for row, runs in enumerate(data.rows) if block < len(runs) and runs[block])
        panels[last, column].set_xlabel(data.time, fontsize=9)


def _legend(figure: Figure, data: _RunCurves) -> None:
    most = max(run.times.size for run in data.runs)
    handles = [Line2D([], [], **style, **(marks(most, part) if most == 1 else {})) for part, style in _STYLES.items()]
    names = list(_STYLES)
    if any(run.losses.size for run in data.runs):
        handles.append(Line2D([], [], **_BATCHES | {"linewidth": 0.9}))
        names.append("loss of single mini-batches")
    legend = figure.legend(handles, ["name"] * len(names), loc="outside lower center", ncols=3, frameon=False)
    kept_as_text(legend, names)


run_curves = Plot(_select, _draw)
