"""A stage of a run: a population trained step by step, validated, thinned out, saved and stopped between the yields.

The order of events after a step: running means, validation (rows of metrics.csv, best so far, stopping), dropping of
weak members, checkpoint. Only the clock-free decides about members; what the clock decides is written down first.
"""

__all__ = ["fresh", "measured", "train_stage"]

import importlib
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from tenfold.data.batches import batches_of, inputs
from tenfold.engine import loop
from tenfold.engine.arrays import rows as rows_of
from tenfold.engine.population import Population, first_params
from tenfold.engine.types import Params, State
from tenfold.engine.views import of_member
from tenfold.errors import Interrupted
from tenfold.recipe import Recipe
from tenfold.runs import tally
from tenfold.runs.checkpoint import Progress
from tenfold.runs.course import beat_of, corrected, members_kept, resumed, stop_step
from tenfold.runs.events import Event
from tenfold.runs.folder import MEASURES, append, columns_of
from tenfold.runs.judged import COLLAPSED, judged
from tenfold.runs.outcome import save_winner, winner
from tenfold.runs.result import Failure
from tenfold.runs.run import Run, Stage, fraction_done, per_epoch, population_of, tensors_of
from tenfold.text import count
from tenfold.text import settings as settings_text
from tenfold.trained.evaluate import Scores, evaluate

SAMPLE = 2000
"""Training images, about, that a model may make its first buffers from."""

Numbers = dict[str, float | list[float]]
"""Metrics of one member by name."""


def fresh(run: Run, stage: Stage) -> Progress:
    """Return the progress of a stage before its first step."""
    params = first_params(stage.recipe, stage.settings, stage.model, run.device)
    population = population_of(run, stage, stage.settings)
    buffers = stage.model.buffers(len(stage.settings), _sample(run, stage))
    best = {name: t.clone() for name, t in (params | buffers).items()} if stage.recipe.patience else {}
    return Progress(
        loop.start(params, population.optimizer, buffers), tally.new(len(stage.settings)), best, {}, {}, 0, 0.0, 0.0
    )


