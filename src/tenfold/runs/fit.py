"""The main job: a ladder of models, each rung a population over learning rate × l2; the best by validation is kept.

A rung's length is planned from the time it may take and the pace it was seen to have, and written down before it
starts. Weak members are dropped on the way; the rung ends when validation stops improving. Test images come last, once.
"""

__all__ = ["DEFAULTS", "fit_ladder"]

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from tenfold.engine.population import built
from tenfold.errors import Interrupted
from tenfold.files import write_bytes, write_json
from tenfold.recipe import Recipe, members
from tenfold.runs.events import Event
from tenfold.runs.outcome import assess, save_winner, winner
from tenfold.runs.pace import duration, seconds_per_epoch
from tenfold.runs.prepare import Prepared
from tenfold.runs.run import Run, Stage, decide, per_epoch, written
from tenfold.runs.saving import Progress
from tenfold.runs.scoring import Scored, promote, score, summary
from tenfold.runs.stage import fresh, train_stage
from tenfold.trained.model import load_model

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


DEFAULTS = {"kind": "fit", "flip": "photographs", "audit": True}
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
KEPT = ("rung", "members", "settings", "seconds", "expected_seconds", "parameters", "weights_sha256", "failed")


def fit_ladder(run: Run, prepared: Prepared, at: Progress | None) -> dict[str, Any]:
    """Climb from the first rung, or from where a checkpoint stood; returns what the run prints."""
    under_way: list[Stage] = []
    try:
        _climb(run, prepared.recipe, at, under_way)
        return _result(run, prepared.recipe, run.saver.outcomes, finished=True)
    except Interrupted:
        _leave(run, prepared.recipe, under_way[-1] if under_way else None)
        raise


def _climb(run: Run, recipe: Recipe, at: Progress | None, under_way: list[Stage]) -> None:
    """Rung after rung while there is time. under_way: what is begun goes there."""
    left = partial(_left, run, recipe)
    for rung in LADDER[len(run.saver.outcomes) :]:
        if run.saver.outcomes and not decide(run.folder, f"{rung.name}: start", lambda: left() > 0):
            break
        stage = _planned(run, recipe, rung)
        under_way.append(stage)
        at = train_stage(run, stage, at or fresh(run, stage))
        run.saver.finish(_outcome(run, stage, at))
        at = None


def _left(run: Run, recipe: Recipe) -> float:
    """Seconds left of the time that the user gave, less what the last look at the test images takes."""
    return 60 * recipe.minutes * 0.97 - run.saver.elapsed()


