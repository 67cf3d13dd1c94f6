"""The run folder: one plain directory that says what was run, on what, how it went and what came out.

It appears by a rename with recipe.toml inside, so a kill in its first second leaves nothing half-made; every file is
written atomically, metrics.csv grows by lines and is cut back to its checkpoint on resume. status.json says "finished"
last of all.
"""

__all__ = [
    "COLUMNS",
    "EMBEDDED",
    "FORMAT",
    "MEASURES",
    "PREDICTIONS",
    "append",
    "awaited",
    "columns_of",
    "create",
    "default_folder",
    "durable_length",
    "finish",
    "how_to_resume",
    "is_held",
    "lock",
    "opened",
    "sweep",
    "truncate",
]

import datetime
import math
import os
import secrets
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import filelock

from tenfold.choices import read, text
from tenfold.errors import FileError, RunError
from tenfold.files import as_json, read_json, write_json, write_text
from tenfold.recipe import Recipe, Settings
from tenfold.runs.environment import Environment
from tenfold.text import setting, slug

FORMAT = 2
UNBORN = ".tenfold-run-"
"""Begin the names of folders that do not hold a whole run yet."""
MEASURES = (
    *(f"{part}_{kind}" for part in ("train", "validation") for kind in ("loss", "cost", "accuracy")),
    "validation_macro_f1",
)
PREDICTIONS = {"test": "predictions.csv", "validation": "validation-predictions.csv"}
COLUMNS = ("rung", "step", "epoch", "member", *MEASURES)
EMBEDDED = ("linear_probe", "active", "effective_rank", "alignment", "uniformity")
"""Columns that a run has besides where it trains embeddings; its accuracies are those of nearest neighbors."""


def columns_of(recipe: Recipe) -> tuple[str, ...]:
    """Return the columns of the metrics.csv of a run or a stage."""
    return (*COLUMNS, *EMBEDDED) if recipe.task == "contrast" else COLUMNS


def default_folder(recipe: Recipe) -> Path:
    """Name a new folder, runs/<time>-<slug>-<id> below the working folder."""
    name = slug(f"{recipe.kind} {Path(recipe.data).stem}")
    return Path("runs") / f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{name}-{secrets.token_hex(2)}"


def create(folder: Path, recipe: Recipe, environment: Environment) -> Path:
    """Make the run folder with its recipe, environment and status inside, in one rename. A RunError where it exists."""
    _check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _sweep_unborn(folder.parent)
        with _unborn(folder.parent) as partial:
            write_text(partial / "recipe.toml", text(recipe))
            write_json(partial / "env.json", environment)
            write_json(partial / "status.json", {"format": FORMAT, "state": "running"})
            write_text(partial / "metrics.csv", ",".join(columns_of(recipe)) + "\n")
            partial.rename(folder)
    except OSError as error:
        reason = f"{error.filename or folder.parent}: {error.strerror or error}"
        raise FileError(f"{folder}: cannot be created ({reason}); choose another --out") from None
    return folder


@contextmanager
def _unborn(parent: Path) -> Iterator[Path]:
    """Make a hidden folder that this process holds; whatever fails inside the block takes it along."""
    with ExitStack() as stack:
        partial = _held(parent, stack)
        partial.chmod(0o755)
        yield partial


def _held(parent: Path, stack: ExitStack) -> Path:
    """Make a hidden folder and take its lock; another process may sweep it in between, then make another one."""
    while True:
        place = tempfile.TemporaryDirectory(prefix=UNBORN, dir=parent, ignore_cleanup_errors=True)
        partial = Path(stack.enter_context(place))
        with suppress(FileNotFoundError):
            stack.enter_context(filelock.FileLock(partial / ".lock"))
            return partial


def _sweep_unborn(parent: Path) -> None:
    """Remove the hidden folders of processes that were killed before their run had its name."""
    for place in parent.glob(f"{UNBORN}*"):
        with suppress(OSError, filelock.Timeout), filelock.FileLock(place / ".lock", timeout=0):
            shutil.rmtree(place, ignore_errors=True)


def _check_free(folder: Path) -> None:
    if (folder / "recipe.toml").exists():
        raise RunError(f"{folder} holds a run: choose another --out, or continue with `{how_to_resume(folder)}`")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        kind = "is a folder with other files in it" if folder.is_dir() else "is a file"
        raise RunError(f"{folder} {kind}: choose another --out")


