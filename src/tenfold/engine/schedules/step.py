"""Decay by a factor at regular intervals: factor decay_factor^⌊t / every⌋."""

__all__ = ["step"]

from tenfold.engine.types import Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("decay_factor", 0.5, "factor on the learning rate at each interval", above=0, varies=True),
    Hyperparameter("decay_every", 10, "length of an interval", least=1),
    Hyperparameter("decay_unit", "epochs", "unit of the interval", words=("epochs", "iterations")),
)


def step(
    t: int, total: int, epoch: int, decay_factor: Scalar = 0.5, decay_every: int = 10, decay_unit: str = "epochs"
) -> Scalar:
    """Return the factor on the learning rate before update t, from 0, of total; epoch: updates in an epoch.

    decay_factor: a number or (P,).

    >>> step(25, 100, 5, 0.5, 2)
    0.25
    """
    return decay_factor ** (t // (decay_every * (epoch if decay_unit == "epochs" else 1)))
