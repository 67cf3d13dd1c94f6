"""Trials of a reported table: every run with every seed. Stale trials are trained, whole populations at once.

A trial is one run with one seed. Its measurements lie in trials/KEY.json, where KEY is a digest of all that it depends
on: data, resolved recipe, the parts and moments that are measured, and code. A trial whose file is there is not trained
again.
"""

__all__ = ["TableTrial", "digest_of_code", "grouped", "model_of", "record_of", "stage_of", "train_group", "trial"]

import csv
import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tenfold.data.batches import Part
from tenfold.data.types import Dataset
from tenfold.engine.arrays import rows as rows_of
from tenfold.errors import FileError
from tenfold.files import from_json, read_json, write_json
from tenfold.recipe import VARYING, Recipe
from tenfold.reproduce.records import Numbers, TrialRecord
from tenfold.runs.checkpoint import Progress
from tenfold.runs.events import Event
from tenfold.runs.interrupts import Interrupts
from tenfold.runs.losses import kept
from tenfold.runs.outcome import save_member
from tenfold.runs.prepare import prepare
from tenfold.runs.run import Run, Stage, opened_run, per_epoch, population_of, steps_of
from tenfold.runs.run import stage_of as stage_of_run
from tenfold.runs.stage import measured
from tenfold.search.units import NEEDED, tidy, train_in

# Keys of every record.
RECORDED = ("run", "key", "seed", "moments", "failed", "shares", "images", "curves", "seconds")
# The code that a measured number depends on; a change elsewhere leaves it as it is.
MEASURING = (
    *("engine", "data", "trained", "runs", "search"),
    *("recipe.py", "choices.py", "rooms.py", "seeds.py", "files.py"),
)


class TableTrial(NamedTuple):
    """One run of a table with one seed; run: "" for another way of one.

    moments: "last", "best" or a number of epochs -> parts that are measured then.
    """

    run: str
    recipe: Recipe
    moments: dict[str, tuple[str, ...]]
    key: str


def trial(run: str, recipe: Recipe, moments: Mapping[str, set[str]], fingerprint: str) -> TableTrial:
    """Make a trial with its key. fingerprint: of the data."""
    parts_at = {moment: tuple(sorted(parts)) for moment, parts in sorted(moments.items())}
    stamps = {"data": fingerprint, "code": digest_of_code()}
    cause = {"run": run, "recipe": recipe.model_dump(), "measured": parts_at, **stamps}
    return TableTrial(run, recipe, parts_at, digest(cause))


def digest(cause: Any) -> str:
    """Return a short SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(cause, sort_keys=True).encode()).hexdigest()[:20]


@cache
def digest_of_code() -> str:
    """Return the SHA-256 over the package's modules that a number depends on."""
    root, code = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] in MEASURING:
            code.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return code.hexdigest()


def record_of(folder: Path, trial: TableTrial) -> TrialRecord | None:
    """Return the record of a trial, None where it is stale. folder: of the reproduction."""
    return read_record(folder, trial) if (folder / "trials" / f"{trial.key}.json").exists() else None


def read_record(folder: Path, trial: TableTrial) -> TrialRecord:
    """Read the record of a trial. Raises FileError that names a file that is damaged, gone or another trial's."""
    path = folder / "trials" / f"{trial.key}.json"
    try:
        record = from_json(TrialRecord, read_json(path, *RECORDED), path)
        whole = (record.key, record.seed, record.run) == (trial.key, trial.recipe.seed, trial.run)
        for moment, parts in trial.moments.items():
            for part in parts:
                numbers = record.moments[moment][part]
                whole &= numbers is None or isinstance(numbers["accuracy"], float | int)
    except (FileError, KeyError, TypeError, ValueError) as error:
        if not path.exists():
            raise
        raise FileError(f"{path}: damaged ({error}); delete it, and the same command measures it again") from None
    if not whole:
        raise FileError(f"{path}: belongs to another trial; delete it, and the same command measures this one again")
    return record


