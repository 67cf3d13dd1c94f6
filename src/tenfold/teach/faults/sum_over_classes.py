"""The value is a mean over the C classes, its gradient that of their sum: C times too large."""

__all__ = ["sum_over_classes"]

from tenfold.teach.faults import factor_fault

SAYS = "{of} is C times too large: the value is a mean over the classes, the gradient is that of their sum"

sum_over_classes = factor_fault((SAYS, lambda run: run.scores.shape[-1]), losses=("sigmoid", "mean_squared_error"))
