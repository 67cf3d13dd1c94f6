"""Learning-rate schedules: the factor on the learning rate before update t (from 0) of `total`.

constant: 1        step: factor^⌊t / every⌋        cosine: (1 + cos(π t / total)) / 2 (Loshchilov and Hutter 2017)
"""

__all__ = ["constant", "cosine", "step"]

import math

from tenfold.engine.types import Scalar


def constant(t: int, total: int, factor: Scalar, every: int) -> Scalar:
    """The same rate throughout."""
    return 1.0


def cosine(t: int, total: int, factor: Scalar, every: int) -> Scalar:
    """From 1 to 0 along half a cosine.

    >>> cosine(50, 100, 0.0, 0)
    0.5
    """
    return (1 + math.cos(math.pi * min(t / total, 1.0))) / 2 if t * 2 != total else 0.5


def step(t: int, total: int, factor: Scalar, every: int) -> Scalar:
    """Multiplied by `factor` (a number or (P,)) after every `every` updates.

    >>> step(25, 100, 0.5, 10)
    0.25
    """
    return factor ** (t // every)
