"""Filters of the first convolution as images, one block a rung; each is scaled to its own range about zero."""

__all__ = ["filters"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.report.figures import signed_colors
from tenfold.report.results import FirstLayer, Plot, Results
from tenfold.text import count, setting, short

# Filters of a line, in a block of few and of many.
_FEW, _MANY = 12, 16
# Room beside a filter, and above it for its name, in widths of a filter.
_GAP, _CAPTION = 0.15, 0.36
# Pixels of a filter's side: it is drawn with some 100 of them.
_SIDE = 96


class _FilterBlock(NamedTuple):
    """Filters of one rung: colors (n, k, k, 3) or (n, k, k, 4), the name of each, and what they are."""

    images: NDArray[np.float64]
    names: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class _FilterBlocks:
    name: str
    blocks: tuple[_FilterBlock, ...]
    colored: bool


def _select(results: Results) -> _FilterBlocks | None:
    if not results.filters:
        return None
    blocks = tuple(_filter_block(rung, layer) for rung, layer in results.filters.items())
    return _FilterBlocks(results.name, blocks, blocks[0].images.shape[-1] == 3)


def _filter_block(rung: str, layer: FirstLayer) -> _FilterBlock:
    images = np.stack([_image(weights) for weights in layer.filters])
    names = [setting(float(variance), 2) for variance in layer.variances] or range(1, len(images) + 1)
    return _FilterBlock(images, tuple(map(str, names)), f"{short(rung)}: {_said(layer)}")


def _said(layer: FirstLayer) -> str:
    shown, (height, width) = len(layer.filters), layer.filters.shape[2:]
    many = count(layer.total, "filter") if shown == layer.total else f"the first {shown} of {layer.total} filters"
    size = f"{height} × {width} pixels"
    if not len(layer.variances):
        return f"{many} of {size}, trained"
    return f"{many} that whiten patches of {size}, and as many negatives; above each, the variance along it"


def _image(weights: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turn a filter (channels, k, k) to colors: its largest size to the end of the range, 0 to the middle of it."""
    if weights.shape[0] != 3:
        return signed_colors(weights.mean(0))
    sizes = np.abs(np.nan_to_num(weights.astype(np.float64), posinf=0.0, neginf=0.0))
    shares = 0.5 + 0.5 * weights.astype(np.float64) / (sizes.max() or 1.0)
    return np.ascontiguousarray(np.nan_to_num(shares, nan=0.5).clip(0, 1).transpose(1, 2, 0))


def _columns(block: _FilterBlock) -> int:
    return min(len(block.names), _FEW if len(block.names) <= 2 * _FEW else _MANY)


def _lines(block: _FilterBlock) -> int:
    return -(-len(block.names) // _columns(block))


def _draw(data: _FilterBlocks) -> Figure:
    columns = max(_FEW, *map(_columns, data.blocks))
    heights = [_lines(block) * (1 + _CAPTION) * 9.2 / (columns * (1 + _GAP)) + 0.35 for block in data.blocks]
    figure = Figure(figsize=(9.6, sum(heights) + 0.7), layout="constrained")
    scale = "middle grey is 0" if data.colored else "blue −, white 0, red +"
    figure.suptitle(f"{short(data.name)}: filters of the first layer\n{scale}", fontsize=11, parse_math=False)
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, block in zip(panels, data.blocks, strict=True):
        _block(panel, block, columns)
    return figure


def _block(panel: Axes, block: _FilterBlock, widest: int) -> None:
    """Draw the filters of a rung in lines, each below its name. widest: filters that a line has room for."""
    columns, lines, side = _columns(block), _lines(block), 1 / _SIDE
    above: dict[str, Any] = {"xytext": (0, 2), "textcoords": "offset points", "ha": "center", "va": "bottom"}
    canvas = np.zeros((round(_SIDE * (1 + _CAPTION)) * lines, round(_SIDE * (1 + _GAP)) * columns, 4))
    for k, (image, name) in enumerate(zip(block.images, block.names, strict=True)):
        left, top = round(_SIDE * (1 + _GAP)) * (k % columns), round(_SIDE * (1 + _CAPTION)) * (k // columns)
        canvas[top : top + _SIDE, left : left + _SIDE] = _tile(image)
        panel.annotate(name, (side * left + 0.5, side * top), fontsize=7, parse_math=False, **above).set_in_layout(
            False
        )
    panel.imshow(canvas, interpolation="nearest", extent=(0, side * canvas.shape[1], side * canvas.shape[0], 0))
    panel.set(xlim=(-0.02, (1 + _GAP) * widest - _GAP + 0.02), xticks=[], yticks=[])
    panel.set_ylim((1 + _CAPTION) * lines - _CAPTION + 0.02, -_CAPTION)
    panel.spines[:].set_visible(False)
    panel.set_title(block.said, fontsize=9, loc="left", pad=3, parse_math=False)


def _tile(image: NDArray[np.float64]) -> NDArray[np.float64]:
    """Enlarge the colors of a filter (k, k, 3 or 4) to a square with a frame."""
    places = np.arange(_SIDE) * len(image) // _SIDE
    tile = np.dstack((image[places][:, places, :3], np.ones((_SIDE, _SIDE))))
    tile[[0, -1]] = tile[:, [0, -1]] = (0.78, 0.78, 0.78, 1.0)
    return tile


filters = Plot(_select, _draw)
