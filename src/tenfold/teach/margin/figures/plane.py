"""Points of one or two coordinates, the line of the largest margin with both its margins, and who supports it.

Where the classes cannot be separated: the two hulls that meet, and the point at which they do.
"""

__all__ = ["plane"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator, MultipleLocator
from scipy.spatial import ConvexHull, QhullError

from tenfold.report.results import Plot
from tenfold.teach.margin.figures import CLASSES, GIVEN, GREY, INK, LIGHT, MARKS, tint
from tenfold.teach.margin.phrases import equated, hyperplane, shown, vector
from tenfold.teach.margin.problem import Floats, Hyperplane, Inseparable, Judged, Points, Separated, Signs, Soft
from tenfold.text import label

_NAMED = 12  # points that are few enough to be named
_STACK = 4  # lines beside one place
_CROWD = 1500  # points from which on their marks become one picture
_SKEWED = 12.0  # as many times longer one side may be where both axes have one scale
_SIDE = 6.4  # inches of the longer side
_DASHES = (0, (5, 2.5))


class _Cut(NamedTuple):
    """w·x + b = 0 on two coordinates."""

    w: Floats
    b: float


class _Window(NamedTuple):
    """Corners (2,) of what is shown, width and height between them, and whether both axes have one scale."""

    low: Floats
    high: Floats
    span: Floats
    equal: bool


@dataclass(frozen=True)
class _PlaneData:
    """Points in the plane with their lines.

    x: (n, 2), the second coordinate 0 where there is but one (flat). working, idle: on the margin, α > 0 and α = 0.

    labels: of each point, empty where there are many. best, given: lines. hulls, mixtures: of each class that meets the
    other, the corners (k, 2) of its hull and of the few points that prove it.
    """

    name: str
    title: str
    x: Floats
    sign: Signs
    names: tuple[str, str]
    labels: tuple[str, ...]
    flat: bool
    best: _Cut | None
    given: _Cut | None
    working: tuple[int, ...] = ()
    idle: tuple[int, ...] = ()
    hulls: tuple[Floats, ...] = ()
    mixtures: tuple[Floats, ...] = ()
    meeting: Floats | None = None


def _select(
    points: Points, solution: Separated | Inseparable, judged: Judged | None, soft: Soft | None, name: str
) -> _PlaneData | None:
    n, dimensions = points.x.shape
    if dimensions > 2:
        return None
    x = np.column_stack([points.x, np.zeros((n, 2 - dimensions))])
    labels = tuple(_label(points, solution, k) for k in range(n)) if n <= _NAMED else ()
    common = (x, points.sign, points.names, labels, dimensions == 1)
    given = _cut(judged.plane) if judged else None
    if isinstance(solution, Separated):
        least = 1e-12 * float(solution.multipliers.max())
        working = tuple(k for k in solution.support if solution.multipliers[k] > least)
        idle = tuple(k for k in solution.support if solution.multipliers[k] <= least)
        on_it = f"{len(solution.support)} point{'s' * (len(solution.support) != 1)} on the margin"
        title = f"{hyperplane(solution.plane)}\nmargin 1/‖w‖ = {shown(solution.margin)}, {on_it}"
        return _PlaneData(name, title, *common, _cut(solution.plane), given, working, idle)
    best, title = _cut(soft.plane) if soft else None, f"not separable: the hulls meet at {vector(solution.meeting)}"
    if best and soft:
        title += f"\nthe line of the soft margin with C = {shown(soft.C)}"
    hulls = tuple(_corners(x[points.sign == sign]) for sign in (1, -1))
    mixtures = tuple(_corners(x[list(weights)]) for weights in (solution.first, solution.second))
    meeting = np.array([*map(float, solution.meeting), 0.0])[:2]
    return _PlaneData(name, title, *common, best, given, hulls=hulls, mixtures=mixtures, meeting=meeting)


def _label(points: Points, solution: Separated | Inseparable, k: int) -> str:
    """Name a point, and its multiplier or its weight in the proof."""
    name = label(points.labels[k], 20)
    if isinstance(solution, Separated):
        return f"{name}\n{equated('α', solution.alpha[k])}" if k in solution.support else name
    weight = solution.first.get(k, solution.second.get(k))
    return name if weight is None else f"{name}\n{equated('λ', weight)}"


def _cut(plane: Hyperplane) -> _Cut | None:
    w = np.array([*map(float, plane.w), 0.0])[:2]
    return _Cut(w, float(plane.b)) if w.any() else None


def _corners(x: Floats) -> Floats:
    """Return the corners of the hull in their order; the ends where all lie on one line."""
    if len(x) < 3:
        return x
    try:
        return np.asarray(x[ConvexHull(x).vertices])
    except QhullError:
        along = (x - x[0]) @ np.linalg.svd(x - x[0])[2][0]
        return x[[along.argmin(), along.argmax()]]


def _draw(data: _PlaneData) -> Figure:
    window = _window(data)
    width, height = _SIDE * window.span / window.span.max() if window.equal else np.array([_SIDE, 0.8 * _SIDE])
    size = max(width, 5.0) + 1.1, (1.5 if data.flat else max(height, 2.4)) + 1.7
    figure = Figure(figsize=size, layout="constrained")
    figure.suptitle(f"{label(data.name, 60)}\n{data.title}", fontsize=10.5, parse_math=False)
    panel = figure.subplots()
    panel.set_xlim(window.low[0], window.high[0])
    panel.set_ylim(window.low[1], window.high[1])
    if window.equal and not data.flat:
        panel.set_aspect("equal")
    _contours(panel, data, window)
    _hulls(panel, data)
    if data.best:
        _width(panel, data, data.best, window)
    _scatter(panel, data)
    _name_points(panel, data, window)
    _axes(panel, data, window)
    handles = _legend(data)
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 3), frameon=False, fontsize=8.5)
    return figure


