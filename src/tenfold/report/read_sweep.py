"""Read the search of a finished sweep from its folder."""

__all__ = ["read_sweep"]

import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.choices import read
from tenfold.files import as_json, read_json
from tenfold.report.read import read_curves
from tenfold.report.results import Sweep, Trained
from tenfold.runs.result import SweepResult
from tenfold.search.axes import Axis, Range, parse_axis
from tenfold.search.units import UnitMember, outcome_of

# Seeds are numbers without an order, so a scale would mean nothing.
UNORDERED = ("seed", "init_seed")
# From this ratio on, a linear axis presses most of a list of numbers onto its low end.
LOG_RATIO = 8.0


class _Unit(NamedTuple):
    """A unit's folder as it was read. round: from 0; members: of outcome.json; curves: columns of its metrics.csv."""

    round: int
    members: Sequence[UnitMember]
    curves: Mapping[str, NDArray[Any]]


def read_sweep(folder: Path, result: SweepResult) -> Sweep:
    """Read candidates, scores and populations of a sweep with this result."""
    plan = read_json(folder / "plan.json") if (folder / "plan.json").exists() else {}
    sizes = [len(plan[f"round {number}"]) for number in range(len(plan)) if f"round {number}" in plan]
    return _swept(
        result, read(folder / "recipe.toml").vary, sizes, map(_unit, sorted(folder.glob("units/*/*/outcome.json")))
    )


def _unit(outcome: Path) -> _Unit:
    unit = outcome_of(outcome.parent)
    members = unit.members if unit else ()
    return _Unit(int(outcome.parent.parent.name), members, read_curves(outcome.with_name("metrics.csv")))


def _swept(result: SweepResult, vary: Sequence[str], sizes: Sequence[int], units: Iterable[_Unit]) -> Sweep:
    """Make the sweep of a result. vary: axes of the recipe; sizes: candidates of each round; units: in order."""
    table = sorted(result.table, key=lambda row: row.member or 0)
    first = [sum(sizes[:k]) for k in range(len(sizes) + 1)]
    axes = [parse_axis(name, option) for name, _, option in (line.partition("=") for line in vary)]
    measure = f"validation_{result.metric}"
    return Sweep(
        result.metric,
        {axis.name: _scale(axis) for axis in axes},
        tuple(dict(as_json(row.settings or {})) for row in table),
        np.array([_number(row.score) for row in table]),
        np.array([[_number(end) for end in row.interval or (None, None)] for row in table]),
        result.runs_each,
        tuple(int(row.member or 0) for row in result.table),
        int(result.one_standard_error.member or 0),
        tuple(_trained(unit, first[unit.round], measure) for unit in units if len(unit.curves["epoch"])),
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _scale(axis: Axis) -> str:
    """Say how an axis is shown: as its range was asked for; numbers far apart on a log scale."""
    ranges = [piece for piece in axis.pieces if isinstance(piece, Range)]
    numbers = [piece for piece in axis.pieces if isinstance(piece, int | float) and not isinstance(piece, bool)]
    if axis.name in UNORDERED or len(ranges) + len(numbers) < len(axis.pieces):
        return "words"
    if ranges:
        return "log" if any(span.scale == "log" for span in ranges) else "linear"
    positive = [number for number in numbers if number > 0]
    far = len(positive) > 1 and max(positive) / min(positive) >= LOG_RATIO
    return "log" if far and min(numbers) >= 0 else "linear"


def _trained(unit: _Unit, first: int, measure: str) -> Trained:
    """Make the population of a unit. first: number of its round's first candidate."""
    places, steps = unit.curves["member"], unit.curves["step"]
    validated, row = np.unique(steps, return_inverse=True)
    epochs, scores = np.full(validated.size, np.nan), np.full((len(unit.members), validated.size), np.nan)
    epochs[row], scores[places, row] = unit.curves["epoch"], unit.curves[measure]
    validations = np.zeros(len(unit.members), dtype=np.int64)
    np.maximum.at(validations, places, row + 1)
    return Trained(
        unit.round,
        np.array([first + member.candidate for member in unit.members]),
        np.array([bool(member.dropped) for member in unit.members]),
        epochs,
        scores,
        validations,
        validated,
    )
