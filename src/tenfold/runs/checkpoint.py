"""Checkpoints of a run: when they are due, what they hold, and two generations of them on disk.

A checkpoint holds the state of the stage under way, the outcomes of those before it, and the length of metrics.csv. The
newest that can be read is the one to go on from.
"""

__all__ = [
    "Checkpoint",
    "Progress",
    "Saver",
    "load_checkpoint",
    "moved",
    "restored",
    "save_checkpoint",
]

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold import files
from tenfold.engine.types import Params, State
from tenfold.errors import FileError
from tenfold.files import as_json
from tenfold.runs.folder import durable_length
from tenfold.runs.result import Failure, RungOutcome

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
    """Return the number of the newest generation, the newest content that can be read (or None), a warning or "".

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
                warning and f"{warning}; continuing from the checkpoint before it",
            )
        except (FileError, KeyError) as error:
            warning = str(error)
            path.unlink()
    return newest, None, warning and f"{warning}; no checkpoint can be read, so the training starts again"


def _rebuilt(tensors: dict[str, Tensor], described: dict[str, Any]) -> Checkpoint:
    groups = [
        {n.removeprefix(f"{g}/"): t for n, t in tensors.items() if n.startswith(f"{g}/")} for g in (*GROUPS, "beside")
    ]
    state = State(described["step"], groups[0], groups[1], groups[2], tensors["status"])
    return Checkpoint(state, groups[3], described["notes"])


def _generations(folder: Path) -> list[Path]:
    return sorted((path for path in folder.glob("*.tenfold") if path.stem.isdecimal()), reverse=True)


# A checkpoint is due after this many seconds and this many times what the last one took. The environment can ask for
# more of them, as the tests that kill short runs do.
SECONDS, TIMES, GLANCE = 2.0, 50.0, 0.2
EAGER = "TENFOLD_CHECKPOINT_SECONDS"


PLAIN = ("dropped", "failed", "validations", "images", "seconds", "measured")
"""The fields of a Progress that are no tensors."""


class Progress(NamedTuple):
    """A stage under way: state, tally (aligned with its members), best parameters so far, and the members' fates.

    dropped: member -> its best validation score. failed: member -> its failure. images: images × members stepped.
    seconds: of stepping. measured: step -> part -> member -> metrics, where the
    stage asks for them.
    """

    state: State
    tally: dict[str, Tensor]
    best: Params
    dropped: dict[str, float]
    failed: dict[str, Failure]
    validations: int
    images: float
    seconds: float
    measured: dict[str, Any] = {}  # noqa: RUF012 - a NamedTuple's default is never written to


def restored(checkpoint: Checkpoint, device: torch.device) -> Progress:
    """Return the progress of the stage that a checkpoint was made in."""
    groups: dict[str, dict[str, Tensor]] = {"tally": {}, "best": {}}
    for name, tensor in checkpoint.tensors.items():
        group, _, rest = name.partition("/")
        groups[group][rest] = tensor.to(device) if group == "best" else tensor
    notes = checkpoint.notes["progress"]
    plain = {name: notes[name] for name in PLAIN if name in notes}
    plain["failed"] = {member: Failure(**failure) for member, failure in plain["failed"].items()}
    return Progress(moved(checkpoint.state, device), groups["tally"], groups["best"], **plain)


def moved(state: State, device: torch.device) -> State:
    """Return the state with every tensor on a device."""
    params, buffers, memory = ({name: t.to(device) for name, t in group.items()} for group in state[1:4])
    return State(state.step, params, buffers, memory, state.status.to(device))


class Saver:
    """Keeps the pace of checkpoints and of looks at the display; holds the outcomes of finished stages.

    kept: stage, member and step of the model that lies in model.tenfold.
    """

    def __init__(
        self, folder: Path, number: int = 0, outcomes: Sequence[RungOutcome] = (), before: float = 0.0
    ) -> None:
        self.folder, self.number, self.outcomes = folder, number, list(outcomes)
        self.kept = ("", 0, 0)
        self._before, self._start = before, time.monotonic()
        self._eager = float(asked) if (asked := os.environ.get(EAGER, "")).replace(".", "", 1).isdecimal() else 0.0
        self._cost, self._saved, self._seen = 0.0, time.monotonic(), 0.0

    def elapsed(self) -> float:
        """Return the seconds of this run, earlier sessions included up to their last checkpoint."""
        return self._before + time.monotonic() - self._start

    def due(self) -> bool:
        """Say if the next checkpoint is worth its time."""
        return time.monotonic() - self._saved >= (self._eager or max(SECONDS, TIMES * self._cost))

    def watching(self) -> bool:
        """Say if it is time to tell who watches; true at most five times a second."""
        now = time.monotonic()
        if now - self._seen < GLANCE:
            return False
        self._seen = now
        return True

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the time inside the block as one checkpoint's cost."""
        start = time.monotonic()
        yield
        self._saved = time.monotonic()
        self._cost = self._saved - start

    def save(self, stage: str, progress: Progress) -> None:
        """Write the next checkpoint of a stage under way."""
        tensors = {f"{group}/{name}": t for group in ("tally", "best") for name, t in getattr(progress, group).items()}
        plain = as_json({name: getattr(progress, name) for name in PLAIN})
        self._write(progress.state, tensors, {"stage": stage, "progress": plain})

    def finish(self, outcome: RungOutcome) -> None:
        """Write down that a stage is over; the next one starts afresh."""
        self.outcomes.append(outcome)
        with self.timed():
            self._write(State(0, {}, {}, {}, torch.zeros(0)), {}, {"stage": ""})

    def best(self) -> tuple[float, str]:
        """Return the best validation score of the finished stages, and whose it is."""
        scored = [(outcome.score, outcome.rung) for outcome in self.outcomes if outcome.has_model]
        return max(scored, default=(float("-inf"), ""))

    def _write(self, state: State, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        self.number += 1
        notes |= {"outcomes": as_json(self.outcomes), "elapsed": self.elapsed(), "metrics": durable_length(self.folder)}
        save_checkpoint(self.folder / "checkpoints", self.number, Checkpoint(state, tensors, notes))