def grouped(trials: Sequence[TableTrial]) -> list[list[TableTrial]]:
    """Group trials that train as one population: they differ only in what may vary inside one, and are no twins."""
    groups: dict[str, list[TableTrial]] = {}
    for one in {t.key: t for t in trials}.values():
        shared = {name: value for name, value in one.recipe.model_dump().items() if name not in VARYING}
        groups.setdefault(json.dumps(shared, sort_keys=True), []).append(one)
    # Members of one loss side by side, as a population wants them.
    return [sorted(group, key=lambda t: str(t.recipe.loss)) for group in groups.values()]


def _place(folder: Path, group: Sequence[TableTrial]) -> Path:
    """Return the folder that a population trains in."""
    return folder / "training" / digest([one.key for one in group])


def train_group(
    folder: Path,
    group: Sequence[TableTrial],
    dataset: Dataset,
    interrupts: Interrupts,
    watch: Callable[[Event], None],
) -> None:
    """Train one population, from its checkpoint if there is one, and write the record of each trial."""
    place = _place(folder, group)
    place.mkdir(parents=True, exist_ok=True)

    start = time.monotonic()
    prepared = prepare(group[0].recipe, place, "", watch, dataset=dataset)
    run = opened_run(place, prepared, interrupts=interrupts, watch=watch)
    stage = stage_of(run, group)
    before = time.monotonic() - start
    trained, progress = train_in(run, stage)
    seconds = (before + trained.saver.elapsed()) / len(group)
    records = [
        _record(trained, stage, progress, row, group[k], seconds)
        for row, k in enumerate(progress.tally["member"].tolist())
    ]
    with interrupts.patient():  # all of them, or what is left would be another population
        for row, (record, k) in enumerate(zip(records, progress.tally["member"].tolist(), strict=True)):
            one = group[k]
            if one.run and one.recipe.seed == 0 and not record.failed:
                _save(trained, stage, progress, row, one, model_of(folder, one.key))
            write_json(folder / "trials" / f"{one.key}.json", record)
    tidy(place)
    (place / "features.tenfold").unlink(missing_ok=True)


def model_of(folder: Path, key: str) -> Path:
    """Return the path of a trial's model; only trials of the first seed that did not fail have one."""
    return folder / "models" / f"{key}.tenfold"


def _record(run: Run, stage: Stage, progress: Progress, row: int, one: TableTrial, seconds: float) -> TrialRecord:
    """Measure a trial, and record what it takes to judge it."""
    member = int(progress.tally["member"][row])
    moments = {name: _moment(run, stage, progress, row, name, parts) for name, parts in one.moments.items()}
    return TrialRecord(
        run=one.run,
        key=one.key,
        seed=one.recipe.seed,
        moments=moments,
        failed=progress.failed.get(str(member)),
        shares={name: _shares(part, stage.model.classes) for name, part in run.parts.items()},
        images={name: len(part.rows) for name, part in run.parts.items()},
        steps=max(int(progress.state.status[row]), 0) or progress.state.step,
        curves=_curves(run.folder, member),
        losses=_losses(progress, row),
        seconds=seconds,
    )


def _save(run: Run, stage: Stage, progress: Progress, row: int, one: TableTrial, path: Path) -> None:
    """Save the model that a trial ends with: its last weights, whatever another of its population asked for."""
    if not one.recipe.patience:
        progress = progress._replace(
            best={},
            tally={**progress.tally, "best_step": torch.full_like(progress.tally["best_step"], progress.state.step)},
        )
    save_member(run, stage._replace(recipe=one.recipe), progress, row, path)


