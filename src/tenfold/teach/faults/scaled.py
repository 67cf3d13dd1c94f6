"""The gradient is a multiple of the right one: a learning rate, a temperature or a norm that went into it."""

__all__ = ["scaled"]

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure

SAYS = (
    "the gradient points the right way but is a multiple of the right one: is a learning rate in it, a temperature, or "
    "a norm that it was divided by?"
)


@Fault
def scaled(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the multiple that comes nearest to what was returned."""

    def change(run: Pass, grads: Grads) -> Grads:
        along = sum(float((run.claimed[0][name] * grads[name]).nansum()) for name in names)
        factor = along / max(sum(float(grads[name].square().nansum()) for name in names), 1e-300)
        return grads | {name: grads[name] * factor for name in names}

    return [Mistake("whole", change, SAYS, rank=4)]
