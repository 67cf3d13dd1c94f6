"""One stage of a run: a population trained step by step, validated, thinned out, saved and stopped between the yields.

The order of events after a step: running means, validation (rows of metrics.csv, best so far, stopping), dropping of
weak members, checkpoint. Only the clock-free decides about members; what the clock decides is written down first.
"""

__all__ = ["Run", "Stage", "decide", "fresh", "interval_steps", "kept_params", "population_of", "train_stage"]

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold import loop, tally
from tenfold.arrays import rows as rows_of
from tenfold.batches import Part, sampler, steps_per_epoch
from tenfold.errors import Interrupted
from tenfold.evaluate import evaluate
from tenfold.interrupts import Interrupts
from tenfold.population import Population, assemble, first_params
from tenfold.recipe import Recipe, members
from tenfold.results import append, read_json, write_json
from tenfold.saving import Progress, Saver
from tenfold.types import Event, Params, State
from tenfold.verify.failure import failure


class Stage(NamedTuple):
    """One population to train. model: its shapes; steps: updates at most; keep: after validation n only the best K stay."""

    name: str
    recipe: Recipe
    model: Any
    steps: int
    keep: dict[int, int] = {}  # noqa: RUF012 - a NamedTuple's default is never written to
    deadline: float = float("inf")


class Run(NamedTuple):
    """What the stages of a run share. parts: "train", "validation", "test"; about: of the data, for its results."""

    folder: Path
    parts: dict[str, Part]
    about: dict[str, Any]
    device: torch.device
    saver: Saver
    interrupts: Interrupts
    watch: Callable[[Event], None]


def interval_steps(recipe: Recipe, images: int) -> int:
    """Updates between two validations."""
    return recipe.evaluate_every or steps_per_epoch(images, recipe.batch_size)


def fresh(run: Run, stage: Stage) -> Progress:
    """Before the first step."""
    settings = members(stage.recipe)
    params = first_params(stage.recipe, settings, stage.model, run.device)
    population = population_of(run, stage, settings)
    best = {name: tensor.clone() for name, tensor in params.items()} if stage.recipe.patience else {}
    return Progress(loop.start(params, population.optimizer), tally.new(len(settings)), best, {}, {}, 0, 0, 0.0)


def kept_params(progress: Progress) -> Params:
    """The parameters a member is judged by: at its best validation where patience is on, else its last."""
    return progress.best or progress.state.params


def decide(folder: Path, key: str, choose: Callable[[], Any]) -> Any:
    """A decision that the clock has a part in: made once, written to plan.json before it is acted on, then only read."""
    path = folder / "plan.json"
    plan = read_json(path) if path.exists() else {}
    if key not in plan:
        plan[key] = choose()
        write_json(path, plan)
    return plan[key]


def train_stage(run: Run, stage: Stage, at: Progress) -> Progress:
    """Train until the steps, the deadline or the patience of every member are used up; returns where it ended."""
    done = at.state.step >= stage.steps
    while not done:
        settings = [members(stage.recipe)[k] for k in at.tally["member"].tolist()]
        at, done = _until_dropped(run, stage, population_of(run, stage, settings), at)
    return at


def _until_dropped(run: Run, stage: Stage, population: Population, at: Progress) -> tuple[Progress, bool]:
    """Steps of one and the same population. Returns where it stands, and whether the stage is over."""
    recipe, part = stage.recipe, run.parts["train"]
    batches = sampler(part, recipe.batch_size, recipe.seed, recipe.sampling, _flip(recipe), population.model.noise)
    every = interval_steps(recipe, len(part.rows))
    images = min(recipe.batch_size, len(part.rows)) * int((at.state.status == 0).sum())
    mark = time.perf_counter()
    for state, value in loop.train(population.objective, population.optimizer, population.rate, batches, at.state, stage.steps):
        tally.add(at.tally, value)
        now = time.perf_counter()
        at = at._replace(state=state, images=at.images + images, seconds=at.seconds + now - mark)
        if state.step % every == 0 or state.step == stage.steps:
            at = _validate(run, stage, population, batches, at)
            if _over(run, stage, at):
                return at, True
            dropped = _drop(stage, at)
            if len(dropped.tally["member"]) < len(at.tally["member"]):
                return dropped, False
        _between(run, stage, at)
        mark = time.perf_counter()
    return at, True


