"""Classification: cost = mean loss of the scores + penalties on the weights, and its gradient in every parameter."""

__all__ = ["classify"]

from collections.abc import Sequence

import torch
from torch import Tensor

from tenfold.engine.chain import chain
from tenfold.engine.objective import Objective, penalize, weighed
from tenfold.engine.types import Batch, Buffers, Grads, Loss, Model, Params, Scalar, Value
from tenfold.engine.views import views


def classify(model: Model, losses: Sequence[tuple[Loss, int]], l1: Scalar = 0.0, l2: Scalar = 0.0) -> Objective:
    """Return the objective of a population whose members may differ in loss and penalty.

    losses: (loss, count) for consecutive members, counts adding up to P; l1, l2: strengths, a number or (P,).
    Returns `objective(params, buffers, batch) -> Value, grads, buffers`.
    """
    score = losses[0][0] if len(losses) == 1 else _side_by_side(losses)

    def objective(params: Params, buffers: Buffers, batch: Batch) -> tuple[Value, Grads, Buffers]:
        scores, pull, buffers = model.forward(params, buffers, batch.inputs, batch.noise)
        scores, pull_view = chain(views(batch), {}, scores)
        right = scores.max(-1).indices == batch.targets
        loss, dscores = weighed(score, scores, batch)
        _, grads = pull(pull_view(dscores, need_dx=True)[0])
        penalty = penalize(params, grads, l1, l2)
        return Value(loss, penalty, right.mean(-1, dtype=loss.dtype)), grads, buffers

    return objective


def _side_by_side(losses: Sequence[tuple[Loss, int]]) -> Loss:
    """Return the loss that takes each loss on its own members, consecutive along the first axis."""

    def score(scores: Tensor, targets: Tensor, weight: Scalar) -> tuple[Tensor, Tensor]:
        blocks = torch.split(scores, [count for _, count in losses])
        values, dscores = zip(
            *(loss(z, targets, weight) for (loss, _), z in zip(losses, blocks, strict=True)), strict=True
        )
        return torch.cat(values), torch.cat(dscores)

    return score
