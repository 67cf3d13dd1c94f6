"""The run folder: one plain directory that says what was run, on what, how it went and what came out.

It appears by a rename with recipe.toml inside, so a kill in its first second leaves nothing half-made; every file is
written atomically, metrics.csv grows by lines and is cut back to its checkpoint on resume. status.json says "finished"
last of all.
"""

__all__ = [
    "COLUMNS",
    "FORMAT",
    "MEASURES",
    "PREDICTIONS",
    "append",
    "create",
    "default_folder",
    "durable_length",
    "finish",
    "how_to_resume",
    "lock",
    "opened",
    "read_json",
    "read_results",
    "sweep",
    "truncate",
    "write_json",
]

import csv
import datetime
import json
import math
import os
import re
import secrets
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import filelock
import numpy as np

from tenfold.errors import FileError, RunError
from tenfold.modelfile import load_model
from tenfold.recipe import Recipe, read, text
from tenfold.sweeptable import Unit, swept
from tenfold.tensorfile import write_text
from tenfold.types import Results, Sweep

FORMAT = 2
MEASURES = (
    *(f"{part}_{kind}" for part in ("train", "validation") for kind in ("loss", "cost", "accuracy")),
    "validation_macro_f1",
)
PREDICTIONS = {"test": "predictions.csv", "validation": "validation-predictions.csv"}
COLUMNS = ("rung", "step", "epoch", "member", *MEASURES)


def default_folder(recipe: Recipe) -> Path:
    """runs/<time>-<slug>-<id> below the working folder."""
    slug = re.sub(r"[^a-z0-9]+", "-", f"{recipe.kind} {Path(recipe.data).stem}".lower()).strip("-")[:40]
    return Path("runs") / f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{slug}-{secrets.token_hex(2)}"


