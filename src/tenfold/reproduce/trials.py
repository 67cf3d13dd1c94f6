"""The runs of a reported table, each with several seeds: what is stale is trained, whole populations at once.

A trial is one run with one seed. What it measured lies in trials/KEY.json, where KEY is a digest of all that it depends
on: data, resolved recipe, which parts are measured when, and code. A trial whose file is there is not trained again.
"""

__all__ = ["Trial", "digest_of_code", "grouped", "model_of", "record_of", "stage_of", "train_group", "trial"]

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
from tenfold.files import read_json, write_json
from tenfold.recipe import VARYING, Recipe
from tenfold.runs.checkpoint import Progress
from tenfold.runs.events import Event, line
from tenfold.runs.interrupts import Interrupts
from tenfold.runs.outcome import save_member
from tenfold.runs.prepare import prepare
from tenfold.runs.run import Run, Stage, opened_run, per_epoch, population_of, steps_of
from tenfold.runs.run import stage_of as stage_of_run
from tenfold.runs.stage import measured
from tenfold.search.units import NEEDED, tidy, train_in

# What every record has.
RECORDED = ("run", "key", "seed", "moments", "failed", "shares", "images", "curves", "seconds")
# The code that a measured number depends on; a change elsewhere leaves it as it is.
MEASURING = (
    *("engine", "data", "trained", "runs", "search"),
    *("recipe.py", "choices.py", "rooms.py", "seeds.py", "files.py"),
)


class Trial(NamedTuple):
    """One run of a table with one seed; run: "" for another way of one.

    moments: "last", "best" or a number of epochs -> parts that are measured then.
    """

    run: str
    recipe: Recipe
    moments: dict[str, tuple[str, ...]]
    key: str


def trial(run: str, recipe: Recipe, moments: Mapping[str, set[str]], fingerprint: str) -> Trial:
    """A trial with its key. fingerprint: of the data."""
    asked = {moment: tuple(sorted(parts)) for moment, parts in sorted(moments.items())}
    known = {"data": fingerprint, "code": digest_of_code()}
    cause = {"run": run, "recipe": recipe.model_dump(), "measured": asked, **known}
    return Trial(run, recipe, asked, digest(cause))


def digest(cause: Any) -> str:
    """A short SHA-256 of plain values."""
    return hashlib.sha256(json.dumps(cause, sort_keys=True).encode()).hexdigest()[:20]


@cache
def digest_of_code() -> str:
    """SHA-256 over the package's modules that a number depends on."""
    root, found = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] in MEASURING:
            found.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return found.hexdigest()


def record_of(folder: Path, trial: Trial) -> dict[str, Any] | None:
    """What a trial measured, None where it is stale. folder: of the reproduction."""
    return read_record(folder, trial) if (folder / "trials" / f"{trial.key}.json").exists() else None


def read_record(folder: Path, trial: Trial) -> dict[str, Any]:
    """What a trial measured; a FileError that names the file where it is damaged, gone or another's."""
    path = folder / "trials" / f"{trial.key}.json"
    try:
        record = dict(read_json(path, *RECORDED))
        whole = record["key"] == trial.key and record["seed"] == trial.recipe.seed and record["run"] == trial.run
        for moment, parts in trial.moments.items():
            for part in parts:
                numbers = record["moments"][moment][part]
                whole &= numbers is None or isinstance(numbers["accuracy"], float | int)
        float(record["seconds"])
    except (FileError, KeyError, TypeError, ValueError) as error:
        if not path.exists():
            raise
        raise FileError(f"{path}: damaged ({error}); delete it, and the same command measures it again") from None
    if not whole:
        raise FileError(f"{path}: is not of this trial; delete it, and the same command measures it again")
    return record


