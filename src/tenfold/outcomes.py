"""What a stage came to: its members measured, its winner saved as a model file, the test images predicted, once."""

__all__ = ["assess", "save_winner", "score_test", "winner"]

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tenfold import tally
from tenfold.arrays import rows as rows_of
from tenfold.evaluate import evaluate, measure
from tenfold.modelfile import TrainedModel, load_model, probabilities, save_model, weights_sha256
from tenfold.recipe import members
from tenfold.rooms import find
from tenfold.saving import Progress
from tenfold.stages import Run, Stage, kept_params, population_of
from tenfold.tensorfile import write_text
from tenfold.types import Params

SLICE = 1000


def winner(progress: Progress) -> int:
    """Row of the best member by validation."""
    return tally.ranking(progress.tally)[0]


def assess(
    run: Run, stage: Stage, progress: Progress, rows: Sequence[int], parts: Sequence[str]
) -> list[dict[str, Any]]:
    """Settings, exact loss, cost and accuracy on the named parts, digest and fate of the members in these rows.

    A member that failed before it had weights to be judged by has no numbers.
    """
    params = rows_of(kept_params(progress), torch.tensor(rows, device=run.device))
    chosen = [int(progress.tally["member"][row]) for row in rows]
    settings = [members(stage.recipe)[member] for member in chosen]
    losses = [(find("losses", member["loss"]), 1) for member in settings]
    penalty = population_of(run, stage, settings).penalty(params).tolist()
    measured = {part: [t.tolist() for t in evaluate(stage.model, params, run.parts[part], losses)] for part in parts}
    entries = []
    for k, row in enumerate(rows):
        failed = progress.failed.get(str(chosen[k]))
        judged = not failed or bool(progress.tally["best_accuracy"][row].isfinite())
        status = int(progress.state.status[row])
        entry: dict[str, Any] = {"member": chosen[k], "settings": settings[k]}
        for part, (loss, accuracy) in measured.items():
            numbers = {"loss": loss[k], "cost": loss[k] + penalty[k], "accuracy": accuracy[k]}
            entry[part] = numbers if judged else dict.fromkeys(numbers)
        entry |= {"weights_sha256": weights_sha256(params, k), "failed": failed, "stopped": max(status, 0) or None}
        entries.append(entry | {"best_step": int(progress.tally["best_step"][row])})
    return entries


def save_winner(run: Run, stage: Stage, progress: Progress, path: Path) -> None:
    """The best member so far as a model file."""
    row = winner(progress)
    params: Params = {name: tensor[[row]].cpu() for name, tensor in kept_params(progress).items()}
    member, part = int(progress.tally["member"][row]), run.parts["train"]
    cause = {
        "rung": stage.name,
        "member": member,
        "settings": members(stage.recipe)[member],
        "validation_accuracy": max(0.0, float(progress.tally["best_accuracy"][row])),
        "recipe": stage.recipe.model_dump(),
        "data": {name: run.about[name] for name in ("name", "fingerprint", "images")},
        "version": run.about["version"],
    }
    trained = TrainedModel(
        stage.recipe.model,
        stage.model,
        params,
        part.factor.cpu(),
        part.offset.cpu(),
        tuple(run.about["image_shape"]),
        run.about["scale"],
        tuple(run.about["class_names"]),
        cause["settings"]["loss"],
        cause,
    )
    path.parent.mkdir(exist_ok=True)
    save_model(path, trained)


def score_test(run: Run, names: Sequence[str], best: str) -> dict[str, dict[str, Any]]:
    """Score the test images, once, with the saved winner of every stage; writes predictions.csv, returns metrics."""
    part = run.parts["test"]
    labels = part.labels[part.rows].cpu().numpy()
    columns: dict[str, Any] = {"position": part.rows.cpu().numpy(), "label": labels}
    measured = {}
    for name in names:
        trained = load_model(run.folder / "models" / f"{name}.tenfold")
        shares = torch.cat(
            [probabilities(trained, part.images[rows].cpu()) for rows in torch.split(part.rows, SLICE)]
        ).numpy()
        columns[f"predicted {name}"] = shares.argmax(1)
        measured[name] = measure(labels, shares.argmax(1), run.about["class_names"])
        if name == best:
            columns["confidence"] = np.round(shares.max(1), 6)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    write_text(run.folder / "predictions.csv", text.getvalue())
    return measured
