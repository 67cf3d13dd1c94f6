"""What update rules with momentum share: velocities, and descent with a learning rate for each group of parameters."""

__all__ = ["Group", "descend", "direction", "holds_filters"]

from typing import NamedTuple

from torch import Tensor

from tenfold.engine.arrays import per_member
from tenfold.engine.types import Scalar

FILTERS, VECTOR = 5, 2
"""Ranks of tensors of filters, (P, O, I, kh, kw), and of vectors, (P, O)."""


class Group(NamedTuple):
    """What a step takes beside its direction: the share λ of decay, and factors on the learning rate of two groups."""

    weight_decay: Scalar
    head_factor: Scalar
    bias_factor: Scalar


def direction(g: Tensor, v: Tensor, momentum: Scalar, nesterov: bool) -> Tensor:
    """Return v ← μ v + g, or with Nesterov's look-ahead g + μ v. v is changed in place, g is not."""
    mu = per_member(momentum, g)
    v.mul_(mu).add_(g)
    return g + mu * v if nesterov else v


def descend(param: Tensor, along: Tensor, learning_rate: Scalar, group: Group) -> None:
    """Step W ← (1 − η λ) W − η r d; r is 1 for filters, head_factor for matrices, bias_factor for vectors."""
    factor = group.head_factor if param.dim() > VECTOR else group.bias_factor
    rate = learning_rate * (1.0 if holds_filters(param) else factor)
    param.mul_(per_member(1 - learning_rate * group.weight_decay, param))
    param.sub_(along * per_member(rate, param))


def holds_filters(param: Tensor) -> bool:
    """Say if a parameter's members are filters of a convolution."""
    return param.dim() == FILTERS
