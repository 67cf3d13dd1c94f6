"""A penalty's derivatives are summed up: 2ΣW, one number, where ‖W‖² has the gradient 2W, an entry a weight."""

__all__ = ["penalty_summed"]

from tenfold.teach.faults import penalty_fault

SAYS = "the penalty's {grad} is summed up in {of}, as 2ΣW for 2W: each weight has a derivative of its own"
ALONE = "{of} is summed up, as 2ΣW for 2W: each weight has a derivative of its own"

penalty_summed = penalty_fault(
    SAYS,
    lambda run, right: right.sum() - right,
    lambda run, right: right.sum(0) - right,
    lambda run, right: right.sum(-1, keepdim=True) - right,
    alone=ALONE,
)
