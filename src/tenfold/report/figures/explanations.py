"""Maps of the pixels that some predictions rest on: images, gradient × input, and this with a smoothed gradient."""

__all__ = ["explanations"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tenfold.report.figures import signed_colors
from tenfold.report.results import Plot, Results
from tenfold.text import label, percent, short

_ROWS = ("image", "gradient\n× input", "smoothed")
# The width of the figure holds so many images, whatever their number.
_WIDE = 8
_GAP = 0.1


@dataclass(frozen=True)
class _Columns:
    """pictures: (3, n, H, W, 3 or 4), colors between 0 and 1, a row for each of _ROWS; heads: above each column."""

    name: str
    mistakes: bool
    pictures: tuple[NDArray[np.float64], ...]
    heads: tuple[str, ...]


def _select(results: Results) -> _Columns | None:
    explained = results.explanations
    if explained is None:
        return None
    images = explained.images if explained.images.ndim == 4 else explained.images[..., None].repeat(3, -1)
    maps = (np.stack([signed_colors(values) for values in of]) for of in (explained.plain, explained.smoothed))
    rows = (images / 255, *maps)
    answers = zip(explained.true, explained.predicted, explained.confidence, strict=True)
    return _Columns(results.name, explained.mistakes, rows, tuple(_head(*answer) for answer in answers))


def _head(true: str, predicted: str, confidence: float) -> str:
    said = "right" if true == predicted else f"as {label(predicted, 12)}"
    return f"{label(true, 14)}\n{said}\n{percent(confidence, ' %')}"


def _draw(data: _Columns) -> Figure:
    high, wide = data.pictures[0].shape[1:3]
    height = high / wide
    figure = Figure(figsize=(9.6, 3 * (height + _GAP) * 8.6 / (_WIDE * (1 + _GAP)) + 1.05), layout="constrained")
    which = "the surest mistakes rest" if data.mistakes else "the least certain answers rest"
    said = "red pixels speak for the predicted class, blue ones against it, white ones neither way"
    figure.suptitle(f"{short(data.name)}: what {which} on\n{said}", fontsize=10.5, parse_math=False)
    panel = figure.subplots()
    for row, pictures in enumerate(data.pictures):
        for column, picture in enumerate(pictures):
            _show(panel, picture, (1 + _GAP) * column, (height + _GAP) * row, height)
    above: dict[str, Any] = {"xytext": (0, 4), "textcoords": "offset points", "ha": "center", "va": "bottom"}
    for column, head in enumerate(data.heads):
        panel.annotate(head, ((1 + _GAP) * column + 0.5, 0), fontsize=8, parse_math=False, **above)
    panel.set(xlim=(-0.02, (1 + _GAP) * _WIDE - _GAP + 0.02), xticks=[])
    panel.set_ylim(3 * (height + _GAP) - _GAP + 0.02, -0.02)
    panel.set_yticks([(height + _GAP) * row + height / 2 for row in range(3)], _ROWS, fontsize=8.5)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)
    return figure


def _show(panel: Axes, picture: NDArray[np.float64], left: float, top: float, height: float) -> None:
    """Draw a picture that is 1 wide."""
    panel.imshow(picture, interpolation="antialiased", extent=(left, left + 1, top + height, top))
    panel.add_patch(Rectangle((left, top), 1, height, fill=False, edgecolor="#C8C8C8", linewidth=0.6))


explanations = Plot(_select, _draw)
