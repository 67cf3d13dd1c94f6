"""Points of one or two coordinates, the line of the largest margin with both its margins, and who supports it.

Where the classes cannot be separated: the two hulls that meet, and the point at which they do.
"""

__all__ = ["plane"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator, MultipleLocator
from numpy.typing import NDArray
from scipy.spatial import ConvexHull, QhullError

from tenfold.report.figures import plain
from tenfold.report.results import Plot
from tenfold.teach.margin.figures import CLASSES, GIVEN, MARKS, tint
from tenfold.teach.margin.types import Inseparable, Judged, Number, Points, Separated, Soft
from tenfold.teach.margin.verdicts import line_of
from tenfold.teach.margin.wording import equated, hyperplane, told, vector

_NAMED = 12  # points that are few enough to be named
_STACK = 4  # lines beside one place
_CROWD = 1500  # points from which on their marks become one picture
_SKEWED = 12.0  # as many times longer one side may be where both axes have one scale
_SIDE = 6.4  # inches of the longer side
_INK, _GREY, _LIGHT = "#202020", "#808080", "#E4E4E4"
_DASHES = (0, (5, 2.5))


class _Cut(NamedTuple):
    """w·x + b = 0 on two coordinates."""

    w: NDArray[np.float64]
    b: float


@dataclass(frozen=True)
class _Plane:
    """What a figure shows of points in the plane.

    x: (n, 2), the second coordinate 0 where there is but one (flat). working, idle: on the margin, α > 0 and α = 0.

    labels: of each point, empty where there are many. best, given: lines. hulls, mixtures: of each class that meets the
    other, the corners (k, 2) of its hull and of the few points that prove it.
    """

    name: str
    told: str
    x: NDArray[np.float64]
    sign: NDArray[np.int8]
    names: tuple[str, str]
    labels: tuple[str, ...]
    flat: bool
    best: _Cut | None
    given: _Cut | None
    working: tuple[int, ...] = ()
    idle: tuple[int, ...] = ()
    hulls: tuple[NDArray[np.float64], ...] = ()
    mixtures: tuple[NDArray[np.float64], ...] = ()
    meeting: NDArray[np.float64] | None = None


def _select(
    points: Points, solution: Separated | Inseparable, judged: Judged | None, soft: Soft | None, name: str
) -> _Plane | None:
    n, dimensions = points.x.shape
    if dimensions > 2:
        return None
    x = np.column_stack([points.x, np.zeros((n, 2 - dimensions))])
    given = _cut(judged.w, judged.b) if judged else None
    labels = tuple(_label(points, solution, k) for k in range(n)) if n <= _NAMED else ()
    common = (x, points.sign, points.names, labels, dimensions == 1)
    if isinstance(solution, Inseparable):
        hulls = tuple(_corners(x[points.sign == sign]) for sign in (1, -1))
        mixtures = tuple(_corners(x[list(own)]) for own in (solution.first, solution.second))
        meeting = np.array([*map(float, solution.meeting), 0.0])[:2]
        best = _cut(soft.w.tolist(), soft.b) if soft else None
        title = _apart(solution) + (f"\nthe line of the soft margin with C = {told(soft.C)}" if best and soft else "")
        return _Plane(name, title, *common, best, given, hulls=hulls, mixtures=mixtures, meeting=meeting)
    best = _cut(*line_of(solution)[:2])
    least = 1e-12 * float(solution.multipliers.max())
    working = tuple(k for k in solution.support if solution.multipliers[k] > least)
    idle = tuple(k for k in solution.support if solution.multipliers[k] <= least)
    return _Plane(name, _found(solution), *common, best, given, working, idle)


def _label(points: Points, solution: Separated | Inseparable, k: int) -> str:
    """What a point is called, and its multiplier or its weight in the proof."""
    called = plain(points.labels[k], 20)
    if isinstance(solution, Inseparable):
        weight = solution.first.get(k, solution.second.get(k))
        return called if weight is None else f"{called}\n{equated('λ', weight)}"
    α: Sequence[Number] = solution.exact.multipliers if solution.exact else solution.multipliers.tolist()
    return f"{called}\n{equated('α', α[k])}" if k in solution.support else called


def _cut(w: Sequence[Number], b: Number) -> _Cut | None:
    """None where it is no line."""
    both = np.array([*map(float, w), 0.0])[:2]
    return _Cut(both, float(b)) if both.any() else None


def _corners(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Those of the hull in their order; the ends where all lie on one line."""
    if len(x) < 3:
        return x
    try:
        corners: NDArray[np.float64] = x[ConvexHull(x).vertices]
    except QhullError:
        along = (x - x[0]) @ np.linalg.svd(x - x[0])[2][0]
        corners = x[[along.argmin(), along.argmax()]]
    return corners


def _found(solution: Separated) -> str:
    line = line_of(solution)
    count = len(solution.support)
    on_it = f"{count} point{'s' * (count != 1)} on the margin"
    return f"{hyperplane(line.w, line.b)}\nmargin 1/‖w‖ = {told(solution.margin)}, {on_it}"


def _apart(solution: Inseparable) -> str:
    return f"not separable: the hulls meet at {vector(solution.meeting)}"


def _draw(data: _Plane) -> Figure:
    low, high, equal = _frame(data)
    width, height = _SIDE * (high - low) / (high - low).max() if equal else np.array([_SIDE, 0.8 * _SIDE])
    figure = Figure(
        figsize=(max(width, 5.0) + 1.1, (1.5 if data.flat else max(height, 2.4)) + 1.7), layout="constrained"
    )
    figure.suptitle(f"{plain(data.name, 60)}\n{data.told}", fontsize=10.5, parse_math=False)
    panel = figure.subplots()
    panel.set_xlim(low[0], high[0])
    panel.set_ylim(low[1], high[1])
    if equal and not data.flat:
        panel.set_aspect("equal")
    if data.best:
        _regions(panel, data.best, low, high)
    if data.given:
        _given(panel, data.given, low, high)
    _hulls(panel, data)
    if data.best:
        _width(panel, data, data.best, low, high)
    _scatter(panel, data)
    _name_points(panel, data, low, high)
    _axes(panel, data, low, high, equal)
    handles = _legend(data)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 3), frameon=False, fontsize=8.5)
    return figure


def _frame(data: _Plane) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Corners of what is shown, and whether both axes have one scale."""
    shown = data.x if data.meeting is None else np.vstack([data.x, data.meeting])
    low, high = shown.min(0), shown.max(0)
    span = high - low
    longest = float(span.max()) or max(1.0, float(np.abs(shown).max()))
    equal = bool(longest < _SKEWED * float(span.min()) or float(span.min()) < 1e-9 * longest)
    room = np.full(2, 0.16 * longest) if equal else 0.1 * span
    room = np.where(span < 0.3 * longest, 0.2 * longest, room) if equal else room
    if data.flat:
        return np.array([low[0] - 0.1 * longest, -1.0]), np.array([high[0] + 0.1 * longest, 1.0]), False
    return low - room, high + room, equal


def _grid(cut: _Cut, low: NDArray[np.float64], high: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Both coordinates and w·x + b on the corners: what is linear is contoured exactly from these."""
    across, up = np.meshgrid([low[0], high[0]], [low[1], high[1]])
    return across, up, cut.w[0] * across + cut.w[1] * up + cut.b


def _regions(panel: Axes, cut: _Cut, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """The side of each class up to its margin, both margins, and the line between them."""
    across, up, value = _grid(cut, low, high)
    levels = [min(float(value.min()), -1.0) - 1, -1, 1, max(float(value.max()), 1.0) + 1]
    panel.contourf(across, up, value, levels, colors=[tint(CLASSES[1], 0.13), "#ffffff", tint(CLASSES[0], 0.13)])
    panel.contour(across, up, value, [-1, 1], colors=[CLASSES[1], CLASSES[0]], linewidths=1.1, linestyles="dashed")
    panel.contour(across, up, value, [0], colors=_INK, linewidths=1.8)


def _given(panel: Axes, cut: _Cut, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    across, up, value = _grid(cut, low, high)
    if value.min() < 0 < value.max():
        panel.contour(across, up, value, [0], colors=GIVEN, linewidths=1.8, linestyles=[_DASHES])


def _width(panel: Axes, data: _Plane, cut: _Cut, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """From margin to margin, where points leave most room for it; left out where it would be too small to see."""
    norm = float(np.linalg.norm(cut.w))
    normal, center = cut.w / norm, (low + high) / 2
    foot = center - normal * (center @ normal + cut.b / norm)
    along = np.array([-normal[1], normal[0]])
    places = foot + np.linspace(-1, 1, 81)[:, None] * along * np.linalg.norm(high - low)
    if data.flat:
        places = np.array([[foot[0], -0.6]])
    inner = 0.12 * (high - low)
    places = places[((places > low + inner) & (places < high - inner)).all(1)]
    if 2 / norm < 0.08 * (high - low).max() or not len(places):
        return
    apart = np.linalg.norm((places[:, None] - data.x[None]) / (high - low), axis=2).min(1)
    place = places[int((apart - 0.2 * np.linalg.norm((places - center) / (high - low), axis=1)).argmax())]
    ends = place - normal / norm, place + normal / norm
    arrow = {"arrowstyle": "<->", "color": _GREY, "linewidth": 1, "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", ends[0], ends[1], arrowprops=arrow, zorder=2)
    text = f"2/‖w‖ = {told(2 / norm)}"
    box = {"boxstyle": "round,pad=0.15", "facecolor": "#ffffff", "edgecolor": "none"}
    panel.annotate(
        text, place, (0, 0), textcoords="offset points", fontsize=8, color=_INK, ha="center", va="center", bbox=box
    )


def _hulls(panel: Axes, data: _Plane) -> None:
    for corners, color in zip(data.hulls, CLASSES, strict=False):
        panel.add_patch(Polygon(corners, facecolor=color, edgecolor=color, alpha=0.12, linewidth=1))
    for corners, color in zip(data.mixtures, CLASSES, strict=False):
        panel.add_patch(Polygon(corners, facecolor="none", edgecolor=color, linewidth=1.6))
    if data.meeting is not None:
        panel.plot(*data.meeting, marker="*", markersize=15, color=_INK, markeredgecolor="#ffffff", zorder=5)


def _scatter(panel: Axes, data: _Plane) -> None:
    for sign, color, mark in zip((1, -1), CLASSES, MARKS, strict=True):
        own = data.x[data.sign == sign]
        # A diamond looks larger than a circle of the same area.
        size = float(np.clip(2400 / len(own), 9, 50)) * (1.0 if mark == "o" else 0.8)
        crowd = len(own) > _CROWD
        panel.scatter(own[:, 0], own[:, 1], s=size, marker=mark, color=color, linewidths=0, zorder=3, rasterized=crowd)
    for rows, tone in ((data.working, _INK), (data.idle, _GREY)):
        own = data.x[list(rows)]
        panel.scatter(own[:, 0], own[:, 1], s=150, facecolors="none", edgecolors=tone, linewidths=1.4, zorder=4)


def _name_points(panel: Axes, data: _Plane, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
    """Beside a point, away from the line; where several would stand in one place, one below the other."""
    together: dict[tuple[float, ...], list[int]] = {}
    for k in range(len(data.labels)):
        together.setdefault((*data.x[k].tolist(), 0 if data.flat else int(data.sign[k])), []).append(k)
    for rows in together.values():
        k, label = rows[0], _stacked([data.labels[k] for k in rows])
        toward = (
            data.best.w * data.sign[k] * (high - low).max()
            if data.best and not data.flat
            else np.array([0.0, 1.0 if data.flat else data.sign[k]])
        )
        x, y = 13 * toward / float(np.linalg.norm(toward))
        aside = "left" if x > 6 else "right" if x < -6 else "center"
        upward = "bottom" if y > 6 else "top" if y < -6 else "center"
        around: dict[str, Any] = {
            "textcoords": "offset points",
            "fontsize": 8.5,
            "color": _INK,
            "zorder": 6,
            "parse_math": False,
        }
        panel.annotate(label, data.x[k], (x, y), ha=aside, va=upward, **around)


def _stacked(labels: Sequence[str]) -> str:
    """Labels of points in one place, a line each."""
    if len(labels) == 1:
        return labels[0]
    shown = labels if len(labels) <= _STACK else [*labels[: _STACK - 1], f"and {len(labels) - _STACK + 1} more"]
    return "\n".join(label.replace("\n", ", ") for label in shown)


def _axes(panel: Axes, data: _Plane, low: NDArray[np.float64], high: NDArray[np.float64], equal: bool) -> None:
    if equal:
        ticks = MaxNLocator(7, steps=[1, 2, 5, 10]).tick_values(0, float((high - low).max()))
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_locator(MultipleLocator(float(ticks[1] - ticks[0])))
    panel.set_xlabel("x" if data.flat else "x₁")
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_axisbelow(True)
    if data.flat:
        panel.set_yticks([])
        panel.spines["left"].set_visible(False)
        panel.axhline(0, color=_LIGHT, linewidth=0.8, zorder=1)
    else:
        panel.set_ylabel("x₂", rotation=0, labelpad=10)


def _legend(data: _Plane) -> list[Line2D]:
    """What is there, and no more."""
    counts = [int((data.sign == sign).sum()) for sign in (1, -1)]
    handles = [
        _mark(f"{_kind(mark, plain(name, 20))}, n = {count:,}", color, shape, 6)
        for mark, name, count, color, shape in zip("+−", data.names, counts, CLASSES, MARKS, strict=True)
    ]
    if data.best:
        handles.append(Line2D([], [], color=_INK, linewidth=1.8, label="w·x + b = 0"))
        handles.append(Line2D([], [], color=_GREY, linewidth=1.1, linestyle="dashed", label="w·x + b = ±1"))
    if data.working:
        handles.append(_mark("support vector, α > 0", _INK, "o", 10, hollow=True))
    if data.idle:
        handles.append(_mark("on the margin, α = 0", _GREY, "o", 10, hollow=True))
    if data.given:
        handles.append(Line2D([], [], color=GIVEN, linewidth=1.8, linestyle=_DASHES, label="the given line"))
    if data.meeting is not None:
        handles.append(_mark("in both hulls", _INK, "*", 12))
    return handles


def _kind(mark: str, name: str) -> str:
    return f"class {mark}" if name in ("+", "-") else f"{name} ({mark})"


def _mark(label: str, color: str, mark: str, size: float, hollow: bool = False) -> Line2D:
    face = "none" if hollow else color
    return Line2D(
        [],
        [],
        linestyle="none",
        marker=mark,
        markersize=size,
        markerfacecolor=face,
        markeredgecolor=color,
        label=label,
    )


plane = Plot(_select, _draw)
