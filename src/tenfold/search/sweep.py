"""A sweep: axes -> candidates -> populations -> a table, a choice, and the chosen setting trained on all images.

Candidates are asked for in rounds, each written down before it is trained; every population has a folder of its own.
What is done is not done again, so a sweep that was killed ends with the table of one that was not.
"""

__all__ = ["sweep_settings"]

import importlib
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tenfold.errors import RunError
from tenfold.recipe import Recipe, Settings
from tenfold.rooms import find
from tenfold.runs.checkpoint import Progress
from tenfold.runs.events import line
from tenfold.runs.losses import write_losses
from tenfold.runs.outcome import Answers, Made, promote, refuse_failed, save_winner, score
from tenfold.runs.prepare import Prepared, parts, twins
from tenfold.runs.result import Choice, SettingScore, SweepResult
from tenfold.runs.run import Run, decide, stage_of
from tenfold.runs.stage import fresh, train_stage
from tenfold.search.axes import Axis
from tenfold.search.choice import Summary, all_diverged, edges, one_standard_error, ranking, summarize
from tenfold.search.planner import Plan, sentences
from tenfold.search.request import axes_of
from tenfold.search.units import NEEDED, UnitOutcome, folds, planned
from tenfold.search.workers import train_units
from tenfold.text import count
from tenfold.trained.model import TrainedModel
from tenfold.trained.statistics import too_few

FINAL = "final"
OPTUNAS = ("tpe", "cma_es")
"""Samplers of Optuna or its kin: their sweeps leave a journal for its dashboard and plots."""

# A sampler is asked for up to so many times the wanted candidates, where some of them are alike.
DRAWS = 16

Told = Sequence[tuple[Settings, float | None]]
"""Settings that were tried, each with its mean score, None where a run failed."""


class Searched(NamedTuple):
    """The candidates of a sweep and their scores.

    scores, losses, epochs: (K, folds, repeats): by the metric, on the validation part, and after how many epochs; NaN
    where a run failed. populations: how they were trained, in sentences. validated: images that judged each.
    """

    candidates: list[Settings]
    scores: NDArray[np.float64]
    losses: NDArray[np.float64]
    epochs: NDArray[np.float64]
    populations: list[str]
    validated: int


def sweep_settings(run: Run, prepared: Prepared, progress: Progress | None) -> Made:
    """Search, choose, train the chosen setting on all training and validation images, test it once."""
    axes = axes_of(prepared.recipe)
    searched = _search(run, prepared, axes)
    summary, losses = summarize(searched.scores), searched.losses.reshape(len(searched.candidates), -1).mean(1)
    if not np.isfinite(summary.mean).any():
        raise RunError(all_diverged([float(_value(prepared, c, "learning_rate")) for c in searched.candidates]))
    ranked = ranking(summary.mean, losses)
    simpler = one_standard_error(summary, [float(_value(prepared, c, "l2")) for c in searched.candidates], ranked)
    best = searched.candidates[ranked[0]]
    models, tested = _final(run, prepared, best, _length(prepared, searched, ranked[0]), progress)
    few = too_few(len(searched.candidates), float(summary.mean[ranked[0]]), searched.validated)
    result = SweepResult(
        run=str(run.folder),
        model=str(run.folder / "model.tenfold"),
        report=str(run.folder / "report.html"),
        data=run.about.facts.name,
        metric=prepared.recipe.metric,
        best_rung=FINAL,
        settings={FINAL: (_filled(prepared, best),)},
        test=tested.metrics[FINAL],
        seconds=run.saver.elapsed(),
        notes=run.about.facts.notes,
        best=Choice(FINAL, best, ranked[0]),
        one_standard_error=Choice(settings=searched.candidates[simpler], member=simpler),
        validation=_scored(summary, ranked[0]),
        table=tuple(
            replace(_scored(summary, k), member=k, settings=searched.candidates[k], loss=float(losses[k]))
            for k in ranked
        ),
        runs_each=summary.runs,
        failed=int(np.isnan(searched.scores).sum()),
        populations=tuple(searched.populations),
        warnings=(
            *run.about.warnings,
            *_fewer(prepared.recipe, len(searched.candidates)),
            *few,
            *_at_edges(axes, best),
        ),
    )
    return Made(result, models, tested)


def _fewer(recipe: Recipe, tried: int) -> list[str]:
    """Say that fewer settings were tried than asked for."""
    short = f"{count(tried, 'setting')} tried, not {recipe.members:,}: there are no more that differ"
    return [short] if tried < recipe.members else []


def _at_edges(axes: Sequence[Axis], best: Settings) -> list[str]:
    """Say where the best setting lies at the end of an axis."""
    return [edge.sentence for edge in edges(axes, best)]


def _length(prepared: Prepared, searched: Searched, best: int) -> int:
    """Return the epochs of the final training: the mean over the runs of the best that halving did not drop."""
    epochs = searched.epochs[best][np.isfinite(searched.epochs[best])]
    return math.ceil(epochs.mean()) if len(epochs) else prepared.recipe.epochs


def _value(prepared: Prepared, candidate: Settings, name: str) -> Any:
    return candidate.get(name, getattr(prepared.recipe, name))


def _filled(prepared: Prepared, candidate: Settings) -> Settings:
    """Return a candidate's settings with the numbers that every member names."""
    return {name: _value(prepared, candidate, name) for name in dict.fromkeys((*NEEDED, *candidate))}