def grouped(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Trials that train as one population: they differ in nothing but what may vary inside one, and are no twins."""
    groups: dict[str, list[Trial]] = {}
    for one in {t.key: t for t in trials}.values():
        shared = {name: value for name, value in one.recipe.model_dump().items() if name not in VARYING}
        groups.setdefault(json.dumps(shared, sort_keys=True), []).append(one)
    # Members of one loss side by side, as a population wants them.
    return [sorted(group, key=lambda t: str(t.recipe.loss)) for group in groups.values()]


def _place(folder: Path, group: Sequence[Trial]) -> Path:
    """Folder that a population trains in."""
    return folder / "training" / digest([one.key for one in group])


def train_group(
    folder: Path,
    group: Sequence[Trial],
    dataset: Dataset,
    interrupts: Interrupts,
    watch: Callable[[Event], None],
) -> None:
    """Train one population, from where a checkpoint stood if there is one; write down what each trial measured."""
    place = _place(folder, group)
    place.mkdir(parents=True, exist_ok=True)

    start = time.monotonic()
    prepared = prepare(group[0].recipe, place, "", line(watch), dataset=dataset)
    run = opened_run(place, prepared, interrupts=interrupts, watch=watch)
    stage = stage_of(run, group)
    before = time.monotonic() - start
    own, at = train_in(run, stage)
    seconds = (before + own.saver.elapsed()) / len(group)
    records = [_record(own, stage, at, row, group[k], seconds) for row, k in enumerate(at.tally["member"].tolist())]
    with interrupts.patient():  # all of them, or what is left would be another population
        for row, (record, k) in enumerate(zip(records, at.tally["member"].tolist(), strict=True)):
            one = group[k]
            if one.run and one.recipe.seed == 0 and not record["failed"]:
                _save(own, stage, at, row, one, model_of(folder, one.key))
            write_json(folder / "trials" / f"{one.key}.json", record)
    tidy(place)
    (place / "features.tenfold").unlink(missing_ok=True)


def model_of(folder: Path, key: str) -> Path:
    """Where the model of a trial lies, if its run has one: those of the first seed do, but for those that failed."""
    return folder / "models" / f"{key}.tenfold"


def _record(run: Run, stage: Stage, at: Progress, row: int, one: Trial, seconds: float) -> dict[str, Any]:
    """What a trial measured, and what it takes to judge it."""
    member = int(at.tally["member"][row])
    return {
        "run": one.run,
        "key": one.key,
        "seed": one.recipe.seed,
        "moments": {moment: _moment(run, stage, at, row, moment, parts) for moment, parts in one.moments.items()},
        "failed": at.failed.get(str(member)),
        "shares": {name: _shares(part, stage.model.classes) for name, part in run.parts.items()},
        "images": {name: len(part.rows) for name, part in run.parts.items()},
        "steps": max(int(at.state.status[row]), 0) or at.state.step,
        "curves": _curves(run.folder, member),
        "seconds": seconds,
    }


def _save(run: Run, stage: Stage, at: Progress, row: int, one: Trial, path: Path) -> None:
    """The model that a trial ends with: its last weights, whatever another of its population asked for."""
    if not one.recipe.patience:
        at = at._replace(
            best={}, tally={**at.tally, "best_step": torch.full_like(at.tally["best_step"], at.state.step)}
        )
    save_member(run, stage._replace(recipe=one.recipe), at, row, path)


def stage_of(run: Run, group: Sequence[Trial]) -> Stage:
    """The stage of a population of trials. run: with the parts of their recipe."""
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
    """The update after which a number of epochs is over; the last one, where the run is shorter."""
    return min(steps, max(1, round(float(moment) * updates)))


def _moment(
    run: Run, stage: Stage, at: Progress, row: int, moment: str, parts: Sequence[str]
) -> dict[str, dict[str, Any] | None]:
    """Metrics by part at a moment; None where the member had failed by then."""
    member = int(at.tally["member"][row])
    step = {"best": int(at.tally["best_step"][row]), "last": at.state.step}.get(moment, -1)
    if step < 0:
        step = _step(moment, per_epoch(run, stage.recipe), stage.steps)
    kept = at.measured.get(str(step), {}) if moment not in ("last", "best") else {}
    # What failed has the weights of its best validation, if there was one, and what was measured before.
    if str(member) in at.failed and not kept and not (moment == "best" and step):
        return dict.fromkeys(parts)
    params = rows_of(at.best if moment == "best" else at.state.params, torch.tensor([row]))
    alone = population_of(run, stage, [stage.settings[member]])
    found: dict[str, dict[str, Any] | None] = {}
    for part in parts:
        if part == "running":
            found[part] = _running(run.folder, member, step)
        elif kept:
            found[part] = kept[part].get(str(member))
        else:
            found[part] = measured(run, alone, params, part)[0]
    return found


def _running(folder: Path, member: int, step: int) -> dict[str, Any] | None:
    """Running means over the steps since the validation before, at the last validation up to this step."""
    last = [row for row in _rows(folder, member) if int(row["step"]) <= step][-1]
    numbers = {name: float(last[f"train_{name}"] or "nan") for name in ("loss", "cost", "accuracy")}
    return numbers if math.isfinite(numbers["loss"]) else None


def _curves(folder: Path, member: int) -> dict[str, list[float | None]]:
    """Columns of metrics.csv of one member."""
    rows = _rows(folder, member)
    names = [name for name in (rows[0] if rows else {}) if name not in ("rung", "member")]
    return {name: [float(row[name]) if row[name] else None for row in rows] for name in names}


def _rows(folder: Path, member: int) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if int(row["member"]) == member]


def _shares(part: Part, classes: int) -> list[float]:
    """Share of each class in a part."""
    counts = torch.bincount(part.labels[part.rows].cpu(), minlength=classes)
    return (counts / len(part.rows)).tolist()
