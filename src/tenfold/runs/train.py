"""`tenfold train`: one recipe, one population, every member measured at the end."""

__all__ = ["train_recipe"]

from typing import Any

from tenfold.engine.population import built
from tenfold.recipe import members
from tenfold.runs.outcome import assess, save_winner, winner
from tenfold.runs.prepare import Prepared
from tenfold.runs.run import Run, Stage, per_epoch
from tenfold.runs.saving import Progress
from tenfold.runs.scoring import promote, score, summary
from tenfold.runs.stage import fresh, train_stage

SCORED = ("accuracy", "interval", "macro_f1", "macro_f1_interval", "n")


def train_recipe(run: Run, prepared: Prepared, at: Progress | None) -> dict[str, Any]:
    """Train from the start, or from where a checkpoint stood; returns what the run prints."""
    recipe = prepared.recipe
    model = built(recipe, len(run.parts["train"].factor), len(run.about["class_names"]))
    steps = recipe.iterations or recipe.epochs * per_epoch(run, recipe)
    losses = recipe.loss if isinstance(recipe.loss, str) else "-".join(recipe.loss)
    stage = Stage(f"{recipe.model}-{losses}", recipe, model, tuple(members(recipe)), steps)
    at = train_stage(run, stage, at or fresh(run, stage))
    save_winner(run, stage, at, run.folder / "models" / f"{stage.name}.tenfold")
    promote(run.folder, stage.name)
    entries = assess(run, stage, at, range(len(at.tally["member"])), ("train", "validation", "test"))
    validation, tested = (score(run, part, [stage.name]) for part in ("validation", "test"))
    best = winner(at)
    judged = entries[best]["test"]["loss"] is not None
    if judged:
        entries[best]["test"] |= {name: tested.metrics[stage.name][name] for name in SCORED}
    return {
        **summary(run, recipe.metric, validation, tested, stage.name),
        "members": entries,
        "best": best if judged else None,
        "settings": {stage.name: stage.settings},
        "images_per_second": at.images / at.seconds if at.seconds else None,
    }
