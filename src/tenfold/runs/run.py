"""A run, and a stage of it: one population to train, on which parts, for how many updates."""

__all__ = [
    "Run",
    "Stage",
    "decide",
    "decisions",
    "fraction_done",
    "kept_params",
    "opened_run",
    "per_epoch",
    "population_of",
    "stage_of",
    "steps_of",
    "tensors_of",
]

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tenfold.data.batches import Part, steps_per_epoch
from tenfold.engine.population import Population, assemble, built
from tenfold.engine.types import Model, Params, Scalar, State
from tenfold.files import read_json, write_json
from tenfold.recipe import Recipe, Settings
from tenfold.runs.checkpoint import Progress, Saver
from tenfold.runs.events import Watch, silent
from tenfold.runs.interrupts import Interrupts
from tenfold.runs.prepare import About, Prepared


class Stage(NamedTuple):
    """One population to train.

    model: its shapes. settings: of each member, those of one loss side by side. steps: updates at most. keep: after
    validation n only the best K stay. measure: after these steps the members are measured on the named parts, too.
    deadline: second of the run after which it ends; its steps follow its pace, up to `longest` of them. since: step and
    fraction of the schedule at which they were last corrected. thin: from this fraction of the schedule only K stay.
    """

    name: str
    recipe: Recipe
    model: Model
    settings: tuple[Settings, ...]
    steps: int
    keep: Mapping[int, int]
    measure: Mapping[int, tuple[str, ...]]
    deadline: float = float("inf")
    longest: int = 0
    since: tuple[int, float] = (0, 0.0)
    thin: Mapping[float, int] = {}


class Run(NamedTuple):
    """The surroundings that the stages of a run share.

    parts: "train", "validation", "test" -> part. about: the data, for results. version: of tenfold. jobs, cluster:
    processes, or the address of a Dask scheduler, for the units of a sweep.
    """

    folder: Path
    parts: dict[str, Part]
    about: About
    device: torch.device
    saver: Saver
    interrupts: Interrupts
    watch: Watch
    version: str
    jobs: int = 1
    cluster: str = ""


def opened_run(
    folder: Path,
    prepared: Prepared,
    saver: Saver | None = None,
    interrupts: Interrupts | None = None,
    watch: Watch = silent,
) -> Run:
    """Open a run in a folder on prepared data; by itself it saves nothing new and hears no signal."""
    return Run(
        folder,
        prepared.parts,
        prepared.about,
        prepared.device,
        saver or Saver(folder),
        interrupts or Interrupts(),
        watch,
        importlib.metadata.version("tenfold"),
    )


def stage_of(
    run: Run,
    name: str,
    recipe: Recipe,
    settings: Sequence[Settings],
    *,
    steps: int = 0,
    keep: Mapping[int, int] | None = None,
    measure: Mapping[int, tuple[str, ...]] | None = None,
) -> Stage:
    """Make a stage of a run: the recipe's model, members with these settings. steps: 0 for as many as the recipe says.

    The other arguments are those of Stage.
    """
    model = built(recipe, run.parts["train"].image_shape, len(run.about.facts.class_names))
    return Stage(name, recipe, model, tuple(settings), steps or steps_of(run, recipe), keep or {}, measure or {})


def steps_of(run: Run, recipe: Recipe) -> int:
    """Count the updates that a recipe asks for."""
    return recipe.iterations or recipe.epochs * per_epoch(run, recipe)


def per_epoch(run: Run, recipe: Recipe) -> int:
    """Count the updates in one pass over the training part."""
    return steps_per_epoch(len(run.parts["train"].rows), recipe.batch_size)


def population_of(run: Run, stage: Stage, settings: Sequence[Settings]) -> Population:
    """Assemble the members with these settings as the stage trains them."""
    assembled = assemble(stage.recipe, settings, stage.model, stage.steps, per_epoch(run, stage.recipe), run.device)
    return assembled._replace(rate=partial(_stretched, assembled.rate, stage)) if stage.since[0] else assembled


def fraction_done(stage: Stage, step: int) -> float:
    """Return how much of its schedule a stage has behind it before this step; its steps may have been corrected."""
    start, done = stage.since
    return done + (1 - done) * (step - start) / (stage.steps - start) if step < stage.steps else 1.0


def _stretched(rate: Callable[[float], Scalar], stage: Stage, step: int) -> Scalar:
    """Return the learning rate of a schedule whose rest is stretched over the steps that are left."""
    return rate(fraction_done(stage, step) * stage.steps)


def kept_params(progress: Progress) -> Params:
    """Return the tensors that members are judged by: of their best validation with patience, else their last."""
    return progress.best or tensors_of(progress.state)


def tensors_of(state: State) -> Params:
    """Return parameters and buffers, which a prediction takes as one."""
    return state.params | state.buffers


def decide(folder: Path, key: str, choose: Callable[[], Any]) -> Any:
    """Make a time-dependent decision once, record it in plan.json, replay it on resume."""
    plan = decisions(folder)
    if key not in plan:
        plan[key] = choose()
        write_json(folder / "plan.json", plan)
    return plan[key]


def decisions(folder: Path) -> dict[str, Any]:
    """Read the decisions that a run has made so far."""
    path = folder / "plan.json"
    return dict(read_json(path)) if path.exists() else {}