def how_to_resume(folder: Path) -> str:
    """Return the command that goes on with a run, as one can paste it."""
    return f"tenfold resume {shlex.quote(str(folder))}"


def opened(folder: Path) -> tuple[Recipe, str]:
    """Return recipe and state of an existing run; a RunError where the folder is none, or another version's."""
    if not (folder / "recipe.toml").is_file() or not (folder / "status.json").is_file():
        raise RunError(f"{folder} is not a run folder: it has no recipe.toml and status.json")
    status = read_json(folder / "status.json", "format", "state")
    if status["format"] != FORMAT:
        raise RunError(
            f"{folder} was written by another version of tenfold (its format is {status['format']}, "
            f"this one reads {FORMAT}): resume it with that version, or start a new run"
        )
    recipe = read(folder / "recipe.toml")
    _check_unedited(folder, recipe)
    return recipe, str(status["state"])


def _check_unedited(folder: Path, recipe: Recipe) -> None:
    """Refuse a recipe that is not the one that the run began with: its records would be those of another recipe."""
    path = folder / "resolved.json"
    if not path.exists():
        return  # nothing was trained yet
    resolved, now = read_json(path, "recipe"), as_json(recipe.model_dump())
    older = [{**resolved["recipe"], "flip": now["flip"]}]  # a run of an older version kept what "photographs" became
    changes = [_change(as_json(began), now) for began in resolved.get("asked", older)]
    if all(changes):
        raise RunError(
            f"{folder / 'recipe.toml'} was edited since the run began ({changes[-1]}): restore it, "
            f"or start a new run with `tenfold train --recipe {shlex.quote(str(folder / 'recipe.toml'))}`"
        )


def _change(began: Settings, now: Settings) -> str:
    """Say what differs first between two recipes, "" where nothing does; fields that began lacks had their default.

    Data may be moved to another place: a fingerprint guards them.
    """
    for name, field in Recipe.model_fields.items():
        before = began.get(name, as_json(field.default))
        if name != "data" and now[name] != before:
            return f"{name} {setting(now[name])}, was {setting(before)}"
    return ""


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """Keep other writers out of a run; the lock of a process that died is free."""
    try:
        with filelock.FileLock(folder / ".lock", timeout=0):
            yield
    except filelock.Timeout:
        raise RunError(f"{folder} is in use by another process: wait for it, or stop it first") from None


@contextmanager
def awaited(folder: Path) -> Iterator[None]:
    """Take the lock of a folder, made if need be; wait where another writer has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / ".lock"):
        yield


def is_held(folder: Path) -> bool:
    """Say if a process holds the lock of a folder."""
    if not (folder / ".lock").exists():
        return False
    try:
        with filelock.FileLock(folder / ".lock", timeout=0):
            return False
    except filelock.Timeout:
        return True


def sweep(folder: Path) -> None:
    """Remove what a process that was killed while it saved left beside its files; only the run's one writer may.

    Folders inside that have a writer of their own are left to it.
    """
    held = [file.parent for file in folder.glob("*/**/.lock") if is_held(file.parent)]
    for litter in folder.rglob(".tenfold-*.tmp"):
        if not any(place in litter.parents for place in held):
            litter.unlink(missing_ok=True)


def append(folder: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = COLUMNS) -> None:
    """Add lines to metrics.csv; numbers to nine digits, which tell every float32, nothing for what a row lacks."""
    lines = [",".join(_cell(row.get(column, "")) for column in columns) + "\n" for row in rows]
    path = folder / "metrics.csv"
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(lines))
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from None


def truncate(folder: Path, length: int) -> None:
    """Cut metrics.csv back to the length in bytes that a checkpoint knows (0: to its heading)."""
    with _metrics(folder) as file:
        file.truncate(length or len(file.readline()))


def durable_length(folder: Path) -> int:
    """Make metrics.csv durable; its length in bytes."""
    with _metrics(folder) as file:
        os.fsync(file.fileno())
        return file.seek(0, os.SEEK_END)


@contextmanager
def _metrics(folder: Path) -> Iterator[BinaryIO]:
    """Open metrics.csv for changes; an error that names it where the disk refuses."""
    path = folder / "metrics.csv"
    try:
        with path.open("r+b") as file:
            yield file
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror})") from None


def finish(folder: Path, state: str) -> None:
    """Set the state of a run: running, interrupted, failed or finished."""
    write_json(folder / "status.json", {"format": FORMAT, "state": state})


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else ""
    return str(value)
