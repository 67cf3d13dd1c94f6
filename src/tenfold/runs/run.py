"""What the stages of a run share and what one of them is: a population to train, on which parts, how long."""

__all__ = ["Run", "Stage", "decide", "kept_params", "per_epoch", "population_of", "written"]

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tenfold.data.batches import Part, steps_per_epoch
from tenfold.engine.population import Population, assemble
from tenfold.engine.types import Model, Params
from tenfold.files import read_json, write_json
from tenfold.recipe import Recipe
from tenfold.runs.events import Event
from tenfold.runs.interrupts import Interrupts
from tenfold.runs.saving import Progress, Saver


class Stage(NamedTuple):
    """One population to train.

    model: its shapes. settings: of each member, those of one loss side by side. steps: updates at most. keep: after
    validation n only the best K stay. deadline: second of the run after which it ends at the next validation. measure:
    after these steps the members are measured on the named parts, too.
    """

    name: str
    recipe: Recipe
    model: Model
    settings: tuple[dict[str, Any], ...]
    steps: int
    keep: dict[int, int] = {}  # noqa: RUF012 - a NamedTuple's default is never written to
    deadline: float = float("inf")
    measure: dict[int, tuple[str, ...]] = {}  # noqa: RUF012


class Run(NamedTuple):
    """What the stages of a run share. parts: "train", "validation", "test"; about: of the data, for its results.

    jobs, cluster: processes, or the address of a Dask scheduler, for the units of a sweep.
    """

    folder: Path
    parts: dict[str, Part]
    about: dict[str, Any]
    device: torch.device
    saver: Saver
    interrupts: Interrupts
    watch: Callable[[Event], None]
    jobs: int = 1
    cluster: str = ""


def per_epoch(run: Run, recipe: Recipe) -> int:
    """Updates in one pass over the training part."""
    return steps_per_epoch(len(run.parts["train"].rows), recipe.batch_size)


def population_of(run: Run, stage: Stage, settings: Sequence[dict[str, Any]]) -> Population:
    """The members with these settings as the stage trains them."""
    return assemble(stage.recipe, settings, stage.model, stage.steps, per_epoch(run, stage.recipe), run.device)


def kept_params(progress: Progress) -> Params:
    """The parameters a member is judged by: at its best validation where patience is on, else its last."""
    return progress.best or progress.state.params


def decide(folder: Path, key: str, choose: Callable[[], Any]) -> Any:
    """A decision that the clock has a part in: made once, written to plan.json before it is acted on, then read."""
    plan = written(folder)
    if key not in plan:
        plan[key] = choose()
        write_json(folder / "plan.json", plan)
    return plan[key]


def written(folder: Path) -> dict[str, Any]:
    """The decisions so far."""
    path = folder / "plan.json"
    return dict(read_json(path)) if path.exists() else {}
