"""Objectives, which a task gives the loop: the cost of a batch and its gradient, the penalty in both, clipping.

Clipping is by global norm (Pascanu et al. 2013), each member by its own: g ← g · min(1, c / (‖g‖ + 1e-6)).
"""

__all__ = ["MINING", "Objective", "clip", "penalize", "side_by_side", "weighed"]

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tenfold.engine.arrays import per_member
from tenfold.engine.penalties import l1 as l1_penalty
from tenfold.engine.penalties import l2 as l2_penalty
from tenfold.engine.types import Batch, Buffers, Grads, Loss, Params, Scalar, Value

Objective = Callable[[Params, Buffers, Batch], tuple[Value, Grads, Buffers]]
"""`value, grads, buffers = objective(params, buffers, batch)`."""

MINING = "mining"
"""Name of the noise, (B, 2), by which a loss of embeddings draws pairs and triplets."""


def penalize(params: Params, grads: Grads, l1: Scalar, l2: Scalar) -> Tensor:
    """Return the penalty (P,) on the tensors named weight; its gradient is added to grads in place."""
    first = next(iter(params.values()))
    total = first.new_zeros(len(first))
    for strength, penalty in ((l1, l1_penalty), (l2, l2_penalty)):
        if isinstance(strength, Tensor) or strength:
            for name in params:
                if name.endswith("weight"):
                    total += penalty(params[name], strength, grads[name])
    return total


def clip(grads: Grads, norm: Scalar) -> Tensor:
    """Scale gradients (P, ...) in place to at most the given norm c (a number or (P,)). Returns the factors (P,).

    A member with an infinite c keeps its gradient, whatever its norm.
    """
    total = torch.stack([torch.linalg.vector_norm(grad.flatten(1), dim=1) for grad in grads.values()])
    factor: Tensor = (norm / (torch.linalg.vector_norm(total, dim=0) + 1e-6)).clamp_max(1.0)
    if isinstance(norm, Tensor):  # a norm that overflows, though the gradient does not, would make ∞/∞ of it
        factor.masked_fill_(norm.isinf(), 1.0)
    # Where nobody is above the norm, the pass over all gradients is saved; a NaN is not 1 and goes on into all of them.
    for grad in grads.values() if bool((factor != 1).any()) else ():
        grad.mul_(per_member(factor, grad))
    return factor


def weighed(loss: Loss, scores: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return loss and gradient of a batch's scores; of mixed images, the losses of both targets by their shares.

    A loss of embeddings takes the batch's draws in place of the images' weights.
    """
    if MINING in batch.noise:
        return loss(scores, batch.targets, batch.noise[MINING][: len(batch.targets)])
    if batch.partners is None:
        return loss(scores, batch.targets, batch.weight)
    first, dfirst = loss(scores, batch.targets, batch.weight * batch.share)
    second, dsecond = loss(scores, batch.partners, batch.weight * (1 - batch.share))
    return first + second, dfirst + dsecond


def side_by_side(losses: Sequence[tuple[Loss, int]]) -> Loss:
    """Return the loss that takes each loss on its own members, (loss, count), consecutive along the first axis."""
    if len(losses) == 1:
        return losses[0][0]

    def score(scores: Tensor, targets: Tensor, weight: Scalar) -> tuple[Tensor, Tensor]:
        blocks = torch.split(scores, [count for _, count in losses])
        values, dscores = zip(
            *(loss(z, targets, weight) for (loss, _), z in zip(losses, blocks, strict=True)), strict=True
        )
        return torch.cat(values), torch.cat(dscores)

    return score
