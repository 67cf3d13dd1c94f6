"""What a stage came to: its members measured, its winner calibrated and saved as a model file."""

__all__ = ["assess", "save_member", "save_winner", "winner"]

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from tenfold.engine.arrays import rows as rows_of
from tenfold.engine.types import Params
from tenfold.rooms import find
from tenfold.runs import tally
from tenfold.runs.run import Run, Stage, kept_params, population_of
from tenfold.runs.saving import Progress
from tenfold.runs.scoring import part_scores
from tenfold.trained.calibrate import temperature
from tenfold.trained.evaluate import evaluate
from tenfold.trained.model import TrainedModel, save_model, shares, weights_sha256


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
    settings = [stage.settings[member] for member in chosen]
    losses = [(find("losses", member["loss"]), 1) for member in settings]
    penalty = population_of(run, stage, settings).penalty(params).tolist()
    measured = {part: evaluate(stage.model, params, run.parts[part], losses) for part in parts}
    entries = []
    for k, row in enumerate(rows):
        failed = progress.failed.get(str(chosen[k]))
        judged = not failed or bool(progress.tally["best_score"][row].isfinite())
        status = int(progress.state.status[row])
        entry: dict[str, Any] = {"member": chosen[k], "settings": settings[k]}
        for part, scores in measured.items():
            loss, accuracy, macro_f1 = (float(t[k]) for t in scores[:3])
            numbers = {"loss": loss, "cost": loss + penalty[k], "accuracy": accuracy, "macro_f1": macro_f1}
            entry[part] = numbers if judged else dict.fromkeys(numbers)
        entry |= {"weights_sha256": weights_sha256(params, k), "failed": failed, "stopped": max(status, 0) or None}
        entries.append(entry | {"best_step": int(progress.tally["best_step"][row])})
    return entries


def save_winner(run: Run, stage: Stage, progress: Progress, path: Path) -> None:
    """The best member so far as a model file."""
    save_member(run, stage, progress, winner(progress), path)


def save_member(run: Run, stage: Stage, progress: Progress, row: int, path: Path) -> None:
    """The member in that row as a model file."""
    params: Params = {name: tensor[[row]].cpu() for name, tensor in kept_params(progress).items()}
    member, part = int(progress.tally["member"][row]), run.parts["train"]
    cause = {
        "rung": stage.name,
        "member": member,
        "settings": stage.settings[member],
        "validation": _judged(stage, float(progress.tally["best_score"][row])),
        "steps": int(progress.tally["best_step"][row]),
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
        features=stage.recipe.features,
        learned=run.about["learned"],
    )
    path.parent.mkdir(exist_ok=True)
    save_model(path, _calibrated(run, trained))


def _judged(stage: Stage, score: float) -> dict[str, float]:
    """The score that it was chosen by; none where there was no validation part."""
    return {} if math.isnan(score) else {stage.recipe.metric: max(0.0, score)}


def _calibrated(run: Run, trained: TrainedModel) -> TrainedModel:
    """The model with the temperature that fits the validation part best, where there is one."""
    if "validation" not in run.parts:
        return trained
    part = run.parts["validation"]
    z, labels = part_scores(trained, part), part.labels[part.rows].cpu().numpy()
    return replace(trained, temperature=temperature(lambda t: shares(z, trained.loss, t).numpy(), labels))
