"""The units of a sweep, one after the other here, or by several processes, or by a Dask cluster, through joblib.

A process that does not share this one's memory opens the run folder by itself: it reads the data from where this one
does (once), draws the same folds, makes the same plan, and trains the units that it is told to. What it has done is in
the unit's folder, so a worker that dies loses at most a checkpoint's interval; what is missing is submitted again, by
joblib's default engine not, hence the rounds here. Each unit is counted once, by its outcome.

A unit belongs to the process that holds the lock of its folder. A process that was started from here ends when this one
is gone; a worker of a cluster goes on with its unit. Who resumes the sweep waits for them, and says so.
"""

__all__ = ["train_alone", "train_units"]

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib
import torch

from tenfold.choices import read
from tenfold.engine import products
from tenfold.errors import RunError, UsageError
from tenfold.recipe import Settings
from tenfold.runs.environment import read_environment
from tenfold.runs.events import Event, line, silent
from tenfold.runs.folder import awaited, is_held
from tenfold.runs.parent import end_with
from tenfold.runs.prepare import Prepared, prepare
from tenfold.runs.run import Run, decisions, opened_run
from tenfold.search.planner import Plan
from tenfold.search.units import Fold, UnitOutcome, folds, outcome_of, planned, train_unit, unit_folder

# So often in a row nothing may come back before the sweep gives up.
TRIES = 3


def train_units(
    run: Run, prepared: Prepared, plan: Plan, candidates: Sequence[Settings], held: Sequence[Fold], number: int
) -> list[UnitOutcome]:
    """Return the outcomes of all units of a round, in their order; a unit that has one is not trained again."""
    places = [unit_folder(run.folder, number, index) for index in range(len(plan.units))]
    if run.jobs == 1 and not run.cluster:
        for unit, place in zip(plan.units, places, strict=True):
            _say_held(run, [place])
            with awaited(place):
                if not outcome_of(place):
                    train_unit(run, prepared, unit, candidates, held[unit.fold], place)
    else:
        _train_elsewhere(run, places, number)
    outcomes = [outcome_of(place) for place in places]
    return [outcome for outcome in outcomes if outcome]


def _say_held(run: Run, places: Sequence[Path]) -> None:
    """Name the populations that a process of an earlier session has not let go of yet."""
    for place in filter(is_held, places):
        name = place.relative_to(run.folder / "units")
        line(run.watch)(f"a process of an earlier session still holds population {name}: waiting until it ends")


def train_alone(folder: str, data_dir: str, number: int, index: int, threads: int, parent: int) -> int:
    """Train one unit of a sweep in this process, which knows nothing of it yet; return its index.

    parent: the process that started this one, with which it ends; 0 for a worker of a cluster, which lives on.
    """
    if parent:
        end_with(parent)
    path = Path(folder)
    place = unit_folder(path, number, index)
    with awaited(place):
        return index if outcome_of(place) else _train_held(path, place, data_dir, number, index, threads)


def _train_held(path: Path, place: Path, data_dir: str, number: int, index: int, threads: int) -> int:
    """Train a unit whose lock this process has."""
    torch.set_num_threads(threads)
    with products.using(read_environment(path).products):
        prepared, held = _opened(str(path), data_dir)
        candidates = decisions(path)[f"round {number}"]
        run = opened_run(path, prepared)
        unit = planned(prepared, candidates).units[index]
        train_unit(run, prepared, unit, candidates, held[unit.fold], place)
    return index


@lru_cache(maxsize=1)
def _opened(folder: str, data_dir: str) -> tuple[Prepared, list[Fold]]:
    """Prepare the data and folds of a run, kept for the next unit."""
    path = Path(folder)
    prepared = prepare(read(path / "recipe.toml"), path, data_dir, silent, keep=False)
    return prepared, folds(prepared)


def _train_elsewhere(run: Run, places: Sequence[Path], number: int) -> None:
    """Submit what is missing until nothing is; a RunError where nothing comes back several times in a row."""
    missing, tries = [i for i, place in enumerate(places) if not outcome_of(place)], 0
    total = len(missing)
    with _engine(run) as threads:
        while missing:
            _say_held(run, [places[i] for i in missing])
            try:
                for index in _results(run, number, missing, threads):
                    left = sum(not outcome_of(place) for place in places)
                    message = f"population {index + 1} of {len(places)} is done, {left} to go"
                    run.watch(Event("sweep", total - left, total, message=message))
            except _lost() as error:
                lost = f"a worker died; its population is trained again ({str(error).splitlines()[0][:120]})"
                run.watch(Event("sweep", 0, total, message=lost))
            still = [i for i in missing if not outcome_of(places[i])]
            tries = tries + 1 if len(still) == len(missing) else 0
            if tries == TRIES:
                raise RunError(f"{run.folder}: no worker finished a population in {TRIES} tries; resume with --jobs 1")
            missing = still


def _results(run: Run, number: int, missing: Sequence[int], threads: int) -> Iterator[int]:
    data_dir = read_environment(run.folder).data_dir
    folder, work = str(run.folder.resolve()), joblib.delayed(train_alone)
    parent = 0 if run.cluster else os.getpid()
    parallel = joblib.Parallel(return_as="generator_unordered", pre_dispatch="all", batch_size=1)
    indices: Iterator[int] = parallel(work(folder, data_dir, number, index, threads, parent) for index in missing)
    return indices


@contextmanager
def _engine(run: Run) -> Iterator[int]:
    """Choose joblib's engine for this run; yield the threads that a worker takes."""
    if not run.cluster:
        threads = max(1, torch.get_num_threads() // run.jobs)
        with joblib.parallel_config("loky", n_jobs=run.jobs, inner_max_num_threads=threads):
            yield threads
        return
    with _client(run.cluster) as client, joblib.parallel_config("dask", client=client, wait_for_workers_timeout=20):
        yield 1


@contextmanager
def _client(address: str) -> Iterator[Any]:
    """Connect to a Dask scheduler; a UsageError where there is none, or Dask is not installed."""
    try:
        distributed = importlib.import_module("distributed")
    except ImportError:
        raise UsageError("--cluster needs Dask: run `pip install 'tenfold[distributed]'`") from None
    try:
        client = distributed.Client(address, timeout=5)
    except (OSError, ValueError, TimeoutError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"--cluster {address}: no scheduler answers there ({reason})") from None
    try:
        yield client
    finally:
        client.close()


def _lost() -> tuple[type[BaseException], ...]:
    """Return the errors that joblib's engines raise where a worker died."""
    broken = importlib.import_module("joblib.externals.loky.process_executor")
    errors: list[type[BaseException]] = [broken.TerminatedWorkerError, broken.BrokenProcessPool]
    if "distributed" in sys.modules:
        distributed = importlib.import_module("distributed")
        errors += [distributed.scheduler.KilledWorker, importlib.import_module("distributed.comm").CommClosedError]
    return tuple(errors)
