"""A sweep as its run folder tells it: the ranked table and the curves of every population as one noun."""

__all__ = ["Unit", "swept"]

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.axes import Axis, Range, parse_axis
from tenfold.types import Sweep, Trained

# Seeds are numbers without an order, so a scale would mean nothing.
UNORDERED = ("seed", "init_seed")
# From this ratio on, a linear axis presses most of a list of numbers onto its low end.
LOG_RATIO = 8.0


class Unit(NamedTuple):
    """A unit's folder as it was read. round: from 0; members: of outcome.json; curves: columns of its metrics.csv."""

    round: int
    members: Sequence[Mapping[str, Any]]
    curves: Mapping[str, NDArray[Any]]


def swept(result: Mapping[str, Any], vary: Sequence[str], sizes: Sequence[int], units: Iterable[Unit]) -> Sweep:
    """The sweep of a result. vary: axes as the recipe has them; sizes: candidates of each round; units: in order."""
    table = sorted(result["table"], key=lambda row: row["member"])
    metric, first = str(result["metric"]), [sum(sizes[:k]) for k in range(len(sizes) + 1)]
    axes = [parse_axis(name, option) for name, _, option in (line.partition("=") for line in vary)]
    return Sweep(
        metric,
        {axis.name: _scale(axis) for axis in axes},
        tuple(dict(row["settings"]) for row in table),
        np.array([_number(row["score"]) for row in table]),
        np.array([[_number(end) for end in row["interval"] or (None, None)] for row in table]),
        int(result["runs_each"]),
        tuple(int(row["member"]) for row in result["table"]),
        int(result["one_standard_error"]["member"]),
        tuple(_trained(unit, first[unit.round], f"validation_{metric}") for unit in units if len(unit.curves["epoch"])),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _scale(axis: Axis) -> str:
    """How an axis is shown: as its range was asked for; a list of numbers on a log scale where they lie far apart."""
    ranges = [piece for piece in axis.pieces if isinstance(piece, Range)]
    numbers = [piece for piece in axis.pieces if isinstance(piece, int | float) and not isinstance(piece, bool)]
    if axis.name in UNORDERED or len(ranges) + len(numbers) < len(axis.pieces):
        return "words"
    if ranges:
        return "log" if any(span.scale == "log" for span in ranges) else "linear"
    positive = [number for number in numbers if number > 0]
    far = len(positive) > 1 and max(positive) / min(positive) >= LOG_RATIO
    return "log" if far and min(numbers) >= 0 else "linear"


def _trained(unit: Unit, first: int, measure: str) -> Trained:
    """first: number of its round's first candidate."""
    places, steps = unit.curves["member"], unit.curves["step"]
    known, at = np.unique(steps, return_inverse=True)
    epochs, scores = np.full(known.size, np.nan), np.full((len(unit.members), known.size), np.nan)
    epochs[at], scores[places, at] = unit.curves["epoch"], unit.curves[measure]
    validations = np.zeros(len(unit.members), dtype=np.int64)
    np.maximum.at(validations, places, at + 1)
    return Trained(
        unit.round,
        np.array([first + int(entry["candidate"]) for entry in unit.members]),
        np.array([bool(entry.get("dropped")) for entry in unit.members]),
        epochs,
        scores,
        validations,
    )
