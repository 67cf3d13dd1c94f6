"""When a run saves, and what: the state of the stage under way, outcomes of those before it, length of its metrics."""

__all__ = ["Progress", "Saver", "moved", "restored"]

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold.engine.types import Params, State
from tenfold.runs.checkpoint import Checkpoint, save_checkpoint
from tenfold.runs.folder import durable_length

# A checkpoint is due after this many seconds and this many times what the last one took. The environment can ask for
# more of them, as the tests that kill short runs do.
SECONDS, TIMES, GLANCE = 2.0, 50.0, 0.2
EAGER = "TENFOLD_CHECKPOINT_SECONDS"


PLAIN = ("dropped", "failed", "validations", "images", "seconds", "lap", "measured")
"""Of a Progress what is no tensor."""


class Progress(NamedTuple):
    """Where a stage stands: state, tally (aligned with its members), best parameters so far, and what happened to whom.

    dropped: member -> its best validation; failed: member -> step, layer, tensor. images: images × members stepped.
    seconds: of stepping. lap: those since the last validation. measured: step -> part -> member -> metrics, where the
    stage asks for them.
    """

    state: State
    tally: dict[str, Tensor]
    best: Params
    dropped: dict[str, Any]
    failed: dict[str, Any]
    validations: int
    images: float
    seconds: float
    lap: float
    measured: dict[str, Any] = {}  # noqa: RUF012 - a NamedTuple's default is never written to


def restored(checkpoint: Checkpoint, device: torch.device) -> Progress:
    """Where the stage stood that a checkpoint was made in."""
    groups: dict[str, dict[str, Tensor]] = {"tally": {}, "best": {}}
    for name, tensor in checkpoint.tensors.items():
        group, _, rest = name.partition("/")
        groups[group][rest] = tensor.to(device) if group == "best" else tensor
    return Progress(moved(checkpoint.state, device), groups["tally"], groups["best"], **checkpoint.notes["progress"])


def moved(state: State, device: torch.device) -> State:
    """The state with every tensor on a device."""
    params, buffers, memory = ({name: t.to(device) for name, t in group.items()} for group in state[1:4])
    return State(state.step, params, buffers, memory, state.status.to(device))


class Saver:
    """Keeps the pace of checkpoints and of looks at the display; holds the outcomes of finished stages.

    kept: stage, member and step of the model that lies in model.tenfold.
    """

    def __init__(self, folder: Path, number: int, outcomes: list[dict[str, Any]], before: float) -> None:
        self.folder, self.number, self.outcomes = folder, number, outcomes
        self.kept = ("", 0, 0)
        self._before, self._start = before, time.monotonic()
        self._eager = float(asked) if (asked := os.environ.get(EAGER, "")).replace(".", "", 1).isdecimal() else 0.0
        self._cost, self._saved, self._seen = 0.0, time.monotonic(), 0.0

    def elapsed(self) -> float:
        """Seconds of this run, earlier sessions included up to their last checkpoint."""
        return self._before + time.monotonic() - self._start

    def due(self) -> bool:
        """Whether the next checkpoint is worth its time."""
        return time.monotonic() - self._saved >= (self._eager or max(SECONDS, TIMES * self._cost))

    def watching(self) -> bool:
        """Whether it is time to tell who watches; true at most five times a second."""
        now = time.monotonic()
        if now - self._seen < GLANCE:
            return False
        self._seen = now
        return True

    @contextmanager
    def timed(self) -> Iterator[None]:
        """What is written inside the block counts as one checkpoint's cost."""
        start = time.monotonic()
        yield
        self._saved = time.monotonic()
        self._cost = self._saved - start

    def save(self, stage: str, progress: Progress) -> None:
        """Write the next checkpoint of a stage under way."""
        tensors = {f"{group}/{name}": t for group in ("tally", "best") for name, t in getattr(progress, group).items()}
        plain = {name: getattr(progress, name) for name in PLAIN}
        self._write(progress.state, tensors, {"stage": stage, "progress": plain})

    def finish(self, outcome: dict[str, Any]) -> None:
        """Write down that a stage is over; the next one starts afresh."""
        self.outcomes.append(outcome)
        with self.timed():
            self._write(State(0, {}, {}, {}, torch.zeros(0)), {}, {"stage": ""})

    def best(self) -> tuple[float, str]:
        """Best validation score of the finished stages, and whose it is."""
        return max(((float(o["score"]), str(o["rung"])) for o in self.outcomes), default=(float("-inf"), ""))

    def _write(self, state: State, tensors: dict[str, Tensor], notes: dict[str, Any]) -> None:
        self.number += 1
        notes |= {"outcomes": self.outcomes, "elapsed": self.elapsed(), "metrics": durable_length(self.folder)}
        save_checkpoint(self.folder / "checkpoints", self.number, Checkpoint(state, tensors, notes))
