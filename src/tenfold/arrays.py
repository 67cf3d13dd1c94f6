"""The few shape helpers that every room needs."""

__all__ = ["per_member", "rows"]

from collections.abc import Mapping

from torch import Tensor

from tenfold.types import Scalar


def per_member(value: Scalar, like: Tensor) -> Scalar:
    """A (P,) scalar with axes added so that it broadcasts against like (P, ...); a float as it is."""
    return value.reshape(-1, *[1] * (like.dim() - 1)) if isinstance(value, Tensor) else value


def rows(tensors: Mapping[str, Tensor], members: Tensor) -> dict[str, Tensor]:
    """Copies of the given members (K,) of every tensor (P, ...)."""
    return {name: tensor[members] for name, tensor in tensors.items()}
