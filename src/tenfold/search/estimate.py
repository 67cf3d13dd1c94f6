"""Estimate of a sweep before it starts: its populations, their memory, and how long they should take."""

__all__ = ["estimate"]

from typing import Any

import torch

from tenfold.engine import products
from tenfold.recipe import Recipe, Settings
from tenfold.rooms import find
from tenfold.runs.pace import rehearsal, seconds_per_epoch
from tenfold.runs.prepare import Prepared
from tenfold.runs.run import Run
from tenfold.search.halving import halving, sentence
from tenfold.search.planner import Unit, sentences
from tenfold.search.request import axes_of
from tenfold.search.units import Fold, folds, planned, unit_stage


def estimate(recipe: Recipe, data_dir: str = "") -> dict[str, Any]:
    """Return populations, bytes and seconds of a sweep's first round, by a few steps of one population of each shape.

    Loads the data; writes nothing. Later rounds are as large, and asked for when the first one is known.
    """
    with rehearsal(recipe, data_dir) as (run, prepared):
        count = -(-recipe.members // recipe.rounds)
        candidates = find("samplers", recipe.sampler)(axes_of(recipe), count, recipe.seed, 0, [])
        plan, held = planned(prepared, candidates), folds(prepared)
        shapes = [(*map(str, unit.shared.items()), len(unit.members)) for unit in plan.units]
        tried = dict(zip(shapes, plan.units, strict=True))  # one of each shape
        paces = {shape: _seconds(run, prepared, unit, candidates, held[unit.fold]) for shape, unit in tried.items()}
        seconds = sum(paces[shape] for shape in shapes)
    return {
        "populations": [*sentences(plan), *_halved(recipe, plan.units)],
        "members": plan.candidates,
        "units": len(plan.units),
        "bytes": max(unit.bytes for unit in plan.units),
        "rounds": recipe.rounds,
        "seconds": seconds * recipe.rounds,
        "threads": torch.get_num_threads(),
        "products": products.route(),
        "settings": candidates,
    }


def _seconds(run: Run, prepared: Prepared, unit: Unit, candidates: list[Settings], fold: Fold) -> float:
    """Return the seconds of one population, from its first step to its last."""
    unit_run, stage = unit_stage(run, prepared, unit, candidates, fold)
    share = halving(len(unit.members), stage.recipe.epochs, stage.recipe.halving).share if stage.recipe.halving else 1.0
    return seconds_per_epoch(unit_run, stage) * stage.recipe.epochs * share


def _halved(recipe: Recipe, units: tuple[Unit, ...]) -> list[str]:
    if not recipe.halving:
        return []
    members = max(len(unit.members) for unit in units)
    return [sentence(members, halving(members, recipe.epochs, recipe.halving))]