def _sample(run: Run, stage: Stage) -> Tensor:
    """Return training images as the model takes them, some thousand of them at most, spread over the part."""
    part = run.parts["train"]
    return inputs(part, part.images[part.rows[:: max(1, len(part.rows) // SAMPLE)]], stage.model.takes)


def train_stage(run: Run, stage: Stage, progress: Progress) -> Progress:
    """Train until the steps, the deadline or the patience of every member are used up; return the last progress."""
    done = progress.state.step >= stage.steps
    stage = resumed(run, stage, progress.state.step)
    with run.interrupts.patient():
        while not done:
            settings = [stage.settings[k] for k in progress.tally["member"].tolist()]
            stage, progress, done = _until_changed(run, stage, population_of(run, stage, settings), progress)
    if progress.failed:
        run.watch(_event(run, stage, progress)._replace(message=_fates(stage, progress)))
    if run.interrupts.came:
        # It came in the last validation. The checkpoint before it knows the way here; one from here might not stop.
        _keep_best(run, stage, progress)
        raise Interrupted("interrupted", 128 + run.interrupts.came)
    return progress


def _until_changed(run: Run, stage: Stage, population: Population, progress: Progress) -> tuple[Stage, Progress, bool]:
    """Train until members are dropped, the plan is corrected or the stage is over; return also if it is the last."""
    recipe, part, model = stage.recipe, run.parts["train"], population.model
    batches = batches_of(part, recipe, population.flip, model)
    every = recipe.evaluate_every or per_epoch(run, recipe)
    shuffled = recipe.sampling == "shuffle"
    images = len(part.rows) / per_epoch(run, recipe) if shuffled else min(recipe.batch_size, len(part.rows))
    active, first = int((progress.state.status == 0).sum()), progress.state
    stop, beat, lap = stop_step(run, stage, first.step), beat_of(stage, every), (first.step, run.saver.elapsed())
    mark = time.perf_counter()
    for state, value in loop.train(
        population.objective, population.optimizer, population.rate, batches, first, stage.steps
    ):
        tally.add(progress.tally, value, state.step)
        progress = _stepped(progress, state, images * active, time.perf_counter() - mark)
        if state.step in stage.measure:
            measures = _measured(run, stage, population, progress)
            progress = progress._replace(measured={**progress.measured, str(state.step): measures})
        if run.saver.elapsed() > stage.deadline:
            stop = stop_step(run, stage, state.step)
        if state.step % every == 0 or state.step in (stop, stage.steps):
            progress = _validate(run, stage, population, batches, progress)
            active = int((state.status == 0).sum())
            if state.step in (stop, stage.steps) or not active:
                return stage, progress, True
            dropped = _drop(stage, progress)
            if len(dropped.tally["member"]) < len(progress.tally["member"]):
                return stage, dropped, False
        if state.step % beat == 0:
            after = corrected(run, stage, state.step, active, (run.saver.elapsed() - lap[1]) / (state.step - lap[0]))
            if after is not stage:
                return after, progress, False
            lap = state.step, run.saver.elapsed()
        _between(run, stage, progress)
        mark = time.perf_counter()
    # Nobody is active any more: what happened since the last validation is still to be told.
    unseen = int(progress.tally["count"].sum())
    return stage, (_validate(run, stage, population, batches, progress) if unseen else progress), True


def _stepped(progress: Progress, state: State, images: float, seconds: float) -> Progress:
    """Count one step of so many images × members and seconds."""
    return progress._replace(state=state, images=progress.images + images, seconds=progress.seconds + seconds)


def _validate(
    run: Run, stage: Stage, population: Population, batches: Callable[[int], Any], progress: Progress
) -> Progress:
    """Measure every member on the validation part; write its row, keep what is best, stop who is done."""
    status, failed_before = progress.state.status.cpu(), progress.failed
    failed = _failures(run, stage, population, batches, progress)
    progress = progress._replace(validations=progress.validations + 1, failed=failed)
    train = tally.means(progress.tally)
    scores, more = _scores(run, population, batches, progress.state)
    for column in (train, *scores, *more.values()):
        column[status < 0] = torch.nan
    cost = scores.loss + population.penalty(progress.state.params).double().cpu()
    validation = torch.stack((scores.loss, cost, scores.accuracy, scores.macro_f1), -1)
    rows = _rows(run, stage, progress, torch.cat((train, validation), -1), more)
    append(
        run.folder,
        [
            row
            for row, s in zip(rows, status, strict=True)
            if s == 0 or (s < 0 and str(row["member"]) not in failed_before)
        ],
        columns_of(stage.recipe),
    )
    progress = _fail_collapsed(run, population, progress, train[:, 0], scores, more) if more else progress
    change = (train[:, 0] - progress.tally["last_loss"]).abs()
    latest = not stage.recipe.patience
    score = scores.macro_f1 if stage.recipe.metric == "macro_f1" else scores.accuracy
    better = tally.observe(progress.tally, progress.state, train[:, 0], scores.loss, score, latest).to(run.device)
    latest_tensors = tensors_of(progress.state)
    for name, tensor in progress.best.items():
        tensor[better] = latest_tensors[name][better]
    _stop(stage.recipe, progress, change)
    return progress


def _scores(
    run: Run, population: Population, batches: Callable[[int], Any], state: State
) -> tuple[Scores, dict[str, Tensor]]:
    """Score the members on the validation part, embeddings by further columns; NaN where all images are trained on."""
    if "validation" not in run.parts:
        unknown = torch.full((len(state.status),), torch.nan, dtype=torch.float64)
        return Scores(*[unknown.clone() for _ in Scores._fields]), {}
    if population.recipe.task != "contrast":
        return evaluate(population.model, tensors_of(state), run.parts["validation"], population.losses), {}
    scores, more = _representation().validated(run, population, state, batches(state.step))
    return scores, more


def _fail_collapsed(
    run: Run, population: Population, progress: Progress, loss: Tensor, scores: Scores, more: dict[str, Tensor]
) -> Progress:
    """Fail the members whose embeddings have collapsed, and say why and what to change."""
    failed, state = dict(progress.failed), progress.state
    for row, reason in _representation().collapsed(run, population, state, loss, scores, more).items():
        state.status[row] = -state.step
        failed[str(int(progress.tally["member"][row]))] = Failure(state.step, "embedding", reason)
    return progress._replace(failed=failed)


def _representation() -> ModuleType:
    """Import what only runs of encoders need."""
    return importlib.import_module("tenfold.runs.representation")


def _measured(run: Run, stage: Stage, population: Population, progress: Progress) -> dict[str, dict[str, Numbers]]:
    """Measure the members that have not failed on the parts that the stage asks for after this step."""
    measures: dict[str, dict[str, Numbers]] = {}
    for part in stage.measure[progress.state.step]:
        numbers = measured(run, population, tensors_of(progress.state), part)
        sound = (progress.state.status >= 0).nonzero()[:, 0].tolist()
        measures[part] = {str(int(progress.tally["member"][row])): numbers[row] for row in sound}
    return measures


def measured(run: Run, population: Population, params: Params, part: str) -> list[Numbers]:
    """Measure every member on a whole part: metrics by name, and cost; recall has a number for each class."""
    scores = judged(run, population, params, part)
    cost = scores.loss + population.penalty(params).double().cpu()
    columns = {name: column.tolist() for name, column in {**scores._asdict(), "cost": cost}.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _stop(recipe: Recipe, progress: Progress, change: Tensor) -> None:
    """Stop the members that ran out of patience, or whose training loss hardly changes any more."""
    done = torch.zeros_like(change, dtype=torch.bool)
    if recipe.patience:
        done |= progress.tally["stale"] >= recipe.patience
    if recipe.min_change:
        done |= change < recipe.min_change
    status = progress.state.status
    status[done.to(status.device) & (status == 0)] = progress.state.step


def _drop(stage: Stage, progress: Progress) -> Progress:
    """Keep the best members where the stage says so, and compact every tensor to them."""
    most = members_kept(stage.thin, fraction_done(stage, progress.state.step))
    keep = stage.keep.get(progress.validations, min(most, len(progress.tally["member"])))
    ranked = tally.ranking(progress.tally)
    if keep >= len(ranked):
        return progress
    stay, gone = torch.tensor(sorted(ranked[:keep])), ranked[keep:]
    dropped = {str(int(progress.tally["member"][row])): float(progress.tally["best_score"][row]) for row in gone}
    params, buffers, memory = (rows_of(group, stay) for group in progress.state[1:4])
    state = State(progress.state.step, params, buffers, memory, progress.state.status[stay])
    return progress._replace(
        state=state,
        tally=rows_of(progress.tally, stay),
        best=rows_of(progress.best, stay),
        dropped=progress.dropped | dropped,
    )


def _between(run: Run, stage: Stage, progress: Progress) -> None:
    """Checkpoint when it is time or when somebody wants to stop; tell who watches."""
    if run.interrupts.came or run.saver.due():
        with run.saver.timed():
            _keep_best(run, stage, progress)
            run.saver.save(stage.name, progress)
    if run.interrupts.came:
        raise Interrupted(f"interrupted: continue with `tenfold resume {run.folder}`", 128 + run.interrupts.came)
    if run.saver.watching():
        run.watch(_event(run, stage, progress))


def _keep_best(run: Run, stage: Stage, progress: Progress) -> None:
    """Save the best model so far, where it is better than those of earlier stages and new."""
    row = winner(progress)
    which = (stage.name, int(progress.tally["member"][row]), int(progress.tally["best_step"][row]))
    if float(progress.tally["best_score"][row]) > run.saver.best()[0] and which != run.saver.kept:
        save_winner(run, stage, progress, run.folder / "model.tenfold")
        run.saver.kept = which


def _event(run: Run, stage: Stage, progress: Progress) -> Event:
    updates = per_epoch(run, stage.recipe)
    speed = progress.images / progress.seconds if progress.seconds else 0.0
    left = min(
        (stage.steps - progress.state.step) * progress.seconds / progress.state.step,
        stage.deadline - run.saver.elapsed(),
    )
    best, name = run.saver.best()
    if (best_here := float(progress.tally["best_score"].max())) > best:
        best, name = best_here, stage.name
    return Event(
        stage.name,
        progress.state.step / updates,
        stage.steps / updates,
        speed,
        best if name else float("nan"),
        name,
        left,
    )


def _rows(run: Run, stage: Stage, progress: Progress, numbers: Tensor, more: dict[str, Tensor]) -> list[dict[str, Any]]:
    epoch = progress.state.step / per_epoch(run, stage.recipe)
    return [
        {
            "rung": stage.name,
            "step": progress.state.step,
            "epoch": epoch,
            "member": member,
            **dict(zip(MEASURES, row, strict=True)),
            **{name: float(column[k]) for name, column in more.items()},
        }
        for k, (member, row) in enumerate(zip(progress.tally["member"].tolist(), numbers.tolist(), strict=True))
    ]


def _failures(
    run: Run, stage: Stage, population: Population, batches: Callable[[int], Any], progress: Progress
) -> dict[str, Failure]:
    """Add the failures since the last validation to those before it, each located by taking its step again."""
    failed = dict(progress.failed)
    for row in (progress.state.status < 0).nonzero()[:, 0].tolist():
        member = str(int(progress.tally["member"][row]))
        if member not in failed:
            step = -int(progress.state.status[row])
            params = rows_of(progress.state.params, torch.tensor([row], device=run.device))
            buffers = rows_of(progress.state.buffers, torch.tensor([row], device=run.device))
            batch = of_member(batches(step - 1), row)
            locate = importlib.import_module("tenfold.engine.failure").failure  # few runs need it
            failed[member] = Failure(step, **locate(population.model, params, buffers, batch, population.alone[row]))
    return failed


def _fates(stage: Stage, progress: Progress) -> str:
    """Say how many members diverged or collapsed, and where the first of them did."""
    failed = progress.failed
    first = min(failed, key=lambda member: (failed[member].step, int(member)))
    step, layer, tensor = failed[first].step, failed[first].layer, failed[first].tensor
    if tensor.startswith(COLLAPSED):
        many = f"{count(len(failed), 'member')} of {len(stage.settings):,} failed"
        return f"{stage.name}: {many}; first in step {step}: {tensor.partition(';')[0]}"
    many = f"{count(len(failed), 'member')} of {len(stage.settings):,} diverged"
    where = f"step {step}, {layer}, {tensor} ({settings_text(stage.settings[int(first)])})"
    return (
        f"{stage.name}: {many}, its numbers were no longer finite: {where}"
        if len(failed) == 1
        else (f"{stage.name}: {many}, their numbers were no longer finite; first in {where}")
    )
