"""Half a cosine from 1 to 0 (Loshchilov and Hutter 2017): factor (1 + cos(π t / total)) / 2."""

__all__ = ["cosine"]

import math

from tenfold.engine.types import Scalar


def cosine(t: int, total: int, epoch: int) -> Scalar:
    """Return the factor on the learning rate before update t, from 0, of total; epoch: updates in an epoch.

    >>> cosine(50, 100, 10)
    0.5
    """
    return (1 + math.cos(math.pi * min(t / total, 1.0))) / 2 if t * 2 != total else 0.5
