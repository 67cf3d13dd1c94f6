"""The main job: a ladder of models, each rung a population over learning rate × l2; the best by validation is kept.

A rung's length is planned from the time it may take and the pace it was seen to have, and written down before it
starts. Weak members are dropped on the way; the rung ends when validation stops improving. Test images come last, once.
"""

__all__ = ["DEFAULTS", "fit_ladder"]

import time
from itertools import pairwise
from typing import Any, NamedTuple

from tenfold import loop
from tenfold.batches import sampler
from tenfold.outcomes import assess, save_winner, test_models, winner
from tenfold.population import built
from tenfold.preparing import Prepared
from tenfold.recipe import Recipe, members
from tenfold.running import fresh, train_stage
from tenfold.saving import Progress
from tenfold.stages import Run, Stage, decide, per_epoch, population_of
from tenfold.types import Event

# An epoch takes this much longer than its quickest steps: validation, checkpoints, slower ones.
MORE = 1.3


class Rung(NamedTuple):
    """One step of the ladder: what it changes in the recipe, and its share of the time that is left when it starts."""

    name: str
    share: float
    epochs: int
    choices: dict[str, Any]


DEFAULTS = {"kind": "fit", "flip": "photographs"}
"""Choices that `fit` makes where a recipe makes others."""

LINEAR = {"batch_size": 100, "schedule": "cosine", "momentum": 0.9, "initializer": "zero", "patience": 8}
MLP = {"model": "mlp", "batch_size": 128, "schedule": "cosine", "momentum": 0.9, "nesterov": True, "patience": 10}
LADDER = (
    Rung(
        "linear-softmax", 0.1, 30, {**LINEAR, "learning_rate": (1e-4, 3e-4, 1e-3, 3e-3), "l2": (0.0, 1e-4, 1e-3, 1e-2)}
    ),
    Rung(
        "linear-hinge",
        0.1,
        30,
        {**LINEAR, "loss": "hinge", "learning_rate": (1e-4, 3e-4, 1e-3, 3e-3), "l2": (0.0, 1e-4, 1e-3, 1e-2)},
    ),
    Rung(
        "linear-sigmoid",
        0.1,
        30,
        {**LINEAR, "loss": "sigmoid", "learning_rate": (1e-3, 3e-3, 1e-2, 3e-2), "l2": (0.0, 1e-4, 1e-3, 1e-2)},
    ),
    Rung(
        "mlp-256",
        0.3,
        40,
        {**MLP, "hidden": (256,), "learning_rate": (0.003, 0.01, 0.03, 0.1), "l2": (0.0, 1e-4, 3e-4, 1e-3)},
    ),
    Rung(
        "mlp-512-256",
        0.9,
        60,
        {**MLP, "hidden": (512, 256), "learning_rate": (0.003, 0.01, 0.03, 0.1), "l2": (0.0, 1e-4, 3e-4, 1e-3)},
    ),
)


def fit_ladder(run: Run, prepared: Prepared, at: Progress | None) -> dict[str, Any]:
    """Climb from the first rung, or from where a checkpoint stood; returns what the run prints."""
    for rung in LADDER[len(run.saver.outcomes) :]:
        if at is None and not decide(run.folder, f"{rung.name}: start", lambda: _left(run, prepared.recipe) > 0):
            break
        stage = _planned(run, prepared.recipe, rung)
        at = train_stage(run, stage, at or fresh(run, stage))
        run.saver.finish(_outcome(run, stage, at))
        at = None
    return _result(run)


def _left(run: Run, recipe: Recipe) -> float:
    """Seconds left of the time that the user gave, less what the last look at the test images takes."""
    return 60 * recipe.minutes * 0.97 - run.saver.elapsed()


def _planned(run: Run, recipe: Recipe, rung: Rung) -> Stage:
    """The stage of a rung: as many epochs as its share of the time allows, weak members dropped on the way."""
    own = recipe.model_copy(update=rung.choices)
    model = built(own, len(run.parts["train"].factor), len(run.about["class_names"]))
    updates = per_epoch(run, own)
    draft = Stage(rung.name, own, model, rung.epochs * updates)
    limit = decide(
        run.folder, f"{rung.name}: until second", lambda: run.saver.elapsed() + rung.share * _left(run, recipe)
    )
    epochs = decide(
        run.folder, f"{rung.name}: epochs", lambda: _affordable(run, draft, rung, limit - run.saver.elapsed())
    )
    return draft._replace(steps=epochs * updates, keep=_keep(epochs), deadline=limit)


