"""One population of a sweep, trained in a folder of its own: it can be killed, resumed, and done by another process.

A unit's folder holds its metrics.csv, its checkpoints while it trains, and outcome.json when it is done, which is all
that the sweep reads.
"""

__all__ = ["done", "train_unit"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.batches import Part
from tenfold.checkpoint import load_checkpoint
from tenfold.outcomes import assess
from tenfold.population import built
from tenfold.recipe import Recipe
from tenfold.results import COLUMNS, read_json, truncate, write_json
from tenfold.running import fresh, train_stage
from tenfold.saving import Progress, Saver, restored
from tenfold.search.halving import halving
from tenfold.search.planner import Unit
from tenfold.stages import Run, Stage, per_epoch
from tenfold.tensorfile import write_text

NEEDED = ("loss", "learning_rate", "l2")


def done(folder: Path) -> dict[str, Any] | None:
    """What a unit left, None where it is not finished. A FileError where the file is damaged."""
    path = folder / "outcome.json"
    return dict(read_json(path, "members")) if path.exists() else None


def train_unit(
    run: Run, recipe: Recipe, unit: Unit, candidates: Sequence[Mapping[str, Any]], parts: dict[str, Part], folder: Path
) -> dict[str, Any]:
    """Train a unit from its start, or from where a checkpoint stood; writes and returns its outcome.

    recipe: the sweep's, with the unit's own shared fields and seed. parts: those of its fold, "train" and "validation".
    """
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "metrics.csv").exists():
        write_text(folder / "metrics.csv", ",".join(COLUMNS) + "\n")
    number, checkpoint, _ = load_checkpoint(folder / "checkpoints")
    notes: dict[str, Any] = checkpoint.notes if checkpoint else {"elapsed": 0.0, "metrics": 0}
    own = run._replace(folder=folder, parts=parts, saver=Saver(folder, number, [], notes["elapsed"]))
    truncate(folder, notes["metrics"])
    stage = _stage(own, recipe, unit, candidates)
    at = train_stage(own, stage, restored(checkpoint, run.device) if checkpoint else fresh(own, stage))
    outcome = {"members": _members(own, stage, at, unit), "steps": at.state.step, "seconds": own.saver.elapsed()}
    write_json(folder / "outcome.json", outcome)
    for litter in (*(folder / "checkpoints").glob("*.tenfold"), folder / "model.tenfold"):
        litter.unlink(missing_ok=True)
    return outcome


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
