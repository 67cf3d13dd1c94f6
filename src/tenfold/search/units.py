"""Units of a sweep: the images that each population trains on, and its training in a folder of its own.

A unit's folder holds its metrics.csv, its checkpoints while it trains, and outcome.json when it is done, which is all
that the sweep reads: it can be killed, resumed, and done by another process.
"""

__all__ = [
    "NEEDED",
    "Fold",
    "UnitMember",
    "UnitOutcome",
    "folds",
    "outcome_of",
    "planned",
    "tidy",
    "train_in",
    "train_unit",
    "unit_folder",
    "unit_stage",
]

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tenfold.data.audit import groups_of
from tenfold.data.duplicates import group_ids
from tenfold.files import from_json, read_json, write_json, write_text
from tenfold.recipe import Recipe, Settings
from tenfold.runs.checkpoint import Progress, Saver, load_checkpoint, restored
from tenfold.runs.folder import columns_of, truncate
from tenfold.runs.outcome import assess
from tenfold.runs.prepare import Prepared, parts
from tenfold.runs.result import ExactScores, Failure
from tenfold.runs.run import Run, Stage, per_epoch, stage_of, steps_of
from tenfold.runs.stage import fresh, train_stage
from tenfold.search.folds import folds as folds_of
from tenfold.search.halving import halving
from tenfold.search.planner import Plan, Unit, plan
from tenfold.trained.metrics import SPARSE

NEEDED = ("loss", "learning_rate", "l2")
"""Fields that the settings of every member name."""
# Bytes that one population may take beside the images: DESIGN's bound of memory for the sizes that people have.
BUDGET = 2 * 10**9


class Fold(NamedTuple):
    """Positions to train and to validate on."""

    train: Tensor
    validation: Tensor


@dataclass(frozen=True)
class UnitMember:
    """A member of a unit in outcome.json. candidate: its number; score: by the sweep's metric; epoch: of its weights.

    A member that halving dropped has the score that it was dropped with, and no other numbers.
    """

    candidate: int
    score: float | None = None
    loss: float | None = field(default=None, metadata=SPARSE)
    cost: float | None = field(default=None, metadata=SPARSE)
    accuracy: float | None = field(default=None, metadata=SPARSE)
    macro_f1: float | None = field(default=None, metadata=SPARSE)
    dropped: bool | None = field(default=None, metadata=SPARSE)
    failed: Failure | None = None
    epoch: float | None = field(default=None, metadata=SPARSE)
    weights_sha256: str | None = field(default=None, metadata=SPARSE)


@dataclass(frozen=True)
class UnitOutcome:
    """A finished unit in outcome.json."""

    members: tuple[UnitMember, ...]
    steps: int = 0
    seconds: float = 0.0


def planned(prepared: Prepared, candidates: Sequence[Settings]) -> Plan:
    """Plan the populations of these candidates in every fold and repeat."""
    recipe, image_shape = prepared.recipe, prepared.parts["train"].image_shape
    classes, seeds = len(prepared.dataset.class_names), range(recipe.seed, recipe.seed + recipe.repeats)
    return plan(recipe, candidates, image_shape, classes, max(1, recipe.folds), seeds, BUDGET)


def folds(prepared: Prepared) -> list[Fold]:
    """Return the validation part, or k folds of it and the training part together; duplicates stay together."""
    train, validation = (prepared.parts[part].rows.cpu() for part in ("train", "validation"))
    recipe, data = prepared.recipe, prepared.dataset
    if not recipe.folds:
        return [Fold(train, validation)]
    pool = torch.cat((train, validation)).sort().values
    bound = groups_of(prepared.audit) if prepared.audit else []
    groups = group_ids(len(data.labels), bound)
    held = folds_of(data.labels.numpy(), pool.numpy(), recipe.folds, recipe.seed, groups, data.class_names)
    return [Fold(pool[~torch.isin(pool, torch.from_numpy(rows))], torch.from_numpy(rows)) for rows in held]


