"""Tally of a population beside its state: running means, losses of steps, best so far, patience, who is still in.

All of it is aligned with the rows of the population, so dropping members slices it like the state, and a checkpoint
saves it like the state.
"""

__all__ = ["add", "means", "new", "observe", "ranking"]

import torch
from torch import Tensor

from tenfold.engine.types import State, Value
from tenfold.runs import losses

# What members are ranked by; NaN, where there is no validation part, is alike for all that did not fail.
KEYS = ("best_score", "best_loss")


def new(members: int) -> dict[str, Tensor]:
    """Return a tally of nothing seen yet, for members 0 … P − 1. Every tensor starts with the axis of members."""
    worst = torch.full((members,), -torch.inf, dtype=torch.float64)
    return {
        "member": torch.arange(members),
        "sums": torch.zeros(members, 3, dtype=torch.float64),
        "count": torch.zeros(members, dtype=torch.int64),
        "best_score": worst,
        "best_loss": -worst,
        "best_step": torch.zeros(members, dtype=torch.int64),
        "stale": torch.zeros(members, dtype=torch.int64),
        "last_loss": worst.clone(),
        "losses": losses.unseen(members),
    }


def add(tally: dict[str, Tensor], value: Value, step: int) -> None:
    """Count the loss, cost and accuracy of a step. step: its number, from 1."""
    tally["sums"] += torch.stack((value.loss, value.loss + value.penalty, value.accuracy), -1).cpu()
    tally["count"] += 1
    if "losses" in tally:  # a checkpoint of an older version has none
        losses.keep(tally["losses"], value.loss, step)


def means(tally: dict[str, Tensor]) -> Tensor:
    """Return loss, cost and accuracy (P, 3) since the last call, which starts anew."""
    average = tally["sums"] / tally["count"][:, None]
    tally["sums"].zero_()
    tally["count"].zero_()
    return average


def observe(
    tally: dict[str, Tensor], state: State, train_loss: Tensor, loss: Tensor, score: Tensor, latest: bool
) -> Tensor:
    """Take in one validation; returns the active members (P,) whose parameters are now those to be judged by.

    Better: a higher validation score, at the same score a lower loss. A loss alone does not reset patience.
    latest: members are judged by their last validation whatever came before. A failed member is judged by none.
    """
    active = (state.status == 0).cpu()
    higher = active & (score > tally["best_score"])
    better = higher | (active & (score == tally["best_score"]) & (loss < tally["best_loss"]))
    if latest:
        better = active
    tally["best_score"][(state.status < 0).cpu()] = -torch.inf
    for name, seen in (("best_score", score), ("best_loss", loss)):
        tally[name][better] = seen[better]
    tally["best_step"][better] = state.step
    tally["stale"] = torch.where(higher, 0, tally["stale"] + 1)
    tally["last_loss"] = train_loss
    return better


def ranking(tally: dict[str, Tensor]) -> list[int]:
    """Return rows from best to worst by validation score, then loss, then member number."""
    score, loss = (torch.nan_to_num(tally[name], nan=0.0, posinf=torch.inf, neginf=-torch.inf) for name in KEYS)
    keys = zip(-score, loss, tally["member"], strict=True)
    return [row for _, row in sorted((tuple(map(float, key)), row) for row, key in enumerate(keys))]
