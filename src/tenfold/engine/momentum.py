"""What update rules with momentum share: the direction of a step, and the factor on a group's learning rate."""

__all__ = ["direction", "factor_of", "holds_filters"]

from torch import Tensor

from tenfold.engine.arrays import per_member
from tenfold.engine.types import Scalar

FILTERS, VECTOR = 5, 2
"""Ranks of tensors of filters, (P, O, I, kh, kw), and of vectors, (P, O)."""


def direction(g: Tensor, v: Tensor, momentum: Scalar, nesterov: bool) -> Tensor:
    """Return v ← μ v + g, or with Nesterov's look-ahead g + μ v. v is changed in place, g is not."""
    mu = per_member(momentum, g)
    v.mul_(mu).add_(g)
    return g + mu * v if nesterov else v


def factor_of(param: Tensor, head_factor: Scalar, bias_factor: Scalar) -> Scalar:
    """Return the factor on the learning rate of a parameter (P, …): 1.0 for filters."""
    if holds_filters(param):
        return 1.0
    return head_factor if param.dim() > VECTOR else bias_factor


def holds_filters(param: Tensor) -> bool:
    """Say if a parameter's members are filters of a convolution."""
    return param.dim() == FILTERS
