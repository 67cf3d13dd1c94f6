"""A sweep: axes -> candidates -> populations -> a table, a choice, and the chosen setting trained on all images.

Candidates are asked for in rounds, each written down before it is trained; every population has a folder of its own.
What is done is not done again, so a sweep that was killed ends with the table of one that was not.
"""

__all__ = ["sweep_settings"]

import importlib
import math
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tenfold.engine.population import built
from tenfold.errors import RunError, UsageError
from tenfold.recipe import Recipe
from tenfold.rooms import find
from tenfold.runs.events import Event
from tenfold.runs.outcome import save_winner
from tenfold.runs.prepare import Prepared, parts, twins
from tenfold.runs.run import Run, Stage, decide, per_epoch
from tenfold.runs.saving import Progress
from tenfold.runs.scoring import promote, score
from tenfold.runs.stage import fresh, train_stage
from tenfold.search.axes import Axis
from tenfold.search.choice import Summary, all_diverged, edges, one_standard_error, ranking, summarize
from tenfold.search.planner import Plan, sentences
from tenfold.search.request import axes_of
from tenfold.search.units import NEEDED, folds, planned
from tenfold.search.workers import train_units

FINAL = "final"
OPTUNAS = ("tpe", "cma_es")
"""Samplers that are Optuna's or its kin: their sweeps leave a journal for its dashboard and plots."""


class Searched(NamedTuple):
    """Candidates so far and what became of them.

    scores, losses, epochs: (K, folds, repeats): by the metric, on the validation part, and after how many epochs; NaN
    where a run failed. populations: how they were trained, in sentences.
    """

    candidates: list[dict[str, Any]]
    scores: NDArray[np.float64]
    losses: NDArray[np.float64]
    epochs: NDArray[np.float64]
    populations: list[str]


def sweep_settings(run: Run, prepared: Prepared, at: Progress | None) -> dict[str, Any]:
    """Search, choose, train the chosen setting on all training and validation images, test it once."""
    axes = axes_of(prepared.recipe)
    found = _search(run, prepared, axes)
    summary, flat = summarize(found.scores), found.losses.reshape(len(found.candidates), -1)
    if not np.isfinite(summary.mean).any():
        raise RunError(all_diverged([float(_value(prepared, c, "learning_rate")) for c in found.candidates]))
    ranked = ranking(summary.mean, flat.mean(1))
    simpler = one_standard_error(summary, [float(_value(prepared, c, "l2")) for c in found.candidates], ranked)
    best = found.candidates[ranked[0]]
    epochs = found.epochs[ranked[0]][np.isfinite(found.epochs[ranked[0]])]  # where halving did not drop it
    length = math.ceil(epochs.mean()) if len(epochs) else prepared.recipe.epochs
    tested = _final(run, prepared, best, length, at)
    return {
        "run": str(run.folder),
        "model": str(run.folder / "model.tenfold"),
        "report": str(run.folder / "report.html"),
        "data": run.about["name"],
        "metric": prepared.recipe.metric,
        "part": "test",
        "state": "finished",
        "best_rung": FINAL,
        "best": {"rung": FINAL, "settings": best, "member": ranked[0]},
        "one_standard_error": {"settings": found.candidates[simpler], "member": simpler},
        "settings": {FINAL: [_filled(prepared, best)]},
        "validation": _scored(summary, ranked[0]),
        "test": tested,
        "table": [
            {"member": k, "settings": found.candidates[k], **_scored(summary, k), "loss": float(flat[k].mean())}
            for k in ranked
        ],
        "runs_each": summary.runs,
        "failed": int(np.isnan(found.scores).sum()),
        "populations": found.populations,
        "seconds": run.saver.elapsed(),
        "notes": run.about["notes"],
        "warnings": [*run.about["warnings"], *(edge.sentence for edge in edges(axes, best))],
    }


def _value(prepared: Prepared, candidate: dict[str, Any], name: str) -> Any:
    return candidate.get(name, getattr(prepared.recipe, name))


def _filled(prepared: Prepared, candidate: dict[str, Any]) -> dict[str, Any]:
    """A candidate's settings as those of a member: the numbers that every member names among them."""
    return {name: _value(prepared, candidate, name) for name in dict.fromkeys((*NEEDED, *candidate))}


