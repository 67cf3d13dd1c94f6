"""Half of the penalty's gradient: λW for λ‖W‖², the 2 of the square forgotten."""

__all__ = ["penalty_halved"]

from tenfold.teach.faults import penalty_fault

SAYS = "half of the penalty's gradient is missing in {of}: λ‖W‖² has the gradient 2λW, here {grad}, not λW"

# What is missing of an unknown penalty is taken for the whole of it.
penalty_halved = penalty_fault(SAYS, lambda run, right: -right / 2, penalties=("l2", "l2 and biases"))
