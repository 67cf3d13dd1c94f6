"""The main job: a ladder of models, each rung a population over learning rate × l2; the best by validation is kept.

A rung's length is planned from the time it may take and the pace it was seen to have, and written down before it
starts. Weak members are dropped on the way; the rung ends when validation stops improving. Test images come last, once.
"""

__all__ = ["DEFAULTS", "fit_ladder"]

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from tenfold.choices import members
from tenfold.engine.weights import count as count_parameters
from tenfold.errors import Interrupted
from tenfold.files import as_json, write_bytes, write_json
from tenfold.recipe import Recipe, Settings
from tenfold.runs.checkpoint import Progress
from tenfold.runs.events import Event
from tenfold.runs.outcome import Answers, Made, assess, promote, save_winner, score, summary, winner
from tenfold.runs.pace import seconds_per_epoch
from tenfold.runs.prepare import Prepared
from tenfold.runs.result import Choice, FitResult, RungOutcome, RungResult
from tenfold.runs.run import Run, Stage, decide, decisions, per_epoch, stage_of
from tenfold.runs.stage import fresh, train_stage
from tenfold.text import duration
from tenfold.trained.metrics import Metrics
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
    choices: Settings


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


def fit_ladder(run: Run, prepared: Prepared, progress: Progress | None) -> Made:
    """Climb the ladder from its first rung, or from the progress of a checkpoint; keep the best by validation."""
    begun: list[Stage] = []
    try:
        _climb(run, prepared.recipe, progress, begun)
        return _made(run, prepared.recipe, run.saver.outcomes, finished=True)
    except Interrupted:
        _leave(run, prepared.recipe, begun[-1] if begun else None)
        raise


def _climb(run: Run, recipe: Recipe, progress: Progress | None, begun: list[Stage]) -> None:
    """Train rung after rung while there is time. begun: every stage that is started is added there."""
    left = partial(_left, run, recipe)
    for rung in LADDER[len(run.saver.outcomes) :]:
        if run.saver.outcomes and not decide(run.folder, f"{rung.name}: start", lambda: left() > 0):
            break
        stage = _planned(run, recipe, rung)
        begun.append(stage)
        progress = train_stage(run, stage, progress or fresh(run, stage))
        run.saver.finish(_outcome(run, stage, progress))
        progress = None


def _left(run: Run, recipe: Recipe) -> float:
    """Return the seconds left of the user's budget, less what the last look at the test images takes."""
    return 60 * recipe.minutes * 0.97 - run.saver.elapsed()


