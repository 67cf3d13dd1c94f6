"""The runs of a reported table, each with several seeds: what is stale is trained, whole populations at once.

A trial is one run with one seed. What it measured lies in trials/KEY.json, where KEY is a digest of all that it depends
on: data, resolved recipe, which parts are measured when, and code. A trial whose file is there is not trained again.
"""

__all__ = ["Trial", "digest_of_code", "grouped", "place_of", "record_of", "stage_of", "train_group", "trial"]

import csv
import hashlib
import importlib.metadata
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import torch

from tenfold.arrays import rows as rows_of
from tenfold.batches import Part
from tenfold.interrupts import Interrupts
from tenfold.outcomes import save_member
from tenfold.population import built
from tenfold.preparing import prepare
from tenfold.recipe import VARYING, Recipe
from tenfold.results import read_json, write_json
from tenfold.running import measured
from tenfold.saving import Progress, Saver
from tenfold.stages import Run, Stage, per_epoch, population_of
from tenfold.types import Dataset, Event, Params
from tenfold.units import NEEDED, tidy, train_in

# What shows numbers and does not make them: a change there leaves them as they are.
SHOWING = ("cli", "report", "figures", "reproduction", "samplers", "search")


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
    cause = {"data": fingerprint, "recipe": recipe.model_dump(), "measured": asked, "code": digest_of_code()}
    return Trial(run, recipe, asked, hashlib.sha256(json.dumps(cause, sort_keys=True).encode()).hexdigest()[:20])


@cache
def digest_of_code() -> str:
    """SHA-256 over the package's modules that a number depends on."""
    root, digest = Path(__file__).parent, hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        if path.relative_to(root).parts[0] not in SHOWING:
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def record_of(folder: Path, trial: Trial) -> dict[str, Any] | None:
    """What a trial measured, None where it is stale. folder: of the reproduction."""
    path = folder / "trials" / f"{trial.key}.json"
    return dict(read_json(path, "moments")) if path.exists() else None


def grouped(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Trials that train as one population: they differ in nothing but what may vary inside one, and are no twins."""
    groups: dict[str, list[Trial]] = {}
    for one in {t.key: t for t in trials}.values():
        shared = {name: value for name, value in one.recipe.model_dump().items() if name not in VARYING}
        groups.setdefault(json.dumps(shared, sort_keys=True), []).append(one)
    # Members of one loss side by side, as a population wants them.
    return [sorted(group, key=lambda t: str(t.recipe.loss)) for group in groups.values()]


def place_of(folder: Path, group: Sequence[Trial]) -> Path:
    """Folder that a population trains in."""
    digest = hashlib.sha256("".join(t.key for t in group).encode()).hexdigest()
    return folder / "training" / digest[:20]


def train_group(
    folder: Path,
    group: Sequence[Trial],
    dataset: Dataset,
    interrupts: Interrupts,
    watch: Callable[[Event], None],
) -> None:
    """Train one population, from where a checkpoint stood if there is one; write down what each trial measured."""
    place = place_of(folder, group)
    place.mkdir(parents=True, exist_ok=True)

    def say(message: str) -> None:
        watch(Event("", 0, 0, 0, float("nan"), "", float("nan"), message))

    start = time.monotonic()
    prepared = prepare(group[0].recipe, place, "", say, dataset=dataset)
    about = prepared.about | {"version": importlib.metadata.version("tenfold")}
    run = Run(place, prepared.parts, about, prepared.device, Saver(place, 0, [], 0.0), interrupts, watch)
    stage = stage_of(run, group)
    before = time.monotonic() - start
    own, at = train_in(run, stage)
    for row, member in enumerate(at.tally["member"].tolist()):
        one = group[member]
        judged = str(member) not in at.failed
        if judged and one.run and one.recipe.seed == 0:
            save_member(own, stage, at, row, folder / "models" / f"{one.run}.tenfold")
        moments = {moment: _moment(own, stage, at, row, moment, parts) for moment, parts in one.moments.items()}
        write_json(
            folder / "trials" / f"{one.key}.json",
            {
                "run": one.run,
                "seed": one.recipe.seed,
                "moments": moments,
                "failed": at.failed.get(str(member)),
                "shares": {name: _shares(part, stage.model.classes) for name, part in own.parts.items()},
                "images": {name: len(part.rows) for name, part in own.parts.items()},
                "steps": max(int(at.state.status[row]), 0) or at.state.step,
                "curves": _curves(place, member),
                "seconds": (before + own.saver.elapsed()) / len(group),
            },
        )
    tidy(place)


def stage_of(run: Run, group: Sequence[Trial]) -> Stage:
    """The stage of a population of trials. run: with the parts of their recipe."""
    recipe = group[0].recipe
    if any("best" in one.moments for one in group) and not recipe.patience:
        # The weights of the best validation are kept where there is patience; this much never runs out.
        recipe = recipe.model_copy(update={"patience": 10**9})
    updates = per_epoch(run, recipe)
    steps = recipe.iterations or recipe.epochs * updates
    varied = [name for name in VARYING if len({getattr(one.recipe, name) for one in group}) > 1]
    settings = tuple({n: getattr(one.recipe, n) for n in dict.fromkeys((*NEEDED, *varied))} for one in group)
    model = built(recipe, len(run.parts["train"].factor), len(run.about["class_names"]))
    measure: dict[int, set[str]] = {}
    for one in group:
        for moment, parts in one.moments.items():
            if moment not in ("last", "best"):
                measure.setdefault(_step(moment, updates, steps), set()).update(set(parts) - {"running"})
    ordered = {step: tuple(sorted(parts)) for step, parts in measure.items()}
    runs = list(dict.fromkeys(one.run for one in group))
    name = runs[0] or f"{len(group)} other ways"
    name += f" and {len(runs) - 1} more" if len(runs) > 1 else ""
    return Stage(f"{name} (seed {recipe.seed})", recipe, model, settings, steps, measure=ordered)


def _step(moment: str, updates: int, steps: int) -> int:
    """The update after which a number of epochs is over; the last one, where the run is shorter."""
    return min(steps, max(1, round(float(moment) * updates)))


def _moment(
    run: Run, stage: Stage, at: Progress, row: int, moment: str, parts: Sequence[str]
) -> dict[str, dict[str, Any] | None]:
    """Metrics by part at a moment; None where the member had failed by then."""
    member = int(at.tally["member"][row])
    failed = at.failed.get(str(member))
    updates, found = per_epoch(run, stage.recipe), dict[str, dict[str, Any] | None]()
    step = int(at.tally["best_step"][row]) if moment == "best" else at.state.step
    if moment not in ("last", "best"):
        step = _step(moment, updates, stage.steps)
    for part in parts:
        if part == "running":
            found[part] = _running(run.folder, member, step)
        elif moment not in ("last", "best"):
            found[part] = at.measured.get(str(step), {}).get(part, {}).get(str(member))
        elif failed and moment == "last":
            found[part] = None
        else:
            params: Params = at.best if moment == "best" else at.state.params
            alone = population_of(run, stage, [stage.settings[member]])
            found[part] = measured(run, alone, rows_of(params, torch.tensor([row])), part)[0]
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
