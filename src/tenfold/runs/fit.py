"""The main job: a ladder of models, populations over learning rate × l2 and then a network; the best is kept.

A rung's length is planned from the time it may take and the pace it was seen to have, written down before it starts,
and follows its pace from then on. Weak members are dropped on the way; a rung ends when validation stops improving. A
rung that has no time, or that ends before its longest plan, is named. Test images come last, once.
"""

__all__ = ["fit_ladder"]

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tenfold.choices import members, of_preset
from tenfold.engine.weights import count as count_parameters
from tenfold.errors import Interrupted, RunError
from tenfold.files import as_json, write_bytes, write_json
from tenfold.recipe import Recipe, Settings
from tenfold.rooms import declared
from tenfold.runs.checkpoint import Progress
from tenfold.runs.course import affordable, expected_seconds
from tenfold.runs.ensemble import ENSEMBLE, Gathered, forget_members, gather, keep_members, kept_members
from tenfold.runs.events import Event, line
from tenfold.runs.ladder import LADDER, POPULATIONS, Rung, batch_for, varied, within_memory
from tenfold.runs.outcome import (
    Answers,
    Made,
    all_failed,
    assess,
    diverged,
    promote,
    save_calibrated,
    save_winner,
    score,
    summary,
    winner,
)
from tenfold.runs.pace import seconds_per_step
from tenfold.runs.prepare import Prepared
from tenfold.runs.result import Choice, FitResult, RungOutcome, RungResult
from tenfold.runs.run import Run, Stage, decide, decisions, per_epoch, stage_of
from tenfold.runs.stage import fresh, train_stage
from tenfold.text import count, duration
from tenfold.trained.metrics import Metrics
from tenfold.trained.model import load_model, weights_sha256
from tenfold.trained.views import looks

# Small data have short epochs: a rung takes at least so many updates.
LEAST = 2000
# Share of the time that is left for a look at the pace of a rung.
LOOK = 0.05
# A rung is not worth starting for fewer updates, or parts of an epoch, than these.
FEWEST = 100
TIME_UP = ": the time was up"
# What is kept of the budget for test images, figures and the report: a share of it, within bounds in seconds.
RESERVE, RESERVED = 0.1, (2.0, 20.0)


# Passes over the images that make a wider network better than a narrower one.
PASSES = 3
# Training images are shifted by up to a share of their side; below so many pixels a side a narrow network is enough.
SHIFT, TINY = 16, 16


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
    for rung in LADDER[len(run.saver.outcomes) :]:
        stage, why_not = _planned(run, recipe, rung)
        if stage is None:
            run.saver.finish(_without_model(run, rung.name, (), why_not))
            line(run.watch)(f"{rung.name}: {why_not}")
            continue
        begun.append(stage)
        progress = train_stage(run, stage, progress or fresh(run, stage))
        run.saver.finish(_outcome(run, stage, progress))
        progress = None
    if recipe.ensemble and len(run.saver.outcomes) == len(LADDER):
        run.saver.finish(_gathered(run, recipe))


def _gathered(run: Run, recipe: Recipe) -> RungOutcome:
    """Try an ensemble of the members of all rungs."""
    began = run.saver.elapsed()
    winners = {o.rung: load_model(_saved(run, o.rung)) for o in run.saver.outcomes if o.has_model}
    models = kept_members(run, winners)
    gathered = Gathered(None, f"not tried{TIME_UP}")
    if _left(run, recipe) > 0:
        gathered = gather(run, models, recipe.metric, recipe.seed)
    line(run.watch)(f"{ENSEMBLE}: {gathered.sentence}")
    forget_members(run)
    if gathered.model is None:
        return _without_model(run, ENSEMBLE, (), gathered.sentence)
    trained = save_calibrated(run, gathered.model, recipe.seed, _saved(run, ENSEMBLE))
    return RungOutcome(
        rung=ENSEMBLE,
        all_settings=(trained.cause["settings"],),
        expected_seconds=0.0,
        parameters=count_parameters(trained.model.shapes()),
        members=len(trained.model.parts),
        settings=trained.cause["settings"],
        score=trained.cause["validation"][recipe.metric],
        seconds=run.saver.elapsed() - began,
        weights_sha256=weights_sha256(trained.params, 0),
        elapsed=run.saver.elapsed(),
    )


