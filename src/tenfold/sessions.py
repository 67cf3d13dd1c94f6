"""A run from its first second to its last, whatever its kind: folder, lock, signals, data, result, figures, status."""

__all__ = ["Finished", "begin", "extend", "resume"]

import importlib
import importlib.metadata
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from tenfold.data.load import named
from tenfold.data.types import Dataset
from tenfold.engine import products
from tenfold.errors import DataError, FileError, Interrupted, RunError, UsageError
from tenfold.files import read_json, write_json, write_text
from tenfold.recipe import Recipe, text
from tenfold.report.card import write_cards
from tenfold.report.read import read_results
from tenfold.report.svg import draw_all
from tenfold.report.write import write_report
from tenfold.runs.checkpoint import load_checkpoint
from tenfold.runs.environment import environment
from tenfold.runs.events import Event
from tenfold.runs.fit import fit_ladder
from tenfold.runs.folder import create, default_folder, finish, how_to_resume, lock, opened, sweep, truncate
from tenfold.runs.interrupts import Interrupts, listening
from tenfold.runs.prepare import Prepared, prepare
from tenfold.runs.run import Run
from tenfold.runs.saving import Progress, Saver, restored
from tenfold.runs.train import train_recipe
from tenfold.search.request import extended
from tenfold.search.sweep import sweep_settings
from tenfold.trained.model import TrainedModel, load_model

KINDS = {"train": train_recipe, "fit": fit_ladder, "sweep": sweep_settings}


@dataclass(frozen=True)
class Table:
    """Members of a sweep, from best to worst: each row has member, settings, score (mean) and its interval."""

    rows: list[dict[str, Any]]

    def to_pandas(self) -> Any:
        """A pandas DataFrame, a column for every setting; a UsageError where pandas is not installed."""
        try:
            pandas = importlib.import_module("pandas")
        except ImportError:
            raise UsageError("to_pandas needs pandas: run `pip install pandas`") from None
        flat = [{"member": row["member"], **row["settings"], **_spread(row)} for row in self.rows]
        return pandas.DataFrame(flat)


def _spread(row: dict[str, Any]) -> dict[str, Any]:
    low, high = row["interval"] or (None, None)
    return {"score": row["score"], "low": low, "high": high}


@dataclass(frozen=True)
class Finished:
    """A run that has its result. folder: where it lies; result: what it printed, as in result.json."""

    folder: Path
    result: dict[str, Any]

    @property
    def model(self) -> TrainedModel:
        """The best model by validation."""
        return load_model(self.folder / "model.tenfold")

    @property
    def table(self) -> Table:
        """A sweep's members from best to worst; a RunError where the run is none."""
        if "table" not in self.result:
            raise RunError(f"{self.folder} is no sweep: it has no table of members")
        return Table(self.result["table"])


def begin(
    recipe: Recipe,
    out: str = "",
    data_dir: str = "",
    watch: Callable[[Event], None] = lambda event: None,
    jobs: int = 1,
    cluster: str = "",
) -> Finished:
    """Start a run in a new folder (out, or one below runs/) and bring it to its end.

    jobs, cluster: processes, or the address of a Dask scheduler, that a sweep's populations are trained by.
    """
    recipe = recipe.model_copy(update={"data": _absolute(recipe.data)})
    machine = environment(sys.argv, str(Path(data_dir).expanduser().resolve()) if data_dir else "")
    folder = create(Path(out).expanduser() if out else default_folder(recipe), recipe, machine)
    try:
        return _session(folder, recipe, watch, jobs, cluster)
    except (DataError, UsageError):
        if not (folder / "units").exists() and not (folder / "checkpoints").exists():
            shutil.rmtree(folder)  # nothing was begun: no folder to explain to anybody
        raise


def _absolute(data: str) -> str:
    """A user's own folder or file as one finds it from anywhere; the name of a data set as it is."""
    own = data not in named() and Path(data).expanduser().exists()
    return str(Path(data).expanduser().resolve()) if own else data


def resume(
    run: str | Path, watch: Callable[[Event], None] = lambda event: None, jobs: int = 1, cluster: str = ""
) -> Finished:
    """Go on with a run from its last checkpoint, to the very bits of a run that was never stopped."""
    folder = Path(run)
    recipe, status = opened(folder)
    if status["state"] == "finished":
        _prune(folder)
        return Finished(folder, read_json(folder / "result.json"))
    return _session(folder, recipe, watch, jobs, cluster)


