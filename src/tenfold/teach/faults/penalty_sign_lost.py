"""The signs of a penalty's gradient are lost: sign|W|, which is 1 everywhere, for the sign W of Σ|W|."""

__all__ = ["penalty_sign_lost"]

from tenfold.teach.faults import penalty_fault

SAYS = "the penalty's gradient has lost its signs in {of}: {grad} is taken with |W| for W, as sign|W| for sign W"
ALONE = "{of} has lost its signs: it is the right one with |W| for W, as sign|W| for sign W"

penalty_sign_lost = penalty_fault(SAYS, lambda run, right: right.abs() - right, alone=ALONE)
