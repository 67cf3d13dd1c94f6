"""The populations of a sweep: which images each trains on, and the training of one in a folder of its own.

A unit's folder holds its metrics.csv, its checkpoints while it trains, and outcome.json when it is done, which is all
that the sweep reads: it can be killed, resumed, and done by another process.
"""

__all__ = ["NEEDED", "Fold", "done", "folds", "planned", "tidy", "train_in", "train_unit", "unit_folder", "unit_stage"]

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tenfold.data.audit import groups_of
from tenfold.data.duplicates import group_ids
from tenfold.engine.population import built
from tenfold.files import read_json, write_json, write_text
from tenfold.recipe import Recipe
from tenfold.runs.checkpoint import load_checkpoint
from tenfold.runs.folder import COLUMNS, truncate
from tenfold.runs.outcome import assess
from tenfold.runs.prepare import Prepared, parts
from tenfold.runs.run import Run, Stage, per_epoch
from tenfold.runs.saving import Progress, Saver, restored
from tenfold.runs.stage import fresh, train_stage
from tenfold.search.folds import folds as folds_of
from tenfold.search.halving import halving
from tenfold.search.planner import Plan, Unit, plan

NEEDED = ("loss", "learning_rate", "l2")
"""What the settings of every member name."""
# Bytes that one population may take beside the images: DESIGN's bound of memory for the sizes that people have.
BUDGET = 2 * 10**9


class Fold(NamedTuple):
    """Positions to train and to validate on."""

    train: Tensor
    validation: Tensor


def planned(prepared: Prepared, candidates: Sequence[dict[str, Any]]) -> Plan:
    """The populations of these candidates in every fold and repeat."""
    own, inputs = prepared.recipe, len(prepared.parts["train"].factor)
    classes, seeds = len(prepared.dataset.class_names), range(own.seed, own.seed + own.repeats)
    return plan(own, candidates, inputs, classes, max(1, own.folds), seeds, BUDGET)


def folds(prepared: Prepared) -> list[Fold]:
    """The validation part, or k folds of it and the training part together; duplicates stay together."""
    train, validation = (prepared.parts[part].rows.cpu() for part in ("train", "validation"))
    own, data = prepared.recipe, prepared.dataset
    if not own.folds:
        return [Fold(train, validation)]
    pool = torch.cat((train, validation)).sort().values
    groups = group_ids(len(data.labels), groups_of(prepared.found) if prepared.found else [])
    held = folds_of(data.labels.numpy(), pool.numpy(), own.folds, own.seed, groups, data.class_names)
    return [Fold(pool[~torch.isin(pool, torch.from_numpy(rows))], torch.from_numpy(rows)) for rows in held]


def unit_folder(folder: Path, number: int, index: int) -> Path:
    """Where the unit of that index in that round of a sweep lies. folder: of the run."""
    return folder / "units" / f"{number:02}" / f"{index:04}"


def done(folder: Path) -> dict[str, Any] | None:
    """What a unit left, None where it is not finished. A FileError where the file is damaged."""
    path = folder / "outcome.json"
    return dict(read_json(path, "members")) if path.exists() else None


def train_unit(
    run: Run, prepared: Prepared, unit: Unit, candidates: Sequence[Mapping[str, Any]], fold: Fold, folder: Path
) -> dict[str, Any]:
    """Train a unit from its start, or from where a checkpoint stood; writes and returns its outcome."""
    own, stage = unit_stage(run._replace(folder=folder), prepared, unit, candidates, fold)
    own, at = train_in(own, stage)
    outcome = {"members": _members(own, stage, at, unit), "steps": at.state.step, "seconds": own.saver.elapsed()}
    write_json(folder / "outcome.json", outcome)
    tidy(folder)
    return outcome


def train_in(run: Run, stage: Stage) -> tuple[Run, Progress]:
    """Train a stage in a folder of its own, run.folder, from its start or from where a checkpoint there stood.

    Returns the run with the saver of that folder, and where the stage ended. Its checkpoints stay until `tidy`.
    """
    folder = run.folder
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "metrics.csv").exists():
        write_text(folder / "metrics.csv", ",".join(COLUMNS) + "\n")
    number, checkpoint, _ = load_checkpoint(folder / "checkpoints")
    notes: dict[str, Any] = checkpoint.notes if checkpoint else {"elapsed": 0.0, "metrics": 0}
    truncate(folder, notes["metrics"])
    own = run._replace(saver=Saver(folder, number, [], notes["elapsed"]))
    return own, train_stage(own, stage, restored(checkpoint, run.device) if checkpoint else fresh(own, stage))


def tidy(folder: Path) -> None:
    """Remove what only a stage that was not finished needs."""
    for litter in (*(folder / "checkpoints").glob("*.tenfold"), folder / "model.tenfold"):
        litter.unlink(missing_ok=True)
    with suppress(OSError):  # it may hold what a process that was killed had begun to write
        (folder / "checkpoints").rmdir()


def unit_stage(
    run: Run, prepared: Prepared, unit: Unit, candidates: Sequence[Mapping[str, Any]], fold: Fold
) -> tuple[Run, Stage]:
    """The stage of a unit, and the run with the parts of its fold."""
    recipe = _own(prepared, unit)
    own = run._replace(parts=parts(recipe, prepared.seen, fold._asdict(), run.device))
    return own, _stage(own, recipe, unit, candidates)


def _own(prepared: Prepared, unit: Unit) -> Recipe:
    """The recipe of one unit."""
    shared = {name: tuple(v) if isinstance(v, list) else v for name, v in unit.shared.items()}
    return prepared.recipe.model_copy(update={**shared, "seed": unit.seed, "kind": "train"})


def _stage(run: Run, recipe: Recipe, unit: Unit, candidates: Sequence[Mapping[str, Any]]) -> Stage:
    base = {name: getattr(recipe, name) for name in NEEDED}
    settings = tuple({**base, **candidates[member]} for member in unit.members)
    model = built(recipe, len(run.parts["train"].factor), len(run.about["class_names"]))
    updates = per_epoch(run, recipe)
    steps = recipe.iterations or recipe.epochs * updates
    validations = max(1, steps // (recipe.evaluate_every or updates))
    keep = halving(len(settings), validations, recipe.halving).keep if recipe.halving else {}
    return Stage(run.folder.name, recipe, model, settings, steps, keep)


def _members(run: Run, stage: Stage, at: Progress, unit: Unit) -> list[dict[str, Any]]:
    """One entry for each candidate of the unit: its scores on the validation part, or those it was dropped with."""
    rows = range(len(at.tally["member"]))
    entries = {}
    for entry in assess(run, stage, at, rows, ("validation",)):
        scores = entry["validation"]
        entries[entry["member"]] = {
            "score": scores[stage.recipe.metric],
            **scores,
            "failed": entry["failed"],
            "epoch": entry["best_step"] / per_epoch(run, stage.recipe),
            "weights_sha256": entry["weights_sha256"],
        }
    for member, score in at.dropped.items():
        finite = score if np.isfinite(score) else None
        entries[int(member)] = {"score": finite, "dropped": True, "failed": at.failed.get(member)}
    return [{"candidate": candidate, **entries[k]} for k, candidate in enumerate(unit.members)]
