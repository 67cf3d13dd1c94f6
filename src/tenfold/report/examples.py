"""First images of a data set as a figure: ten of the test part, or of all where it has none, with their classes."""

__all__ = ["draw_examples", "examples"]

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.data.types import Dataset
from tenfold.errors import FileError, UsageError
from tenfold.files import write_text
from tenfold.report.svg import svg
from tenfold.text import count, label, short

_SHOWN, _COLUMNS = 10, 5


class Examples(NamedTuple):
    """Images (n, H, W, 3) on the unit interval, their classes and positions. part: "test", or "" for all images."""

    name: str
    part: str
    images: NDArray[np.float32]
    classes: tuple[str, ...]
    positions: tuple[int, ...]


def draw_examples(dataset: Dataset, path: Path) -> None:
    """Write the first test images of a data set as an SVG file."""
    if path.suffix.lower() != ".svg":
        raise UsageError(f"--figure {path}: figures are SVG files; give a name that ends with .svg")
    shown = examples(dataset)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path.parent}: cannot make this folder ({error.strerror or error})") from error
    write_text(path, svg(lambda: _figure(shown)))


def examples(dataset: Dataset) -> Examples:
    """Select the first images of the test part in its order, or of the data set where it has none."""
    part = "test" if "test" in dataset.parts and len(dataset.parts["test"]) else ""
    rows = (dataset.parts["test"] if part else torch.arange(len(dataset.labels)))[:_SHOWN]
    names = tuple(dataset.class_names[k] for k in dataset.labels[rows].tolist())
    return Examples(dataset.name, part, _pictures(dataset, rows.numpy()), names, tuple(rows.tolist()))


def _pictures(dataset: Dataset, rows: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return images as they are looked at: grey ones as three equal channels, others by their own range."""
    images = dataset.images[torch.from_numpy(rows)].numpy().astype(np.float64) * dataset.scale
    if images.shape[1] != 3:
        images = images.mean(axis=1, keepdims=True).repeat(3, axis=1)
    low, high = (float(images.min()), float(images.max())) if images.size else (0.0, 1.0)
    if low < 0 or high > 1:
        images = (images - low) / (high - low)
    return np.ascontiguousarray(images.transpose(0, 2, 3, 1), dtype=np.float32)


def _figure(data: Examples) -> Figure:
    lines = -(-len(data.images) // _COLUMNS)
    high, wide = data.images.shape[1:3]
    height = min(4.0, max(0.6, 1.45 * high / wide))
    figure = Figure(figsize=(8.4, lines * (height + 0.42) + 0.5), layout="constrained")
    images = count(len(data.images), f"{data.part} image".strip())
    figure.suptitle(f"{short(data.name)}: the first {images}", fontsize=11, parse_math=False)
    panels = figure.subplots(lines, _COLUMNS, squeeze=False).flat
    for panel, image, name, position in zip(panels, data.images, data.classes, data.positions, strict=False):
        _show(panel, image, f"{label(name, 20)}\nimage {position:,}")
    for panel in list(panels)[len(data.images) :]:
        panel.set_axis_off()
    return figure


def _show(panel: Axes, image: NDArray[np.float32], text: str) -> None:
    frame: dict[str, Any] = {"color": "#C8C8C8", "linewidth": 0.6}
    panel.imshow(image, interpolation="nearest")
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set(**frame)
    panel.set_xlabel(text, fontsize=8.5, parse_math=False)
