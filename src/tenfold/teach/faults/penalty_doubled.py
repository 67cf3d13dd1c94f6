"""The gradient of the penalty is counted twice: 4λW for λ‖W‖²."""

__all__ = ["penalty_doubled"]

from tenfold.teach.faults import penalty_fault

SAYS = "the penalty is counted twice in {of}: once more {grad} than the value asks for"

penalty_doubled = penalty_fault(SAYS, lambda run, right: right)
