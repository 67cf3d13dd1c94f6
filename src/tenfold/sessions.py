"""A run from its first second to its last, whatever its kind: folder, lock, signals, data, result, figures, status."""

__all__ = ["Finished", "begin", "extend", "resume"]

import importlib
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from tenfold.choices import text
from tenfold.data.load import named
from tenfold.engine import products
from tenfold.engine.parallel import current
from tenfold.errors import DataError, FileError, Interrupted, LostError, RunError, UsageError
from tenfold.files import as_json, from_json, read_json, write_json, write_text
from tenfold.recipe import Recipe
from tenfold.report.card import write_cards
from tenfold.report.explained import explanations
from tenfold.report.read import read_made, results_of
from tenfold.report.svg import draw_all
from tenfold.runs.checkpoint import Progress, Saver, load_checkpoint, restored
from tenfold.runs.environment import Environment, environment, read_environment
from tenfold.runs.events import Watch, line, silent
from tenfold.runs.folder import create, default_folder, finish, how_to_resume, lock, opened, sweep, truncate
from tenfold.runs.interrupts import Interrupts, listening
from tenfold.runs.outcome import Made
from tenfold.runs.prepare import Prepared, prepare, with_defaults
from tenfold.runs.result import RungOutcome, RunResult, SweepResult, read_result
from tenfold.runs.run import Run, opened_run
from tenfold.trained.model import TrainedModel, load_model

KINDS = {
    "train": ("tenfold.runs.train", "train_recipe"),
    "fit": ("tenfold.runs.fit", "fit_ladder"),
    "sweep": ("tenfold.search.sweep", "sweep_settings"),
}
"""The function that trains each kind of run, imported when it is needed."""


@dataclass(frozen=True)
class Ranking:
    """The members of a sweep, from best to worst: each row has member, settings, score (mean) and its interval."""

    rows: list[dict[str, Any]]

    def to_pandas(self) -> Any:
        """Return a pandas DataFrame, a column for every setting; a UsageError where pandas is not installed."""
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
    """A run that has its result. folder: its run folder; outcome: its result, typed."""

    folder: Path
    outcome: RunResult

    @cached_property
    def result(self) -> dict[str, Any]:
        """Return the result as result.json holds it."""
        return dict(as_json(self.outcome))

    @property
    def model(self) -> TrainedModel:
        """Load the best model by validation."""
        return load_model(self.folder / "model.tenfold")

    @property
    def table(self) -> Ranking:
        """Return a sweep's members from best to worst; a RunError where the run is no sweep."""
        if not isinstance(self.outcome, SweepResult):
            raise RunError(f"{self.folder} is not a sweep: it has no table of members")
        return Ranking(self.result["table"])


def begin(
    recipe: Recipe,
    out: str = "",
    data_dir: str = "",
    watch: Watch = silent,
    jobs: int = 1,
    cluster: str = "",
) -> Finished:
    """Start a run in a new folder (out, or one below runs/) and bring it to its end.

    jobs, cluster: processes, or the address of a Dask scheduler, that a sweep's populations are trained by.
    """
    recipe = recipe.model_copy(update={"data": _absolute(recipe.data)})
    recipe = with_defaults(recipe)
    machine = environment(sys.argv, str(Path(data_dir).expanduser().resolve()) if data_dir else "")
    folder = create(Path(out).expanduser() if out else default_folder(recipe), recipe, machine)
    try:
        return _session(folder, recipe, watch, jobs, cluster)
    except (DataError, UsageError):
        if not (folder / "units").exists() and not (folder / "checkpoints").exists():
            shutil.rmtree(folder)  # nothing was begun: no folder to explain to anybody
        raise


def _absolute(data: str) -> str:
    """Return the absolute path of a user's folder or file; the name of a data set as it is."""
    is_path = data not in named() and Path(data).expanduser().exists()
    return str(Path(data).expanduser().resolve()) if is_path else data


def resume(run: str | Path, watch: Watch = silent, jobs: int = 1, cluster: str = "") -> Finished:
    """Go on with a run from its last checkpoint, to the very bits of a run that was never stopped."""
    folder = Path(run)
    recipe, state = opened(folder)
    if state == "finished":
        _prune(folder)
        return Finished(folder, read_result(folder / "result.json"))
    return _session(folder, recipe, watch, jobs, cluster)


def extend(
    run: str | Path,
    choices: dict[str, Any],
    watch: Watch = silent,
    jobs: int = 1,
    cluster: str = "",
) -> Finished:
    """Add members to a finished sweep, of its own axes or of other values of them; only what is new is trained."""
    folder = Path(run)
    recipe, state = opened(folder)
    result = read_result(folder / "result.json") if recipe.kind == "sweep" and state == "finished" else None
    if not isinstance(result, SweepResult):
        raise RunError(f"{folder}: only a finished sweep can be extended")
    extended = importlib.import_module("tenfold.search.request").extended
    recipe = extended(recipe, len(result.table), choices)
    with lock(folder):
        _extend_recipe(folder, recipe)
    return _session(folder, recipe, watch, jobs, cluster)


def _extend_recipe(folder: Path, recipe: Recipe) -> None:
    """Replace the recipe of a finished sweep by one with a round more; between the two writes either is right."""
    resolved = read_json(folder / "resolved.json")
    before = resolved.get("asked", [resolved["recipe"]])
    write_json(folder / "resolved.json", {**resolved, "asked": [*before, recipe.model_dump()]})
    write_text(folder / "recipe.toml", text(recipe))
    finish(folder, "running")