def _search(run: Run, prepared: Prepared, axes: Sequence[Axis]) -> Searched:
    """Ask for candidates in rounds and train them."""
    own, held = prepared.recipe, folds(prepared)
    candidates: list[dict[str, Any]] = []
    measured: list[NDArray[np.float64]] = []
    populations: list[str] = []
    for number in range(own.rounds):
        told = [(c, _told(row)) for c, row in zip(candidates, _joined(measured), strict=True)]
        new = decide(run.folder, f"round {number}", partial(_asked, own, axes, number, told))
        plan = planned(prepared, new)
        for line in sentences(plan):
            run.watch(Event("", 0, 0, 0, float("nan"), "", float("nan"), line))
        measured.append(_measured(prepared, plan, len(new), train_units(run, prepared, plan, new, held, number)))
        candidates, populations = candidates + new, populations + sentences(plan)
    scores, losses, epochs = np.moveaxis(_joined(measured), -1, 0)
    if own.sampler in OPTUNAS:
        told = [(c, _told(row)) for c, row in zip(candidates, _joined(measured), strict=True)]
        importlib.import_module("tenfold.search.journal").journal(run.folder / "optuna.log", axes, told)
    return Searched(candidates, scores, losses, epochs, populations)


def _asked(
    recipe: Recipe, axes: Sequence[Axis], number: int, told: Sequence[tuple[dict[str, Any], float | None]]
) -> list[dict[str, Any]]:
    """New candidates of a round; a UsageError where there is none that was not tried before."""
    known = [settings for settings, _ in told]
    count = math.ceil((recipe.members - len(known)) / (recipe.rounds - number)) if recipe.members else 0
    drawn = find("samplers", recipe.sampler)(axes, count, recipe.seed, number, told)
    new = [settings for settings in drawn if settings not in known]
    if not new:
        raise UsageError("all of these settings were tried already: give other values, or a range")
    return new


def _measured(prepared: Prepared, plan: Plan, count: int, outcomes: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
    """Score, loss and epochs of every candidate in every fold and repeat, (K, folds, repeats, 3)."""
    measured = np.full((count, plan.folds, plan.seeds, 3), np.nan)
    for unit, outcome in zip(plan.units, outcomes, strict=True):
        repeat = 0 if "seed" in unit.shared else unit.seed - prepared.recipe.seed
        for entry in outcome["members"]:
            numbers = (entry.get(name) for name in ("score", "loss", "epoch"))
            measured[entry["candidate"], unit.fold, repeat] = [np.nan if n is None else n for n in numbers]
    return measured


def _joined(measured: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """All rounds together, (K, folds, repeats, 3)."""
    return np.concatenate(measured) if measured else np.zeros((0, 1, 1, 3))


def _told(row: NDArray[np.float64]) -> float | None:
    """Mean score of a candidate (folds, repeats, 3), None where a run failed."""
    mean = float(row[..., 0].mean())
    return mean if math.isfinite(mean) else None


def _scored(summary: Summary, member: int) -> dict[str, Any]:
    """Mean score and interval of a candidate."""
    low, high = float(summary.low[member]), float(summary.high[member])
    interval = [low, high] if math.isfinite(low) else None
    return {"score": float(summary.mean[member]), "interval": interval}


def _final(run: Run, prepared: Prepared, best: dict[str, Any], epochs: int, at: Progress | None) -> dict[str, Any]:
    """Train the chosen setting again, in float32 at least, on all images but those of the test; test it once."""
    plain = {name: tuple(v) if isinstance(v, list) else v for name, v in best.items()}
    wide = "float32" if _value(prepared, plain, "precision") == "bfloat16" else _value(prepared, plain, "precision")
    again = {"kind": "train", "precision": wide, "epochs": epochs, "patience": 0, "min_change": 0.0}
    own = prepared.recipe.model_copy(update={**plain, **again})
    pool = torch.cat([prepared.parts[part].rows.cpu() for part in ("train", "validation")]).sort().values
    rows = {"train": pool, "test": prepared.parts["test"].rows.cpu()}
    about = run.about | {"twins": twins(prepared.found, prepared.dataset, rows["test"], pool)}
    about["images"] = {part: len(positions) for part, positions in rows.items()}
    final = run._replace(parts=parts(own, prepared.seen, rows, run.device), about=about)
    model = built(own, len(final.parts["train"].factor), len(about["class_names"]))
    steps = own.iterations or epochs * per_epoch(final, own)
    stage = Stage(FINAL, own, model, (_filled(prepared, plain),), steps)
    at = train_stage(final, stage, at or fresh(final, stage))
    save_winner(final, stage, at, run.folder / "models" / f"{FINAL}.tenfold")
    promote(run.folder, FINAL)
    return score(final, "test", [FINAL]).metrics[FINAL]
