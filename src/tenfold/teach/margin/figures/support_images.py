"""Images of two classes apart: w as an image, and the images that hold the margin, largest multipliers first.

Where the classes cannot be separated: the images whose mixtures are one picture, and that picture.
"""

__all__ = ["support_images"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from tenfold.report.results import Plot
from tenfold.teach.margin.figures import CLASSES, GREY
from tenfold.teach.margin.phrases import shown
from tenfold.teach.margin.problem import Floats, Inseparable, Number, Points, Separated
from tenfold.text import label

_SHOWN = 8


class _ClassImages(NamedTuple):
    """Images (k, H, W[, 3]) of a class on the unit interval, and the weight of each."""

    name: str
    images: Floats
    weights: tuple[float, ...]
    total: int


@dataclass(frozen=True)
class _SupportImages:
    """main: (H, W[, 3]), w within ±limit, or, with limit 0, the picture in both hulls, on the unit interval."""

    name: str
    title: str
    main: Floats
    limit: float
    rows: tuple[_ClassImages, _ClassImages]


def _select(points: Points, solution: Separated | Inseparable, shape: tuple[int, ...], name: str) -> _SupportImages:
    if isinstance(solution, Inseparable):
        first, second = solution.first, solution.second
        title, limit = "not separable: both mixtures are this picture", 0.0
        main = _shaped(np.array(solution.meeting, dtype=np.float64).clip(0, 1), shape)
    else:
        alpha = {k: float(solution.multipliers[k]) for k in solution.support}
        first, second = ({k: v for k, v in alpha.items() if points.sign[k] == sign} for sign in (1, -1))
        count = f"{len(solution.support):,} of {len(points.x):,} images on the margin"
        title = f"margin 1/‖w‖ = {shown(solution.margin)}, {count}"
        main = _shaped(solution.w, shape)
        # The few largest weights saturate: they would bleach the rest.
        limit = float(np.quantile(np.abs(main), 0.995)) or float(np.abs(main).max())
    rows = _ranked(points, first, shape, 0), _ranked(points, second, shape, 1)
    return _SupportImages(name, title, main, limit, rows)


def _ranked(points: Points, weights: Mapping[int, Number], shape: tuple[int, ...], kind: int) -> _ClassImages:
    ranked = sorted(weights, key=lambda k: (-float(weights[k]), k))[:_SHOWN]
    images = np.array([_shaped(points.x[k].clip(0, 1), shape) for k in ranked])  # on the unit interval
    return _ClassImages(points.names[kind], images, tuple(float(weights[k]) for k in ranked), len(weights))


def _shaped(x: Floats, shape: tuple[int, ...]) -> Floats:
    """Return (D,) as (H, W, 3), or as (H, W) where it has no colors."""
    image = x.reshape(shape)
    return image.transpose(1, 2, 0) if shape[0] == 3 else np.asarray(image.mean(0))


def _draw(data: _SupportImages) -> Figure:
    figure = Figure(figsize=(10.4, 3.4), layout="constrained")
    against = " against ".join(label(row.name, 20) for row in data.rows)
    figure.suptitle(f"{label(data.name, 40)}: {against}\n{data.title}", fontsize=10.5, parse_math=False)
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(3.0, 7.4))[0]
    _main(left, data)
    panels = right.subplots(2, _SHOWN, squeeze=False)
    for row, line, color, mark in zip(data.rows, panels, CLASSES, "+−", strict=True):
        for panel in line:
            panel.set_axis_off()
        for panel, image, weight in zip(line, row.images, row.weights, strict=False):
            _show(panel, image, color)
            panel.set_title(f"{'α' if data.limit else 'λ'} {weight:.3g}", fontsize=7.5, pad=2.5, parse_math=False)
        line[0].set_ylabel(f"{label(row.name, 9)} ({mark})\nn = {row.total:,}", fontsize=8.5, parse_math=False)
    return figure


def _main(part: Figure, data: _SupportImages) -> None:
    panel = part.subplots()
    first, second = (label(row.name, 12) for row in data.rows)
    if not data.limit:
        title = "the picture in both hulls"
        _show(panel, data.main, GREY)
    elif data.main.ndim == 3:
        title = f"w: a color speaks for {first},\nits opposite for {second}"
        _show(panel, (0.5 + 0.5 * data.main / data.limit).clip(0, 1), GREY)
    else:
        title = f"w: blue for {first}\nred for {second}"
        image = _show(panel, data.main, "#C8C8C8", "RdBu", (-data.limit, data.limit))
        bar = part.colorbar(image, ax=panel, shrink=0.82, aspect=22, pad=0.03)
        bar.ax.tick_params(labelsize=7)
        bar.ax.locator_params(nbins=5)
        bar.outline.set_visible(False)
    panel.set_title(title, fontsize=8.5, pad=4, parse_math=False)


def _show(
    panel: Axes, image: Floats, color: str, cmap: str = "gray", limits: tuple[float, float] = (0, 1)
) -> AxesImage:
    panel.set_axis_on()
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set(color=color, linewidth=1.2)
    return panel.imshow(image, cmap=cmap, vmin=limits[0], vmax=limits[1], interpolation="nearest")


support_images = Plot(_select, _draw)