def extend(
    run: str | Path,
    choices: dict[str, Any],
    watch: Callable[[Event], None] = lambda event: None,
    jobs: int = 1,
    cluster: str = "",
) -> Finished:
    """Add members to a finished sweep, of its own axes or of other values of them; only what is new is trained."""
    folder = Path(run)
    recipe, status = opened(folder)
    if recipe.kind != "sweep" or status["state"] != "finished":
        raise RunError(f"{folder}: only a finished sweep can be extended")
    known = len(read_json(folder / "result.json", "table")["table"])
    recipe = extended(recipe, known, choices)
    with lock(folder):
        finish(folder, "running")
        write_text(folder / "recipe.toml", text(recipe))
    return _session(folder, recipe, watch, jobs, cluster)


def _session(folder: Path, recipe: Recipe, watch: Callable[[Event], None], jobs: int, cluster: str) -> Finished:
    machine = read_json(folder / "env.json", "threads", "products", "data_dir")
    threads = torch.get_num_threads()
    torch.set_num_threads(machine["threads"])
    with lock(folder), listening() as interrupts, products.using(machine["products"]):
        try:
            run, prepared, at = _opened(folder, recipe, machine["data_dir"], interrupts, watch)
            result = _work(run._replace(jobs=jobs, cluster=cluster), prepared, at)
        except Interrupted as stop:
            _note(folder, "interrupted")
            raise Interrupted(_stopped(folder), stop.args[1]) from None
        except FileError as error:
            _note(folder, "failed")
            raise FileError(f"{error}; then go on with `{how_to_resume(folder)}`") from None
        except Exception:
            _note(folder, "failed")
            raise
        finally:
            torch.set_num_threads(threads)
    _prune(folder)
    return Finished(folder, result)


def _note(folder: Path, state: str) -> None:
    """Set the state on the way out; where not even that can be written, the reason for leaving is what counts."""
    with suppress(FileError):
        finish(folder, state)


def _stopped(folder: Path) -> str:
    model = folder / "model.tenfold"
    report = f", its report {folder / 'report.html'}" if (folder / "report.html").exists() else ""
    best = f"the best so far is {model}{report}; " if model.exists() else ""
    return f"stopped; {best}go on with `{how_to_resume(folder)}`"


def _opened(
    folder: Path, recipe: Recipe, data_dir: str, interrupts: Interrupts, watch: Callable[[Event], None]
) -> tuple[Run, Prepared, Progress | None]:
    """A run's folder made ready to be written to, its data, and where a checkpoint stood."""
    sweep(folder)
    number, checkpoint, warning = load_checkpoint(folder / "checkpoints")
    notes: dict[str, Any] = {"outcomes": [], "elapsed": 0.0, "metrics": 0, "stage": ""}
    notes |= checkpoint.notes if checkpoint else {}
    saver = Saver(folder, number, notes["outcomes"], notes["elapsed"])
    truncate(folder, notes["metrics"])
    finish(folder, "running")

    def say(message: str) -> None:
        watch(Event("", 0, 0, 0, float("nan"), "", float("nan"), message))

    prepared = prepare(recipe, folder, data_dir, say)
    about = prepared.about | {"version": importlib.metadata.version("tenfold")}
    run = Run(folder, prepared.parts, about, prepared.device, saver, interrupts, watch)
    if warning:
        say(warning)
    return run, prepared, restored(checkpoint, prepared.device) if checkpoint and notes["stage"] else None


def _work(run: Run, prepared: Prepared, at: Progress | None) -> dict[str, Any]:
    """Train, and leave what people read; of a run that is stopped, what there is so far."""
    folder, kind = run.folder, prepared.recipe.kind
    try:
        write_json(folder / "result.json", KINDS[kind](run, prepared, at))
    except Interrupted:
        if (folder / "result.json").exists():
            _publish(folder, kind, prepared.dataset)
        raise
    _publish(folder, kind, prepared.dataset)
    finish(folder, "finished")
    return cast(dict[str, Any], read_json(folder / "result.json"))


def _publish(folder: Path, kind: str, dataset: Dataset) -> None:
    """What people read of a result: figures, a card beside every model file, and, of a fit, the report."""
    draw_all(read_results(folder), folder / "figures")
    write_cards(folder)
    if kind in ("fit", "sweep"):
        write_report(folder, dataset)


def _prune(folder: Path) -> None:
    """A finished run needs no checkpoints."""
    for path in (folder / "checkpoints").glob("*.tenfold"):
        path.unlink()
    if (folder / "checkpoints").exists():
        (folder / "checkpoints").rmdir()