def create(folder: Path, recipe: Recipe, environment: dict[str, Any]) -> Path:
    """Make the run folder with its recipe, environment and status inside, in one rename. A RunError where it exists."""
    _check_free(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Whatever fails inside the block takes the unfinished folder with it.
        with tempfile.TemporaryDirectory(
            prefix=f".{folder.name[:40]}-", dir=folder.parent, ignore_cleanup_errors=True
        ) as made:
            partial = Path(made)
            partial.chmod(0o755)
            write_text(partial / "recipe.toml", text(recipe))
            write_json(partial / "env.json", environment)
            write_json(partial / "status.json", {"format": FORMAT, "state": "running"})
            write_text(partial / "metrics.csv", ",".join(COLUMNS) + "\n")
            partial.rename(folder)
    except OSError as error:
        reason = f"{error.filename or folder.parent}: {error.strerror or error}"
        raise FileError(f"{folder}: cannot be made ({reason}); choose another --out") from None
    return folder


def _check_free(folder: Path) -> None:
    if (folder / "recipe.toml").exists():
        raise RunError(f"{folder} holds a run: choose another --out, or go on with `{how_to_resume(folder)}`")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        kind = "is a folder with other things in it" if folder.is_dir() else "is a file"
        raise RunError(f"{folder} {kind}: choose another --out")


def how_to_resume(folder: Path) -> str:
    """The command that goes on with a run, as one can paste it."""
    return f"tenfold resume {shlex.quote(str(folder))}"


def opened(folder: Path) -> tuple[Recipe, dict[str, Any]]:
    """Recipe and status of an existing run; a RunError where the folder is none, or another version's."""
    if not (folder / "recipe.toml").is_file() or not (folder / "status.json").is_file():
        raise RunError(f"{folder} is no run folder: it holds no recipe.toml and status.json")
    status = read_json(folder / "status.json", "format", "state")
    if status["format"] != FORMAT:
        raise RunError(
            f"{folder} was written by another version of tenfold (its format is {status['format']}, "
            f"this one reads {FORMAT}): resume it with that version, or start a new run"
        )
    return read(folder / "recipe.toml"), status


@contextmanager
def lock(folder: Path) -> Iterator[None]:
    """One writer for a run; the lock of a process that died is free."""
    try:
        with filelock.FileLock(folder / ".lock", timeout=0):
            yield
    except filelock.Timeout:
        raise RunError(f"{folder} is being written by another process: wait for it, or stop it first") from None


def sweep(folder: Path) -> None:
    """Remove what a process that was killed while it saved left beside its files; only the run's one writer may."""
    for litter in folder.rglob(".tenfold-*.tmp"):
        litter.unlink(missing_ok=True)


def append(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Add lines to metrics.csv; numbers to nine digits, which tell every float32."""
    lines = [",".join(_cell(row[column]) for column in COLUMNS) + "\n" for row in rows]
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
    """metrics.csv, open for changes; what the disk refuses is an error that names it."""
    path = folder / "metrics.csv"
    try:
        with path.open("r+b") as file:
            yield file
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror})") from None


def write_json(path: Path, content: Any) -> None:
    """Write atomically; a number that is not finite becomes null, a byte of a path that is no UTF-8 an escape."""
    plain = json.dumps(_finite(content), indent=1, ensure_ascii=False) + "\n"
    write_text(path, plain.encode("utf-8", "backslashreplace").decode())


def read_json(path: Path, *needed: str) -> Any:
    """Read a file that this package wrote; a FileError names it where it can't be, or lacks what is needed of it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: damaged, it is not JSON ({error}); restore it from a copy") from None
    missing = [name for name in needed if not isinstance(content, dict) or name not in content]
    if missing:
        raise FileError(f"{path}: damaged, it does not say {missing[0]!r}; restore it from a copy")
    return content


def finish(folder: Path, state: str) -> None:
    """Set the state of a run: running, interrupted, failed or finished."""
    write_json(folder / "status.json", {"format": FORMAT, "state": state})


def read_results(folder: Path) -> Results:
    """What figures and reports need of a run that has a result."""
    if not (folder / "result.json").exists():
        opened(folder)
        raise RunError(f"{folder}: the run has no result yet; bring it to its end with `{how_to_resume(folder)}`")
    result = read_json(folder / "result.json", "data", "best_rung", "part", "settings")
    curves = _curves(folder / "metrics.csv")
    columns = _columns(folder / PREDICTIONS[result["part"]])
    # In the order in which the rungs were climbed.
    models = {name: load_model(folder / "models" / f"{name}.tenfold") for name in result["settings"]}
    templates = {
        name: model.params["scores.weight"][0].float().cpu().numpy().reshape(-1, *model.image_shape)
        for name, model in models.items()
        if model.room_name == "linear" and model.features == "pixels"
    }
    return Results(
        name=str(result["data"]),
        class_names=next(iter(models.values())).class_names,
        curves=curves,
        settings={name: tuple(result["settings"][name]) for name in models},
        winners={name: int(model.cause["member"]) for name, model in models.items()},
        best=str(result["best_rung"]),
        part=str(result["part"]),
        positions=columns["position"].astype(np.int64),
        labels=columns["label"].astype(np.int64),
        predicted={name: columns[f"predicted {name}"].astype(np.int64) for name in models},
        confidence={name: columns[f"confidence {name}"].astype(np.float64) for name in models},
        uncalibrated={name: columns[f"uncalibrated {name}"].astype(np.float64) for name in models},
        templates=templates,
        sweep=_sweep(folder, result) if "table" in result else None,
    )


def _sweep(folder: Path, result: Mapping[str, Any]) -> Sweep:
    """The search that a sweep's folder tells of."""
    plan = read_json(folder / "plan.json") if (folder / "plan.json").exists() else {}
    sizes = [len(plan[f"round {number}"]) for number in range(len(plan)) if f"round {number}" in plan]
    return swept(
        result, read(folder / "recipe.toml").vary, sizes, map(_unit, sorted(folder.glob("units/*/*/outcome.json")))
    )


def _unit(outcome: Path) -> Unit:
    members = read_json(outcome, "members")["members"]
    return Unit(int(outcome.parent.parent.name), members, _curves(outcome.with_name("metrics.csv")))


def _columns(path: Path) -> dict[str, Any]:
    """A table of predictions, by the names of its columns."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            table = list(csv.reader(file))
        return {name: np.array([row[i] for row in table[1:]]) for i, name in enumerate(table[0])}
    except (OSError, ValueError, IndexError) as error:
        raise FileError(f"{path}: cannot be read ({error}); restore it from a copy") from None


def _curves(path: Path) -> dict[str, Any]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    kinds = {"rung": str, "step": np.int64, "member": np.int64}
    return {
        name: np.array([row[name] or "nan" for row in rows]).astype(kinds.get(name, np.float64)) for name in COLUMNS
    }


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.9g}" if math.isfinite(value) else ""
    return str(value)


def _finite(content: Any) -> Any:
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, dict):
        return {str(key): _finite(value) for key, value in content.items()}
    return [_finite(item) for item in content] if isinstance(content, list | tuple) else content
