"""Classification: cost = mean loss of the scores + penalties on the weights, and its gradient in every parameter."""

__all__ = ["classify"]

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tenfold.penalties import l1 as l1_penalty
from tenfold.penalties import l2 as l2_penalty
from tenfold.types import Batch, Buffers, Grads, Loss, Model, Params, Scalar, Value

Objective = Callable[[Params, Buffers, Batch], tuple[Value, Grads, Buffers]]


def classify(model: Model, losses: Sequence[tuple[Loss, int]], l1: Scalar = 0.0, l2: Scalar = 0.0) -> Objective:
    """The objective of a population whose members may differ in loss and penalty.

    losses: (loss, count) for consecutive members, counts adding up to P; l1, l2: strengths, a number or (P,).
    Returns `objective(params, buffers, batch) -> Value, grads, buffers`.
    """
    score = losses[0][0] if len(losses) == 1 else _side_by_side(losses)

    def objective(params: Params, buffers: Buffers, batch: Batch) -> tuple[Value, Grads, Buffers]:
        scores, pull, buffers = model.forward(params, buffers, batch.inputs, batch.noise)
        right = scores.max(-1).indices == batch.targets
        loss, dscores = score(scores, batch.targets, batch.weight)
        _, grads = pull(dscores)
        penalty = penalize(params, grads, l1, l2)
        return Value(loss, penalty, right.mean(-1, dtype=loss.dtype)), grads, buffers

    return objective


def penalize(params: Params, grads: Grads, l1: Scalar, l2: Scalar) -> Tensor:
    """Penalty (P,) on the tensors named weight; their gradients are added to grads in place."""
    first = next(iter(params.values()))
    total = first.new_zeros(len(first))
    for strength, penalty in ((l1, l1_penalty), (l2, l2_penalty)):
        if isinstance(strength, Tensor) or strength:
            for name in params:
                if name.endswith("weight"):
                    total += penalty(params[name], strength, grads[name])
    return total


def _side_by_side(losses: Sequence[tuple[Loss, int]]) -> Loss:
    """Each loss on its own members, consecutive along the first axis."""

    def score(scores: Tensor, targets: Tensor, weight: Scalar) -> tuple[Tensor, Tensor]:
        blocks = torch.split(scores, [count for _, count in losses])
        values, dscores = zip(
            *(loss(z, targets, weight) for (loss, _), z in zip(losses, blocks, strict=True)), strict=True
        )
        return torch.cat(values), torch.cat(dscores)

    return score
