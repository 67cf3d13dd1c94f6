"""The weights of linear models as images: what each class looks for, one block of images a rung."""

__all__ = ["templates"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.report.results import Plot, Results
from tenfold.text import label, short

_COLUMNS = 10
_SHOWN = 20


class _TemplateRow(NamedTuple):
    """Templates of one rung: (C, H, W, 3) between 0 and 1 where colored, else (C, H, W) weights shown within ±limit."""

    rung: str
    images: NDArray[np.float32]
    limit: float


@dataclass(frozen=True)
class _Templates:
    name: str
    best: str
    class_names: tuple[str, ...]
    classes: int
    rows: tuple[_TemplateRow, ...]


def _select(results: Results) -> _Templates | None:
    if not results.templates:
        return None
    rows = tuple(_row(rung, weights[:_SHOWN]) for rung, weights in results.templates.items())
    names = results.class_names
    return _Templates(results.name, results.best, names[:_SHOWN], len(names), rows)


def _row(rung: str, weights: NDArray[np.float32]) -> _TemplateRow:
    """Make a row of images. weights: (C, channels, H, W)."""
    if weights.shape[1] == 3:
        return _TemplateRow(rung, np.stack([_colored(image) for image in weights]), 1.0)
    grey = weights.mean(axis=1)
    sizes = np.abs(grey[np.isfinite(grey)])
    # The few largest weights, often at the border, saturate: they would bleach the rest.
    limit = float(np.quantile(sizes, 0.998)) if sizes.size else 0.0
    return _TemplateRow(rung, grey, limit or 1.0)


def _colored(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turn (3, H, W) weights to (H, W, 3), the least of all channels to 0, the greatest to 1; mid-grey if flat."""
    finite = weights[np.isfinite(weights)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if not high > low:
        return np.full((*weights.shape[1:], 3), 0.5, dtype=np.float32)
    # In double precision, because the span of two large single floats may overflow.
    scaled = (np.nan_to_num(weights.astype(np.float64), nan=low, posinf=high, neginf=low) - low) / (high - low)
    return np.ascontiguousarray(scaled.transpose(1, 2, 0), dtype=np.float32)


def _draw(data: _Templates) -> Figure:
    columns = min(_COLUMNS, len(data.class_names))
    lines = -(-len(data.class_names) // columns)
    figure = Figure(figsize=(max(1.02 * columns + 1.4, 6.5), 1.21 * lines * len(data.rows) + 0.62), layout="compressed")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panels = figure.subplots(lines * len(data.rows), columns, squeeze=False)
    for index, row in enumerate(data.rows):
        _block(figure, panels[index * lines : (index + 1) * lines], row, data)
    return figure


def _title(data: _Templates) -> str:
    shown, total = len(data.class_names), data.classes
    count = f"{total} classes" if shown == total else f"the first {shown} of {total} classes"
    scale = "each class scaled to its own range" if data.rows[0].images.ndim == 4 else "blue −, white 0, red +"
    return f"{short(data.name)}: weights of the linear winners, {count}\n{scale}"


def _block(figure: Figure, panels: NDArray[Any], row: _TemplateRow, data: _Templates) -> None:
    """Draw one rung: its images in as many lines as they need, the rung's name on the left."""
    shown = None
    for panel in panels.flat:
        panel.set_axis_off()
    for panel, image, name in zip(panels.flat, row.images, data.class_names, strict=False):
        shown = panel.imshow(image, cmap="RdBu_r", vmin=-row.limit, vmax=row.limit, interpolation="nearest")
        _frame(panel, name)
    _name_row(panels[0, 0], row.rung, data.best)
    if shown is not None and row.images.ndim == 3:
        lines, columns = panels.shape
        # The bar's width is a fraction of the panels' and its length at most aspect × width: as long as they are high.
        place = {"aspect": 9 * lines, "fraction": 0.3 / columns, "pad": 0.01}
        bar = figure.colorbar(shown, ax=panels.ravel().tolist(), **place)
        bar.set_label("weight", fontsize=8)
        bar.ax.tick_params(labelsize=7)
        bar.ax.locator_params(nbins=5)
        bar.outline.set_visible(False)


def _frame(panel: Axes, name: str) -> None:
    panel.set_axis_on()
    panel.set_xticks([])
    panel.set_yticks([])
    panel.spines[:].set(color="#C8C8C8", linewidth=0.6)
    panel.set_title(label(name, 13), fontsize=8, pad=3, parse_math=False)


def _name_row(panel: Axes, rung: str, best: str) -> None:
    caption = label(rung, 18) + ("\n(best rung)" if rung == best else "")
    panel.set_ylabel(caption, fontsize=8.5, parse_math=False)


templates = Plot(_select, _draw)
