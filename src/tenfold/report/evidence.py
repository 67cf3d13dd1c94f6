"""The evidence for a prediction as a figure: the image, its maps, and what is left as their pixels are deleted."""

__all__ = ["Evidence", "draw_evidence"]

from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tenfold.report.figures import rung_colors, signed_colors
from tenfold.text import label
from tenfold.trained.occlusion import Deletion


class Evidence(NamedTuple):
    """The evidence for a prediction. image: (H, W) or (H, W, 3), bytes; predicted: its class; probability: of that.

    maps, deletions: name -> map (H, W), and what is left as its pixels are deleted.
    """

    image: NDArray[np.uint8]
    predicted: str
    probability: float
    maps: dict[str, NDArray[Any]]
    deletions: dict[str, Deletion]


def draw_evidence(evidence: Evidence) -> Figure:
    """Draw the image and its maps side by side, and the deletion curves at the right."""
    shown = 1 + len(evidence.maps)
    high, wide = evidence.image.shape[:2]
    figure = Figure(figsize=(1.75 * shown + 3.0, max(2.3, 1.6 * high / wide + 0.6)), layout="constrained")
    panels = figure.subplots(1, shown + 1, width_ratios=[*[1.0] * shown, 1.6])
    _show(panels[0], evidence.image if evidence.image.ndim == 3 else np.dstack([evidence.image] * 3), "image")
    for panel, (name, values) in zip(panels[1:], evidence.maps.items(), strict=False):
        _show(panel, signed_colors(values), name)
    _curves(panels[-1], evidence)
    return figure


def _curves(panel: Axes, evidence: Evidence) -> None:
    for color, (name, deleted) in zip(rung_colors(len(evidence.deletions)), evidence.deletions.items(), strict=True):
        panel.plot(100 * deleted.removed, 100 * deleted.ordered, color=color, linewidth=1.6, label=name)
    chance = next(iter(evidence.deletions.values()))
    for k, order in enumerate(chance.random):
        panel.plot(
            100 * chance.removed, 100 * order, color="#8C8C8C", linewidth=0.5, label="at random" if not k else None
        )
    panel.set(xlim=(0, 100), ylim=(-2, 102))
    panel.set_xlabel("removed (%)", fontsize=8)
    panel.set_ylabel(f"probability of {label(evidence.predicted, 16)} (%)", fontsize=8, parse_math=False)
    panel.tick_params(labelsize=7)
    panel.spines[["top", "right"]].set_visible(False)
    panel.legend(fontsize=7, frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.45, -0.24))


def _show(panel: Axes, picture: NDArray[Any], title: str) -> None:
    panel.imshow(picture, interpolation="antialiased")
    panel.set(xticks=[], yticks=[])
    panel.spines[:].set(color="#C8C8C8", linewidth=0.6)
    panel.set_title(title, fontsize=8.5)
