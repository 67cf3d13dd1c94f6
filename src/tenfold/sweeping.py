"""A sweep: axes -> candidates -> populations -> a table, a choice, and the chosen setting trained on all images.

Candidates are asked for in rounds, each written down before it is trained; every population has a folder of its own.
What is done is not done again, so a sweep that was killed ends with the table of one that was not.
"""

__all__ = ["axes_of", "requested", "sweep_settings"]

import math
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.audit import groups_of
from tenfold.axes import Axis, check_axes, parse_axis
from tenfold.axes import text as axis_text
from tenfold.duplicates import group_ids
from tenfold.errors import RunError, UsageError
from tenfold.outcomes import save_winner
from tenfold.population import built
from tenfold.preparing import Prepared, parts, twins
from tenfold.recipe import Recipe, recipe
from tenfold.rooms import find
from tenfold.running import fresh, train_stage
from tenfold.saving import Progress
from tenfold.scoring import promote, score
from tenfold.search.choice import Summary, all_diverged, edges, one_standard_error, ranking, summarize
from tenfold.search.folds import folds as folds_of
from tenfold.search.planner import Plan, Unit, plan, sentences
from tenfold.stages import Run, Stage, decide, per_epoch
from tenfold.types import Event
from tenfold.units import NEEDED, done, train_unit

FINAL = "final"
# Fields whose text may have colons and commas of its own.
TEXTS = ("data", "rows", "validation_rows")
# Bytes that one population may take beside the images: DESIGN's bound of memory for the sizes that people have.
BUDGET = 2 * 10**9


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


class Fold(NamedTuple):
    """Positions to train and to validate on."""

    train: Tensor
    validation: Tensor


def requested(choices: dict[str, Any]) -> Recipe:
    """The recipe of a sweep: what has several values or a range becomes an axis, the rest stays as it is.

    Raises UsageError for axes that cannot be, before anything is made.
    """
    axes = [parse_axis(name, value) for name, value in choices.items() if _is_axis(name, value)]
    if not axes:
        raise UsageError("a sweep needs an option with several values or a range: --learning-rate 1e-4:1e-1:log")
    fixed = {name: value for name, value in choices.items() if name not in {axis.name for axis in axes}}
    vary = [f"{axis.name}={axis_text(axis)}" for axis in axes]
    ranges = any(":" in line for line in vary)
    if not ranges and "sampler" not in choices:
        fixed["sampler"] = "grid"
    made = recipe({**fixed, "kind": "sweep", "vary": vary})
    if ranges and not made.members:
        raise UsageError("members: a range has no end of settings; say how many to try, like --members 64")
    check_axes(axes, made)
    return made


def axes_of(recipe: Recipe) -> list[Axis]:
    """The axes that a sweep's recipe names."""
    return [parse_axis(name, option) for name, _, option in (line.partition("=") for line in recipe.vary)]


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
    tested = _final(run, prepared, best, math.ceil(found.epochs[ranked[0]].mean()), at)
    return {
        "run": str(run.folder),
        "model": str(run.folder / "model.tenfold"),
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
        "table": [{"member": k, "settings": found.candidates[k], **_scored(summary, k)} for k in ranked],
        "runs_each": summary.runs,
        "failed": int(np.isnan(found.scores).sum()),
        "populations": found.populations,
        "seconds": run.saver.elapsed(),
        "notes": run.about["notes"],
        "warnings": [*run.about["warnings"], *(edge.sentence for edge in edges(axes, best))],
    }


def _is_axis(name: str, value: Any) -> bool:
    """Whether a field was given several values or a range; a plain list of widths is one shape of hidden layers."""
    if isinstance(value, str):
        return name not in TEXTS and bool(set(",:") & set(value))
    several = isinstance(value, list | tuple) and name != "vary"
    return several and (name != "hidden" or any(isinstance(shape, list | tuple | str) for shape in value))


def _value(prepared: Prepared, candidate: dict[str, Any], name: str) -> Any:
    return candidate.get(name, getattr(prepared.recipe, name))


def _filled(prepared: Prepared, candidate: dict[str, Any]) -> dict[str, Any]:
    """A candidate's settings as those of a member: the numbers that every member names among them."""
    return {name: _value(prepared, candidate, name) for name in dict.fromkeys((*NEEDED, *candidate))}