def _planned(run: Run, recipe: Recipe, rung: Rung) -> Stage:
    """The stage of a rung: as many epochs as its share of the time allows, weak members dropped on the way."""
    own = recipe.model_copy(update={**rung.choices, "kind": "train"})
    model = built(own, len(run.parts["train"].factor), len(run.about["class_names"]))
    updates = per_epoch(run, own)
    longest = max(rung.epochs, math.ceil(LEAST / updates))
    draft = Stage(rung.name, own, model, tuple(members(own)), longest * updates)
    limit = decide(
        run.folder, f"{rung.name}: until second", lambda: run.saver.elapsed() + rung.share * _left(run, recipe)
    )
    epochs, seconds = decide(
        run.folder,
        f"{rung.name}: epochs and expected seconds",
        lambda: _affordable(run, draft, rung, longest, limit - run.saver.elapsed()),
    )
    _announce(run, draft, epochs, seconds)
    patient = own.model_copy(update={"patience": max(own.patience, epochs // 4)})
    return Stage(rung.name, patient, model, draft.settings, epochs * updates, _keep(rung, epochs), limit)


def _announce(run: Run, stage: Stage, epochs: int, seconds: float) -> None:
    """Say before a rung starts what it is and how long it may take."""
    best, name = run.saver.best()
    length = f"up to {epochs} epoch{'s' * (epochs != 1)}, about {duration(seconds)}"
    told = f"{stage.name}: {len(stage.settings)} settings, {length}"
    run.watch(Event(stage.name, 0, epochs, 0, best if name else float("nan"), name, seconds, told))


def _keep(rung: Rung, epochs: int) -> dict[int, int]:
    """Validation after which so many members stay."""
    return {max(1 + i, int(part * epochs)): count for i, (part, count) in enumerate(rung.keep.items())}


def _affordable(run: Run, stage: Stage, rung: Rung, longest: int, seconds: float) -> tuple[int, float]:
    """Epochs that fit into a time, and what they take, from the pace of a few steps on a throw-away population."""
    pace, count = seconds_per_epoch(run, stage), len(stage.settings)
    for epochs in range(longest, 0, -1):
        alive, cost = count, 0.0
        for epoch in range(1, epochs + 1):
            cost += pace * (0.1 + 0.9 * alive / count)
            alive = _keep(rung, epochs).get(epoch, alive)
        if cost <= seconds or epochs == 1:
            break
    return epochs, cost


def _outcome(run: Run, stage: Stage, at: Progress) -> dict[str, Any]:
    """What a finished rung leaves: its winner's file and numbers."""
    entry = assess(run, stage, at, [winner(at)], ("train", "validation"))[0]
    save_winner(run, stage, at, run.folder / "models" / f"{stage.name}.tenfold")
    worth = float(entry["validation"][stage.recipe.metric] or 0.0)
    if worth > run.saver.best()[0]:
        promote(run.folder, stage.name)
    started = run.saver.outcomes[-1]["elapsed"] if run.saver.outcomes else 0.0
    return {
        **_tried(run, stage),
        "members": len(at.tally["member"]) + len(at.dropped),
        "settings": entry["settings"],
        "train": entry["train"],
        "validation": entry["validation"],
        "score": worth,
        "weights_sha256": entry["weights_sha256"],
        "best_step": entry["best_step"],
        "failed": at.failed,
        "seconds": run.saver.elapsed() - started,
        "elapsed": run.saver.elapsed(),
    }


def _tried(run: Run, stage: Stage) -> dict[str, Any]:
    """What is known of a rung before it ends."""
    _, expected = written(run.folder)[f"{stage.name}: epochs and expected seconds"]
    sizes = ((inputs + 1) * outputs for outputs, inputs in stage.model.shapes().values())
    return {
        "rung": stage.name,
        "all_settings": stage.settings,
        "expected_seconds": expected,
        "parameters": sum(sizes),
    }


def _leave(run: Run, recipe: Recipe, stage: Stage | None) -> None:
    """What a stopped run has so far: its finished rungs, and the one under way where that holds the best model."""
    outcomes, path = list(run.saver.outcomes), run.folder / "model.tenfold"
    if not path.exists():
        return
    cause = load_model(path).cause
    known = [outcome["rung"] for outcome in outcomes]
    if stage and cause["rung"] == stage.name and stage.name not in known:
        save = run.folder / "models" / f"{stage.name}.tenfold"
        save.parent.mkdir(exist_ok=True)
        write_bytes(save, path.read_bytes())
        best = cause["validation"][stage.recipe.metric]
        settings, started = stage.settings, outcomes[-1]["elapsed"] if outcomes else 0.0
        seconds = run.saver.elapsed() - started
        under_way = {"members": len(settings), "settings": cause["settings"], "score": best, "seconds": seconds}
        outcomes.append({**dict.fromkeys(KEPT), **_tried(run, stage), **under_way})
    if outcomes:
        write_json(run.folder / "result.json", _result(run, recipe, outcomes, finished=False))


def _result(run: Run, recipe: Recipe, outcomes: Sequence[dict[str, Any]], finished: bool) -> dict[str, Any]:
    """Choose by validation; look at the test images once, where the run is finished."""
    best, rungs = max(outcomes, key=lambda outcome: float(outcome["score"])), [o["rung"] for o in outcomes]
    promote(run.folder, best["rung"])
    validation = score(run, "validation", rungs)
    if finished:
        run.watch(Event("test", 0, 1, 0, best["score"], best["rung"], 0))
    tested = score(run, "test", rungs) if finished else None
    return {
        **summary(run, recipe.metric, validation, tested, best["rung"]),
        "best": {"rung": best["rung"], "settings": best["settings"]},
        "report": str(run.folder / "report.html"),
        "settings": {outcome["rung"]: outcome["all_settings"] for outcome in outcomes},
        "rungs": [_row(outcome, validation, tested) for outcome in outcomes],
    }


def _row(outcome: dict[str, Any], validation: Scored, tested: Scored | None) -> dict[str, Any]:
    """A line of the ladder's table."""
    rung = outcome["rung"]
    judged, test = validation.metrics[rung], tested.metrics[rung] if tested else {}
    calibration = (test or judged)["calibration"]
    return {
        **{name: outcome[name] for name in KEPT},
        "validation_accuracy": judged["accuracy"],
        "validation_macro_f1": judged["macro_f1"],
        "test_accuracy": test.get("accuracy"),
        "test_interval": test.get("interval"),
        "macro_f1": test.get("macro_f1"),
        "temperature": calibration["temperature"],
        "calibration_error": calibration["error"],
    }
