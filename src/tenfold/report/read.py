"""Read what figures and pages need of a finished run from its folder."""

__all__ = ["read_curves", "read_made", "read_results", "results_of"]

import csv
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.data.types import drawn_shape
from tenfold.errors import FileError, RunError
from tenfold.files import as_json
from tenfold.report.codes import encoder_losses
from tenfold.report.explained import first_layers
from tenfold.report.results import Results, Sweep, time_unit
from tenfold.runs.folder import COLUMNS, PREDICTIONS, how_to_resume, opened
from tenfold.runs.losses import read_losses
from tenfold.runs.outcome import Answers, Made
from tenfold.runs.result import SweepResult, read_result
from tenfold.trained.model import load_model


def read_results(folder: Path) -> Results:
    """Read what figures and reports need of a run that has a result."""
    return results_of(folder, read_made(folder))


def read_made(folder: Path) -> Made:
    """Read result, models and answers of a run from its folder; a RunError where it has no result yet."""
    if not (folder / "result.json").exists():
        opened(folder)
        raise RunError(f"{folder}: the run has no result yet; bring it to its end with `{how_to_resume(folder)}`")
    result = read_result(folder / "result.json")
    # In the order in which the rungs were climbed.
    models = {rung: load_model(folder / "models" / f"{rung}.tenfold") for rung in result.settings}
    return Made(result, models, _answers(folder / PREDICTIONS[result.part], tuple(models)))


def results_of(folder: Path, made: Made) -> Results:
    """Return what figures and reports need of a run's result, its models and its answers."""
    result, models, answers = made
    templates = {
        rung: model.params[model.model.templates][0].float().cpu().numpy().reshape(-1, *drawn_shape(model.image_shape))
        for rung, model in models.items()
        if model.model.templates and model.features == "pixels"
    }
    return Results(
        name=result.data,
        class_names=next(iter(models.values())).class_names,
        curves=read_curves(folder / "metrics.csv"),
        settings={rung: tuple(as_json(result.settings[rung])) for rung in models},
        winners={rung: int(model.cause["member"]) for rung, model in models.items()},
        best=result.best_rung,
        part=result.part,
        positions=answers.positions,
        labels=answers.labels,
        digests=answers.digests,
        predicted=answers.predicted,
        confidence=answers.confidence,
        uncalibrated=answers.uncalibrated,
        templates=templates,
        sweep=_sweep(folder, result) if isinstance(result, SweepResult) else None,
        encoder_loss=encoder_losses(models),
        losses=read_losses(folder),
        time=time_unit(models[result.best_rung].cause.get("recipe") or {}),
        filters=first_layers(models),
    )


def _sweep(folder: Path, result: SweepResult) -> Sweep:
    """Read the search of a sweep; the code for it is imported for sweeps alone."""
    sweep: Sweep = importlib.import_module("tenfold.report.read_sweep").read_sweep(folder, result)
    return sweep


def _answers(path: Path, rungs: Sequence[str]) -> Answers:
    """Read a table of predictions; the metrics that they come to are in the result."""
    columns = _columns(path)

    def of(name: str, kind: type[Any]) -> dict[str, NDArray[Any]]:
        return {rung: columns[f"{name} {rung}"].astype(kind) for rung in rungs}

    positions, labels = (columns[name].astype(np.int64) for name in ("position", "label"))
    predicted, confidence = of("predicted", np.int64), of("confidence", np.float64)
    digests = columns.get("digest", np.full(len(labels), "")).astype(np.str_)  # older runs have none
    return Answers(positions, labels, predicted, confidence, of("uncalibrated", np.float64), {}, digests)


def _columns(path: Path) -> dict[str, Any]:
    """Read a table of predictions, by the names of its columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = list(csv.reader(file))
        return {name: np.array([row[i] for row in table[1:]]) for i, name in enumerate(table[0])}
    except (OSError, ValueError, IndexError) as error:
        raise FileError(f"{path}: cannot be read ({error}); restore it from a copy") from None


def read_curves(path: Path) -> dict[str, NDArray[Any]]:
    """Read the columns of a metrics.csv."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows, names = list(reader), reader.fieldnames or COLUMNS
    kinds = {"rung": str, "step": np.int64, "member": np.int64}
    return {name: np.array([row[name] or "nan" for row in rows]).astype(kinds.get(name, np.float64)) for name in names}
