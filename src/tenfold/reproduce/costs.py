"""What a reproduction takes on this machine: rehearsed, population by population, or by arithmetic for a list."""

__all__ = ["by_arithmetic", "operations_per_second", "rehearsed"]

import math
import time
from itertools import pairwise
from typing import Any

import torch

from tenfold.data.batches import steps_per_epoch
from tenfold.data.load import fingerprint
from tenfold.data.splits import split
from tenfold.data.types import Dataset
from tenfold.engine.population import built
from tenfold.engine.products import product
from tenfold.errors import DataError
from tenfold.recipe import Recipe
from tenfold.reproduce.reproduce import trials_of
from tenfold.reproduce.table import Asked, data_of, resolved, seeds_of
from tenfold.reproduce.trials import Trial, grouped, stage_of
from tenfold.runs.pace import rehearsal, seconds_per_epoch
from tenfold.runs.run import per_epoch
from tenfold.search.estimate import estimate

# A step's operations outside of the products, and those of each layer: seconds, measured on small batches.
STEP, LAYER = 3e-4, 8e-5
# Products of a training step for each weight and image: forward, gradient of the weights, of the layer's inputs.
PRODUCTS = 6
# What comes on top of the products where patches become features.
PASSES = 3
# What validations, measuring and figures add.
MORE = 1.5


def rehearsed(asked: Asked) -> dict[str, Any]:
    """Populations of a table, their members and expected seconds, by a few steps of each."""
    dataset = data_of(asked.table, asked.data_dir)
    rows: list[dict[str, Any]] = []
    rate = operations_per_second()
    for group in _first_seed(asked, dataset):
        recipe, count = group[0].recipe, max(len(seeds_of(asked, one.run)) for one in group)
        fitting = _fitting(recipe, dataset, rate)
        recipe = recipe.model_copy(update={"features": "pixels"})  # what is rehearsed, features taking minutes
        with rehearsal(recipe, asked.data_dir, dataset) as (tried, _):
            stage = stage_of(tried, group)
            seconds = seconds_per_epoch(tried, stage) * stage.steps / per_epoch(tried, recipe)
        seconds += fitting
        rows.append({"runs": [one.run for one in group], "members": len(group), "seconds": seconds, "seeds": count})
    for run, own in asked.table.runs.items():
        if own.searches:
            found = estimate(resolved(asked.table, run, asked.scale), asked.data_dir)
            seeds = len(seeds_of(asked, run))
            rows.append({"runs": [run], "members": found["members"], "seconds": found["seconds"], "seeds": seeds})
    return {
        "name": asked.table.name,
        "title": asked.table.title,
        "scale": asked.scale,
        "populations": rows,
        "seconds": sum(row["seconds"] * row["seeds"] for row in rows),
    }


def by_arithmetic(asked: Asked, rate: float) -> float | None:
    """Seconds that a table should take, within a factor of two or three; None where its data are not at hand.

    rate: operations in a second, as `operations_per_second` measures them.
    """
    try:
        dataset = data_of(asked.table, asked.data_dir, download=False)
    except DataError:
        return None
    total = 0.0
    for group in _first_seed(asked, dataset):
        seeds = max(len(seeds_of(asked, one.run)) for one in group)
        total += seeds * _seconds(group[0].recipe, len(group), dataset, rate)
    for run, own in asked.table.runs.items():
        if own.searches:
            recipe = resolved(asked.table, run, asked.scale)
            members = recipe.members or math.prod(axis.count(",") + 1 for axis in recipe.vary)
            runs = members * max(1, recipe.folds) * len(seeds_of(asked, run))
            total += _seconds(recipe, runs, dataset, rate)
    return total


def operations_per_second() -> float:
    """Of this machine's matrix product, on shapes that training has."""
    a, b = torch.ones(640, 3072), torch.ones(3072, 100)
    product(a, b)
    start = time.perf_counter()
    for _ in range(10):
        product(a, b)
    return 10 * 2 * a.numel() * b.shape[1] / (time.perf_counter() - start)


def _seconds(recipe: Recipe, members: int, dataset: Dataset, rate: float) -> float:
    """Of a population, from its first step to its last."""
    positions = split(dataset, 0, recipe.validation, recipe.test, recipe.limit, recipe.rows, recipe.validation_rows)
    updates = steps_per_epoch(len(positions["train"]), recipe.batch_size)
    model = built(recipe, dataset.images[0].numel(), len(dataset.class_names))
    weights = sum(outputs * width for outputs, width in model.shapes().values())
    fitting = _fitting(recipe, dataset, rate)
    step = STEP + LAYER * len(model.shapes()) + PRODUCTS * weights * members * recipe.batch_size / rate
    return MORE * (fitting + step * (recipe.iterations or recipe.epochs * updates))


def _fitting(recipe: Recipe, dataset: Dataset, rate: float) -> float:
    """Seconds that features take to be learned and made."""
    images, pixels = len(dataset.images), dataset.images[0].numel()
    if recipe.features == "patches":
        places = math.prod(side - 5 for side in dataset.images.shape[2:])
        return PASSES * 2 * images * places * 36 * dataset.images.shape[1] * recipe.feature_count / rate
    widths = (pixels, *recipe.encoder_hidden)
    weights = 2 * sum(a * b for a, b in pairwise(widths))
    return PRODUCTS * weights * images * recipe.encoder_epochs / rate if recipe.features == "codes" else 0.0


def _first_seed(asked: Asked, dataset: Dataset) -> list[list[Trial]]:
    return grouped([one for one in trials_of(asked, fingerprint(dataset)) if one.recipe.seed == 0])
