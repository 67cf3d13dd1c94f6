"""The state of a run on disk, two generations of it: the newest that can be read is the one to go on from."""

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from tenfold import files
from tenfold.engine.types import State
from tenfold.errors import FileError

KIND = "tenfold checkpoint"
GROUPS = ("params", "buffers", "memory")


class Checkpoint(NamedTuple):
    """A state, the caller's own tensors beside it, and what the caller noted."""

    state: State
    tensors: dict[str, Tensor]
    notes: dict[str, Any]


def save_checkpoint(folder: Path, number: int, checkpoint: Checkpoint) -> None:
    """Write generation `number`, then remove all but the two newest."""
    state = checkpoint.state
    tensors = {f"{group}/{name}": t for group in GROUPS for name, t in getattr(state, group).items()}
    tensors |= {f"beside/{name}": tensor for name, tensor in checkpoint.tensors.items()}
    folder.mkdir(exist_ok=True)
    described = {"kind": KIND, "step": state.step, "number": number, "notes": checkpoint.notes}
    files.save(folder / f"{number:09d}.tenfold", {**tensors, "status": state.status}, described)
    for old in _generations(folder)[2:]:
        old.unlink(missing_ok=True)


def load_checkpoint(folder: Path) -> tuple[int, Checkpoint | None, str]:
    """Number of the newest generation, content of the newest readable one (None where there is none), warning or "".

    What cannot be read is removed: it would only push out the checkpoints to come.
    """
    paths, warning = _generations(folder), ""
    newest = int(paths[0].stem) if paths else 0
    for path in paths:
        try:
            tensors, described = files.load(path)
            return (
                newest,
                _rebuilt(tensors, described),
                warning and f"{warning}; going on from the checkpoint before it",
            )
        except (FileError, KeyError) as error:
            warning = str(error)
            path.unlink()
    return newest, None, warning and f"{warning}; no checkpoint can be read, starting again"


def _rebuilt(tensors: dict[str, Tensor], described: dict[str, Any]) -> Checkpoint:
    groups = [
        {n.removeprefix(f"{g}/"): t for n, t in tensors.items() if n.startswith(f"{g}/")} for g in (*GROUPS, "beside")
    ]
    state = State(described["step"], groups[0], groups[1], groups[2], tensors["status"])
    return Checkpoint(state, groups[3], described["notes"])


def _generations(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("*.tenfold") if path.stem.isdecimal()), reverse=True)
