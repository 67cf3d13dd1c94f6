"""Figures: one file each, `draw(select(results))`; what several of them share is here.

`select` returns None where the results hold nothing for the figure, and `draw` is not called then.
"""

__all__ = [
    "BEST",
    "HUGE",
    "LOG_RATIO",
    "SHADES",
    "SIMPLEST",
    "Ruler",
    "fit_axis",
    "kept_as_text",
    "marks",
    "ruler",
    "rung_colors",
    "signed_colors",
    "spread",
    "typed",
    "unit",
]

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_hex
from matplotlib.legend import Legend
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from tenfold.text import setting

# A search's best setting and its one-standard-error choice, told apart from each other and from all of viridis.
BEST, SIMPLEST = "#D55E00", "#CC79A7"
# Viridis without its ends: its yellow is lost on white, its purple on a dark page.
SHADES = ListedColormap(colormaps["viridis"](np.linspace(0.2, 0.93, 256)))

# Okabe and Ito (2008) without the yellow, which is lost on white: told apart with every common color blindness.
_OKABE_ITO = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")

HUGE = 1e100
"""Below the square root of the largest float, so that no margin or ratio overflows; what is larger is not drawn."""

LOG_RATIO = 8.0
"""From this ratio of two losses on, a linear axis presses most of a curve onto its floor."""

# Pixels of a side of a map whose single pixels can be told apart in a figure.
_SHARP = 64

# So few points of a curve are marked.
_FEW_POINTS = 12


def rung_colors(count: int) -> list[str]:
    """Give a color to each rung, as hexadecimal codes: Okabe–Ito while they last, else steps of viridis.

    >>> rung_colors(2)
    ['#0072B2', '#D55E00']
    """
    if count <= len(_OKABE_ITO):
        return list(_OKABE_ITO[:count])
    return [to_hex(colormaps["viridis"](share)) for share in np.linspace(0, 0.88, count)]


class Ruler(NamedTuple):
    """Where the values of an axis lie. places: (n,), NaN where a value is none; low, high: ends of the axis.

    gap: where a line sets the column of 0 apart from a log scale, NaN where there is none.
    """

    places: NDArray[np.float64]
    ticks: list[float]
    labels: list[str]
    low: float
    high: float
    gap: float


def ruler(values: Sequence[Any], scale: str) -> Ruler:
    """Place values on an axis: "linear", "log" (0 has a column of its own), or "words" in their order, from 0.

    >>> drawn = ruler([0.0, 0.01, 1.0], "log")
    >>> drawn.places.round(2).tolist(), drawn.labels
    ([-2.5, -2.0, 0.0], ['0', '0.01', '1'])
    """
    if scale == "words":
        return _worded([typed(value) for value in values])
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    return _logarithmic(numbers) if scale == "log" and (numbers > 0).any() else _linear(numbers)


def typed(value: object) -> str:
    """Return a setting as an axis or a legend has room for it.

    >>> typed([256, 128]), typed(1 / 3)
    ('256-128', '0.333')
    """
    return setting(value, digits=3, limit=24)


def fit_axis(panel: Axes, values: NDArray[np.float64], ratio: float = LOG_RATIO) -> bool:
    """Fit the vertical axis to these values; return True where it is a log scale, as values far apart need it.

    ratio: of the largest to the smallest, from which on the scale is one.
    """
    drawn = values[np.abs(values) < HUGE]
    if not drawn.size:
        return False
    low, high = float(drawn.min()), float(drawn.max())
    if low > 0 and high / low > ratio:
        panel.set_ylim(low / (high / low) ** 0.06, high * (high / low) ** 0.06)
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(subs=_steps(high / low)))
        panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        panel.yaxis.set_minor_formatter(NullFormatter())
        return True
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 1.0
    panel.set_ylim(low - margin, high + margin)
    return False


def _steps(ratio: float) -> tuple[int, ...]:
    """Return the multiples of powers of ten that a log scale over such a ratio names."""
    return (1,) if ratio >= 1000 else (1, 2, 5) if ratio > LOG_RATIO else (1, 2, 3, 4, 5, 6, 8)