def _search(run: Run, prepared: Prepared, axes: Sequence[Axis]) -> Searched:
    """Ask for candidates in rounds and train them."""
    recipe, held = prepared.recipe, folds(prepared)
    candidates: list[Settings] = []
    measured: list[NDArray[np.float64]] = []
    populations: list[str] = []
    for number in range(recipe.rounds):
        tried, wanted = _tried(candidates, measured), _wanted(recipe, len(candidates), number)
        new = decide(run.folder, f"round {number}", partial(_asked, recipe, axes, wanted, number, tried))
        if len(new) < wanted:
            line(run.watch)(f"{count(len(new), 'setting')} of {wanted:,}: there are no more that differ")
        if not new:
            continue
        plan = planned(prepared, new)
        for sentence in sentences(plan):
            line(run.watch)(sentence)
        measured.append(_measured(prepared, plan, len(new), train_units(run, prepared, plan, new, held, number)))
        candidates, populations = candidates + new, populations + sentences(plan)
    scores, losses, epochs = np.moveaxis(_joined(measured), -1, 0)
    if recipe.sampler in OPTUNAS:
        tried = _tried(candidates, measured)
        importlib.import_module("tenfold.search.journal").journal(run.folder / "optuna.log", axes, tried)
    return Searched(candidates, scores, losses, epochs, populations, sum(len(fold.validation) for fold in held))


def _tried(candidates: Sequence[Settings], measured: Sequence[NDArray[np.float64]]) -> Told:
    return [(c, _mean_score(row)) for c, row in zip(candidates, _joined(measured), strict=True)]


def _wanted(recipe: Recipe, before: int, number: int) -> int:
    """Return how many candidates a round asks for; 0: all that there are."""
    return math.ceil((recipe.members - before) / (recipe.rounds - number)) if recipe.members else 0


def _asked(recipe: Recipe, axes: Sequence[Axis], wanted: int, number: int, tried: Told) -> list[Settings]:
    """Ask the sampler until the candidates of a round differ from each other and from those before it.

    Returns fewer than are wanted where there are no more.
    """
    sampler, drawn = find("samplers", recipe.sampler), wanted
    before = [settings for settings, _ in tried]
    while True:
        new: list[Settings] = []
        for settings in sampler(axes, drawn, recipe.seed, number, tried):
            if settings not in before and settings not in new:
                new.append(settings)
        if len(new) >= wanted or drawn >= DRAWS * wanted:
            return new[:wanted] if wanted else new
        drawn *= 2


def _measured(prepared: Prepared, plan: Plan, count: int, outcomes: Sequence[UnitOutcome]) -> NDArray[np.float64]:
    """Return score, loss and epochs of every candidate in every fold and repeat, (K, folds, repeats, 3)."""
    measured = np.full((count, plan.folds, plan.seeds, 3), np.nan)
    for unit, outcome in zip(plan.units, outcomes, strict=True):
        repeat = 0 if "seed" in unit.shared else unit.seed - prepared.recipe.seed
        for member in outcome.members:
            numbers = (member.score, member.loss, member.epoch)
            measured[member.candidate, unit.fold, repeat] = [np.nan if n is None else n for n in numbers]
    return measured


def _joined(measured: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Join all rounds, (K, folds, repeats, 3)."""
    return np.concatenate(measured) if measured else np.zeros((0, 1, 1, 3))


def _mean_score(row: NDArray[np.float64]) -> float | None:
    """Return the mean score of a candidate (folds, repeats, 3), None where a run failed."""
    mean = float(row[..., 0].mean())
    return mean if math.isfinite(mean) else None


def _scored(summary: Summary, member: int) -> SettingScore:
    """Return mean score and interval of a candidate."""
    low, high = float(summary.low[member]), float(summary.high[member])
    return SettingScore(score=float(summary.mean[member]), interval=(low, high) if math.isfinite(low) else None)


def _final(
    run: Run, prepared: Prepared, best: Settings, epochs: int, progress: Progress | None
) -> tuple[dict[str, TrainedModel], Answers]:
    """Train the chosen setting again, in float32 at least, on all images but those of the test; test it once."""
    plain = {name: tuple(v) if isinstance(v, list) else v for name, v in best.items()}
    wide = "float32" if _value(prepared, plain, "precision") == "bfloat16" else _value(prepared, plain, "precision")
    again = {"kind": "train", "precision": wide, "epochs": epochs, "patience": 0, "min_change": 0.0}
    recipe = prepared.recipe.model_copy(update={**plain, **again})
    final = _on_all_images(run, prepared, recipe)
    stage = stage_of(final, FINAL, recipe, [_filled(prepared, plain)])
    progress = train_stage(final, stage, progress or fresh(final, stage))
    refuse_failed(final, stage, progress)
    models = {FINAL: save_winner(final, stage, progress, run.folder / "models" / f"{FINAL}.tenfold")}
    promote(run.folder, models[FINAL])
    write_losses(run.folder, FINAL, progress, 0)
    tested = score(final, "test", models)
    return models, tested


def _on_all_images(run: Run, prepared: Prepared, recipe: Recipe) -> Run:
    """Return the run with the training and validation parts as one."""
    pool = torch.cat([prepared.parts[part].rows.cpu() for part in ("train", "validation")]).sort().values
    rows = {"train": pool, "test": prepared.parts["test"].rows.cpu()}
    facts = replace(run.about.facts, images={part: len(positions) for part, positions in rows.items()})
    twinned = twins(prepared.audit, prepared.dataset, rows["test"], pool)
    about = run.about._replace(facts=facts, twins=twinned)
    return run._replace(parts=parts(recipe, prepared.seen, rows, run.device), about=about)
