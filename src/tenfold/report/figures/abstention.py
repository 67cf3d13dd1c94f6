"""Abstention: accuracy among the surest images against the share that is answered, for each rung."""

__all__ = ["abstention"]

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.report.figures import rung_colors
from tenfold.report.results import Plot, Results
from tenfold.text import short
from tenfold.trained import calibrate

_POINTS = 400
_SHARE = 0.8
# Among fewer of the surest images a single mistake moves the accuracy out of the picture.
_STEADY = 0.05


class _AnsweredLine(NamedTuple):
    """Percent answered and percent right of those, each (k,); overall: of all; surest: of the surest 80 %."""

    rung: str
    share: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    overall: float
    surest: float


@dataclass(frozen=True)
class _Abstention:
    """chance: percent that guessing among the classes gets right."""

    name: str
    best: str
    part: str
    n: int
    chance: float
    lines: tuple[_AnsweredLine, ...]


def _select(results: Results) -> _Abstention | None:
    n = len(results.labels)
    rungs = [rung for rung in results.predicted if np.isfinite(results.confidence.get(rung, np.zeros(0))).any()]
    if not n or not rungs:
        return None
    lines = tuple(_line(results, rung) for rung in rungs)
    return _Abstention(results.name, results.marked, results.part, n, 100 / len(results.class_names), lines)


def _line(results: Results, rung: str) -> _AnsweredLine:
    curve = calibrate.abstention(results.confidence[rung], results.predicted[rung] == results.labels)
    # So many points draw the same line as all of them; the first and the last are kept.
    shown = np.unique(np.linspace(0, len(curve.share) - 1, min(_POINTS, len(curve.share))).round().astype(np.int64))
    surest = 100 * calibrate.accuracy_at(curve, _SHARE)
    return _AnsweredLine(
        rung, 100 * curve.share[shown], 100 * curve.accuracy[shown], 100 * float(curve.accuracy[-1]), surest
    )


def _draw(data: _Abstention) -> Figure:
    figure = Figure(figsize=(7.5, 4.6 + 0.19 * len(data.lines)), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panel = figure.subplots()
    handles = []
    for line, color in zip(data.lines, rung_colors(len(data.lines)), strict=True):
        width = 2.2 if line.rung == data.best else 1.3
        handles += panel.plot(line.share, line.accuracy, color=color, linewidth=width)
        panel.plot([100], [line.overall], color=color, marker="o", markersize=5, clip_on=False)
    _frame(panel, data)
    legend = figure.legend(handles, ["name"] * len(handles), loc="outside lower center", frameon=False, fontsize=8.5)
    # Given as labels, names with a leading underscore would be left out, and dollars read as mathematics.
    for text, line in zip(legend.get_texts(), data.lines, strict=True):
        text.set_parse_math(False)
        text.set_text(_share_answered(line, data.best))
    return figure


def _title(data: _Abstention) -> str:
    return (
        f"{short(data.name)}: accuracy if only the surest images are answered\n"
        f"n = {data.n} {short(data.part)} images, guessing gets {data.chance:.1f} % right"
    )


def _share_answered(line: _AnsweredLine, best: str) -> str:
    chosen = ", best rung" if line.rung == best else ""
    return f"{short(line.rung)}{chosen}: {line.surest:.2f} % of the surest 80 %, {line.overall:.2f} % of all"


def _frame(panel: Axes, data: _Abstention) -> None:
    steady = [line.accuracy[line.share >= min(100 * _STEADY, line.share[-1])] for line in data.lines]
    low, high = min(float(part.min()) for part in steady), max(float(part.max()) for part in steady)
    margin = max(0.06 * (high - low), 0.5)
    panel.set_ylim(low - margin, high + margin)
    panel.set_xlim(0, 101.5)
    if low - margin < data.chance < high + margin:
        panel.axhline(data.chance, color="#808080", linewidth=1, linestyle=(0, (4, 2)), zorder=0)
    panel.axvline(100 * _SHARE, color="#B0B0B0", linewidth=0.8, linestyle=(0, (1, 2)), zorder=0)
    panel.set_xlabel("images answered, the surest first (%)")
    panel.set_ylabel("right among those answered (%)")
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


abstention = Plot(_select, _draw)
