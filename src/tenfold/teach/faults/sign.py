"""The wrong sign: −∂L instead of ∂L, which climbs where it should descend."""

__all__ = ["sign"]

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Structure
from tenfold.teach.faults import multiplied

SAYS = "{of} has the wrong sign: a step against it makes the loss larger"


@Fault
def sign(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the scores' gradient, the blocks, and what a layer hands down."""
    ways = multiplied(names, lambda run: -1, SAYS)
    for i in range(1, len(structure.layers)):
        says = SAYS.format(of=f"what layer {i + 1} hands down to layer {i}")
        ways.append(Mistake("below", lambda run, layer, right, d: -right, says, i))
    return ways
