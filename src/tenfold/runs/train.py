"""`tenfold train`: one recipe, one population, every member measured at the end."""

__all__ = ["train_recipe"]

from dataclasses import replace

from tenfold.choices import members
from tenfold.runs.checkpoint import Progress
from tenfold.runs.losses import write_losses
from tenfold.runs.outcome import Made, assess, promote, refuse_failed, save_winner, score, summary, winner
from tenfold.runs.prepare import Prepared
from tenfold.runs.result import ExactScores, TrainResult
from tenfold.runs.run import Run, stage_of
from tenfold.runs.stage import fresh, train_stage


def train_recipe(run: Run, prepared: Prepared, progress: Progress | None) -> Made:
    """Train from the start, or from the progress of a checkpoint, and measure every member."""
    recipe = prepared.recipe
    losses = recipe.loss if isinstance(recipe.loss, str) else "-".join(recipe.loss)
    stage = stage_of(run, f"{recipe.model}-{losses}", recipe, members(recipe))
    progress = train_stage(run, stage, progress or fresh(run, stage))
    refuse_failed(run, stage, progress)
    models = {stage.name: save_winner(run, stage, progress, run.folder / "models" / f"{stage.name}.tenfold")}
    promote(run.folder, models[stage.name])
    write_losses(run.folder, stage.name, progress, winner(progress))
    results = assess(run, stage, progress, range(len(progress.tally["member"])), ("train", "validation", "test"))
    validation, tested = (score(run, part, models) for part in ("validation", "test"))
    best, metrics = winner(progress), tested.metrics[stage.name]
    exact, sure = results[best].test or ExactScores(), ("interval", "macro_f1_interval", "n", "absent")
    results[best] = replace(results[best], test=replace(exact, **{name: getattr(metrics, name) for name in sure}))
    result = TrainResult(
        **summary(run, recipe.metric, len(stage.settings), validation, tested, stage.name),
        members=tuple(results),
        best=best,
        settings={stage.name: stage.settings},
        images_per_second=progress.images / progress.seconds if progress.seconds else None,
    )
    return Made(result, models, tested)
