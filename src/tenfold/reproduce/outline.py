"""Results of a reproduction for the figures: the first seed of every run is a rung with one member."""

__all__ = ["results_of"]

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tenfold.data.types import Dataset
from tenfold.report.codes import SHOWN, encoder_losses, reconstructions
from tenfold.report.results import Results, time_unit
from tenfold.reproduce.measurements import Measurements
from tenfold.reproduce.records import TrialRecord, metric_of
from tenfold.reproduce.table import TableRequest, resolved
from tenfold.runs.prepare import parts_of
from tenfold.trained.model import load_model, scores, shares


def results_of(
    request: TableRequest, measurements: Measurements, dataset: Dataset, paths: Mapping[str, Path]
) -> Results | None:
    """Return the first seed of every run as the figures read it, None without models: a run is a rung with one member.

    paths: run -> its model file. A run that is tested on other images than the first is left out of the predictions.
    """
    first = {run: records[0] for run, records in measurements.records.items()}
    tested = {run: parts_of(resolved(request.table, run, request.scale), dataset)["test"] for run in paths}
    if not tested:
        return None
    positions = next(iter(tested.values()))
    models = {run: load_model(path) for run, path in paths.items() if tested[run].equal(positions)}
    predicted, confidence, uncalibrated = {}, {}, {}
    for run, model in models.items():
        z = torch.cat([scores(model, dataset.images[rows]) for rows in torch.split(positions, 1000)])
        sure = shares(z, model.loss, model.temperature).max(-1)
        predicted[run], confidence[run] = sure.indices.numpy(), sure.values.numpy()
        uncalibrated[run] = shares(z, model.loss, 1.0).max(-1).values.numpy()
    best = max(models, key=lambda run: _validation_accuracy(first[run]))
    return Results(
        name=dataset.name,
        class_names=dataset.class_names,
        curves=_columns(first),
        settings={run: ({"loss": models[run].loss},) if run in models else ({},) for run in first},
        winners=dict.fromkeys(first, 0),
        best=best,
        part="test",
        positions=positions.numpy(),
        labels=dataset.labels[positions].numpy(),
        predicted=predicted,
        confidence=confidence,
        uncalibrated=uncalibrated,
        templates={
            run: model.params[model.model.templates][0].float().numpy().reshape(-1, *model.image_shape)
            for run, model in models.items()
            if model.model.templates and model.features == "pixels"
        },
        reconstructions=reconstructions(models, dataset.images[positions[:SHOWN]]),
        encoder_loss=encoder_losses(models),
        losses={
            run: np.array([record.losses["step"], _finite(record.losses["loss"])])
            for run, record in first.items()
            if record.losses
        },
        time=time_unit(next(iter(models.values())).cause["recipe"]),
        apart=True,
        pairs=tuple(pair for pair in request.table.pairs if set(pair) <= set(first)),
    )


def _validation_accuracy(record: TrialRecord) -> float:
    numbers = record.moments["last"]["validation"]
    assert numbers  # a run that has a model did not diverge
    return metric_of(numbers, "accuracy")


def _columns(records: Mapping[str, TrialRecord]) -> dict[str, NDArray[Any]]:
    """Return the columns of metrics.csv, the runs one below the other."""
    columns: dict[str, list[Any]] = {"rung": [], "member": []}
    for run, record in records.items():
        length = len(record.curves.get("step", []))
        columns["rung"] += [run] * length
        columns["member"] += [0] * length
        for name, values in record.curves.items():
            columns.setdefault(name, []).extend(_finite(values))
    return {name: np.array(values) for name, values in columns.items()}


def _finite(values: Sequence[float | None]) -> list[float]:
    """Return numbers of a file as floats, NaN for what was not finite."""
    return [math.nan if value is None else value for value in values]