def _keep(epochs: int) -> dict[int, int]:
    """Successive halving (Jamieson and Talwalkar 2016): half after a tenth of the epochs, a quarter after a fifth, …"""
    return {max(1, epochs // 10): 8, max(2, epochs // 5): 4, max(3, epochs // 2): 2}


def _affordable(run: Run, stage: Stage, rung: Rung, seconds: float) -> int:
    """Epochs that fit into a time, from the pace of a few steps on a throw-away population."""
    pace = _seconds_per_epoch(run, stage)
    for epochs in range(rung.epochs, 1, -1):
        alive, cost = 16, 0.0
        for epoch in range(1, epochs + 1):
            cost += pace * (0.1 + 0.9 * alive / 16)
            alive = _keep(epochs).get(epoch, alive)
        if cost <= seconds:
            return epochs
    return 1


def _seconds_per_epoch(run: Run, stage: Stage) -> float:
    at, population = fresh(run, stage), population_of(run, stage, members(stage.recipe))
    part = run.parts["train"]
    batches = sampler(
        part, stage.recipe.batch_size, stage.recipe.seed, "shuffle", float(stage.recipe.flip), stage.model.noise
    )
    steps = loop.train(population.objective, population.optimizer, population.rate, batches, at.state, 8)
    ends = [time.perf_counter() for _ in steps]
    # The quickest step: on a busy machine the mean of a few says more of its neighbors than of the model.
    return MORE * min((b - a for a, b in pairwise(ends)), default=0.0) * per_epoch(run, stage.recipe)


def _outcome(run: Run, stage: Stage, at: Progress) -> dict[str, Any]:
    """What a finished rung leaves: its winner's file and numbers."""
    entry = assess(run, stage, at, [winner(at)], ("train", "validation"))[0]
    save_winner(run, stage, at, run.folder / "models" / f"{stage.name}.tenfold")
    if (entry["validation"]["accuracy"] or 0.0) > run.saver.best()[0]:
        save_winner(run, stage, at, run.folder / "model.tenfold")
    started = run.saver.outcomes[-1]["elapsed"] if run.saver.outcomes else 0.0
    return {
        "rung": stage.name,
        "members": len(at.tally["member"]) + len(at.dropped),
        "settings": entry["settings"],
        "train": entry["train"],
        "validation": entry["validation"],
        "validation_accuracy": entry["validation"]["accuracy"] or 0.0,
        "weights_sha256": entry["weights_sha256"],
        "best_step": entry["best_step"],
        "failed": at.failed,
        "seconds": run.saver.elapsed() - started,
        "elapsed": run.saver.elapsed(),
    }


def _result(run: Run) -> dict[str, Any]:
    """Choose by validation, look at the test images once."""
    outcomes = run.saver.outcomes
    best = max(outcomes, key=lambda outcome: float(outcome["validation_accuracy"]))
    run.watch(Event("test", 0, 1, 0, best["validation_accuracy"], best["rung"], 0))
    tested = test_models(run, [outcome["rung"] for outcome in outcomes], best["rung"])
    rungs = [
        {
            **{
                name: outcome[name]
                for name in (
                    "rung",
                    "members",
                    "settings",
                    "validation_accuracy",
                    "seconds",
                    "weights_sha256",
                    "failed",
                )
            },
            "test_accuracy": tested[outcome["rung"]]["accuracy"],
            "test_interval": tested[outcome["rung"]]["interval"],
            "macro_f1": tested[outcome["rung"]]["macro_f1"],
        }
        for outcome in outcomes
    ]
    return {
        "run": str(run.folder),
        "model": str(run.folder / "model.tenfold"),
        "data": run.about["name"],
        "best": {"rung": best["rung"], "settings": best["settings"]},
        "best_rung": best["rung"],
        "validation": {**best["validation"], "n": len(run.parts["validation"].rows)},
        "test": tested[best["rung"]],
        "rungs": rungs,
        "seconds": run.saver.elapsed(),
        "notes": run.about["notes"],
    }
