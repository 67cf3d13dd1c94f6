"""How autoencoders learned: loss per epoch, on training images and on those held out, a pair of lines for each."""

__all__ = ["encoder_loss"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from tenfold.report.figures import HUGE, fit_axis, kept_as_text, marks, rung_colors, spread
from tenfold.report.results import Plot, Results
from tenfold.text import short

_STYLES: dict[str, dict[str, Any]] = {
    "training": {"linewidth": 1.2, "linestyle": (0, (4, 2))},
    "held out": {"linewidth": 1.9},
}


@dataclass(frozen=True)
class _EncoderLosses:
    """losses: encoder -> (epochs, 2), training and held out; NaN where a loss is not shown."""

    name: str
    losses: dict[str, NDArray[np.float64]]


def _select(results: Results) -> _EncoderLosses | None:
    losses = {encoder: loss for encoder, loss in results.encoder_loss.items() if len(loss)}
    shown = {encoder: np.where(np.abs(loss) < HUGE, loss, np.nan) for encoder, loss in losses.items()}
    return _EncoderLosses(results.name, shown) if shown else None


def _draw(data: _EncoderLosses) -> Figure:
    figure = Figure(figsize=(8.6, 4.2), layout="constrained")
    panel = figure.subplots()
    colors = rung_colors(len(data.losses))
    times = [np.arange(1.0, len(loss) + 1) for loss in data.losses.values()]
    for color, loss, epochs, away in zip(colors, data.losses.values(), times, spread(times), strict=True):
        for values, (part, style) in zip(loss.T, _STYLES.items(), strict=True):
            panel.plot(epochs + away, values, color=color, **marks(int(np.isfinite(values).sum()), part), **style)
    _axes(panel, np.concatenate([loss.ravel() for loss in data.losses.values()]))
    figure.suptitle(
        f"{short(data.name)}: loss of the autoencoder{'s' if len(data.losses) > 1 else ''}",
        fontsize=11,
        parse_math=False,
    )
    _legend(figure, colors, data)
    return figure


def _axes(panel: Axes, values: NDArray[np.float64]) -> None:
    panel.set_xlabel("epoch")
    panel.set_ylabel("mean squared error")
    panel.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)
    if fit_axis(panel, values):
        panel.set_ylabel("mean squared error (log scale)")


def _legend(figure: Figure, colors: list[str], data: _EncoderLosses) -> None:
    handles = [Line2D([], [], color=color, linewidth=2.4) for color in colors]
    alone = all(len(loss) == 1 for loss in data.losses.values())
    handles += [
        Line2D([], [], color="#404040", **style, **(marks(1, part) if alone else {})) for part, style in _STYLES.items()
    ]
    names = [*map(short, data.losses), *_STYLES]
    legend = figure.legend(handles, ["name"] * len(names), loc="outside lower center", ncols=4, frameon=False)
    kept_as_text(legend, names)


encoder_loss = Plot(_select, _draw)