def _session(folder: Path, recipe: Recipe, watch: Watch, jobs: int, cluster: str) -> Finished:
    if recipe.kind != "train" and current():
        raise UsageError(f"torchrun is for `tenfold train`: start `tenfold {recipe.kind}` without it")
    machine = read_environment(folder)
    threads = torch.get_num_threads()
    torch.set_num_threads(machine.threads or threads)
    with lock(folder), listening() as interrupts, products.using(machine.products):
        try:
            run, prepared, progress = _opened(folder, recipe, machine.data_dir, interrupts, watch)
            made = _train(run._replace(jobs=jobs, cluster=cluster), prepared, progress, machine)
        except Interrupted as stop:
            _note(folder, "interrupted")
            raise Interrupted(_stopped(folder), stop.args[1]) from None
        except LostError as error:
            _note(folder, "failed")
            raise RunError(f"{error}; continue with `{how_to_resume(folder)}`, alone or by torchrun") from None
        except FileError as error:
            _note(folder, "failed")
            raise FileError(f"{error}; then continue with `{how_to_resume(folder)}`") from None
        except Exception:
            _note(folder, "failed")
            raise
        finally:
            torch.set_num_threads(threads)
    _prune(folder)
    return Finished(folder, made.result)


def _note(folder: Path, state: str) -> None:
    """Set the state on the way out; where not even that can be written, the reason for leaving is what counts."""
    with suppress(FileError):
        finish(folder, state)


def _stopped(folder: Path) -> str:
    model = folder / "model.tenfold"
    report = f", its report {folder / 'report.html'}" if (folder / "report.html").exists() else ""
    best = f"the best so far is {model}{report}; " if model.exists() else ""
    return f"stopped; {best}continue with `{how_to_resume(folder)}`"


def _opened(
    folder: Path, recipe: Recipe, data_dir: str, interrupts: Interrupts, watch: Watch
) -> tuple[Run, Prepared, Progress | None]:
    """Make a run's folder ready to be written to; return the run, its data, and the progress of its checkpoint."""
    sweep(folder)
    number, checkpoint, warning = load_checkpoint(folder / "checkpoints")
    notes: dict[str, Any] = {"outcomes": [], "elapsed": 0.0, "metrics": 0, "stage": ""}
    notes |= checkpoint.notes if checkpoint else {}
    outcomes = [from_json(RungOutcome, outcome, folder / "checkpoints") for outcome in notes["outcomes"]]
    saver = Saver(folder, number, outcomes, notes["elapsed"])
    truncate(folder, notes["metrics"])
    finish(folder, "running")
    prepared = prepare(recipe, folder, data_dir, watch)
    run = opened_run(folder, prepared, saver, interrupts, watch)
    if warning:
        line(watch)(warning)
    return run, prepared, restored(checkpoint, prepared.device) if checkpoint and notes["stage"] else None


def _train(run: Run, prepared: Prepared, progress: Progress | None, machine: Environment) -> Made:
    """Train, and leave what people read; of a run that is stopped, what there is so far."""
    folder = run.folder
    module, name = KINDS[prepared.recipe.kind]
    try:
        made: Made = getattr(importlib.import_module(module), name)(run, prepared, progress)
        write_json(folder / "result.json", made.result)
    except Interrupted:
        if (folder / "result.json").exists():
            _publish(run, read_made(folder), prepared, machine)
        raise
    _publish(run, made, prepared, machine)
    finish(folder, "finished")
    return made


def _publish(run: Run, made: Made, prepared: Prepared, machine: Environment) -> None:
    """Write what people read of a result: figures, a card beside every model file, and, but for `train`, the report.

    Figures for which a fit has no time left are left out, and named.
    """
    folder = run.folder
    results = replace(results_of(folder, made), reconstructions=_reconstructed(made, prepared))
    if _seconds_left(run, prepared.recipe) > 0:
        results = replace(results, explanations=explanations(made.models[results.best], results, prepared.dataset))
    drawn = draw_all(results, folder / "figures", _seconds_left(run, prepared.recipe))
    if drawn.undrawn:
        line(run.watch)(f"no time was left for the figures {', '.join(drawn.undrawn)}: `tenfold report {folder}`")
    write_cards(folder, made.models, made.result)
    if prepared.recipe.kind != "train":
        write_made = importlib.import_module("tenfold.report.write").write_made
        write_made(folder, made, prepared, machine, results, drawn)


def _seconds_left(run: Run, recipe: Recipe) -> float:
    """Return the seconds that a fit has left; no other kind of run has an end."""
    return 60 * recipe.minutes - run.saver.elapsed() if recipe.kind == "fit" else float("inf")


def _reconstructed(made: Made, prepared: Prepared) -> dict[str, Any]:
    """Return the first images of the result's part and what each autoencoder makes of them; only now are they here."""
    if prepared.recipe.features != "codes":
        return {}
    reconstructions = importlib.import_module("tenfold.report.codes").reconstructions
    rows = torch.from_numpy(made.answers.positions[:10])
    return dict(reconstructions(made.models, prepared.dataset.images[rows]))


def _prune(folder: Path) -> None:
    """Remove the checkpoints, which a finished run needs no more."""
    for path in (folder / "checkpoints").glob("*.tenfold"):
        path.unlink()
    if (folder / "checkpoints").exists():
        (folder / "checkpoints").rmdir()
