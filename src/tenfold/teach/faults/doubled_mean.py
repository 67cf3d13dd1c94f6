"""The mean over the batch is taken twice: ∂L/∂z is divided by N once more than the value."""

__all__ = ["doubled_mean"]

from tenfold.teach.faults import factor_fault

SAYS = "{of} is N times too small: it is divided by the number of images once more than the value is"

doubled_mean = factor_fault((SAYS, lambda run: 1 / run.images))
