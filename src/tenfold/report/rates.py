"""Draw the curve of loss against learning rate that tells which rate to take."""

__all__ = ["draw_rates"]

from pathlib import Path

from matplotlib.figure import Figure

from tenfold.files import write_text
from tenfold.report.svg import svg
from tenfold.search.rates import Rates
from tenfold.text import short


def draw_rates(rates: Rates, path: Path) -> None:
    """Write the curve of loss against learning rate, the suggestion marked, as an SVG file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, svg(lambda: _figure(rates)))


def _figure(rates: Rates) -> Figure:
    figure = Figure(figsize=(7, 3.6), layout="constrained")
    panel = figure.subplots()
    panel.plot(rates.rates, rates.loss, color="#0072B2", linewidth=1.8, marker="o", markersize=3)
    panel.axhline(rates.start, color="#808080", linewidth=0.9, linestyle=(0, (4, 2)))
    panel.axvline(rates.suggested, color="#D55E00", linewidth=1.2)
    panel.set_xscale("log")
    panel.set_xlim(rates.rates[0], rates.rates[-1])
    panel.set_xlabel("learning rate")
    panel.set_ylabel(f"training loss after {rates.steps} steps")
    panel.spines[["top", "right"]].set_visible(False)
    panel.grid(color="#E4E4E4", linewidth=0.6)
    title = f"{short(rates.name)}: {len(rates.rates)} learning rates at once, least loss at {rates.suggested:.2g}"
    figure.suptitle(title, fontsize=11, parse_math=False)
    return figure
