"""Expected time of a reproduction on this machine: rehearsed, population by population, or by arithmetic for a list."""

__all__ = ["by_arithmetic", "operations_per_second", "rehearsed"]

import math
import time
from itertools import pairwise

import torch

from tenfold.data.batches import steps_per_epoch
from tenfold.data.load import fingerprint
from tenfold.data.splits import split
from tenfold.data.types import Dataset
from tenfold.engine.population import built
from tenfold.engine.products import product
from tenfold.errors import DataError
from tenfold.recipe import Recipe
from tenfold.reproduce.records import PopulationCost, Rehearsal
from tenfold.reproduce.reproduce import trials_of
from tenfold.reproduce.table import TableRequest, data_of, resolved, seeds_of
from tenfold.reproduce.trials import TableTrial, grouped, stage_of
from tenfold.runs.pace import rehearsal, seconds_per_epoch
from tenfold.runs.run import per_epoch
from tenfold.search.estimate import estimate

# A step's operations outside of the products, and those of each layer: seconds, measured on small batches.
STEP, LAYER = 3e-4, 8e-5
# Products of a training step for each weight and image: forward, gradient of the weights, of the layer's inputs.
PRODUCTS = 6
# Passes on top of the products where patches become features.
PASSES = 3
# Factor for validations, measuring and figures.
MORE = 1.5


def rehearsed(request: TableRequest) -> Rehearsal:
    """Rehearse a few steps of every population of a table, and expect its time from them."""
    table, dataset = request.table, data_of(request.table, request.data_dir)
    rate = operations_per_second()
    costs = [_rehearsed_group(request, dataset, group, rate) for group in _first_seed(request, dataset)]
    for run, reported in table.runs.items():
        if reported.searches:
            expected = estimate(resolved(table, run, request.scale), request.data_dir)
            seeds = len(seeds_of(request, run))
            costs.append(PopulationCost((run,), expected["members"], expected["seconds"], seeds))
    seconds = sum(cost.seconds * cost.seeds for cost in costs)
    return Rehearsal(table.name, table.title, request.scale, tuple(costs), seconds)


def _rehearsed_group(request: TableRequest, dataset: Dataset, group: list[TableTrial], rate: float) -> PopulationCost:
    """Rehearse one population; features, which take minutes, are expected by arithmetic."""
    recipe, seeds = group[0].recipe, max(len(seeds_of(request, one.run)) for one in group)
    fitting = _fitting(recipe, dataset, rate)
    recipe = recipe.model_copy(update={"features": "pixels"})
    with rehearsal(recipe, request.data_dir, dataset) as (tried, _):
        stage = stage_of(tried, group)
        seconds = seconds_per_epoch(tried, stage) * stage.steps / per_epoch(tried, recipe)
    return PopulationCost(tuple(one.run for one in group), len(group), seconds + fitting, seeds)


def by_arithmetic(request: TableRequest, rate: float) -> float | None:
    """Expect the seconds of a table, within a factor of two or three; None where its data are not at hand.

    rate: operations in a second, as `operations_per_second` measures them.
    """
    try:
        dataset = data_of(request.table, request.data_dir, download=False)
    except DataError:
        return None
    total = 0.0
    for group in _first_seed(request, dataset):
        seeds = max(len(seeds_of(request, one.run)) for one in group)
        total += seeds * _seconds(group[0].recipe, len(group), dataset, rate)
    for run, reported in request.table.runs.items():
        if reported.searches:
            recipe = resolved(request.table, run, request.scale)
            members = recipe.members or math.prod(axis.count(",") + 1 for axis in recipe.vary)
            runs = members * max(1, recipe.folds) * len(seeds_of(request, run))
            total += _seconds(recipe, runs, dataset, rate)
    return total


def operations_per_second() -> float:
    """Measure the operations a second of this machine's matrix product, on shapes that training has."""
    a, b = torch.ones(640, 3072), torch.ones(3072, 100)
    product(a, b)
    start = time.perf_counter()
    for _ in range(10):
        product(a, b)
    return 10 * 2 * a.numel() * b.shape[1] / (time.perf_counter() - start)


def _seconds(recipe: Recipe, members: int, dataset: Dataset, rate: float) -> float:
    """Expect the seconds of a population, from its first step to its last."""
    positions = split(dataset, 0, recipe.validation, recipe.test, recipe.limit, recipe.rows, recipe.validation_rows)
    updates = steps_per_epoch(len(positions["train"]), recipe.batch_size)
    model = built(recipe, dataset.images.shape[1:], len(dataset.class_names))
    shapes = [shape for shape in model.shapes().values() if len(shape) > 1]
    weights = sum(map(math.prod, shapes))
    fitting = _fitting(recipe, dataset, rate)
    step = STEP + LAYER * len(shapes) + PRODUCTS * weights * members * recipe.batch_size / rate
    return MORE * (fitting + step * (recipe.iterations or recipe.epochs * updates))


def _fitting(recipe: Recipe, dataset: Dataset, rate: float) -> float:
    """Expect the seconds that features take to be learned and computed."""
    images, pixels = len(dataset.images), dataset.images[0].numel()
    if recipe.features == "patches":
        places = math.prod(side - 5 for side in dataset.images.shape[2:])
        return PASSES * 2 * images * places * 36 * dataset.images.shape[1] * recipe.feature_count / rate
    widths = (pixels, *recipe.encoder_hidden)
    weights = 2 * sum(a * b for a, b in pairwise(widths))
    return PRODUCTS * weights * images * recipe.encoder_epochs / rate if recipe.features == "codes" else 0.0


def _first_seed(request: TableRequest, dataset: Dataset) -> list[list[TableTrial]]:
    return grouped([one for one in trials_of(request, fingerprint(dataset)) if one.recipe.seed == 0])
