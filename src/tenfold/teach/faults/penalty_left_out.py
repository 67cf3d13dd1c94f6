"""The value has the penalty λ‖W‖², the gradient lacks its 2λW."""

__all__ = ["penalty_left_out"]

from tenfold.teach.faults import penalty_fault

SAYS = "the penalty is left out of {of}: λ‖W‖² in the value asks for 2λW, here {grad}"

penalty_left_out = penalty_fault(SAYS, lambda run, right: -right)
