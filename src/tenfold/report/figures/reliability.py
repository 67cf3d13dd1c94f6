"""Reliability of the best rung's confidence: accuracy by confidence, with its temperature and without."""

__all__ = ["reliability"]

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.report.results import Plot, Results
from tenfold.text import percent, short
from tenfold.trained import calibrate
from tenfold.trained.calibrate import Reliability
from tenfold.trained.statistics import wilson

_BLUE, _ORANGE = "#0072B2", "#E69F00"
_DARK, _GREY, _LIGHT = "#404040", "#808080", "#E4E4E4"


@dataclass(frozen=True)
class _Reliability:
    """Bins and expected calibration error with the temperature and without; n images of a part. mark: of the rung."""

    name: str
    rung: str
    mark: str
    part: str
    n: int
    bins: Reliability
    error: float
    uncalibrated: Reliability
    uncalibrated_error: float


def _select(results: Results) -> _Reliability | None:
    rung = results.best
    if rung not in results.predicted or rung not in results.confidence or rung not in results.uncalibrated:
        return None
    confidence, before = results.confidence[rung], results.uncalibrated[rung]
    finite = np.isfinite(confidence) & np.isfinite(before)
    if not finite.any():
        return None
    confidence, before = confidence[finite], before[finite]
    right = (results.predicted[rung] == results.labels)[finite]
    return _Reliability(
        results.name,
        rung,
        "best run by validation" if results.apart else "best rung",
        results.part,
        int(finite.sum()),
        calibrate.reliability(confidence, right),
        calibrate.calibration_error(confidence, right),
        calibrate.reliability(before, right),
        calibrate.calibration_error(before, right),
    )


def _draw(data: _Reliability) -> Figure:
    figure = Figure(figsize=(6.5, 6.8), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    top, bottom = figure.subplots(2, sharex=True, height_ratios=(3.2, 1))
    _bars(top, data.bins)
    _points(top, data.uncalibrated)
    top.plot([0, 100], [0, 100], color=_GREY, linewidth=1, linestyle=(0, (4, 2)), label="as right as confident")
    top.set_ylim(0, 103)
    top.set_ylabel("accuracy (%)")
    _histogram(bottom, data)
    bottom.set_xlim(0, 100)
    bottom.set_xlabel("confidence: probability of the predicted class (%)")
    for panel in (top, bottom):
        panel.grid(color=_LIGHT, linewidth=0.6)
        panel.set_axisbelow(True)
        panel.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8.5)
    return figure


def _title(data: _Reliability) -> str:
    errors = f"{percent(data.error)} % with its temperature, {percent(data.uncalibrated_error)} % without"
    lines = [
        f"{short(data.name)}: is it as right as it is confident?",
        f"{short(data.rung)} ({data.mark}), n = {data.n} {short(data.part)} images",
        f"expected calibration error {errors}",
    ]
    fitted = ["the temperature was fitted on these very images"] if data.part == "validation" else []
    return "\n".join(lines + fitted)


def _bars(panel: Axes, bins: Reliability) -> None:
    full, width = bins.images > 0, 100 * np.diff(bins.edges)[0]
    left, share = 100 * bins.edges[:-1][full], 100 * bins.accuracy[full]
    panel.bar(left, share, width=0.94 * width, align="edge", color=_BLUE, alpha=0.55, label="with its temperature")
    low, high = _spread(bins.accuracy[full], bins.images[full])
    # On the bar, where the images of the bin lie; how far chance alone could move so few of them.
    place = 100 * bins.confidence[full]
    panel.vlines(place, 100 * low, 100 * high, color=_DARK, linewidth=0.9, label="95 % interval of a bar")


def _spread(share: NDArray[np.float64], n: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of Wilson's 95 % interval of each share of n images."""
    spans = [wilson(round(part * count), count) for part, count in zip(share.tolist(), n.tolist(), strict=True)]
    low, high = np.array(spans, dtype=np.float64).reshape(-1, 2).T
    return low, high


def _points(panel: Axes, bins: Reliability) -> None:
    full = bins.images > 0
    x, y = 100 * bins.confidence[full], 100 * bins.accuracy[full]
    panel.plot(x, y, label="without it", color=_ORANGE, linewidth=1.1, marker="o", markersize=3.5, alpha=0.8)


def _histogram(panel: Axes, data: _Reliability) -> None:
    edges = 100 * data.bins.edges
    panel.stairs(100 * data.bins.images / data.n, edges, fill=True, color=_BLUE, alpha=0.55)
    panel.stairs(100 * data.uncalibrated.images / data.n, edges, color=_ORANGE, linewidth=1.2)
    panel.set_ylabel("images (%)")


reliability = Plot(_select, _draw)
