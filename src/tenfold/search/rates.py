"""The learning rate, found by trying all of them at once: one population, a member for each rate, a few hundred steps.

After Smith (2017), who raises one model's rate from step to step; here every rate has a model of its own, so that a
rate is judged by what it does and not by what those before it did. The same first weights, batches and flips for all.
"""

__all__ = ["Rates", "find_rate"]

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.data.batches import batches_of
from tenfold.engine import loop
from tenfold.errors import UsageError
from tenfold.recipe import VARYING, Recipe
from tenfold.runs.pace import rehearsal
from tenfold.runs.run import Run, population_of, stage_of
from tenfold.runs.stage import fresh
from tenfold.search.units import NEEDED

LOW, HIGH, COUNT = 1e-6, 10.0, 64
STEPS = 300
LAST = 50  # of them, over which a rate is judged


class Rates(NamedTuple):
    """The learning rates that were tried, with their losses.

    rates: (P,) rising. loss: (P,) mean training loss of the last steps, NaN where it diverged. start: loss before the
    first step. suggested: the rate with the least loss. largest: the last one above it up to which the loss stays below
    halfway between the least and that of the start.
    """

    name: str
    steps: int
    rates: NDArray[np.float64]
    loss: NDArray[np.float64]
    start: float
    suggested: float
    largest: float


def find_rate(recipe: Recipe, data_dir: str = "") -> Rates:
    """Train a member for each of 64 rates between 1e-6 and 10; writes nothing. NaN is suggested if all diverge.

    recipe: everything but the learning rate; its schedule is left out, for a few hundred steps say nothing of it.
    Raises UsageError where another field has several values.
    """
    several = [name for name in VARYING if name != "learning_rate" and isinstance(getattr(recipe, name), tuple)]
    if several:
        raise UsageError(f"{several[0]} takes one value with --find-learning-rate: choose one of them")
    searched = recipe.model_copy(update={"kind": "train", "learning_rate": LOW, "schedule": "constant", "warmup": 0.0})
    rates = np.geomspace(LOW, HIGH, COUNT)
    with rehearsal(searched, data_dir) as (run, prepared):
        losses = _losses(run, prepared.recipe, rates)
    judged = losses[-LAST:].mean(0)
    stable = np.isfinite(judged) & (judged < losses[0][np.isfinite(losses[0])].max(initial=0.0))
    start, loss = float(losses[0, 0]), np.where(stable, judged, np.nan)
    suggested, largest = _chosen(rates, loss, start)
    return Rates(prepared.dataset.name, len(losses), rates, loss, start, suggested, largest)


def _chosen(rates: NDArray[np.float64], loss: NDArray[np.float64], start: float) -> tuple[float, float]:
    """Return the rate with the least loss, and the largest up to which the loss stays low."""
    if np.isnan(loss).all():
        return math.nan, math.nan
    best = int(np.nanargmin(loss))
    low = loss[best:] < (loss[best] + start) / 2
    last = best + (int(low.argmin()) if not low.all() else len(low)) - 1
    return float(rates[best]), float(rates[max(last, best)])


def _losses(run: Run, recipe: Recipe, rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the training loss of every step and rate, (steps, P); NaN from where a rate diverged."""
    base = {name: getattr(recipe, name) for name in NEEDED}
    settings = tuple({**base, "learning_rate": float(rate)} for rate in rates)
    stage = stage_of(run, "rates", recipe, settings, steps=STEPS)
    population = population_of(run, stage, settings)
    model, part = stage.model, run.parts["train"]
    batches = batches_of(part, recipe, population.flip, model)
    losses = []
    start = fresh(run, stage).state
    for state, value in loop.train(population.objective, population.optimizer, population.rate, batches, start, STEPS):
        loss = value.loss.double().cpu().numpy()
        losses.append(np.where((state.status == 0).cpu().numpy(), loss, np.nan))
    return np.array(losses)