def _saved(run: Run, rung: str) -> Path:
    return run.folder / "models" / f"{rung}.tenfold"


def _left(run: Run, recipe: Recipe) -> float:
    """Return the seconds left of the user's budget, less what is kept for the end."""
    seconds = 60 * recipe.minutes
    return seconds - min(max(RESERVE * seconds, RESERVED[0]), RESERVED[1]) - run.saver.elapsed()


def _planned(run: Run, recipe: Recipe, rung: Rung) -> tuple[Stage | None, str]:
    """Make the stage of a rung, as long as its share of the time allows, or None and why it is not trained."""
    if _side(run) < _smallest(rung):
        return None, f"not trained, it needs images of {_smallest(rung)} pixels or more a side"
    # The last rung that the data allow gets the rest of the time.
    share = 1.0 if rung == [other for other in LADDER if _side(run) >= _smallest(other)][-1] else rung.share
    recipe_of = recipe.model_copy(update={**_choices(run, recipe, rung), "kind": "train"})
    one = _parameters(stage_of(run, rung.name, recipe_of, members(recipe_of), steps=1))
    recipe_of = recipe_of.model_copy(update=within_memory(recipe_of, one))
    updates = per_epoch(run, recipe_of)
    longest = max(rung.epochs, math.ceil(LEAST / updates)) * updates
    draft = stage_of(run, rung.name, recipe_of, members(recipe_of), steps=longest)._replace(
        longest=longest, thin=rung.thin
    )
    several = bool(rung.widths) and _side(run) >= TINY
    plan = decide(run.folder, f"{rung.name}: plan", lambda: _course(run, recipe, share, draft, several))
    if why_not := plan.get("skipped", ""):
        return None, why_not
    recipe_of = recipe_of.model_copy(update=varied(recipe_of, plan.get("members", 1)))
    draft = draft._replace(recipe=recipe_of, settings=tuple(members(recipe_of)))
    _announce(run, draft, plan["steps"] / updates, plan["seconds"])
    epochs = math.ceil(plan["steps"] / updates)
    patience = max(recipe_of.patience, epochs // 4) if recipe_of.patience else 0
    patient = recipe_of.model_copy(update={"patience": patience})
    return draft._replace(recipe=patient, steps=plan["steps"], deadline=plan["until"]), ""


def _side(run: Run) -> int:
    """Return the pixels of an image's shorter side; 1 where the data are rows of numbers."""
    return min(run.about.facts.image_shape[1:])


def _smallest(rung: Rung) -> int:
    """Return the fewest pixels a side that a rung's model takes."""
    return int(declared("models", rung.choices.get("model", "linear"), "SMALLEST", 1))


def _choices(run: Run, recipe: Recipe, rung: Rung) -> Settings:
    """Return what a rung changes; a network's batches follow the number of images, its width the time."""
    if not rung.widths:
        return rung.choices
    brought = of_preset(rung.choices)
    del brought["flip"]  # is the user's
    batch = batch_for(len(run.parts["train"].rows))
    shift = round(_side(run) / SHIFT)
    choices = {**brought, **rung.choices, "batch_size": batch, "crop": shift, "patience": 0, "test_views": "flip"}
    return {
        **choices,
        "widths": tuple(decide(run.folder, f"{rung.name}: widths", lambda: _width(run, recipe, rung, choices))),
    }


def _width(run: Run, recipe: Recipe, rung: Rung, choices: Settings) -> tuple[int, ...]:
    """Return the widest network of which enough passes fit into the time, else the narrowest, as for tiny images."""
    for widths in rung.widths if _left(run, recipe) > 0 and _side(run) >= TINY else rung.widths[-1:]:
        tried = recipe.model_copy(update={**choices, "widths": widths, "kind": "train"})
        stage = stage_of(run, rung.name, tried, members(tried), steps=1)
        pace = seconds_per_step(run, stage, LOOK * _left(run, recipe) / len(rung.widths))
        if PASSES * pace * per_epoch(run, tried) + _scoring(run, stage, pace) <= _left(run, recipe):
            break
    return widths


def _course(run: Run, recipe: Recipe, share: float, stage: Stage, several: bool) -> dict[str, Any]:
    """Plan a rung: how many steps, for how many seconds, until which second of the run; or why it is skipped.

    Where a network comes to its longest plan with time to spare, it is trained with other rates and decays, too.
    The first rung is trained whatever the time, so that there is a model.
    """
    first = not any(outcome.has_model for outcome in run.saver.outcomes)
    began, left = run.saver.elapsed(), _left(run, recipe)
    if left <= 0 and not first:
        return {"skipped": f"not trained{TIME_UP}"}
    pace = seconds_per_step(run, stage, LOOK * left)
    left = _left(run, recipe) - _scoring(run, stage, pace)
    fewest = min(per_epoch(run, stage.recipe), FEWEST)
    alive = len(stage.settings)
    full = expected_seconds(stage, pace, stage.longest)
    within_share, within_time = (affordable(stage, 0, alive, pace, seconds) for seconds in (share * left, left))
    if within_time < fewest and not first:
        return {
            "skipped": f"not trained, {fewest:,} updates take about {duration(pace * fewest)}{TIME_UP}",
            "full": full,
        }
    steps = min(max(within_share, fewest), stage.longest)
    alone = expected_seconds(stage, pace, steps)
    spare = left / alone if several and steps == stage.longest else 1
    networks = max(number for number in POPULATIONS if number <= max(spare, 1))
    seconds, until = networks * alone, run.saver.elapsed() + max(share * left, networks * alone)
    return {"began": began, "steps": steps, "seconds": seconds, "until": until, "full": full, "members": networks}


def _scoring(run: Run, stage: Stage, pace: float) -> float:
    """Return about how many seconds the winner's final scores take. pace: seconds of an update of all members.

    Validation images are scored twice, once for the temperature; a look at an image costs a third of a step on it.
    """
    sizes = [len(run.parts[part].rows) for part in ("validation", "validation", "test") if part in run.parts]
    seen = sum(sizes) * looks(stage.recipe.test_views, bool(stage.recipe.flip))
    return seen * pace / (3 * stage.recipe.batch_size * len(stage.settings))


def _announce(run: Run, stage: Stage, epochs: float, seconds: float) -> None:
    """Say before a rung starts what it is and how long it may take."""
    best, name = run.saver.best()
    length = f"up to {count(math.ceil(epochs), 'epoch')}, about {duration(seconds)}"
    message = f"{stage.name}: {count(len(stage.settings), 'setting')}, {length}"
    run.watch(Event(stage.name, 0, epochs, 0, best if name else float("nan"), name, seconds, message))


def _outcome(run: Run, stage: Stage, progress: Progress) -> RungOutcome:
    """Save the winner of a finished rung and measure it; there is none where every member failed."""
    if all_failed(progress):
        rates = [float(member["learning_rate"]) for member in stage.settings]
        return _without_model(run, stage.name, stage.settings, diverged(rates))
    if stage.recipe.ensemble:
        keep_members(run, stage, progress)
    member = assess(run, stage, progress, [winner(progress)], ("validation",))[0]
    trained = save_winner(run, stage, progress, _saved(run, stage.name))
    score_of = float(getattr(member.validation, stage.recipe.metric) or 0.0)
    if score_of > run.saver.best()[0]:
        promote(run.folder, trained)
    plan = _plan(run, stage)
    return RungOutcome(
        rung=stage.name,
        all_settings=stage.settings,
        expected_seconds=plan["seconds"],
        parameters=_parameters(stage),
        members=len(progress.tally["member"]) + len(progress.dropped),
        settings=member.settings,
        score=score_of,
        seconds=run.saver.elapsed() - plan["began"],
        validation=member.validation,
        weights_sha256=member.weights_sha256,
        best_step=member.best_step,
        failed=progress.failed,
        elapsed=run.saver.elapsed(),
        left_out=_cut_short(run, stage, progress),
    )


def _without_model(run: Run, rung: str, settings: tuple[Settings, ...], why: str) -> RungOutcome:
    """Return the outcome of a rung that has no model."""
    return RungOutcome(
        rung=rung,
        all_settings=settings,
        expected_seconds=0.0,
        parameters=0,
        members=0,
        settings={},
        score=0.0,
        seconds=0.0,
        elapsed=run.saver.elapsed(),
        left_out=why,
    )


def _cut_short(run: Run, stage: Stage, progress: Progress) -> str:
    """Say how far a rung came that would have gone on, had there been more time; "" of one that came to its end."""
    if progress.state.step >= stage.longest or not bool((progress.state.status == 0).any()):
        return ""
    updates = per_epoch(run, stage.recipe)
    return f"{progress.state.step / updates:.3g} of up to {count(stage.longest / updates, 'epoch')}{TIME_UP}"


def _plan(run: Run, stage: Stage) -> dict[str, float]:
    """Return the plan that a rung was started with."""
    return dict(decisions(run.folder)[f"{stage.name}: plan"])


def _parameters(stage: Stage) -> int:
    return count_parameters(stage.model.shapes())


def _leave(run: Run, recipe: Recipe, stage: Stage | None) -> None:
    """Write the result of a stopped run: its finished rungs, and the one under way if it holds the best model."""
    outcomes, path = list(run.saver.outcomes), run.folder / "model.tenfold"
    if not path.exists():
        return
    cause = load_model(path).cause
    if stage and cause["rung"] == stage.name and stage.name not in [outcome.rung for outcome in outcomes]:
        save = _saved(run, stage.name)
        save.parent.mkdir(exist_ok=True)
        write_bytes(save, path.read_bytes())
        plan = _plan(run, stage)
        outcomes.append(
            RungOutcome(
                rung=stage.name,
                all_settings=stage.settings,
                expected_seconds=plan["seconds"],
                parameters=_parameters(stage),
                members=len(stage.settings),
                settings=cause["settings"],
                score=cause["validation"][stage.recipe.metric],
                seconds=run.saver.elapsed() - plan["began"],
            )
        )
    if any(outcome.has_model for outcome in outcomes):
        write_json(run.folder / "result.json", as_json(_made(run, recipe, outcomes, finished=False).result))


def _made(run: Run, recipe: Recipe, outcomes: Sequence[RungOutcome], finished: bool) -> Made:
    """Choose by validation; look at the test images once, where the run is finished."""
    left_out = {outcome.rung: outcome.left_out for outcome in outcomes if outcome.left_out}
    warnings = [sentence for sentence in [_more_time(run, recipe, outcomes)] if finished and sentence]
    warnings += [f"{rung}: {why}" for rung, why in left_out.items() if TIME_UP not in why and rung != ENSEMBLE]
    outcomes = [outcome for outcome in outcomes if outcome.has_model]
    if not outcomes:
        raise RunError("; ".join(f"{rung}: {why}" for rung, why in left_out.items()))
    best = max(outcomes, key=lambda outcome: outcome.score)
    models = {outcome.rung: load_model(_saved(run, outcome.rung)) for outcome in outcomes}
    promote(run.folder, models[best.rung])
    validation = score(run, "validation", models)
    if finished:
        run.watch(Event("test", 0, 1, 0, best.score, best.rung, 0))
    tested = score(run, "test", models) if finished else None
    tried = sum(len(outcome.all_settings) for outcome in outcomes)
    about = summary(run, recipe.metric, tried, validation, tested, best.rung)
    result = FitResult(
        **{**about, "warnings": (*about["warnings"], *warnings)},
        left_out=left_out,
        best=Choice(best.rung, best.settings),
        report=str(run.folder / "report.html"),
        settings={outcome.rung: outcome.all_settings for outcome in outcomes},
        rungs=tuple(_row(outcome, validation, tested) for outcome in outcomes),
    )
    return Made(result, models, tested or validation)


def _more_time(run: Run, recipe: Recipe, outcomes: Sequence[RungOutcome]) -> str:
    """Say which minutes would train every rung to its end, "" where all came to theirs."""
    plans = decisions(run.folder)
    short = {outcome.rung: outcome for outcome in outcomes if TIME_UP in outcome.left_out and outcome.rung != ENSEMBLE}
    if not short:
        return ""
    full = {rung: plans[f"{rung}: plan"].get("full") for rung in short}
    missing = sum((seconds or 0.0) - short[rung].seconds for rung, seconds in full.items())
    minutes = math.ceil((run.saver.elapsed() + max(missing, 0.0)) / (60 * (1 - RESERVE)))
    about = "more than" if None in full.values() else "about"
    need = f"{about} {count(max(minutes, math.ceil(recipe.minutes) + 1), 'minute')}"
    which = ", ".join(f"{rung} ({outcome.left_out.removesuffix(TIME_UP)})" for rung, outcome in short.items())
    return f"the time was up for {which}; to train every rung to its end takes {need}"


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