def stage_of(run: Run, group: Sequence[TableTrial]) -> Stage:
    """Make the stage of a population of trials. run: with the parts of their recipe."""
    recipe = group[0].recipe
    if any("best" in one.moments for one in group) and not recipe.patience:
        # The weights of the best validation are kept where there is patience; this much never runs out.
        recipe = recipe.model_copy(update={"patience": 10**9})
    updates = per_epoch(run, recipe)
    steps = steps_of(run, recipe)
    varied = [name for name in VARYING if len({getattr(one.recipe, name) for one in group}) > 1]
    settings = tuple({n: getattr(one.recipe, n) for n in dict.fromkeys((*NEEDED, *varied))} for one in group)
    measure: dict[int, set[str]] = {}
    for one in group:
        for moment, parts in one.moments.items():
            if moment not in ("last", "best"):
                measure.setdefault(_step(moment, updates, steps), set()).update(set(parts) - {"running"})
    ordered = {step: tuple(sorted(parts)) for step, parts in measure.items()}
    runs = list(dict.fromkeys(one.run for one in group))
    name = runs[0] or f"{len(group)} other ways"
    name += f" and {len(runs) - 1} more" if len(runs) > 1 else ""
    return stage_of_run(run, f"{name} (seed {recipe.seed})", recipe, settings, measure=ordered)


def _step(moment: str, updates: int, steps: int) -> int:
    """Return the update after which a number of epochs is over; the last one, where the run is shorter."""
    return min(steps, max(1, round(float(moment) * updates)))


def _moment(
    run: Run, stage: Stage, progress: Progress, row: int, moment: str, parts: Sequence[str]
) -> dict[str, Numbers | None]:
    """Measure a moment: metrics by part, None where the member had failed by then."""
    member = int(progress.tally["member"][row])
    step = {"best": int(progress.tally["best_step"][row]), "last": progress.state.step}.get(moment, -1)
    if step < 0:
        step = _step(moment, per_epoch(run, stage.recipe), stage.steps)
    kept = progress.measured.get(str(step), {}) if moment not in ("last", "best") else {}
    # What failed has the weights of its best validation, if there was one, and what was measured before.
    if str(member) in progress.failed and not kept and not (moment == "best" and step):
        return dict.fromkeys(parts)
    params = rows_of(progress.best if moment == "best" else progress.state.params, torch.tensor([row]))
    alone = population_of(run, stage, [stage.settings[member]])
    numbers: dict[str, Numbers | None] = {}
    for part in parts:
        if part == "running":
            numbers[part] = _running(run.folder, member, step)
        elif kept:
            numbers[part] = kept[part].get(str(member))
        else:
            numbers[part] = measured(run, alone, params, part)[0]
    return numbers


def _running(folder: Path, member: int, step: int) -> Numbers | None:
    """Return running means over the steps since the validation before, at the last validation up to this step."""
    last = [row for row in _rows(folder, member) if int(row["step"]) <= step][-1]
    numbers = {name: float(last[f"train_{name}"] or "nan") for name in ("loss", "cost", "accuracy")}
    return numbers if math.isfinite(numbers["loss"]) else None


def _curves(folder: Path, member: int) -> dict[str, list[float | None]]:
    """Return the columns of metrics.csv of one member."""
    rows = _rows(folder, member)
    names = [name for name in (rows[0] if rows else {}) if name not in ("rung", "member")]
    return {name: [float(row[name]) if row[name] else None for row in rows] for name in names}


def _losses(progress: Progress, row: int) -> dict[str, list[float | None]]:
    """Return the kept losses of one member and their steps."""
    if "losses" not in progress.tally:
        return {}
    steps, losses = kept(progress.tally["losses"][[row]], progress.state.step)
    shown = [float(f"{loss:.6g}") if math.isfinite(loss) else None for loss in losses[0].tolist()]
    return {"step": steps.tolist(), "loss": shown}


def _rows(folder: Path, member: int) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["member"]) == member]


def _shares(part: Part, classes: int) -> list[float]:
    """Return the share of each class in a part."""
    counts = torch.bincount(part.labels[part.rows].cpu(), minlength=classes)
    return (counts / len(part.rows)).tolist()
