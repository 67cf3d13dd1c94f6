"""The few shape helpers that every room needs."""

__all__ = ["blocks", "one_hot", "per_member", "rows", "stacked"]

from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from tenfold.engine.types import Scalar

# Elements that an update takes at a time: few enough for weights, gradients and memory to stay in the processor's
# cache between one operation on them and the next (measured, benchmarks/LOG.md).
BLOCK = 2**18


def per_member(value: Scalar, like: Tensor) -> Scalar:
    """Return a (P,) scalar with axes added so that it broadcasts against like (P, ...); a float as it is."""
    return value.reshape(-1, *[1] * (like.dim() - 1)) if isinstance(value, Tensor) else value


def one_hot(y: Tensor, like: Tensor) -> Tensor:
    """Return labels (B,) as rows (B, C) of zeros and a one, laid out in memory like scores (..., B, C) of layers."""
    return like.new_zeros(like.shape[-1], len(y)).scatter_(0, y.unsqueeze(0), 1.0).mT


def rows(tensors: Mapping[str, Tensor], members: Tensor) -> dict[str, Tensor]:
    """Return copies of the given members (K,) of every tensor (P, ...)."""
    return {name: tensor[members] for name, tensor in tensors.items()}


def stacked(members: Sequence[Tensor]) -> Tensor:
    """Return tensors (…) of the members as (P, …); a single one is not copied, and keeps its layout in memory."""
    return torch.stack(tuple(members)) if len(members) > 1 else members[0][None]


def blocks(
    tensors: tuple[Tensor, ...], scalars: tuple[Scalar, ...]
) -> Iterator[tuple[tuple[Tensor, ...], tuple[Scalar, ...]]]:
    """Yield views that cover tensors of one shape (P, ...) piece by piece, with the scalars of their members.

    Small tensors come as one piece; large ones by groups of members, or by parts of one member.
    """
    first = tensors[0]
    members, size = len(first), first[0].numel()
    if members * size <= BLOCK:
        yield tensors, tuple(per_member(scalar, first) for scalar in scalars)
        return
    flat = [tensor.view(members, size) for tensor in tensors]
    group, width = max(1, BLOCK // size), min(size, BLOCK)
    for k in range(0, members, group):
        beside = tuple(s[k : k + group, None] if isinstance(s, Tensor) else s for s in scalars)
        for i in range(0, size, width):
            yield tuple(tensor[k : k + group, i : i + width] for tensor in flat), beside
