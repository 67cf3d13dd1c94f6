"""Learning curves as numbers for the page's charts: loss, cost and accuracy of the rungs' winners over time."""

__all__ = ["Curve", "chart_data", "curves", "epochs", "overlaid"]

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.report.figures import rung_colors
from tenfold.report.results import Results
from tenfold.text import label

MEASURES = {"loss": "Loss", "cost": "Cost = loss + penalty", "accuracy": "Accuracy, %"}
PARTS = ("train", "validation")
# More members than this are a grey smear, more points than pixels are invisible.
MEMBERS, POINTS = 64, 400
# From this ratio on, a linear axis presses most of a curve onto its floor.
LOG_RATIO = 8.0
HUGE = 1e100


class Curve(NamedTuple):
    """A member over its times (T,): epochs, or iterations. place: of its rung among all, which decides its color.

    values: "train_loss", "validation_accuracy", … -> (T,), accuracy in percent.
    """

    name: str
    member: int
    times: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]
    place: int = 0

    def last(self, key: str) -> float | None:
        """Return the last number that there is."""
        finite = self.values[key][np.isfinite(self.values[key])]
        return float(finite[-1]) if finite.size else None


def curves(results: Results) -> list[Curve]:
    """Return the winner of every rung, in order."""
    winners = enumerate(results.winners.items())
    all_curves = [_curve(results, rung, member)._replace(place=place) for place, (rung, member) in winners]
    return [curve for curve in all_curves if curve.times.size]


def epochs(results: Results, rung: str) -> dict[int, float]:
    """Return the epochs that each member of a rung was trained for."""
    columns = results.curves
    of_rung = columns["rung"] == rung
    return {int(m): float(columns["epoch"][of_rung & (columns["member"] == m)].max()) for m in _members(results, rung)}


def chart_data(results: Results) -> list[dict[str, Any]]:
    """Return one chart a measure: times, and the winners' series (and a lone rung's other members, in grey)."""
    winners = curves(results)
    others = _others(results, winners[0]) if len(winners) == 1 else []
    colors = rung_colors(len(results.winners))
    charts = [_chart(measure, title, winners, others, colors) for measure, title in MEASURES.items()] if winners else []
    batches = results.kept_losses(winners[0].name) if len(winners) == 1 else np.zeros((2, 0))
    return [{**chart, "time": results.time, **_batches(chart, batches)} for chart in charts]


def overlaid(runs: Sequence[Results], names: Sequence[str]) -> list[dict[str, Any]]:
    """Return one chart a measure with the validation curve of each run's best model."""
    time = "iteration" if all(run.time == "iteration" for run in runs) else "epoch"
    best = [
        _curve(replace(run, time=time), run.best, run.winners.get(run.best, 0))._replace(name=name, place=place)
        for place, (run, name) in enumerate(zip(runs, names, strict=True))
    ]
    if not any(curve.times.size for curve in best):
        return []
    colors = rung_colors(len(best))
    charts = [_chart(measure, title, best, [], colors, ("validation",)) for measure, title in MEASURES.items()]
    return [{**chart, "time": time} for chart in charts]


def _members(results: Results, rung: str) -> list[int]:
    return [int(m) for m in np.unique(results.curves["member"][results.curves["rung"] == rung])]


def _others(results: Results, winner: Curve) -> list[Curve]:
    rest = [m for m in _members(results, winner.name) if m != winner.member]
    return [_curve(results, winner.name, m) for m in rest[:MEMBERS]]


def _curve(results: Results, rung: str, member: int) -> Curve:
    columns = results.curves
    rows = np.flatnonzero((columns["rung"] == rung) & (columns["member"] == member))
    if rows.size > POINTS:
        rows = rows[np.unique(np.linspace(0, rows.size - 1, POINTS).round().astype(int))]
    values = {f"{part}_{measure}": columns[f"{part}_{measure}"][rows] for part in PARTS for measure in MEASURES}
    clean = {key: np.where(np.abs(numbers) < HUGE, numbers, np.nan) for key, numbers in values.items()}
    percent = {key: 100 * numbers if key.endswith("accuracy") else numbers for key, numbers in clean.items()}
    return Curve(rung, member, results.times(rows), percent)


def _chart(
    measure: str,
    title: str,
    winners: list[Curve],
    others: list[Curve],
    colors: list[str],
    parts: Sequence[str] = PARTS,
) -> dict[str, Any]:
    grid = np.unique(np.concatenate([curve.times for curve in (*winners, *others)]))
    series = [
        {"rung": -1, "part": "validation", "name": f"member {curve.member}", "color": "", "y": _on(grid, curve, key)}
        for curve in others
        if (key := f"validation_{measure}")
    ]
    for curve in winners:
        for part in parts:
            y = _on(grid, curve, f"{part}_{measure}")
            series.append(
                {"rung": curve.place, "part": part, "name": label(curve.name), "color": colors[curve.place], "y": y}
            )
    scale = _scale(measure, winners, parts)
    return {"measure": measure, "title": title, **scale, "x": [float(f"{x:.6g}") for x in grid], "series": series}


def _batches(chart: dict[str, Any], losses: NDArray[np.float64]) -> dict[str, Any]:
    """Return times and losses of single mini-batches for the chart of the loss, and a scale with room for them."""
    finite = losses[:, np.abs(losses[1]) < HUGE]
    if chart["measure"] != "loss" or not finite.size:
        return {}
    low, high = np.quantile(finite[1], (0.002, 0.998))
    # A log scale has no place for a loss of 0, which a small batch may have.
    low = chart["low"] if chart["log"] and low <= 0 else min(chart["low"], float(low))
    points = [[float(f"{number:.5g}") for number in numbers] for numbers in finite]
    return {"batches": points, "low": low, "high": max(chart["high"], float(high))}


def _on(grid: NDArray[np.float64], curve: Curve, key: str) -> list[float | None]:
    """Put a curve on the times that all share; None where it has no number."""
    placed = np.full(grid.size, np.nan)
    placed[np.searchsorted(grid, curve.times)] = curve.values[key]
    return [float(f"{value:.5g}") if np.isfinite(value) else None for value in placed]


def _scale(measure: str, winners: list[Curve], parts: Sequence[str]) -> dict[str, Any]:
    """Let the winners set the scale, so that a member that diverges does not press them onto the axis."""
    values = np.concatenate([curve.values[f"{part}_{measure}"] for curve in winners for part in parts])
    values = values[np.isfinite(values)]
    if not values.size:
        return {"log": False, "low": 0.0, "high": 1.0}
    low, high = float(values.min()), float(values.max())
    if measure != "accuracy" and low > 0 and high / low > LOG_RATIO:
        return {"log": True, "low": low / 1.25, "high": high * 1.25}
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return {"log": False, "low": low - margin, "high": high + margin}
