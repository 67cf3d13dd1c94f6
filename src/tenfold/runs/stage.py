"""One stage of a run: a population trained step by step, validated, thinned out, saved and stopped between the yields.

The order of events after a step: running means, validation (rows of metrics.csv, best so far, stopping), dropping of
weak members, checkpoint. Only the clock-free decides about members; what the clock decides is written down first.
"""

__all__ = ["fresh", "measured", "train_stage"]

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tenfold.data.batches import sampler
from tenfold.engine import loop
from tenfold.engine.arrays import rows as rows_of
from tenfold.engine.failure import failure
from tenfold.engine.population import Population, first_params
from tenfold.engine.types import Params, State
from tenfold.engine.views import of_member
from tenfold.errors import Interrupted
from tenfold.recipe import Recipe
from tenfold.runs import tally
from tenfold.runs.events import Event
from tenfold.runs.folder import MEASURES, append
from tenfold.runs.outcome import save_winner, winner
from tenfold.runs.run import Run, Stage, decide, per_epoch, population_of, written
from tenfold.runs.saving import Progress
from tenfold.trained.evaluate import Scores, evaluate


def fresh(run: Run, stage: Stage) -> Progress:
    """Before the first step."""
    params = first_params(stage.recipe, stage.settings, stage.model, run.device)
    population = population_of(run, stage, stage.settings)
    best = {name: tensor.clone() for name, tensor in params.items()} if stage.recipe.patience else {}
    return Progress(
        loop.start(params, population.optimizer), tally.new(len(stage.settings)), best, {}, {}, 0, 0.0, 0.0, 0.0
    )


def train_stage(run: Run, stage: Stage, at: Progress) -> Progress:
    """Train until the steps, the deadline or the patience of every member are used up; returns where it ended."""
    done = at.state.step >= stage.steps
    with run.interrupts.patient():
        while not done:
            settings = [stage.settings[k] for k in at.tally["member"].tolist()]
            at, done = _until_dropped(run, stage, population_of(run, stage, settings), at)
    if run.interrupts.came:
        # It came in the last validation. The checkpoint before it knows the way here; one from here might not stop.
        _keep_best(run, stage, at)
        raise Interrupted("interrupted", 128 + run.interrupts.came)
    return at


def _until_dropped(run: Run, stage: Stage, population: Population, at: Progress) -> tuple[Progress, bool]:
    """Steps of one and the same population. Returns where it stands, and whether the stage is over."""
    recipe, part = stage.recipe, run.parts["train"]
    batches = sampler(part, recipe.batch_size, recipe.seed, recipe.sampling, population.flip, population.model.noise)
    every = recipe.evaluate_every or per_epoch(run, recipe)
    shuffled = recipe.sampling == "shuffle"
    images = len(part.rows) / per_epoch(run, recipe) if shuffled else min(recipe.batch_size, len(part.rows))
    active = int((at.state.status == 0).sum())
    steps = loop.train(population.objective, population.optimizer, population.rate, batches, at.state, stage.steps)
    mark = time.perf_counter()
    for state, value in steps:
        tally.add(at.tally, value)
        took = time.perf_counter() - mark
        at = at._replace(state=state, images=at.images + images * active, seconds=at.seconds + took, lap=at.lap + took)
        if state.step in stage.measure:
            at = at._replace(measured={**at.measured, str(state.step): _measured(run, stage, population, at)})
        if state.step % every == 0 or state.step == stage.steps:
            at = _validate(run, stage, population, batches, at)
            active = int((state.status == 0).sum())
            if _over(run, stage, at):
                return at, True
            at = at._replace(lap=0.0)
            dropped = _drop(stage, at)
            if len(dropped.tally["member"]) < len(at.tally["member"]):
                return dropped, False
        _between(run, stage, at)
        mark = time.perf_counter()
    # Nobody is active any more: what happened since the last validation is still to be told.
    return (_validate(run, stage, population, batches, at) if int(at.tally["count"].sum()) else at), True


def _validate(run: Run, stage: Stage, population: Population, batches: Callable[[int], Any], at: Progress) -> Progress:
    """Measure every member on the validation part; write its row, keep what is best, stop who is done."""
    status, known = at.state.status.cpu(), at.failed
    at = at._replace(validations=at.validations + 1, failed=_failures(run, stage, population, batches, at))
    train = tally.means(at.tally)
    scores = _scores(run, population, at.state)
    for column in (train, *scores):
        column[status < 0] = torch.nan
    cost = scores.loss + population.penalty(at.state.params).double().cpu()
    validation = torch.stack((scores.loss, cost, scores.accuracy, scores.macro_f1), -1)
    rows = _rows(run, stage, at, torch.cat((train, validation), -1))
    news = [row for row, s in zip(rows, status, strict=True) if s == 0 or (s < 0 and str(row["member"]) not in known)]
    append(run.folder, news)
    change = (train[:, 0] - at.tally["last_loss"]).abs()
    latest = not stage.recipe.patience
    score = scores.macro_f1 if stage.recipe.metric == "macro_f1" else scores.accuracy
    better = tally.observe(at.tally, at.state, train[:, 0], scores.loss, score, latest).to(run.device)
    for name, tensor in at.best.items():
        tensor[better] = at.state.params[name][better]
    _stop(stage.recipe, at, change)
    return at


def _scores(run: Run, population: Population, state: State) -> Scores:
    """What the members are worth on the validation part; nothing is known where all images are trained on."""
    if "validation" not in run.parts:
        unknown = torch.full((len(state.status),), torch.nan, dtype=torch.float64)
        return Scores(*[unknown.clone() for _ in Scores._fields])
    return evaluate(population.model, state.params, run.parts["validation"], population.losses)