def _validate(run: Run, stage: Stage, population: Population, batches: Callable[[int], Any], at: Progress) -> Progress:
    """Measure every member on the validation part; write its row, keep what is best, stop who is done."""
    state, recipe = at.state, stage.recipe
    at = at._replace(validations=at.validations + 1, failed=_failures(run, stage, population, batches, at))
    train = tally.means(at.tally)
    loss, accuracy = evaluate(population.model, state.params, run.parts["validation"], population.losses)
    penalty = population.penalty(state.params).double().cpu()
    train[state.status.cpu() < 0] = loss[state.status.cpu() < 0] = accuracy[state.status.cpu() < 0] = torch.nan
    append(run.folder, _rows(run, stage, at, torch.cat((train, torch.stack((loss, loss + penalty, accuracy), -1)), -1)))
    change = (train[:, 0] - at.tally["last_loss"]).abs()
    better = tally.observe(at.tally, state, train[:, 0], loss, accuracy).to(run.device)
    for name, tensor in at.best.items():
        tensor[better] = state.params[name][better]
    tired = (at.tally["stale"] >= recipe.patience) & (recipe.patience > 0)
    still = (change < recipe.min_change).nan_to_num(0).bool() if recipe.min_change else torch.zeros_like(tired)
    state.status[((tired | still) & (state.status.cpu() == 0)).to(run.device)] = state.step
    return at


def _over(run: Run, stage: Stage, at: Progress) -> bool:
    """Whether the stage ends here: by its plan, because nobody is left, or because its time is up."""
    if at.state.step >= stage.steps or bool((at.state.status != 0).all()):
        return True
    key = f"{stage.name}: stop after step"
    path = run.folder / "plan.json"
    planned = read_json(path).get(key) if path.exists() else None
    if planned is None and run.saver.elapsed() > stage.deadline:
        planned = decide(run.folder, key, lambda: at.state.step)
    return planned is not None and at.state.step >= planned


def _drop(stage: Stage, at: Progress) -> Progress:
    """Keep the best members where the stage says so, and compact every tensor to them."""
    keep = stage.keep.get(at.validations, len(at.tally["member"]))
    ranked = tally.ranking(at.tally)
    if keep >= len(ranked):
        return at
    stay, gone = torch.tensor(sorted(ranked[:keep])), ranked[keep:]
    dropped = {str(int(at.tally["member"][row])): float(at.tally["best_accuracy"][row]) for row in gone}
    state = State(at.state.step, *(rows_of(group, stay) for group in at.state[1:4]), at.state.status[stay])
    return at._replace(state=state, tally=rows_of(at.tally, stay), best=rows_of(at.best, stay), dropped=at.dropped | dropped)


def _between(run: Run, stage: Stage, at: Progress) -> None:
    """Checkpoint when it is time or when somebody wants to stop; tell who watches."""
    if run.interrupts.came or run.saver.due():
        run.saver.save(stage.name, at)
    if run.interrupts.came:
        raise Interrupted(f"interrupted: go on with `tenfold resume {run.folder}`", 128 + run.interrupts.came)
    if run.saver.watching():
        run.watch(_event(run, stage, at))


def _event(run: Run, stage: Stage, at: Progress) -> Event:
    per_epoch = steps_per_epoch(len(run.parts["train"].rows), stage.recipe.batch_size)
    speed = at.images / at.seconds if at.seconds else 0.0
    left = (stage.steps - at.state.step) * at.seconds / at.state.step
    best, name = max(run.saver.best(), (float(at.tally["best_accuracy"].max()), stage.name))
    return Event(stage.name, at.state.step / per_epoch, stage.steps / per_epoch, speed, best, name, left)


def _rows(run: Run, stage: Stage, at: Progress, numbers: Tensor) -> list[dict[str, Any]]:
    epoch = at.state.step / steps_per_epoch(len(run.parts["train"].rows), stage.recipe.batch_size)
    names = [f"{part}_{kind}" for part in ("train", "validation") for kind in ("loss", "cost", "accuracy")]
    return [
        {"rung": stage.name, "step": at.state.step, "epoch": epoch, "member": member, **dict(zip(names, row, strict=True))}
        for member, row in zip(at.tally["member"].tolist(), numbers.tolist(), strict=True)
    ]


def _failures(run: Run, stage: Stage, population: Population, batches: Callable[[int], Any], at: Progress) -> dict[str, Any]:
    """The failures known so far and those since the last validation, each found by taking its step again."""
    failed = dict(at.failed)
    settings, losses = members(stage.recipe), [loss for loss, count in population.losses for _ in range(count)]
    for row in (at.state.status < 0).nonzero()[:, 0].tolist():
        member = str(int(at.tally["member"][row]))
        if member not in failed:
            step = -int(at.state.status[row])
            params = rows_of(at.state.params, torch.tensor([row], device=run.device))
            failed[member] = {"step": step, **failure(population.model, params, batches(step - 1), losses[row])}
            told = ", ".join(f"{name} {value}" for name, value in settings[int(member)].items())
            where = f"in step {step} at {failed[member]['layer']}, {failed[member]['tensor']}"
            run.watch(_event(run, stage, at)._replace(message=f"a member went non-finite {where} ({told}); the others go on"))
    return failed


def population_of(run: Run, stage: Stage, settings: list[dict[str, Any]]) -> Population:
    """The members with these settings as the stage trains them."""
    per_epoch = steps_per_epoch(len(run.parts["train"].rows), stage.recipe.batch_size)
    return assemble(stage.recipe, settings, stage.model, stage.steps, per_epoch, run.device)


def _flip(recipe: Recipe) -> float:
    return float(recipe.flip)
