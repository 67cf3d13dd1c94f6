"""Pace of a population: seconds of a step or an epoch, from a few steps on a throw-away copy."""

__all__ = ["rehearsal", "seconds_per_epoch", "seconds_per_step"]

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from tenfold.data.batches import batches_of
from tenfold.data.types import Dataset
from tenfold.engine import loop
from tenfold.recipe import Recipe
from tenfold.runs.events import silent
from tenfold.runs.prepare import Prepared, prepare, with_defaults
from tenfold.runs.run import Run, Stage, opened_run, per_epoch, population_of
from tenfold.runs.stage import fresh

# An epoch takes this much longer than its quickest steps: validation, checkpoints, slower ones.
MORE = 1.3
# Steps that the pace is judged by, and the seconds after which the fewest of them are enough.
TRIED, FEWEST, LOOK = 64, 3, 2.0


@contextmanager
def rehearsal(recipe: Recipe, data_dir: str, dataset: Dataset | None = None) -> Iterator[tuple[Run, Prepared]]:
    """Open a run that leaves nothing, for as long as the block lasts. dataset: where it is loaded already."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        recipe = with_defaults(recipe).model_copy(update={"audit": recipe.audit})
        prepared = prepare(recipe, folder, data_dir, silent, keep=False, dataset=dataset)
        yield opened_run(folder, prepared), prepared


def seconds_per_epoch(run: Run, stage: Stage) -> float:
    """Measure the seconds that all members of a stage take for one pass over its training part."""
    return seconds_per_step(run, stage) * per_epoch(run, stage.recipe)


def seconds_per_step(run: Run, stage: Stage, look: float = LOOK) -> float:
    """Measure the seconds that all members of a stage take for an update. look: seconds after which to stop looking."""
    recipe, population = stage.recipe, population_of(run, stage, stage.settings)
    model, part = population.model, run.parts["train"]
    batches = batches_of(part, recipe, population.flip, model)
    state = fresh(run, stage).state
    ends = [time.perf_counter()]
    for _ in loop.train(population.objective, population.optimizer, population.rate, batches, state, TRIED):
        ends.append(time.perf_counter())
        if len(ends) > FEWEST and ends[-1] - ends[0] > min(look, LOOK):
            break
    # The quickest step: on a busy machine the mean of a few says more of its neighbors than of the model.
    return MORE * min((b - a for a, b in pairwise(ends)), default=0.0)
