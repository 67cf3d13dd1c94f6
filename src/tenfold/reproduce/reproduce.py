"""Reproduce a table: train stale trials, measure and judge every cell, test the claims, draw the figures."""

__all__ = ["ALWAYS", "explanations", "folder_of", "reproduce", "stamped", "stoppable", "trials_of"]

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tenfold.data.load import fingerprint
from tenfold.data.types import Dataset
from tenfold.errors import FileError, Interrupted
from tenfold.files import from_json, read_json, write_json, write_text
from tenfold.report.read import read_results
from tenfold.report.results import Results
from tenfold.report.svg import drawn
from tenfold.reproduce.judge_table import judged
from tenfold.reproduce.measurements import Measurements, moment_of
from tenfold.reproduce.outline import results_of
from tenfold.reproduce.records import Explanation, Reproduction, TrialRecord
from tenfold.reproduce.table import ReportedCell, TableRequest, cause_of, data_of, resolved, seeds_of
from tenfold.reproduce.trials import (
    TableTrial,
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
from tenfold.runs.result import SweepResult
from tenfold.sessions import begin, resume

Watch = Callable[[Event], None]
# Parts that every run is measured on at its end, whatever the cells ask for.
ALWAYS = {"last": {"validation", "test"}}


def folder_of(root: Path, request: TableRequest) -> Path:
    """Return the folder of a reproduction: what it holds is not measured again."""
    return root / f"{request.table.name}-{request.scale}"


def reproduce(request: TableRequest, folder: Path, watch: Watch) -> Reproduction:
    """Bring a reproduction to its end, from where it was stopped; write result.json and return what it holds."""
    explanations(folder)  # damage is reported before anything is trained
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        sweep(folder)
        dataset = data_of(request.table, request.data_dir)
        stamp = fingerprint(dataset)
        records = _trained(request, folder, trials_of(request, stamp), dataset, watch)
        measurements = Measurements(dataset.name, records, _searched(request, folder, stamp, watch))
        result = judged(request, measurements, _explained(request, folder, stamp))
        result = replace(result, figures=_drawn(request, measurements, dataset, folder))
        write_json(folder / "result.json", result)
    return result


def trials_of(request: TableRequest, stamp: str) -> list[TableTrial]:
    """Make the trials of every run that is trained, with every seed. stamp: the data's fingerprint."""
    made = []
    for run, reported in request.table.runs.items():
        if reported.searches:
            continue
        moments = {moment: set(parts) for moment, parts in ALWAYS.items()}
        for measure in request.table.measures:
            if measure.run == run and not measure.metric.endswith("disagreement"):
                moments.setdefault(moment_of(measure), set()).add(measure.part)
        for seed in seeds_of(request, run):
            made.append(trial(run, resolved(request.table, run, request.scale, seed), moments, stamp))
    return made


def stamped(request: TableRequest, cell: ReportedCell, stamp: str) -> str:
    """Digest all that an explanation of a cell depends on. stamp: the data's fingerprint."""
    return digest([cause_of(request.table, cell, request.scale), stamp, digest_of_code()])


@contextmanager
def stoppable(folder: Path, how: str = "the same command") -> Iterator[Interrupts]:
    """Take signals inside the block, and say how to go on after one."""
    try:
        with listening() as interrupts:
            yield interrupts
    except Interrupted as stop:
        raise Interrupted(f"stopped; {how} goes on from there ({folder})", stop.args[1]) from None


def _trained(
    request: TableRequest, folder: Path, trials: Sequence[TableTrial], dataset: Dataset, watch: Watch
) -> dict[str, list[TrialRecord]]:
    """Return the records of all trials; train what is stale first."""
    if request.force:
        for one in trials:
            (folder / "trials" / f"{one.key}.json").unlink(missing_ok=True)
    (folder / "trials").mkdir(exist_ok=True)
    stale = [one for one in trials if record_of(folder, one) is None]
    if stale or not (folder / "env.json").exists():
        write_json(folder / "env.json", environment(sys.argv, request.data_dir))
    with stoppable(folder, _how(request)) as interrupts:
        for group in grouped(stale):
            train_group(folder, group, dataset, interrupts, watch)
    records: dict[str, list[TrialRecord]] = {}
    for one in trials:
        records.setdefault(one.run, []).append(read_record(folder, one))
    return records


def _how(request: TableRequest) -> str:
    return "the same command without --force" if request.force else "the same command"


def _searched(request: TableRequest, folder: Path, stamp: str, watch: Watch) -> dict[str, list[SweepResult]]:
    """Return the results of the runs that are sweeps; each seed has a run folder."""
    results: dict[str, list[SweepResult]] = {}
    for run, reported in request.table.runs.items():
        for seed in seeds_of(request, run) if reported.searches else ():
            recipe = resolved(request.table, run, request.scale, seed)
            place = folder / "sweeps" / trial(run, recipe, {}, stamp).key
            place.parent.mkdir(exist_ok=True)
            if request.force and place.exists():
                gone = place.with_name(f".gone-{place.name}")  # a kill must not leave half of it under its name
                shutil.rmtree(gone, ignore_errors=True)
                place.rename(gone)
                shutil.rmtree(gone)
            with stoppable(folder, _how(request)):
                finished = (
                    resume(place, watch) if place.exists() else begin(recipe, str(place), request.data_dir, watch)
                )
            assert isinstance(finished.outcome, SweepResult)
            results.setdefault(run, []).append(finished.outcome)
    return results


def _explained(request: TableRequest, folder: Path, stamp: str) -> dict[str, Explanation]:
    """Return explanations of the table, the data and the code as they are now."""
    explained = explanations(folder)
    return {
        cell.id: explained[cell.id]
        for cell in request.table.cells
        if cell.id in explained and explained[cell.id].cause == stamped(request, cell, stamp)
    }


def explanations(folder: Path) -> dict[str, Explanation]:
    """Read all explanations of cells, by cell. Raises FileError that names the file where it is damaged."""
    path = folder / "explained.json"
    try:
        return from_json(dict[str, Explanation], read_json(path), path) if path.exists() else {}
    except FileError as error:
        raise FileError(f"{error}, or delete the file and explain again") from None


def _drawn(request: TableRequest, measurements: Measurements, dataset: Dataset, folder: Path) -> tuple[str, ...]:
    """Draw the figures that the table names, of the first seed; leave out those that it has nothing for.

    Those of a search are drawn for each run that searches, from the results of its first sweep.
    """
    (folder / "figures").mkdir(exist_ok=True)
    models = {run: model_of(folder, records[0].key) for run, records in measurements.records.items()}
    paths = {run: path for run, path in models.items() if path.exists()}
    results = results_of(request, measurements, dataset, paths)
    made = [_figure(folder, word, word, results) for word in request.table.figures]
    words = [word for word in request.table.figures if word.startswith("sweep_")]
    for run, sweeps in measurements.sweeps.items() if words else ():
        searched = replace(read_results(folder / "sweeps" / Path(sweeps[0].run).name), name=f"{dataset.name}, {run}")
        made += [_figure(folder, f"{word}-{run}", word, searched) for word in words]
    return tuple(name for name in made if name)


def _figure(folder: Path, name: str, word: str, results: Results | None) -> str:
    """Draw a figure into the folder of a reproduction; return its path there, "" where there is nothing to draw."""
    path = folder / "figures" / f"{name}.svg"
    svg = drawn(word, results) if results else None
    if svg is None:
        path.unlink(missing_ok=True)
        return ""
    write_text(path, svg)
    return f"figures/{name}.svg"
