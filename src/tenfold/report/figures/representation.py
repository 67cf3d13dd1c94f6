"""How an encoder's embeddings developed: probes on held-out images, active triplets, effective rank, and distances."""

__all__ = ["representation"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tenfold.report.figures import HUGE, kept_as_text, marks
from tenfold.report.results import Plot, Results
from tenfold.text import count, short

_GREY = "#9A9A9A"


class _Measure(NamedTuple):
    """A column of metrics.csv as it is drawn. percent: shown as such."""

    column: str
    name: str
    color: str
    percent: bool = False


# Titles of the panels, and what each shows of the winner.
_PANELS = {
    "accuracy on validation images (%)": (
        _Measure("validation_accuracy", "nearest neighbors", "#0072B2", True),
        _Measure("linear_probe", "linear probe", "#D55E00", True),
    ),
    "triplets with a loss (% of a batch's)": (_Measure("active", "active triplets", "#0072B2", True),),
    "effective rank of embeddings": (_Measure("effective_rank", "effective rank", "#0072B2"),),
    "distances of embeddings": (
        _Measure("alignment", "alignment: mean ‖u − v‖² within a class", "#0072B2"),
        _Measure("uniformity", "uniformity: log mean exp(−2 ‖u − v‖²)", "#D55E00"),
    ),
}


@dataclass(frozen=True)
class _Representation:
    """times: (T,) of the winner; others: times of the other members. values: column -> (T,); of_others: alike."""

    name: str
    time: str
    members: int
    times: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    others: tuple[NDArray[np.float64], ...]
    of_others: dict[str, tuple[NDArray[np.float64], ...]]


def _select(results: Results) -> _Representation | None:
    curves, rung = results.curves, results.best
    if "effective_rank" not in curves or rung not in results.winners:
        return None
    of_rung = curves["rung"] == rung
    members = [int(member) for member in np.unique(curves["member"][of_rung])]
    rows = {member: np.flatnonzero(of_rung & (curves["member"] == member)) for member in members}
    winner = results.winners[rung]
    if not rows.get(winner, np.zeros(0)).size:
        return None
    rest = [rows[member] for member in members if member != winner]
    measures = [measure for shown in _PANELS.values() for measure in shown]
    return _Representation(
        results.name,
        results.time,
        len(members),
        results.times(rows[winner]),
        {m.column: _values(curves, m, rows[winner]) for m in measures},
        tuple(results.times(of_member) for of_member in rest),
        {m.column: tuple(_values(curves, m, of_member) for of_member in rest) for m in measures},
    )


def _values(curves: dict[str, NDArray[Any]], measure: _Measure, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    values = curves[measure.column][rows].astype(np.float64) * (100.0 if measure.percent else 1.0)
    return np.where(np.abs(values) < HUGE, values, np.nan)


def _draw(data: _Representation) -> Figure:
    shown = {title: ms for title, ms in _PANELS.items() if any(np.isfinite(data.values[m.column]).any() for m in ms)}
    columns = 2 if len(shown) > 1 else 1
    height = 3.1 * max(1, -(-len(shown) // columns)) + 0.5
    figure = Figure(figsize=(9.6 if columns > 1 else 5.4, height), layout="constrained")
    panels = figure.subplots(max(1, -(-len(shown) // columns)), columns, squeeze=False).ravel()
    for panel, (title, measures) in zip(panels, shown.items(), strict=False):
        _panel(panel, data, title, measures)
    for panel in panels[len(shown) :]:
        panel.set_axis_off()
    of = "" if data.members == 1 else f", the winner of {count(data.members, 'member')} in color"
    figure.suptitle(f"{short(data.name)}: embeddings while the encoder trained{of}", fontsize=11, parse_math=False)
    return figure


def _panel(panel: Axes, data: _Representation, title: str, measures: tuple[_Measure, ...]) -> None:
    for measure in measures:
        for times, values in zip(data.others, data.of_others[measure.column], strict=True):
            panel.plot(times, values, color=_GREY, linewidth=0.6, alpha=0.55)
    for measure in measures:
        values = data.values[measure.column]
        dots = marks(int(np.isfinite(values).sum()), "validation")
        panel.plot(data.times, values, color=measure.color, linewidth=1.8, label=measure.name, **dots)
    panel.set_title(title, fontsize=9.5, loc="left")
    panel.set_xlabel(data.time)
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    if len(measures) > 1:
        kept_as_text(panel.legend(frameon=False, fontsize=8.5), [measure.name for measure in measures])


representation = Plot(_select, _draw)