def _measured(run: Run, stage: Stage, population: Population, at: Progress) -> dict[str, Any]:
    """What the members that have not failed are worth on the parts that the stage asks for after this step."""
    found = {}
    for part in stage.measure[at.state.step]:
        numbers = measured(run, population, at.state.params, part)
        sound = (at.state.status >= 0).nonzero()[:, 0].tolist()
        found[part] = {str(int(at.tally["member"][row])): numbers[row] for row in sound}
    return found


def measured(run: Run, population: Population, params: Params, part: str) -> list[dict[str, Any]]:
    """Metrics of every member on a whole part by name, and cost; recall is a list with a number for each class."""
    scores = evaluate(population.model, params, run.parts[part], population.losses)
    cost = scores.loss + population.penalty(params).double().cpu()
    columns = {name: column.tolist() for name, column in {**scores._asdict(), "cost": cost}.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _stop(recipe: Recipe, at: Progress, change: Tensor) -> None:
    """Stop the members that ran out of patience, or whose training loss hardly changes any more."""
    done = torch.zeros_like(change, dtype=torch.bool)
    if recipe.patience:
        done |= at.tally["stale"] >= recipe.patience
    if recipe.min_change:
        done |= change < recipe.min_change
    status = at.state.status
    status[done.to(status.device) & (status == 0)] = at.state.step


def _over(run: Run, stage: Stage, at: Progress) -> bool:
    """Whether the stage ends here: by its plan, because nobody is left, or because its time is up."""
    if at.state.step >= stage.steps or bool((at.state.status != 0).all()):
        return True
    if stage.deadline == float("inf"):
        return False
    key = f"{stage.name}: stop after step"
    # As long again as the last epoch, and it would be over time.
    if run.saver.elapsed() + at.lap > stage.deadline:
        decide(run.folder, key, lambda: at.state.step)
    return bool(at.state.step >= written(run.folder).get(key, stage.steps))


def _drop(stage: Stage, at: Progress) -> Progress:
    """Keep the best members where the stage says so, and compact every tensor to them."""
    keep = stage.keep.get(at.validations, len(at.tally["member"]))
    ranked = tally.ranking(at.tally)
    if keep >= len(ranked):
        return at
    stay, gone = torch.tensor(sorted(ranked[:keep])), ranked[keep:]
    dropped = {str(int(at.tally["member"][row])): float(at.tally["best_score"][row]) for row in gone}
    params, buffers, memory = (rows_of(group, stay) for group in at.state[1:4])
    state = State(at.state.step, params, buffers, memory, at.state.status[stay])
    return at._replace(
        state=state, tally=rows_of(at.tally, stay), best=rows_of(at.best, stay), dropped=at.dropped | dropped
    )


def _between(run: Run, stage: Stage, at: Progress) -> None:
    """Checkpoint when it is time or when somebody wants to stop; tell who watches."""
    if run.interrupts.came or run.saver.due():
        with run.saver.timed():
            _keep_best(run, stage, at)
            run.saver.save(stage.name, at)
    if run.interrupts.came:
        raise Interrupted(f"interrupted: go on with `tenfold resume {run.folder}`", 128 + run.interrupts.came)
    if run.saver.watching():
        run.watch(_event(run, stage, at))


def _keep_best(run: Run, stage: Stage, at: Progress) -> None:
    """The best model so far as a file, where it is better than those of earlier stages and new."""
    row = winner(at)
    which = (stage.name, int(at.tally["member"][row]), int(at.tally["best_step"][row]))
    if float(at.tally["best_score"][row]) > run.saver.best()[0] and which != run.saver.kept:
        save_winner(run, stage, at, run.folder / "model.tenfold")
        run.saver.kept = which


def _event(run: Run, stage: Stage, at: Progress) -> Event:
    updates = per_epoch(run, stage.recipe)
    speed = at.images / at.seconds if at.seconds else 0.0
    left = min((stage.steps - at.state.step) * at.seconds / at.state.step, stage.deadline - run.saver.elapsed())
    best, name = run.saver.best()
    if (own := float(at.tally["best_score"].max())) > best:
        best, name = own, stage.name
    return Event(stage.name, at.state.step / updates, stage.steps / updates, speed, best, name, left)


def _rows(run: Run, stage: Stage, at: Progress, numbers: Tensor) -> list[dict[str, Any]]:
    epoch = at.state.step / per_epoch(run, stage.recipe)
    return [
        {
            "rung": stage.name,
            "step": at.state.step,
            "epoch": epoch,
            "member": member,
            **dict(zip(MEASURES, row, strict=True)),
        }
        for member, row in zip(at.tally["member"].tolist(), numbers.tolist(), strict=True)
    ]


def _failures(
    run: Run, stage: Stage, population: Population, batches: Callable[[int], Any], at: Progress
) -> dict[str, Any]:
    """The failures known so far and those since the last validation, each found by taking its step again."""
    failed = dict(at.failed)
    losses = [loss for loss, count in population.losses for _ in range(count)]
    for row in (at.state.status < 0).nonzero()[:, 0].tolist():
        member = str(int(at.tally["member"][row]))
        if member not in failed:
            step = -int(at.state.status[row])
            params = rows_of(at.state.params, torch.tensor([row], device=run.device))
            batch = of_member(batches(step - 1), row)
            failed[member] = {"step": step, **failure(population.model, params, batch, losses[row])}
            told = ", ".join(f"{name} {value}" for name, value in stage.settings[int(member)].items())
            where = f"in step {step} at {failed[member]['layer']}, {failed[member]['tensor']}"
            rest = "; the others go on" if bool((at.state.status == 0).any()) else ""
            run.watch(_event(run, stage, at)._replace(message=f"a member went non-finite {where} ({told}){rest}"))
    return failed
