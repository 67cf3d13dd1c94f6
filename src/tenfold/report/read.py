"""Read what figures and pages need of a finished run from its folder."""

__all__ = ["read_results"]

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import FileError, RunError
from tenfold.files import read_json
from tenfold.recipe import read
from tenfold.report.results import Results, Sweep, Trained
from tenfold.runs.folder import COLUMNS, PREDICTIONS, how_to_resume, opened
from tenfold.search.axes import Axis, Range, parse_axis
from tenfold.trained.model import load_model

# Seeds are numbers without an order, so a scale would mean nothing.
UNORDERED = ("seed", "init_seed")
# From this ratio on, a linear axis presses most of a list of numbers onto its low end.
LOG_RATIO = 8.0


class _Unit(NamedTuple):
    """A unit's folder as it was read. round: from 0; members: of outcome.json; curves: columns of its metrics.csv."""

    round: int
    members: Sequence[Mapping[str, Any]]
    curves: Mapping[str, NDArray[Any]]


def _swept(result: Mapping[str, Any], vary: Sequence[str], sizes: Sequence[int], units: Iterable[_Unit]) -> Sweep:
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


def _trained(unit: _Unit, first: int, measure: str) -> Trained:
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


def read_results(folder: Path) -> Results:
    """What figures and reports need of a run that has a result."""
    if not (folder / "result.json").exists():
        opened(folder)
        raise RunError(f"{folder}: the run has no result yet; bring it to its end with `{how_to_resume(folder)}`")
    result = read_json(folder / "result.json", "data", "best_rung", "part", "settings")
    curves = _curves(folder / "metrics.csv")
    columns = _columns(folder / PREDICTIONS[result["part"]])
    # In the order in which the rungs were climbed.
    models = {name: load_model(folder / "models" / f"{name}.tenfold") for name in result["settings"]}
    templates = {
        name: model.params["scores.weight"][0].float().cpu().numpy().reshape(-1, *model.image_shape)
        for name, model in models.items()
        if model.room_name == "linear" and model.features == "pixels"
    }
    return Results(
        name=str(result["data"]),
        class_names=next(iter(models.values())).class_names,
        curves=curves,
        settings={name: tuple(result["settings"][name]) for name in models},
        winners={name: int(model.cause["member"]) for name, model in models.items()},
        best=str(result["best_rung"]),
        part=str(result["part"]),
        positions=columns["position"].astype(np.int64),
        labels=columns["label"].astype(np.int64),
        predicted={name: columns[f"predicted {name}"].astype(np.int64) for name in models},
        confidence={name: columns[f"confidence {name}"].astype(np.float64) for name in models},
        uncalibrated={name: columns[f"uncalibrated {name}"].astype(np.float64) for name in models},
        templates=templates,
        sweep=_sweep(folder, result) if "table" in result else None,
    )


def _sweep(folder: Path, result: Mapping[str, Any]) -> Sweep:
    """The search that a sweep's folder tells of."""
    plan = read_json(folder / "plan.json") if (folder / "plan.json").exists() else {}
    sizes = [len(plan[f"round {number}"]) for number in range(len(plan)) if f"round {number}" in plan]
    return _swept(
        result, read(folder / "recipe.toml").vary, sizes, map(_unit, sorted(folder.glob("units/*/*/outcome.json")))
    )


def _unit(outcome: Path) -> _Unit:
    members = read_json(outcome, "members")["members"]
    return _Unit(int(outcome.parent.parent.name), members, _curves(outcome.with_name("metrics.csv")))


def _columns(path: Path) -> dict[str, Any]:
    """A table of predictions, by the names of its columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = list(csv.reader(file))
        return {name: np.array([row[i] for row in table[1:]]) for i, name in enumerate(table[0])}
    except (OSError, ValueError, IndexError) as error:
        raise FileError(f"{path}: cannot be read ({error}); restore it from a copy") from None


def _curves(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {"rung": str, "step": np.int64, "member": np.int64}
    return {
        name: np.array([row[name] or "nan" for row in rows]).astype(kinds.get(name, np.float64)) for name in COLUMNS
    }
