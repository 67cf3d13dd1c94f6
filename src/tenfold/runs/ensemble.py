"""The ensemble of a run: members of its stages, chosen by validation, kept where it is better than the best of them.

Better is judged on validation images by means that were selected on others (`cross_selected`), since a selection
flatters itself on the images that it was made by: their paired interval must be above 0, and the run's metric higher.
"""

__all__ = ["ENSEMBLE", "Gathered", "candidates", "forget_members", "gather", "keep_members", "kept_members"]

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from tenfold.runs import tally
from tenfold.runs.checkpoint import Progress
from tenfold.runs.outcome import member_model, part_scores
from tenfold.runs.run import Run, Stage
from tenfold.trained.calibrate import temperature
from tenfold.trained.ensemble import Ensemble, EnsemblePart, cross_selected, greedy
from tenfold.trained.evaluate import measure
from tenfold.trained.model import TrainedModel, load_model, log_shares, save_model, shares
from tenfold.trained.statistics import paired, sentence

ENSEMBLE = "ensemble"
"""What it is called among the rungs of a run."""

MOST = 64
"""Members of a stage that an ensemble may be made of."""

OF_A_MEMBER = ("rung", "member", "settings", "steps", "recipe")
"""What the cause of a member says of it alone."""

OF_A_RUNG = 8
"""Members of each rung of a ladder that are kept for an ensemble."""


class Gathered(NamedTuple):
    """An ensemble as a model without a temperature, None where none is better; and what validation says of it."""

    model: TrainedModel | None
    sentence: str


def candidates(run: Run, stage: Stage, progress: Progress, most: int = MOST) -> dict[str, TrainedModel]:
    """Return the best members of a stage that did not fail, by name."""
    sound = [row for row in tally.ranking(progress.tally) if int(progress.state.status[row]) >= 0]
    models = [member_model(run, stage, progress, row) for row in sound[:most]]
    return {f"{stage.name}/{model.cause['member']}": model for model in models}


def keep_members(run: Run, stage: Stage, progress: Progress) -> None:
    """Write down the members of a rung that come after its winner, until an ensemble has been made."""
    folder = _folder(run)
    folder.mkdir(parents=True, exist_ok=True)
    for name, model in list(candidates(run, stage, progress, OF_A_RUNG).items())[1:]:
        save_model(folder / f"{name.replace('/', '.')}.tenfold", model)


def kept_members(run: Run, winners: Mapping[str, TrainedModel]) -> dict[str, TrainedModel]:
    """Return the winners of the rungs, and the members that were kept beside them, by name."""
    paths = sorted(_folder(run).glob("*.tenfold"))
    return {**winners, **{path.stem.replace(".", "/"): load_model(path) for path in paths}}


def forget_members(run: Run) -> None:
    """Remove the members that were kept beside the winners: an ensemble's file holds those that it is made of."""
    for path in _folder(run).glob("*.tenfold"):
        path.unlink()
    if _folder(run).exists():
        _folder(run).rmdir()


def gather(run: Run, models: Mapping[str, TrainedModel], metric: str, seed: int) -> Gathered:
    """Choose an ensemble of models by validation images. metric: that of the run."""
    if len(models) < 2:
        return Gathered(None, "not tried, there are not two models")
    part = run.parts["validation"]
    labels = part.labels[part.rows].cpu()
    tempered = {name: _tempered(model, part_scores(model, part), labels) for name, model in models.items()}
    probabilities = torch.stack([p for _, p in tempered.values()])

    def score_of(predicted: Tensor) -> float:
        measured = measure(labels.numpy(), predicted.numpy(), run.about.facts.class_names)
        return float(getattr(measured, metric) or 0.0)

    alone = [score_of(p.argmax(-1)) for p in probabilities]
    best, mean = alone.index(max(alone)), cross_selected(probabilities, labels, metric, seed)
    comparison = paired((mean == labels).numpy(), (probabilities[best].argmax(-1) == labels).numpy())
    said = sentence(ENSEMBLE, list(models)[best], comparison)
    if (comparison["interval"] or (0.0,))[0] <= 0 or score_of(mean) <= alone[best]:
        return Gathered(None, f"not kept. {said}")
    added = torch.tensor(greedy(probabilities, labels, metric), dtype=probabilities.dtype)
    weights = {name: float(share) for name, share in zip(models, added / added.sum(), strict=True) if share}
    model = _ensemble({name: (models[name], tempered[name][0]) for name in weights}, weights)
    chosen = score_of(torch.einsum("m,mnc->nc", added, probabilities).argmax(-1))
    return Gathered(replace(model, cause={**model.cause, "validation": {metric: chosen}}), f"kept. {said}")


def _tempered(model: TrainedModel, z: Tensor, labels: Tensor) -> tuple[float, Tensor]:
    """Return a temperature that makes a model's probabilities comparable with others', and them."""
    fitted = temperature(lambda t: log_shares(z, model.loss, t).numpy(), labels.numpy())
    fitted = fitted if math.isfinite(fitted) else 1.0
    return fitted, shares(z, model.loss, fitted)


def _ensemble(chosen: Mapping[str, tuple[TrainedModel, float]], weights: Mapping[str, float]) -> TrainedModel:
    """Return the ensemble of these models and their temperatures; they see the same of an image, standardized alike."""
    parts = tuple(
        EnsemblePart(
            name,
            weights[name],
            model.room_name,
            asdict(model.model),
            model.loss,
            warmth,
            {key: model.cause[key] for key in OF_A_MEMBER},
        )
        for name, (model, warmth) in chosen.items()
    )
    models = [model for model, _ in chosen.values()]
    params = {f"{k}.{name}": tensor for k, model in enumerate(models) for name, tensor in model.params.items()}
    listed = {name: round(weights[name], 3) for name in sorted(weights, key=lambda name: -weights[name])}
    cause = {**models[0].cause, "rung": ENSEMBLE, "member": 0, "settings": listed}
    shapes = Ensemble(len(models[0].factor), len(models[0].class_names), parts)
    return replace(
        models[0], room_name=ENSEMBLE, model=shapes, params=params, loss="softmax", temperature=1.0, cause=cause
    )


def _folder(run: Run) -> Path:
    return run.folder / "models" / "members"
