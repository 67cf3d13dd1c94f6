"""`tenfold train`: one recipe, one population, every member measured at the end."""

__all__ = ["train_recipe"]

from dataclasses import replace

from tenfold.choices import members
from tenfold.engine.parallel import check_share
from tenfold.runs.checkpoint import Progress
from tenfold.runs.ensemble import ENSEMBLE, candidates, gather
from tenfold.runs.events import line
from tenfold.runs.losses import write_losses
from tenfold.runs.outcome import (
    Made,
    assess,
    promote,
    refuse_failed,
    save_calibrated,
    save_winner,
    score,
    summary,
    winner,
)
from tenfold.runs.prepare import Prepared
from tenfold.runs.probe import remembered
from tenfold.runs.result import ExactScores, MemberResult, TrainResult
from tenfold.runs.run import Run, Stage, stage_of
from tenfold.runs.stage import fresh, train_stage
from tenfold.trained.metrics import Metrics
from tenfold.trained.model import TrainedModel

SCORES, CERTAINTY = ("accuracy", "macro_f1"), ("interval", "macro_f1_interval", "n", "absent")


def train_recipe(run: Run, prepared: Prepared, progress: Progress | None) -> Made:
    """Train from the start, or from the progress of a checkpoint, and measure every member."""
    recipe = prepared.recipe
    check_share(min(recipe.batch_size, len(run.parts["train"].rows)))
    losses = recipe.loss if isinstance(recipe.loss, str) else "-".join(recipe.loss)
    stage = stage_of(run, f"{recipe.model}-{losses}", recipe, members(recipe))
    if recipe.model == "knn":
        stage, progress = remembered(run, stage)
    else:
        progress = train_stage(run, stage, progress or fresh(run, stage))
    refuse_failed(run, stage, progress)
    models = {stage.name: save_winner(run, stage, progress, run.folder / "models" / f"{stage.name}.tenfold")}
    if recipe.ensemble and len(stage.settings) > 1:
        models |= _ensemble(run, stage, progress)
    best_model = list(models)[-1]  # an ensemble is kept where it is better than the best member
    promote(run.folder, models[best_model])
    write_losses(run.folder, stage.name, progress, winner(progress))
    results = assess(run, stage, progress, range(len(progress.tally["member"])), ("train", "validation", "test"))
    validation, tested = (score(run, part, models) for part in ("validation", "test"))
    best = winner(progress)
    results[best] = _as_scored(results[best], validation.metrics[stage.name], tested.metrics[stage.name])
    result = TrainResult(
        **summary(run, recipe.metric, len(stage.settings), validation, tested, best_model),
        members=tuple(results),
        best=best,
        settings={name: stage.settings if name == stage.name else (models[name].cause["settings"],) for name in models},
        images_per_second=progress.images / progress.seconds if progress.seconds else None,
    )
    return Made(result, models, tested)


def _as_scored(best: MemberResult, validation: Metrics, test: Metrics) -> MemberResult:
    """Return the best member with the scores of its answers, which may be means over views of an image."""
    judged, tested = best.validation or ExactScores(), best.test or ExactScores()
    return replace(
        best,
        validation=replace(judged, **{name: getattr(validation, name) for name in SCORES}),
        test=replace(tested, **{name: getattr(test, name) for name in (*SCORES, *CERTAINTY)}),
    )


def _ensemble(run: Run, stage: Stage, progress: Progress) -> dict[str, TrainedModel]:
    """Return the ensemble of the members by its name, where it is better than the best of them."""
    gathered = gather(run, candidates(run, stage, progress), stage.recipe.metric, stage.recipe.seed)
    line(run.watch)(f"{ENSEMBLE}: {gathered.sentence}")
    if gathered.model is None:
        return {}
    path = run.folder / "models" / f"{ENSEMBLE}.tenfold"
    return {ENSEMBLE: save_calibrated(run, gathered.model, stage.recipe.seed, path)}
