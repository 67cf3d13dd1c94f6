"""The gradient of a bias holds a penalty that the value puts on the weights alone."""

__all__ = ["penalty_on_bias"]

from tenfold.teach.faults import penalty_fault

SAYS = "the penalty is on the bias: {of} holds 2λb, but the value penalizes the weights alone"

penalty_on_bias = penalty_fault(SAYS, lambda run, right: right, penalties=("", "l2", "l1"), on_biases=True)
