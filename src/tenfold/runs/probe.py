"""A classifier on an encoder's frozen embeddings: a recipe with the encoder's data and split, and a head as its model.

A linear head is trained to convergence, from zero, for several penalties in one population; a small network likewise;
nearest neighbors keep the embeddings of the training images.
"""

__all__ = ["HEADS", "probe_recipe", "remembered"]

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import torch

from tenfold.choices import recipe
from tenfold.data.batches import inputs
from tenfold.engine.layers.unit_length import unit_length
from tenfold.engine.models.knn import IMAGES, LABELS, Knn
from tenfold.errors import UsageError, nearest
from tenfold.recipe import Recipe
from tenfold.runs import tally
from tenfold.runs.checkpoint import Progress
from tenfold.runs.run import Run, Stage, population_of, tensors_of
from tenfold.runs.stage import fresh
from tenfold.trained.evaluate import evaluate
from tenfold.trained.model import TrainedModel, load_model

_DESCENT = {
    "optimizer": "adam",
    "schedule": "cosine",
    "standardize": "pixel",
    "batch_size": 1000,
    "iterations": 3000,
    "evaluate_every": 300,
}
HEADS: dict[str, dict[str, Any]] = {
    "linear": {
        **_DESCENT,
        "model": "linear",
        "initializer": "zero",
        "learning_rate": 0.03,
        "l2": (0.0, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 1e-1),
    },
    "mlp": {**_DESCENT, "model": "mlp", "hidden": (32,), "learning_rate": 0.003, "l2": (0.0, 1e-4, 1e-3, 1e-2)},
    "knn": {"model": "knn", "standardize": "none", "initializer": "zero"},
}
"""Head -> choices that are its own; what the user gives comes before them."""

SAME = (
    *("data", "name", "size", "skip_unreadable", "parts", "audit"),
    *("seed", "limit", "rows", "validation_rows", "validation", "test", "metric"),
)
"""Fields that the probe has from its encoder: data and split are the same."""

# Numbers that nearest neighbors keep at most.
MOST = 10**8


def probe_recipe(path: Path, head: str, choices: Mapping[str, Any]) -> tuple[Recipe, str]:
    """Return the recipe of a probe, and a warning or "". path: a run folder or model file; choices: fields, by name."""
    if head not in HEADS:
        raise UsageError(f"no head {head!r}: {nearest(head, HEADS)}")
    trained = load_model(path / "model.tenfold" if path.is_dir() else path)
    _check(path, trained)
    encoder = {name: value for name, value in trained.cause["recipe"].items() if name in SAME}
    placed = {"features": "embedding", "encoder": str(path.resolve())}
    seen = "validation" not in trained.cause["data"]["images"]
    warning = f"{path}: the encoder was trained on validation images, too: validation scores are too high"
    return recipe({**encoder, **HEADS[head], **placed, **choices}), warning * seen


def _check(path: Path, trained: TrainedModel) -> None:
    if trained.model.classes:
        raise UsageError(
            f"{path}: a classifier, not an encoder; probe the run of `tenfold train DATA --task contrast --model …`"
        )


def remembered(run: Run, stage: Stage) -> tuple[Stage, Progress]:
    """Return the stage and the progress of nearest neighbors, which keep the training images and take no step."""
    part = run.parts["train"]
    if len(part.rows) * prod(part.image_shape) > MOST:
        raise UsageError(f"model knn: it would keep {len(part.rows):,} images; choose fewer, like --limit 10000")
    assert isinstance(stage.model, Knn)
    stage = stage._replace(model=replace(stage.model, images=len(part.rows)), steps=0)
    kept, _ = unit_length(inputs(part, part.images[part.rows], stage.model.takes))
    labels = part.labels[part.rows].to(kept)
    progress = fresh(run, stage)
    members = len(stage.settings)
    params, buffers = ({name: t.expand(members, *t.shape).clone()} for name, t in ((IMAGES, kept), (LABELS, labels)))
    progress = progress._replace(state=progress.state._replace(params=params, buffers=buffers))
    losses = population_of(run, stage, stage.settings).losses
    scores = evaluate(stage.model, tensors_of(progress.state), run.parts["validation"], losses)
    unseen = torch.full_like(scores.loss, torch.nan)
    score = scores.macro_f1 if stage.recipe.metric == "macro_f1" else scores.accuracy
    tally.observe(progress.tally, progress.state, unseen, scores.loss, score, latest=True)
    return stage, progress
