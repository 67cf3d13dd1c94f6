"""`tenfold train`: one recipe, one population, every member measured at the end."""

__all__ = ["train_recipe"]

from typing import Any

from tenfold.outcomes import assess, save_winner, score_test, winner
from tenfold.population import built
from tenfold.preparing import Prepared
from tenfold.running import fresh, train_stage
from tenfold.saving import Progress
from tenfold.stages import Run, Stage, per_epoch


def train_recipe(run: Run, prepared: Prepared, at: Progress | None) -> dict[str, Any]:
    """Train from the start, or from where a checkpoint stood; returns what the run prints."""
    recipe = prepared.recipe
    model = built(recipe, len(run.parts["train"].factor), len(run.about["class_names"]))
    steps = recipe.iterations or recipe.epochs * per_epoch(run, recipe)
    losses = recipe.loss if isinstance(recipe.loss, str) else "-".join(recipe.loss)
    stage = Stage(f"{recipe.model}-{losses}", recipe, model, steps)
    at = train_stage(run, stage, at or fresh(run, stage))
    save_winner(run, stage, at, run.folder / "models" / f"{stage.name}.tenfold")
    save_winner(run, stage, at, run.folder / "model.tenfold")
    entries = assess(run, stage, at, range(len(at.tally["member"])), ("train", "validation", "test"))
    tested = score_test(run, [stage.name], stage.name)[stage.name]
    best = winner(at)
    judged = entries[best]["test"]["loss"] is not None
    if judged:
        entries[best]["test"] |= {name: tested[name] for name in ("accuracy", "interval", "macro_f1", "n")}
    return {
        "run": str(run.folder),
        "model": str(run.folder / "model.tenfold"),
        "data": run.about["name"],
        "members": entries,
        "best": best if judged else None,
        "best_rung": stage.name,
        "seconds": run.saver.elapsed(),
        "images_per_second": at.images / at.seconds if at.seconds else None,
        "notes": run.about["notes"],
    }
