"""The mean over the batch is missing: ∂L/∂z is the sum's gradient, N times that of the value."""

__all__ = ["missing_mean"]

from tenfold.teach.faults import factor_fault

SAYS = "{of} is N times too large: the value is a mean over the batch, so its gradient needs the 1/N too"

missing_mean = factor_fault((SAYS, lambda run: run.images))
