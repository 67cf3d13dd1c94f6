"""A reported table re-run: what is stale is trained, every cell measured and judged, claims tested, figures drawn."""

__all__ = ["ALWAYS", "explanations", "folder_of", "reproduce", "stamped", "stoppable", "trials_of"]

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tenfold.data.load import fingerprint
from tenfold.data.types import Dataset
from tenfold.errors import FileError, Interrupted
from tenfold.files import read_json, write_json, write_text
from tenfold.report.svg import drawn
from tenfold.reproduce.judging import Known, judged, moment_of
from tenfold.reproduce.outline import results_of
from tenfold.reproduce.table import Asked, Cell, cause_of, data_of, resolved, seeds_of
from tenfold.reproduce.trials import (
    Trial,
    digest,
    digest_of_code,
    grouped,
    model_of,
    read_record,
    record_of,
    train_group,
    trial,
)
from tenfold.runs.environment import environment
from tenfold.runs.events import Event
from tenfold.runs.folder import lock, sweep
from tenfold.runs.interrupts import Interrupts, listening
from tenfold.sessions import begin, resume

Watch = Callable[[Event], None]
# What every run is measured on at its end, whatever the cells ask for.
ALWAYS = {"last": {"validation", "test"}}


def folder_of(root: Path, asked: Asked) -> Path:
    """Where a reproduction lies: what it has measured there already is not measured again."""
    return root / f"{asked.table.name}-{asked.scale}"


def reproduce(asked: Asked, folder: Path, watch: Watch) -> dict[str, Any]:
    """Bring a reproduction to its end and return what it found, as in result.json; goes on where it was stopped."""
    explanations(folder)  # damage is told before anything is trained
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        sweep(folder)
        dataset = data_of(asked.table, asked.data_dir)
        stamp = fingerprint(dataset)
        trials = trials_of(asked, stamp)
        records = _trained(asked, folder, trials, dataset, watch)
        known = Known(dataset.name, records, _searched(asked, folder, stamp, watch))
        result = judged(asked, known, _explained(asked, folder, stamp))
        write_json(folder / "result.json", {**result, "figures": _drawn(asked, known, dataset, folder)})
    return dict(read_json(folder / "result.json"))


def trials_of(asked: Asked, stamp: str) -> list[Trial]:
    """Every run that is trained, with every seed, and what is measured of it when. stamp: the data's fingerprint."""
    made = []
    for run, own in asked.table.runs.items():
        if own.searches:
            continue
        moments = {moment: set(parts) for moment, parts in ALWAYS.items()}
        for measure in asked.table.measures:
            if measure.run == run and not measure.metric.endswith("disagreement"):
                moments.setdefault(moment_of(measure), set()).add(measure.part)
        for seed in seeds_of(asked, run):
            made.append(trial(run, resolved(asked.table, run, asked.scale, seed), moments, stamp))
    return made


def stamped(asked: Asked, cell: Cell, stamp: str) -> str:
    """Digest of all that an explanation of a cell depends on. stamp: the data's fingerprint."""
    return digest([cause_of(asked.table, cell, asked.scale), stamp, digest_of_code()])


@contextmanager
def stoppable(folder: Path, how: str = "the same command") -> Iterator[Interrupts]:
    """Signals taken inside the block; what it says then is how to go on."""
    try:
        with listening() as interrupts:
            yield interrupts
    except Interrupted as stop:
        raise Interrupted(f"stopped; {how} goes on from there ({folder})", stop.args[1]) from None


def _trained(
    asked: Asked, folder: Path, trials: Sequence[Trial], dataset: Dataset, watch: Watch
) -> dict[str, list[dict[str, Any]]]:
    """The records of all trials; what is stale is trained first."""
    if asked.force:
        for one in trials:
            (folder / "trials" / f"{one.key}.json").unlink(missing_ok=True)
    (folder / "trials").mkdir(exist_ok=True)
    stale = [one for one in trials if record_of(folder, one) is None]
    if stale or not (folder / "env.json").exists():
        write_json(folder / "env.json", environment(sys.argv, asked.data_dir))
    with stoppable(folder, _how(asked)) as interrupts:
        for group in grouped(stale):
            train_group(folder, group, dataset, interrupts, watch)
    records: dict[str, list[dict[str, Any]]] = {}
    for one in trials:
        records.setdefault(one.run, []).append(read_record(folder, one))
    return records


def _how(asked: Asked) -> str:
    return "the same command without --force" if asked.force else "the same command"


def _searched(asked: Asked, folder: Path, stamp: str, watch: Watch) -> dict[str, list[dict[str, Any]]]:
    """Results of the runs that are sweeps, each a run folder of its own."""
    found: dict[str, list[dict[str, Any]]] = {}
    for run, own in asked.table.runs.items():
        for seed in seeds_of(asked, run) if own.searches else ():
            recipe = resolved(asked.table, run, asked.scale, seed)
            place = folder / "sweeps" / trial(run, recipe, {}, stamp).key
            place.parent.mkdir(exist_ok=True)
            if asked.force and place.exists():
                gone = place.with_name(f".gone-{place.name}")  # a kill must not leave half of it under its name
                shutil.rmtree(gone, ignore_errors=True)
                place.rename(gone)
                shutil.rmtree(gone)
            with stoppable(folder, _how(asked)):
                known = place.exists()
                finished = resume(place, watch) if known else begin(recipe, str(place), asked.data_dir, watch)
            found.setdefault(run, []).append(finished.result)
    return found


def _explained(asked: Asked, folder: Path, stamp: str) -> dict[str, Any]:
    """What explains cells of the table, the data and the code as they are now."""
    known = explanations(folder)
    return {
        cell.id: known[cell.id]
        for cell in asked.table.cells
        if cell.id in known and known[cell.id]["cause"] == stamped(asked, cell, stamp)
    }


def explanations(folder: Path) -> dict[str, Any]:
    """All that --explain found so far, by cell; a FileError that names the file where it is damaged."""
    path = folder / "explained.json"
    try:
        known: dict[str, Any] = read_json(path) if path.exists() else {}
        if isinstance(known, dict) and all(isinstance(found["cause"], str) for found in known.values()):
            return known
        reason = "it holds no explanations"
    except (FileError, KeyError, TypeError) as error:
        reason = str(error)
    raise FileError(f"{path}: damaged ({reason}); delete it, and explain again")


def _drawn(asked: Asked, known: Known, dataset: Dataset, folder: Path) -> list[str]:
    """The figures that the table names, of the first seed, as files; those that it has nothing for are left out."""
    (folder / "figures").mkdir(exist_ok=True)
    models = {run: model_of(folder, records[0]["key"]) for run, records in known.records.items()}
    results = results_of(asked, known, dataset, {run: path for run, path in models.items() if path.exists()})
    made = []
    for word in asked.table.figures:
        path = folder / "figures" / f"{word}.svg"
        svg = drawn(word, results) if results else None
        if svg is None:
            path.unlink(missing_ok=True)
        else:
            write_text(path, svg)
            made.append(f"figures/{word}.svg")
    return made