def _window(data: _PlaneData) -> _Window:
    inside = data.x if data.meeting is None else np.vstack([data.x, data.meeting])
    low, high = inside.min(0), inside.max(0)
    span = high - low
    shortest, longest = float(span.min()), float(span.max()) or max(1.0, float(np.abs(inside).max()))
    equal = not data.flat and (longest < _SKEWED * shortest or shortest < 1e-9 * longest)
    room = np.where(span < 0.3 * longest, 0.2 * longest, 0.16 * longest) if equal else 0.1 * span
    if data.flat:
        room = np.array([0.1 * longest, 1.0])
    low, high = low - room, high + room
    return _Window(low, high, high - low, equal)


def _contours(panel: Axes, data: _PlaneData, window: _Window) -> None:
    """Draw each class's side up to its margin, both margins, the line between them, and the one that was given."""
    # What is linear is contoured exactly from the corners.
    corners = np.meshgrid(*zip(window.low, window.high, strict=True))
    best, given = (cut and cut.w[0] * corners[0] + cut.w[1] * corners[1] + cut.b for cut in (data.best, data.given))
    if best is not None:
        levels = [min(float(best.min()), -1.0) - 1, -1, 1, max(float(best.max()), 1.0) + 1]
        panel.contourf(*corners, best, levels, colors=[tint(CLASSES[1], 0.13), "#ffffff", tint(CLASSES[0], 0.13)])
        panel.contour(*corners, best, [-1, 1], colors=[CLASSES[1], CLASSES[0]], linewidths=1.1, linestyles="dashed")
        panel.contour(*corners, best, [0], colors=INK, linewidths=1.8)
    if given is not None and given.min() < 0 < given.max():
        panel.contour(*corners, given, [0], colors=GIVEN, linewidths=1.8, linestyles=[_DASHES])


def _width(panel: Axes, data: _PlaneData, cut: _Cut, window: _Window) -> None:
    """Draw an arrow from margin to margin, where points leave most room; none where it would be too small to see."""
    low, high, span, _ = window
    norm = float(np.linalg.norm(cut.w))
    normal, center = cut.w / norm, (low + high) / 2
    foot = center - normal * (center @ normal + cut.b / norm)
    along = np.array([-normal[1], normal[0]])
    places = foot + np.linspace(-1, 1, 81)[:, None] * along * np.linalg.norm(span)
    if data.flat:
        places = np.array([[foot[0], -0.6]])
    inner = 0.12 * span
    places = places[((places > low + inner) & (places < high - inner)).all(1)]
    if 2 / norm < 0.08 * span.max() or not len(places):
        return
    apart = np.linalg.norm((places[:, None] - data.x[None]) / span, axis=2).min(1)
    place = places[int((apart - 0.2 * np.linalg.norm((places - center) / span, axis=1)).argmax())]
    arrow = {"arrowstyle": "<->", "color": GREY, "linewidth": 1, "shrinkA": 0, "shrinkB": 0}
    panel.annotate("", place - normal / norm, place + normal / norm, arrowprops=arrow, zorder=2)
    box = {"boxstyle": "round,pad=0.15", "facecolor": "#ffffff", "edgecolor": "none"}
    look: dict[str, Any] = {"fontsize": 8, "color": INK, "ha": "center", "va": "center", "bbox": box}
    panel.annotate(f"2/‖w‖ = {shown(2 / norm)}", place, (0, 0), textcoords="offset points", **look)


