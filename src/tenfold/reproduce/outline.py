"""A reproduction as the figures read it: the first seed of every run, a rung with one member."""

__all__ = ["results_of"]

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tenfold.data.autoencoding import reconstructed
from tenfold.data.types import Dataset
from tenfold.report.results import Results
from tenfold.reproduce.judging import Known
from tenfold.reproduce.table import Asked, resolved
from tenfold.runs.prepare import parts_of
from tenfold.trained.model import TrainedModel, load_model, scores, shares

# Test images that are shown above their reconstructions.
SHOWN = 10


def results_of(asked: Asked, known: Known, dataset: Dataset, paths: Mapping[str, Path]) -> Results | None:
    """The first seed of every run as the figures read it: a run is a rung with one member.

    paths: run -> its model file. What is tested on other images than the first run is left out of what is predicted.
    """
    first = {run: records[0] for run, records in known.records.items()}
    tested = {run: parts_of(resolved(asked.table, run, asked.scale), dataset)["test"] for run in paths}
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
    encoders = _encoders(models)
    best = max(models, key=lambda run: first[run]["moments"]["last"]["validation"]["accuracy"])
    return Results(
        name=dataset.name,
        class_names=dataset.class_names,
        curves=_columns({run: first[run] for run in first}),
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
            run: model.params["scores.weight"][0].float().numpy().reshape(-1, *model.image_shape)
            for run, model in models.items()
            if model.room_name == "linear" and model.features == "pixels"
        },
        reconstructions={
            run: reconstructed(model.learned, dataset.images[positions[:SHOWN]]).numpy()
            for run, model in encoders.items()
        },
        encoder_loss={run: model.learned["history"].double().numpy() for run, model in encoders.items()},
    )


def _encoders(models: Mapping[str, TrainedModel]) -> dict[str, TrainedModel]:
    """The runs that see codes, one for each autoencoder."""
    found: dict[str, TrainedModel] = {}
    for run, model in models.items():
        known = [other.learned["history"] for other in found.values()]
        if model.features == "codes" and not any(torch.equal(model.learned["history"], other) for other in known):
            found[run] = model
    return found


def _columns(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Columns of metrics.csv, the runs one below the other."""
    columns: dict[str, list[Any]] = {"rung": [], "member": []}
    for run, record in records.items():
        length = len(record["curves"].get("step", []))
        columns["rung"] += [run] * length
        columns["member"] += [0] * length
        for name, values in record["curves"].items():
            columns.setdefault(name, []).extend(math.nan if v is None else v for v in values)
    return {name: np.array(values) for name, values in columns.items()}
