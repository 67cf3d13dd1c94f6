"""The penalty's gradient is divided by the number of images, as if it stood inside of the mean."""

__all__ = ["penalty_averaged"]

from tenfold.teach.faults import penalty_fault

SAYS = "the penalty's {grad} is divided by N in {of}: the value adds λ‖W‖² once, outside of the mean over the batch"

penalty_averaged = penalty_fault(
    SAYS, lambda run, right: right / run.images - right, penalties=("l2", "l2 and biases", "l1")
)
