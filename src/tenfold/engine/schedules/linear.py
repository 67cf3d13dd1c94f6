"""Linear decay to zero over the whole run: factor 1 − t / total."""

__all__ = ["linear"]

from tenfold.engine.types import Scalar


def linear(t: int, total: int, epoch: int) -> Scalar:
    """Return the factor on the learning rate before update t, from 0, of total; epoch: updates in an epoch.

    >>> linear(25, 100, 10)
    0.75
    """
    return 1 - min(t / total, 1.0)