def _search(run: Run, prepared: Prepared, axes: Sequence[Axis]) -> Searched:
    """Ask for candidates in rounds and train them."""
    own, folds = prepared.recipe, _folds(prepared)
    sample, width = find("samplers", own.sampler), math.ceil(own.members / own.rounds)
    candidates: list[dict[str, Any]] = []
    measured: list[NDArray[np.float64]] = []
    populations: list[str] = []
    for number in range(own.rounds):
        told = [(c, _told(row)) for c, row in zip(candidates, _joined(measured), strict=True)]
        count = min(width, own.members - len(candidates)) if own.members else 0
        new = decide(run.folder, f"round {number}", partial(sample, axes, count, own.seed, number, told))
        planned = _plan(prepared, new)
        populations += sentences(planned)
        for line in sentences(planned):
            run.watch(Event("", 0, 0, 0, float("nan"), "", float("nan"), line))
        measured.append(_trained(run, prepared, planned, new, folds, run.folder / "units" / f"{number:02}"))
        candidates += new
    scores, losses, epochs = np.moveaxis(_joined(measured), -1, 0)
    return Searched(candidates, scores, losses, epochs, populations)


def _joined(measured: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """All rounds together, (K, folds, repeats, 3)."""
    return np.concatenate(measured) if measured else np.zeros((0, 1, 1, 3))


def _told(row: NDArray[np.float64]) -> float | None:
    """Mean score of a candidate (folds, repeats, 3), None where a run failed."""
    mean = float(row[..., 0].mean())
    return mean if math.isfinite(mean) else None


def _plan(prepared: Prepared, candidates: Sequence[dict[str, Any]]) -> Plan:
    own, inputs = prepared.recipe, len(prepared.parts["train"].factor)
    classes, seeds = len(prepared.dataset.class_names), range(own.seed, own.seed + own.repeats)
    return plan(own, candidates, inputs, classes, max(1, own.folds), seeds, BUDGET)


def _folds(prepared: Prepared) -> list[Fold]:
    """The validation part, or k folds of it and the training part together; duplicates stay together."""
    train, validation = (prepared.parts[part].rows.cpu() for part in ("train", "validation"))
    own, data = prepared.recipe, prepared.dataset
    if not own.folds:
        return [Fold(train, validation)]
    pool = torch.cat((train, validation)).sort().values
    groups = group_ids(len(data.labels), groups_of(prepared.found) if prepared.found else [])
    held = folds_of(data.labels.numpy(), pool.numpy(), own.folds, own.seed, groups, data.class_names)
    return [Fold(pool[~torch.isin(pool, torch.from_numpy(rows))], torch.from_numpy(rows)) for rows in held]


def _trained(
    run: Run, prepared: Prepared, planned: Plan, candidates: Sequence[dict[str, Any]], folds: list[Fold], place: Path
) -> NDArray[np.float64]:
    """Score, loss and epochs of every candidate in every fold and repeat, (K, folds, repeats, 3)."""
    shape = (len(candidates), planned.folds, planned.seeds, 3)
    measured = np.full(shape, np.nan)
    for number, unit in enumerate(planned.units):
        folder = place / f"{number:04}"
        outcome = done(folder) or _train(run, prepared, unit, candidates, folds, folder)
        repeat = 0 if "seed" in unit.shared else unit.seed - prepared.recipe.seed
        for entry in outcome["members"]:
            numbers = (entry.get(name) for name in ("score", "loss", "epoch"))
            measured[entry["candidate"], unit.fold, repeat] = [np.nan if n is None else n for n in numbers]
    return measured


def _train(
    run: Run, prepared: Prepared, unit: Unit, candidates: Sequence[dict[str, Any]], folds: list[Fold], folder: Path
) -> dict[str, Any]:
    own = _own(prepared, unit)
    fold = parts(own, prepared.dataset, folds[unit.fold]._asdict(), run.device)
    return train_unit(run, own, unit, candidates, fold, folder)


def _own(prepared: Prepared, unit: Unit) -> Recipe:
    """The recipe of one unit."""
    shared = {name: tuple(v) if isinstance(v, list) else v for name, v in unit.shared.items()}
    return prepared.recipe.model_copy(update={**shared, "seed": unit.seed, "kind": "train"})


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
    final = run._replace(parts=parts(own, prepared.dataset, rows, run.device), about=about)
    model = built(own, len(final.parts["train"].factor), len(about["class_names"]))
    steps = own.iterations or epochs * per_epoch(final, own)
    stage = Stage(FINAL, own, model, (_filled(prepared, plain),), steps)
    at = train_stage(final, stage, at or fresh(final, stage))
    save_winner(final, stage, at, run.folder / "models" / f"{FINAL}.tenfold")
    promote(run.folder, FINAL)
    return score(final, "test", [FINAL]).metrics[FINAL]