def _planned(run: Run, recipe: Recipe, rung: Rung) -> Stage:
    """Make the stage of a rung: as many epochs as its share of the time allows, weak members dropped on the way."""
    recipe_of = recipe.model_copy(update={**rung.choices, "kind": "train"})
    updates = per_epoch(run, recipe_of)
    longest = max(rung.epochs, math.ceil(LEAST / updates))
    draft = stage_of(run, rung.name, recipe_of, members(recipe_of), steps=longest * updates)
    limit = decide(
        run.folder, f"{rung.name}: until second", lambda: run.saver.elapsed() + rung.share * _left(run, recipe)
    )
    epochs, seconds = decide(
        run.folder,
        f"{rung.name}: epochs and expected seconds",
        lambda: _affordable(run, draft, rung, longest, limit - run.saver.elapsed()),
    )
    _announce(run, draft, epochs, seconds)
    patient = recipe_of.model_copy(update={"patience": max(recipe_of.patience, epochs // 4)})
    return draft._replace(recipe=patient, steps=epochs * updates, keep=_keep(rung, epochs), deadline=limit)


def _announce(run: Run, stage: Stage, epochs: int, seconds: float) -> None:
    """Say before a rung starts what it is and how long it may take."""
    best, name = run.saver.best()
    length = f"up to {epochs} epoch{'s' * (epochs != 1)}, about {duration(seconds)}"
    message = f"{stage.name}: {len(stage.settings)} settings, {length}"
    run.watch(Event(stage.name, 0, epochs, 0, best if name else float("nan"), name, seconds, message))


def _keep(rung: Rung, epochs: int) -> dict[int, int]:
    """Return the validations after which members are dropped, each with the number that stay."""
    return {max(1 + i, int(part * epochs)): count for i, (part, count) in enumerate(rung.keep.items())}


def _affordable(run: Run, stage: Stage, rung: Rung, longest: int, seconds: float) -> tuple[int, float]:
    """Return the epochs that fit into a time, and their seconds, from the pace of a few steps on a throw-away copy."""
    pace, count = seconds_per_epoch(run, stage), len(stage.settings)
    for epochs in range(longest, 0, -1):
        alive, cost = count, 0.0
        for epoch in range(1, epochs + 1):
            cost += pace * (0.1 + 0.9 * alive / count)
            alive = _keep(rung, epochs).get(epoch, alive)
        if cost <= seconds or epochs == 1:
            break
    return epochs, cost


def _outcome(run: Run, stage: Stage, progress: Progress) -> RungOutcome:
    """Save the winner of a finished rung and measure it."""
    member = assess(run, stage, progress, [winner(progress)], ("train", "validation"))[0]
    trained = save_winner(run, stage, progress, run.folder / "models" / f"{stage.name}.tenfold")
    score_of = float(getattr(member.validation, stage.recipe.metric) or 0.0)
    if score_of > run.saver.best()[0]:
        promote(run.folder, trained)
    started = run.saver.outcomes[-1].elapsed if run.saver.outcomes else 0.0
    return RungOutcome(
        rung=stage.name,
        all_settings=stage.settings,
        expected_seconds=_expected(run, stage),
        parameters=_parameters(stage),
        members=len(progress.tally["member"]) + len(progress.dropped),
        settings=member.settings,
        score=score_of,
        seconds=run.saver.elapsed() - started,
        train=member.train,
        validation=member.validation,
        weights_sha256=member.weights_sha256,
        best_step=member.best_step,
        failed=progress.failed,
        elapsed=run.saver.elapsed(),
    )


def _expected(run: Run, stage: Stage) -> float:
    return float(decisions(run.folder)[f"{stage.name}: epochs and expected seconds"][1])


def _parameters(stage: Stage) -> int:
    return count_parameters(stage.model.shapes())


def _leave(run: Run, recipe: Recipe, stage: Stage | None) -> None:
    """Write the result of a stopped run: its finished rungs, and the one under way if it holds the best model."""
    outcomes, path = list(run.saver.outcomes), run.folder / "model.tenfold"
    if not path.exists():
        return
    cause = load_model(path).cause
    if stage and cause["rung"] == stage.name and stage.name not in [outcome.rung for outcome in outcomes]:
        save = run.folder / "models" / f"{stage.name}.tenfold"
        save.parent.mkdir(exist_ok=True)
        write_bytes(save, path.read_bytes())
        started = outcomes[-1].elapsed if outcomes else 0.0
        outcomes.append(
            RungOutcome(
                rung=stage.name,
                all_settings=stage.settings,
                expected_seconds=_expected(run, stage),
                parameters=_parameters(stage),
                members=len(stage.settings),
                settings=cause["settings"],
                score=cause["validation"][stage.recipe.metric],
                seconds=run.saver.elapsed() - started,
            )
        )
    if outcomes:
        write_json(run.folder / "result.json", as_json(_made(run, recipe, outcomes, finished=False).result))


def _made(run: Run, recipe: Recipe, outcomes: Sequence[RungOutcome], finished: bool) -> Made:
    """Choose by validation; look at the test images once, where the run is finished."""
    best = max(outcomes, key=lambda outcome: outcome.score)
    models = {outcome.rung: load_model(run.folder / "models" / f"{outcome.rung}.tenfold") for outcome in outcomes}
    promote(run.folder, models[best.rung])
    validation = score(run, "validation", models)
    if finished:
        run.watch(Event("test", 0, 1, 0, best.score, best.rung, 0))
    tested = score(run, "test", models) if finished else None
    result = FitResult(
        **summary(run, recipe.metric, validation, tested, best.rung),
        best=Choice(best.rung, best.settings),
        report=str(run.folder / "report.html"),
        settings={outcome.rung: outcome.all_settings for outcome in outcomes},
        rungs=tuple(_row(outcome, validation, tested) for outcome in outcomes),
    )
    return Made(result, models, tested or validation)


def _row(outcome: RungOutcome, validation: Answers, tested: Answers | None) -> RungResult:
    """Return a line of the ladder's table."""
    judged = validation.metrics[outcome.rung]
    test = tested.metrics[outcome.rung] if tested else Metrics()
    calibration = (test if tested else judged).calibration
    return RungResult(
        rung=outcome.rung,
        members=outcome.members,
        settings=outcome.settings,
        seconds=outcome.seconds,
        expected_seconds=outcome.expected_seconds,
        parameters=outcome.parameters,
        weights_sha256=outcome.weights_sha256,
        failed=outcome.failed,
        validation_accuracy=judged.accuracy,
        validation_macro_f1=judged.macro_f1,
        test_accuracy=test.accuracy,
        test_interval=test.interval,
        macro_f1=test.macro_f1,
        temperature=calibration.temperature if calibration else None,
        calibration_error=calibration.error if calibration else None,
    )
