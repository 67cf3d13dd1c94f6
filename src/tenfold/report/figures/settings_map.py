"""Which settings a rung tried and what they came to: best validation accuracy over learning rate × l2, a map each."""

__all__ = ["settings_map"]

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tenfold.recipe import Settings
from tenfold.report.results import Plot, Results
from tenfold.text import count, short

_COLUMNS = 3
_CELLS_WITH_TEXT = 14
_AXES = ("learning_rate", "l2")
# Cells keep their color in a dark report, and so must what is written on them: greys with a tint are not inverted.
_ON_DARK, _ON_LIGHT, _FRAME, _FAILED = "#fffffe", "#101011", "#D55E00", "#F3E3DC"
# So many points below a rung's best the palest color begins: a divergent setting must not bleach the rest.
_SPAN = 10.0


class _Cell(NamedTuple):
    """A setting of the map: best percent (NaN without any), its last epoch where others went on (else 0)."""

    accuracy: float
    ended: float
    failed: bool


class _SettingsMap(NamedTuple):
    """One rung. cells: (row of penalties, column of rates) -> best of the members there; others: what else varies."""

    rung: str
    rates: tuple[float, ...]
    penalties: tuple[float, ...]
    cells: dict[tuple[int, int], _Cell]
    winner: tuple[int, int]
    others: tuple[str, ...]


@dataclass(frozen=True)
class _Maps:
    name: str
    best: str
    members: int
    maps: tuple[_SettingsMap, ...]


def _select(results: Results) -> _Maps | None:
    if not len(results.curves.get("rung", ())):
        return None
    rungs = [rung for rung, members in results.settings.items() if rung in results.winners and _mapped(members)]
    if not rungs:
        return None
    members = sum(len(results.settings[rung]) for rung in rungs)
    return _Maps(results.name, results.best, members, tuple(_map(results, rung) for rung in rungs))


def _mapped(members: tuple[Settings, ...]) -> bool:
    """Say if there is more than one cell to show."""
    return all(set(_AXES) <= set(cells) for cells in members) and len({_place(cells) for cells in members}) > 1


def _place(settings: Settings) -> tuple[float, float]:
    return float(settings["l2"]), float(settings["learning_rate"])


def _map(results: Results, rung: str) -> _SettingsMap:
    members = results.settings[rung]
    penalties, rates = (tuple(sorted({_place(cells)[axis] for cells in members})) for axis in range(2))
    places = [(penalties.index(l2), rates.index(rate)) for l2, rate in map(_place, members)]
    cells: dict[tuple[int, int], _Cell] = {}
    for place, cell in zip(places, _reached(results, rung), strict=True):
        if place not in cells or np.nan_to_num(cell.accuracy, nan=-1.0) > np.nan_to_num(
            cells[place].accuracy, nan=-1.0
        ):
            cells[place] = cell
    return _SettingsMap(rung, rates, penalties, cells, places[results.winners[rung]], _others(members))


def _others(members: tuple[Settings, ...]) -> tuple[str, ...]:
    names = dict.fromkeys(name for settings in members for name in settings if name not in _AXES)
    return tuple(name for name in names if len({repr(settings.get(name)) for settings in members}) > 1)


def _reached(results: Results, rung: str) -> list[_Cell]:
    """Return the cell of each member."""
    rows = results.curves["rung"] == rung
    member, epoch = results.curves["member"][rows], results.curves["epoch"][rows].astype(np.float64)
    accuracy = 100 * results.curves["validation_accuracy"][rows].astype(np.float64)
    last = float(epoch.max()) if epoch.size else 0.0
    return [_cell(epoch[member == k], accuracy[member == k], last) for k in range(len(results.settings[rung]))]


def _cell(epoch: NDArray[np.float64], accuracy: NDArray[np.float64], last: float) -> _Cell:
    """Make a member's cell. epoch, accuracy: (t,), the last accuracy NaN if it failed. last: epoch of the rung."""
    if not epoch.size:
        return _Cell(float("nan"), 0.0, False)
    finite, end = accuracy[np.isfinite(accuracy)], float(epoch.max())
    best = float(finite.max()) if finite.size else float("nan")
    return _Cell(best, end if end < last else 0.0, not np.isfinite(accuracy[epoch.argmax()]))