def spread(times: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return how far to the side each curve is drawn: lone points at one place would hide each other.

    >>> spread([np.array([1.0])] * 3).tolist(), spread([np.arange(2.0)] * 3).tolist()
    ([-0.25, 0.0, 0.25], [0.0, 0.0, 0.0])
    """
    alone = len(times) > 1 and all(places.size <= 1 for places in times)
    width = 0.25 * max((float(places[0]) for places in times if places.size), default=1.0)
    return np.linspace(-width, width, len(times)) if alone else np.zeros(len(times))


def marks(points: int, part: str) -> dict[str, Any]:
    """Return how so many points of a curve are marked: a lone one of training is a ring around one of validation.

    >>> marks(40, "training"), marks(1, "training")["markersize"] > marks(1, "validation")["markersize"]
    ({'marker': ''}, True)
    """
    if not 0 < points <= _FEW_POINTS:
        return {"marker": ""}
    ring = {"markerfacecolor": "none"} if part == "training" else {}
    size: dict[str, Any] = {"markersize": 3} if points > 1 else {"markersize": 7.5 if ring else 4, "clip_on": False}
    return {"marker": "o", **size, **ring}


def kept_as_text(legend: Legend, names: Sequence[str]) -> None:
    """Write the names into a legend: as labels, a leading underscore drops one, and dollars are read as mathematics."""
    for text, name in zip(legend.get_texts(), names, strict=True):
        text.set_parse_math(False)
        text.set_text(name)


def signed_colors(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return colors of a map (H, W): blue below 0, white at 0, red above; a few largest numbers saturate.

    (H, W, 4), or fewer: a map of more than 64 pixels a side is summed over squares, or its red and blue would mix.
    """
    square = -(-max(values.shape) // _SHARP)
    rows, columns = (np.arange(0, side, square) for side in values.shape)
    sums = np.add.reduceat(np.add.reduceat(values.astype(np.float64), rows, 0), columns, 1)
    sizes = np.abs(sums[np.isfinite(sums)])
    limit = (float(np.quantile(sizes, 0.995)) or float(sizes.max())) if sizes.size else 0.0
    shares = np.nan_to_num((1 + sums / (limit or 1.0)) / 2, nan=0.5)
    return np.asarray(colormaps["RdBu_r"](shares.clip(0, 1)))


def unit(metric: str) -> tuple[str, float, str]:
    """Return name, factor and format in which a score is shown.

    >>> unit("accuracy")
    ('accuracy (%)', 100.0, '.2f')
    """
    return ("macro F1", 1.0, ".3f") if metric == "macro_f1" else ("accuracy (%)", 100.0, ".2f")


def _worded(words: Sequence[str]) -> Ruler:
    order = sorted(set(words), key=lambda word: (not word.isdigit(), int(word) if word.isdigit() else 0, word))
    places = np.array([float(order.index(word)) for word in words])
    return Ruler(places, [float(k) for k in range(len(order))], order, -0.5, len(order) - 0.5, math.nan)


def _linear(numbers: NDArray[np.float64]) -> Ruler:
    finite = numbers[np.isfinite(numbers)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    room = 0.06 * (high - low) or 0.06 * abs(high) or 1.0
    steps = (float(tick) for tick in MaxNLocator(5).tick_values(low, high))
    ticks = _listed(finite) or [tick for tick in steps if low - room <= tick <= high + room]
    return Ruler(numbers, ticks, [typed(round(tick, 12)) for tick in ticks], low - room, high + room, math.nan)


def _logarithmic(numbers: NDArray[np.float64]) -> Ruler:
    positive = numbers > 0
    places = np.log10(numbers, where=positive, out=np.full(numbers.shape, np.nan))
    low, high = float(np.nanmin(places)), float(np.nanmax(places))
    room = 0.06 * (high - low) or 0.3
    few = _listed(places[positive])
    ticks = few or _decades(low - room / 2, high + room / 2)
    labels = [typed(float(f"{10**tick:.6g}")) for tick in ticks]
    if not (numbers == 0).any():
        return Ruler(places, ticks, labels, low - room, high + room, math.nan)
    zero = low - max((0.25 if few else 0.15) * (high - low), 0.3)
    places[numbers == 0] = zero
    return Ruler(places, [zero, *ticks], ["0", *labels], zero - room, high + room, (zero + low) / 2)


def _listed(places: NDArray[np.float64]) -> list[float]:
    """Return the places themselves where they are few and far enough apart to be named."""
    finite = np.unique(places)
    apart = finite.size < 2 or float(np.diff(finite).min()) > 0.1 * float(np.ptp(finite))
    return [float(place) for place in finite] if 0 < finite.size <= 6 and apart else []


def _decades(low: float, high: float) -> list[float]:
    """Return a few powers of ten between two logarithms; where there are fewer than three, their 2 and 5 too."""
    powers = [float(power) for power in range(math.ceil(low), math.floor(high) + 1)]
    if len(powers) >= 3:
        return powers[:: -(-len(powers) // 6)]
    steps = (power + math.log10(step) for power in range(math.floor(low), math.ceil(high)) for step in (1, 2, 5))
    return [step for step in steps if low <= step <= high] or [low, high]
