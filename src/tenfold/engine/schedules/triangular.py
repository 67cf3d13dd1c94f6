"""Triangular schedule (Smith 2017; Page 2019): up in a straight line, then down in another.

With its peak at r = rise · total, the factor is

    before it    a + (1 − a) t / r                         a = rise_from
    behind it    1 − (1 − b) (t − r) / (total − r)         b = fall_to
"""

__all__ = ["triangular"]

from tenfold.engine.types import Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("rise", 0.25, "share of the run in which the rate rises to its value", least=0, below=1),
    Hyperparameter("rise_from", 0.2, "factor on the learning rate at first", least=0),
    Hyperparameter("fall_to", 0.0, "factor on the learning rate at the end", least=0),
)


def triangular(
    t: int, total: int, epoch: int, rise: float = 0.25, rise_from: float = 0.2, fall_to: float = 0.0
) -> Scalar:
    """Return the factor on the learning rate before update t, from 0, of total; epoch: updates in an epoch.

    >>> [round(triangular(t, 100, 10), 3) for t in (0, 25, 100)]
    [0.2, 1.0, 0.0]
    """
    peak = rise * total
    if t < peak:
        return rise_from + (1 - rise_from) * t / peak
    return 1 - (1 - fall_to) * (min(t, total) - peak) / (total - peak)