def _draw(data: _Maps) -> Figure:
    columns = min(_COLUMNS, len(data.maps))
    lines = -(-len(data.maps) // columns)
    width = max(_side(len(shown.rates), 0.62) for shown in data.maps) + 0.85
    height = max(_side(len(shown.penalties), 0.44) for shown in data.maps) + 0.95
    figure = Figure(figsize=(max(columns * width + 0.2, 6.5), lines * height + 1.1), layout="constrained")
    figure.suptitle(_title(data), fontsize=11, parse_math=False)
    panels = figure.subplots(lines, columns, squeeze=False)
    for panel in panels.flat[len(data.maps) :]:
        panel.set_axis_off()
    for panel, shown in zip(panels.flat, data.maps, strict=False):
        _panel(panel, shown, data.best)
    figure.supxlabel(_legend(data), fontsize=8, parse_math=False)
    return figure


def _side(cells: int, size: float) -> float:
    """Return inches; beyond so many cells there is no text in them to make room for."""
    return max(min(cells, _CELLS_WITH_TEXT) * size, 1.5)


def _title(data: _Maps) -> str:
    rungs = len(data.maps)
    tried = f"{data.members} settings in {count(rungs, 'rung')}"
    return f"{short(data.name)}: what the settings came to\nbest validation accuracy (%) of {tried}"


def _legend(data: _Maps) -> str:
    words = ["framed: the winner by validation"]
    cells = [cell for shown in data.maps for cell in shown.cells.values()]
    if any(cell.ended and not cell.failed for cell in cells):
        words.append("ep.: last epoch of a setting that was dropped or stopped before others")
    if any(cell.failed for cell in cells):
        words.append("failed: its numbers were no longer finite")
    return "; ".join(words)


def _panel(panel: Axes, shown: _SettingsMap, best: str) -> None:
    values = [cell.accuracy for cell in shown.cells.values() if np.isfinite(cell.accuracy)]
    top = max(values, default=100.0)
    scale = Normalize(min(max(min(values, default=0.0), top - _SPAN), top - 0.5), top, clip=True)
    texts = max(len(shown.rates), len(shown.penalties)) <= _CELLS_WITH_TEXT
    for (row, column), cell in shown.cells.items():
        # Not the ends of the map: white would be no cell, and the darkest blue is near black.
        depth = 0.06 + 0.84 * float(scale(cell.accuracy)) if np.isfinite(cell.accuracy) else 0.0
        color = colormaps["Blues"](depth) if np.isfinite(cell.accuracy) else _FAILED
        panel.add_patch(Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, facecolor=color, edgecolor="none"))
        if texts:
            tone = _ON_DARK if depth > 0.55 else _ON_LIGHT
            panel.text(
                column, row, _annotation(cell), ha="center", va="center", fontsize=8, color=tone, linespacing=1.05
            )
    row, column = shown.winner
    frame = Rectangle((column - 0.47, row - 0.47), 0.94, 0.94, facecolor="none", edgecolor=_FRAME, linewidth=2.2)
    panel.add_patch(frame)
    _name_axes(panel, shown, best)


def _annotation(cell: _Cell) -> str:
    number = f"{cell.accuracy:.2f}" if np.isfinite(cell.accuracy) else ""
    fate = "failed" if cell.failed else f"{cell.ended:.3g} ep." if cell.ended else ""
    return "\n".join(part for part in (number, fate) if part) or "–"


def _name_axes(panel: Axes, shown: _SettingsMap, best: str) -> None:
    lines = [short(shown.rung), *["best rung"] * (shown.rung == best)]
    lines += [f"best over {short(', '.join(shown.others))}"] * bool(shown.others)
    weight = "bold" if shown.rung == best else "normal"
    panel.set_title("\n".join(lines), fontsize=9, fontweight=weight, parse_math=False)
    axes = ((panel.xaxis, shown.rates), (panel.yaxis, shown.penalties))
    for axis, values in axes:
        places = np.arange(0, len(values), -(-len(values) // _CELLS_WITH_TEXT))
        axis.set_ticks(places, labels=[f"{values[place]:.3g}" for place in places], fontsize=8)
    panel.set_xlim(-0.5, len(shown.rates) - 0.5)
    panel.set_ylim(-0.5, len(shown.penalties) - 0.5)
    panel.set_xlabel("learning rate", fontsize=8.5)
    panel.set_ylabel("l2", fontsize=8.5)
    panel.tick_params(length=0)
    panel.spines[:].set_visible(False)


settings_map = Plot(_select, _draw)