def _hulls(panel: Axes, data: _PlaneData) -> None:
    for corners, color in zip(data.hulls, CLASSES, strict=False):
        panel.add_patch(Polygon(corners, facecolor=color, edgecolor=color, alpha=0.12, linewidth=1))
    for corners, color in zip(data.mixtures, CLASSES, strict=False):
        panel.add_patch(Polygon(corners, facecolor="none", edgecolor=color, linewidth=1.6))
    if data.meeting is not None:
        panel.plot(*data.meeting, marker="*", markersize=15, color=INK, markeredgecolor="#ffffff", zorder=5)


def _scatter(panel: Axes, data: _PlaneData) -> None:
    for sign, color, mark in zip((1, -1), CLASSES, MARKS, strict=True):
        x = data.x[data.sign == sign]
        # A diamond looks larger than a circle of the same area.
        size = float(np.clip(2400 / len(x), 9, 50)) * (1.0 if mark == "o" else 0.8)
        crowd = len(x) > _CROWD
        panel.scatter(x[:, 0], x[:, 1], s=size, marker=mark, color=color, linewidths=0, zorder=3, rasterized=crowd)
    for rows, tone in ((data.working, INK), (data.idle, GREY)):
        x = data.x[list(rows)]
        panel.scatter(x[:, 0], x[:, 1], s=150, facecolors="none", edgecolors=tone, linewidths=1.4, zorder=4)


def _name_points(panel: Axes, data: _PlaneData, window: _Window) -> None:
    """Write labels beside points, away from the line; where several share a place, one below the other."""
    together: dict[tuple[float, ...], list[int]] = {}
    for k in range(len(data.labels)):
        together.setdefault((*data.x[k].tolist(), 0 if data.flat else int(data.sign[k])), []).append(k)
    for rows in together.values():
        k, lines = rows[0], [data.labels[k] for k in rows]
        if len(lines) > _STACK:
            lines = [*lines[: _STACK - 1], f"and {len(lines) - _STACK + 1} more"]
        text = lines[0] if len(lines) == 1 else "\n".join(line.replace("\n", ", ") for line in lines)
        away = np.array([0.0, 1.0 if data.flat else data.sign[k]])
        if data.best and not data.flat:
            away = data.best.w * data.sign[k] * window.span.max()
        x, y = 13 * away / float(np.linalg.norm(away))
        aside = "left" if x > 6 else "right" if x < -6 else "center"
        upward = "bottom" if y > 6 else "top" if y < -6 else "center"
        look: dict[str, Any] = {"fontsize": 8.5, "color": INK, "zorder": 6, "ha": aside, "va": upward}
        panel.annotate(text, data.x[k], (x, y), textcoords="offset points", parse_math=False, **look)


def _axes(panel: Axes, data: _PlaneData, window: _Window) -> None:
    if window.equal:
        ticks = MaxNLocator(7, steps=[1, 2, 5, 10]).tick_values(0, float(window.span.max()))
        for axis in (panel.xaxis, panel.yaxis):
            axis.set_major_locator(MultipleLocator(float(ticks[1] - ticks[0])))
    panel.set_xlabel("x" if data.flat else "x₁")
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_axisbelow(True)
    if data.flat:
        panel.set_yticks([])
        panel.spines["left"].set_visible(False)
        panel.axhline(0, color=LIGHT, linewidth=0.8, zorder=1)
    else:
        panel.set_ylabel("x₂", rotation=0, labelpad=10)


def _legend(data: _PlaneData) -> list[Line2D]:
    handles = []
    for mark, name, sign, color, shape in zip("+−", data.names, (1, -1), CLASSES, MARKS, strict=True):
        kind = f"class {mark}" if name in ("+", "-") else f"{label(name, 20)} ({mark})"
        handles.append(_mark(f"{kind}, n = {int((data.sign == sign).sum()):,}", color, shape, 6))
    others = (
        (data.best, Line2D([], [], color=INK, linewidth=1.8, label="w·x + b = 0")),
        (data.best, Line2D([], [], color=GREY, linewidth=1.1, linestyle="dashed", label="w·x + b = ±1")),
        (data.working, _mark("support vector, α > 0", INK, "o", 10, "none")),
        (data.idle, _mark("on the margin, α = 0", GREY, "o", 10, "none")),
        (data.given, Line2D([], [], color=GIVEN, linewidth=1.8, linestyle=_DASHES, label="the given line")),
        (data.meeting is not None, _mark("in both hulls", INK, "*", 12)),
    )
    return handles + [handle for drawn, handle in others if drawn]


def _mark(label: str, color: str, mark: str, size: float, face: str = "") -> Line2D:
    colors: dict[str, Any] = {"markerfacecolor": face or color, "markeredgecolor": color}
    return Line2D([], [], linestyle="none", marker=mark, markersize=size, label=label, **colors)


plane = Plot(_select, _draw)