def unit_folder(folder: Path, number: int, index: int) -> Path:
    """Return the folder of the unit of that index in that round of a sweep. folder: of the run."""
    return folder / "units" / f"{number:02}" / f"{index:04}"


def outcome_of(folder: Path) -> UnitOutcome | None:
    """Read the outcome of a unit, None where it is not finished. A FileError where the file is damaged."""
    path = folder / "outcome.json"
    return from_json(UnitOutcome, read_json(path, "members"), path) if path.exists() else None


def train_unit(
    run: Run, prepared: Prepared, unit: Unit, candidates: Sequence[Settings], fold: Fold, folder: Path
) -> UnitOutcome:
    """Train a unit from its start, or from where a checkpoint stood; write and return its outcome."""
    unit_run, stage = unit_stage(run._replace(folder=folder), prepared, unit, candidates, fold)
    unit_run, progress = train_in(unit_run, stage)
    members = _members(unit_run, stage, progress, unit)
    outcome = UnitOutcome(members, progress.state.step, unit_run.saver.elapsed())
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
        write_text(folder / "metrics.csv", ",".join(columns_of(stage.recipe)) + "\n")
    number, checkpoint, _ = load_checkpoint(folder / "checkpoints")
    truncate(folder, checkpoint.notes["metrics"] if checkpoint else 0)
    saver = Saver(folder, number, before=checkpoint.notes["elapsed"] if checkpoint else 0.0)
    placed = run._replace(saver=saver)
    return placed, train_stage(placed, stage, restored(checkpoint, run.device) if checkpoint else fresh(placed, stage))


def tidy(folder: Path) -> None:
    """Remove what only a stage that was not finished needs."""
    for litter in (*(folder / "checkpoints").glob("*.tenfold"), folder / "model.tenfold"):
        litter.unlink(missing_ok=True)
    with suppress(OSError):  # it may hold what a process that was killed had begun to write
        (folder / "checkpoints").rmdir()


def unit_stage(
    run: Run, prepared: Prepared, unit: Unit, candidates: Sequence[Settings], fold: Fold
) -> tuple[Run, Stage]:
    """Return the stage of a unit, and the run with the parts of its fold."""
    recipe = _recipe(prepared, unit)
    folded = run._replace(parts=parts(recipe, prepared.seen, fold._asdict(), run.device))
    base = {name: getattr(recipe, name) for name in NEEDED}
    settings = [{**base, **candidates[member]} for member in unit.members]
    validations = max(1, steps_of(folded, recipe) // (recipe.evaluate_every or per_epoch(folded, recipe)))
    keep = halving(len(settings), validations, recipe.halving).keep if recipe.halving else {}
    return folded, stage_of(folded, run.folder.name, recipe, settings, keep=keep)


def _recipe(prepared: Prepared, unit: Unit) -> Recipe:
    """Return the recipe of one unit."""
    shared = {name: tuple(v) if isinstance(v, list) else v for name, v in unit.shared.items()}
    return prepared.recipe.model_copy(update={**shared, "seed": unit.seed, "kind": "train"})


def _members(run: Run, stage: Stage, progress: Progress, unit: Unit) -> tuple[UnitMember, ...]:
    """Return a member for each candidate of the unit, with the scores that it has or was dropped with."""
    members: dict[int, UnitMember] = {}
    for result in assess(run, stage, progress, range(len(progress.tally["member"])), ("validation",)):
        exact = result.validation or ExactScores()
        members[result.member] = UnitMember(
            unit.members[result.member],
            getattr(exact, stage.recipe.metric),
            exact.loss,
            exact.cost,
            exact.accuracy,
            exact.macro_f1,
            failed=result.failed,
            epoch=result.best_step / per_epoch(run, stage.recipe),
            weights_sha256=result.weights_sha256,
        )
    for word, score in progress.dropped.items():
        finite, failed = score if np.isfinite(score) else None, progress.failed.get(word)
        members[int(word)] = UnitMember(unit.members[int(word)], finite, dropped=True, failed=failed)
    return tuple(members[k] for k in range(len(unit.members)))
