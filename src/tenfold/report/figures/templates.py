"""The weights of linear models as images: what each class looks for, one block of images a rung."""

__all__ = ["templates"]

import textwrap
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tenfold.report.results import Plot, Results
from tenfold.text import label, short

_COLUMNS = 10
_SHOWN = 20
# Room beside an image, and above it for its class, in widths of an image.
_GAP, _CAPTION = 0.12, 0.25
# Letters of a line of a rung's name.
_NAME = 13


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
    return _Templates(results.name, results.marked, names[:_SHOWN], len(names), rows)


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
    height = 1.21 * lines * len(data.rows) + 0.62
    figure = Figure(figsize=(max(1.02 * columns + 2.0, 6.5), height), layout="compressed")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    for panel, row in zip(figure.subplots(len(data.rows), squeeze=False)[:, 0], data.rows, strict=True):
        _block(figure, panel, row, data)
    return figure


def _title(data: _Templates) -> str:
    shown, total = len(data.class_names), data.classes
    count = f"{total} classes" if shown == total else f"the first {shown} of {total} classes"
    models = "winners" if data.best else "runs"
    scale = "each class scaled to its own range" if data.rows[0].images.ndim == 4 else "blue −, white 0, red +"
    return f"{short(data.name)}: weights of the linear {models}, {count}\n{scale}"


def _block(figure: Figure, panel: Axes, row: _TemplateRow, data: _Templates) -> None:
    """Draw one rung: its images in as many lines as they need, the rung's name on the left."""
    height = row.images.shape[1] / row.images.shape[2]  # an image is 1 wide
    columns = min(_COLUMNS, len(row.images))
    lines = -(-len(row.images) // columns)
    for k, (image, name) in enumerate(zip(row.images, data.class_names, strict=True)):
        left, top = (1 + _GAP) * (k % columns), (height + _CAPTION) * (k // columns)
        shown = panel.imshow(
            image,
            cmap="RdBu_r",
            vmin=-row.limit,
            vmax=row.limit,
            interpolation="nearest",
            extent=(left, left + 1, top + height, top),
        )
        panel.add_patch(Rectangle((left, top), 1, height, fill=False, edgecolor="#C8C8C8", linewidth=0.6))
        above: dict[str, Any] = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", "va": "bottom"}
        panel.annotate(label(name, 13), (left + 0.5, top), fontsize=8, parse_math=False, **above)
    panel.set(xlim=(-0.02, (1 + _GAP) * columns - _GAP + 0.02), xticks=[], yticks=[])
    panel.set_ylim((height + _CAPTION) * lines - _CAPTION + 0.02, -0.02)
    panel.spines[:].set_visible(False)
    _name_row(panel, row.rung, data.best)
    if row.images.ndim == 3:
        _bar(figure, panel, shown, columns)


def _bar(figure: Figure, panel: Axes, shown: AxesImage, columns: int) -> None:
    """Put the scale of grey weights beside a rung."""
    bar = figure.colorbar(shown, ax=panel, fraction=0.3 / columns, pad=0.01)
    bar.set_label("weight", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    bar.ax.locator_params(nbins=5)
    bar.outline.set_visible(False)


def _name_row(panel: Axes, rung: str, best: str) -> None:
    lines = textwrap.wrap(short(rung), _NAME) + ["(best rung)"] * (rung == best)
    panel.set_ylabel("\n".join(lines), fontsize=8.5, rotation=0, ha="right", va="center", parse_math=False)


templates = Plot(_select, _draw)
