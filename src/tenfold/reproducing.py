"""A reported table re-run: what is stale is trained, every cell measured and judged, claims tested, figures drawn."""

__all__ = ["ALWAYS", "folder_of", "reproduce", "stoppable", "trials_of"]

import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tenfold.drawing import drawn
from tenfold.environment import environment
from tenfold.errors import Interrupted
from tenfold.interrupts import Interrupts, listening
from tenfold.loading import fingerprint
from tenfold.reproduction.judging import Known, judged, moment_of
from tenfold.reproduction.outline import results_of
from tenfold.reproduction.table import Asked, data_of, resolved, seeds_of
from tenfold.results import lock, read_json, sweep, write_json
from tenfold.sessions import begin, resume
from tenfold.tensorfile import write_text
from tenfold.trials import Trial, grouped, record_of, train_group, trial
from tenfold.types import Dataset, Event

WATCHERS = Callable[[Event], None]
# What every run is measured on at its end, whatever the cells ask for.
ALWAYS = {"last": {"validation", "test"}}


def folder_of(root: Path, asked: Asked) -> Path:
    """Where a reproduction lies: what it has measured there already is not measured again."""
    return root / f"{asked.table.name}-{asked.scale}"


def reproduce(asked: Asked, folder: Path, watch: WATCHERS) -> dict[str, Any]:
    """Bring a reproduction to its end and return what it found, as in result.json; goes on where it was stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        sweep(folder)
        dataset = data_of(asked.table, asked.data_dir)
        write_json(folder / "env.json", environment(sys.argv, asked.data_dir))
        known = Known(_trained(asked, folder, dataset, watch), _searched(asked, folder, dataset, watch))
        write_json(folder / "result.json", judged(asked, known, folder))
        _draw(asked, known, dataset, folder)
    return dict(read_json(folder / "result.json"))


def trials_of(asked: Asked, dataset: Dataset) -> list[Trial]:
    """Every run that is trained, with every seed, and what must be measured of it when."""
    digest, made = fingerprint(dataset), []
    for run, own in asked.table.runs.items():
        if own.searches:
            continue
        moments = {moment: set(parts) for moment, parts in ALWAYS.items()}
        for measure in asked.table.measures:
            if measure.run == run and not measure.metric.endswith("disagreement"):
                moments.setdefault(moment_of(measure), set()).add(measure.part)
        for seed in seeds_of(asked, run):
            recipe = resolved(asked.table, run, asked.scale, seed)
            made.append(trial(run, recipe, moments, digest))
    return made


def _trained(asked: Asked, folder: Path, dataset: Dataset, watch: WATCHERS) -> dict[str, list[dict[str, Any]]]:
    """The records of all trials; what is stale is trained first."""
    trials = trials_of(asked, dataset)
    if asked.force:
        for one in trials:
            (folder / "trials" / f"{one.key}.json").unlink(missing_ok=True)
    (folder / "trials").mkdir(exist_ok=True)
    with stoppable(folder) as interrupts:
        for group in grouped([one for one in trials if record_of(folder, one) is None]):
            train_group(folder, group, dataset, interrupts, watch)
    records: dict[str, list[dict[str, Any]]] = {}
    for one in trials:
        records.setdefault(one.run, []).append(record_of(folder, one) or {})
    return records


@contextmanager
def stoppable(folder: Path) -> Iterator[Interrupts]:
    """Signals taken inside the block; what it says then is how to go on."""
    try:
        with listening() as interrupts:
            yield interrupts
    except Interrupted as stop:
        raise Interrupted(f"stopped; the same command goes on from there ({folder})", stop.args[1]) from None


def _searched(asked: Asked, folder: Path, dataset: Dataset, watch: WATCHERS) -> dict[str, list[dict[str, Any]]]:
    """Results of the runs that are sweeps, each a run folder of its own."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run, own in asked.table.runs.items():
        for seed in seeds_of(asked, run) if own.searches else ():
            recipe = resolved(asked.table, run, asked.scale, seed)
            key = trial(run, recipe, {}, fingerprint(dataset)).key
            place = folder / "sweeps" / key
            if asked.force:
                shutil.rmtree(place, ignore_errors=True)
            place.parent.mkdir(exist_ok=True)
            with stoppable(folder):
                known = place.exists()
                finished = resume(place, watch) if known else begin(recipe, str(place), asked.data_dir, watch)
            found.setdefault(run, []).append({**finished.result, "folder": str(place)})
    return found


def _draw(asked: Asked, known: Known, dataset: Dataset, folder: Path) -> None:
    """The figures that the table names, of the first seed; those that it has nothing for are left out."""
    (folder / "figures").mkdir(exist_ok=True)
    results = results_of(asked, known, dataset, folder)
    for word in asked.table.figures:
        svg = drawn(word, results) if results else None
        if svg is not None:
            write_text(folder / "figures" / f"{word}.svg", svg)
