"""The main job: a ladder of models, each rung a population over learning rate × l2; the best by validation is kept.

A rung's length is planned from the time it may take and the pace it was seen to have, and written down before it
starts. Weak members are dropped on the way; the rung ends when validation stops improving. Test images come last, once.
"""

__all__ = ["DEFAULTS", "fit_ladder"]

import math
import time
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from tenfold import loop
from tenfold.batches import sampler
from tenfold.outcomes import assess, save_winner, score_test, winner
from tenfold.population import built
from tenfold.preparing import Prepared
from tenfold.recipe import Recipe, members
from tenfold.running import fresh, train_stage
from tenfold.saving import Progress
from tenfold.stages import Run, Stage, decide, per_epoch, population_of
from tenfold.tensorfile import write_bytes
from tenfold.types import Event

# An epoch takes this much longer than its quickest steps: validation, checkpoints, slower ones.
MORE = 1.3
# Small data have short epochs: a rung takes at least so many updates.
LEAST = 2000


class Rung(NamedTuple):
    """One step of the ladder.

    share: of the time that is left when it starts. epochs: at most, more where they are short. keep: after this part of
    its epochs so many members stay (successive halving, Jamieson and Talwalkar 2016). choices: what it changes.
    """

    name: str
    share: float
    epochs: int
    keep: dict[float, int]
    choices: dict[str, Any]


DEFAULTS = {"kind": "fit", "flip": "photographs"}
"""Choices that `fit` makes where a recipe makes others."""

COMMON = {"schedule": "cosine", "momentum": 0.9, "patience": 12}
LINEAR = {**COMMON, "initializer": "zero", "l2": (0.0, 1e-3, 1e-2, 1e-1)}
MLP = {
    **COMMON,
    "model": "mlp",
    "batch_size": 128,
    "nesterov": True,
    "learning_rate": (0.003, 0.01, 0.03, 0.1),
    "l2": (0.0, 1e-4, 3e-4, 1e-3),
}
HALVING = {0.1: 8, 0.2: 4, 0.5: 2}
LADDER = (
    Rung("linear-softmax", 0.1, 20, {}, {**LINEAR, "loss": "softmax", "learning_rate": (1e-4, 3e-4, 1e-3, 3e-3)}),
    Rung("linear-hinge", 0.1, 20, {}, {**LINEAR, "loss": "hinge", "learning_rate": (3e-5, 1e-4, 3e-4, 1e-3)}),
    Rung("linear-sigmoid", 0.1, 20, {}, {**LINEAR, "loss": "sigmoid", "learning_rate": (1e-3, 3e-3, 1e-2, 3e-2)}),
    Rung("mlp-256", 0.25, 40, HALVING, {**MLP, "hidden": (256,)}),
    Rung("mlp-512-256", 1.0, 40, HALVING, {**MLP, "hidden": (512, 256)}),
)
KEPT = ("rung", "members", "settings", "validation_accuracy", "seconds", "weights_sha256", "failed")


def fit_ladder(run: Run, prepared: Prepared, at: Progress | None) -> dict[str, Any]:
    """Climb from the first rung, or from where a checkpoint stood; returns what the run prints."""
    left = partial(_left, run, prepared.recipe)
    for rung in LADDER[len(run.saver.outcomes) :]:
        if run.saver.outcomes and not decide(run.folder, f"{rung.name}: start", lambda: left() > 0):
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
    own = recipe.model_copy(update={**rung.choices, "kind": "train"})
    model = built(own, len(run.parts["train"].factor), len(run.about["class_names"]))
    updates = per_epoch(run, own)
    longest = max(rung.epochs, math.ceil(LEAST / updates))
    draft = Stage(rung.name, own, model, longest * updates)
    limit = decide(
        run.folder, f"{rung.name}: until second", lambda: run.saver.elapsed() + rung.share * _left(run, recipe)
    )
    epochs = decide(
        run.folder, f"{rung.name}: epochs", lambda: _affordable(run, draft, rung, longest, limit - run.saver.elapsed())
    )
    patient = own.model_copy(update={"patience": max(own.patience, epochs // 4)})
    return Stage(rung.name, patient, model, epochs * updates, _keep(rung, epochs), limit)


def _keep(rung: Rung, epochs: int) -> dict[int, int]:
    """Validation after which so many members stay."""
    return {max(1 + i, int(part * epochs)): count for i, (part, count) in enumerate(rung.keep.items())}


def _affordable(run: Run, stage: Stage, rung: Rung, longest: int, seconds: float) -> int:
    """Epochs that fit into a time, from the pace of a few steps on a throw-away population."""
    pace, count = _seconds_per_epoch(run, stage), len(members(stage.recipe))
    for epochs in range(longest, 1, -1):
        alive, cost = count, 0.0
        for epoch in range(1, epochs + 1):
            cost += pace * (0.1 + 0.9 * alive / count)
            alive = _keep(rung, epochs).get(epoch, alive)
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
        _promote(run, stage.name)
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


def _promote(run: Run, rung: str) -> None:
    """Make a rung's winner the model of the run."""
    write_bytes(run.folder / "model.tenfold", (run.folder / "models" / f"{rung}.tenfold").read_bytes())


def _result(run: Run) -> dict[str, Any]:
    """Choose by validation, look at the test images once."""
    outcomes = run.saver.outcomes
    best = max(outcomes, key=lambda outcome: float(outcome["validation_accuracy"]))
    run.watch(Event("test", 0, 1, 0, best["validation_accuracy"], best["rung"], 0))
    _promote(run, best["rung"])
    tested = score_test(run, [outcome["rung"] for outcome in outcomes], best["rung"])
    rungs = []
    for outcome in outcomes:
        test = tested[outcome["rung"]]
        scores = {"test_accuracy": test["accuracy"], "test_interval": test["interval"], "macro_f1": test["macro_f1"]}
        rungs.append({**{name: outcome[name] for name in KEPT}, **scores})
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
