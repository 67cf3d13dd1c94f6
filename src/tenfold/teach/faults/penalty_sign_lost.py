"""The signs of a penalty's gradient are lost: sign|W|, which is 1 everywhere, for the sign W of Σ|W|."""

__all__ = ["penalty_sign_lost"]

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Structure
from tenfold.teach.faults import gradient_of, on_blocks, penalty_fault

SAYS = "the penalty's gradient has lost its signs in {of}: λ sign|W| is λ everywhere, Σ|W| asks for λ sign W"
SQUARES = "the penalty's gradient has lost its signs in {of}: it is 2λ|W|, where ‖W‖² asks for 2λW, here {grad}"
ALONE = "{of} has lost its signs: it is the right one without them, as sign|W| is for sign W"
KINDS = [
    penalty_fault(says, lambda run, right: right.abs() - right, penalties)
    for says, penalties in ((SAYS, ("l1",)), (SQUARES, ("l2", "l2 and biases")))
]


@Fault
def penalty_sign_lost(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the blocks of a penalty, or of a function that may be one itself."""
    alone = [on_blocks([name], lambda run, grad: grad.abs(), ALONE.format(of=gradient_of([name]))) for name in names]
    return [way for kind in KINDS for way in kind.ways(structure, names)] if structure.loss else alone
