"""The same learning rate throughout: factor 1."""

__all__ = ["constant"]

from tenfold.engine.types import Scalar


def constant(t: int, total: int, epoch: int) -> Scalar:
    """Return the factor on the learning rate before update t, from 0, of total; epoch: updates in an epoch."""
    return 1.0
