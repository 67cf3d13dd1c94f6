"""Losses of single mini-batches: what the running means smooth away. No pass over the validation part is needed.

Of every member so many are kept that they fill a curve, whatever the number of steps: first that of each step, then of
every second, every fourth. Which ones depends on the number of steps alone, so a resumed run keeps the same.
"""

__all__ = ["LOSSES", "keep", "kept", "read_losses", "unseen", "write_losses"]

import csv
import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.errors import FileError
from tenfold.files import write_text
from tenfold.runs.checkpoint import Progress

LOSSES = "losses.csv"
"""Name of the file of a run's kept losses: rung, member, step, loss."""

# Even, as half of them go when they are all used; more points than a chart has pixels show nothing.
MOST = 1024


def unseen(members: int) -> Tensor:
    """Return the place for the losses of members before their first step, (P, MOST)."""
    return torch.full((members, MOST), torch.nan)


def keep(losses: Tensor, loss: Tensor, step: int) -> None:
    """Keep the members' losses (P,) on the batch of a step, counted from 1, where it is one of those that are kept."""
    stride = _stride(step)
    if stride > 1 and step == MOST * stride // 2 + 1:  # all places are used: every second step makes room
        losses[:, : MOST // 2] = losses[:, 1::2].clone()
    if step % stride == 0:
        losses.select(1, step // stride - 1).copy_(loss)


def kept(losses: Tensor, steps: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the kept steps (n,) up to the last one of a run, and the losses (P, n) on their batches."""
    stride = _stride(max(1, steps))
    places = np.arange(1, steps // stride + 1)
    return stride * places, losses[:, : len(places)].double().cpu().numpy()


def write_losses(folder: Path, rung: str, progress: Progress, row: int) -> None:
    """Write the kept losses of the member in a row into a run's folder."""
    if "losses" not in progress.tally:
        return  # the run began with a version that kept none
    member = int(progress.tally["member"][row])
    steps, losses = kept(progress.tally["losses"][[row]], progress.state.step)
    shown = [f"{loss:.9g}" if math.isfinite(loss) else "" for loss in losses[0].tolist()]
    lines = [f"{rung},{member},{step},{loss}" for step, loss in zip(steps.tolist(), shown, strict=True)]
    write_text(folder / LOSSES, "\n".join(["rung,member,step,loss", *lines, ""]))


def read_losses(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Return the kept losses of a run by rung, (2, n): steps and losses; nothing where the run kept none."""
    path = folder / LOSSES
    if not path.exists():
        return {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        rungs = dict.fromkeys(row["rung"] for row in rows)
        return {rung: _pairs([row for row in rows if row["rung"] == rung]) for rung in rungs}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(f"{path}: cannot be read ({error}); restore it from a copy, or delete it") from None


def _pairs(rows: list[dict[str, str]]) -> NDArray[np.float64]:
    return np.array([[float(row[name] or "nan") for row in rows] for name in ("step", "loss")])


def _stride(step: int) -> int:
    """Return the number of steps of which one is kept, when so many were taken."""
    return 1 << ((step - 1) // MOST).bit_length()
