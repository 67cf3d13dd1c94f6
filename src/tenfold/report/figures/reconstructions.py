"""Reconstructions of an autoencoder: originals above their reconstructions, a pair of rows for each encoder."""

__all__ = ["reconstructions"]

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.report.results import Plot, Results
from tenfold.text import short

_SHOWN = 10
# The gap between images, as a share of their width.
_GAP = 0.08


class _Pair(NamedTuple):
    """A pair of rows. images: (2, n, H, W, 3) between 0 and 1; error: mean squared error of the images shown."""

    encoder: str
    images: NDArray[np.float32]
    error: float


@dataclass(frozen=True)
class _Reconstructions:
    name: str
    pairs: tuple[_Pair, ...]


def _select(results: Results) -> _Reconstructions | None:
    pairs = tuple(_pair(encoder, images[:, :_SHOWN]) for encoder, images in results.reconstructions.items())
    return _Reconstructions(results.name, pairs) if pairs else None


def _pair(encoder: str, images: NDArray[np.float32]) -> _Pair:
    """Measure the error of a pair of rows. images: (2, n, channels, H, W)."""
    with np.errstate(invalid="ignore"):
        error = float(np.mean((images[1].astype(np.float64) - images[0]) ** 2))
    shown = np.nan_to_num(images, nan=0.0, posinf=1.0, neginf=0.0).clip(0, 1)
    if shown.shape[2] != 3:
        shown = shown.mean(axis=2, keepdims=True).repeat(3, axis=2)
    return _Pair(encoder, np.ascontiguousarray(shown.transpose(0, 1, 3, 4, 2)), error)


def _draw(data: _Reconstructions) -> Figure:
    heights = [_height(pair) for pair in data.pairs]
    figure = Figure(figsize=(9.6, sum(heights) + 0.3 * len(heights) + 0.4), layout="constrained")
    figure.suptitle(f"{short(data.name)}: images and their reconstructions", fontsize=11, parse_math=False)
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)
    for panel, pair in zip(panels.flat, data.pairs, strict=True):
        _block(panel, pair)
    return figure


def _height(pair: _Pair) -> float:
    """Return inches of two rows of images, as wide as ten of them are on the figure."""
    high, wide = pair.images.shape[2:4]
    return float(1.68 * high / wide)


def _block(panel: Axes, pair: _Pair) -> None:
    """Draw one encoder: its two rows as one picture, transparent between the images."""
    high, wide = pair.images.shape[2:4]
    gap = max(1, round(_GAP * wide))
    canvas = np.zeros((2 * (high + gap) - gap, _SHOWN * (wide + gap) - gap, 4), dtype=np.float32)
    for row, images in enumerate(pair.images):
        for column, image in enumerate(images):
            place = np.s_[row * (high + gap) :, column * (wide + gap) :]
            canvas[place][:high, :wide] = np.dstack((image, np.ones((high, wide), dtype=np.float32)))
    panel.imshow(canvas, interpolation="nearest")
    panel.set_xticks([])
    panel.set_yticks([(high - 1) / 2, (high - 1) / 2 + high + gap], ["original", "reconstruction"], fontsize=8.5)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    title = f"{short(pair.encoder)}: mean squared error {pair.error:.4f}, pixels from 0 to 1"
    panel.set_title(title, fontsize=9, loc="left", pad=3, parse_math=False)


reconstructions = Plot(_select, _draw)
