"""The gradient is a multiple of the right one: a learning rate, a temperature or a norm that went into it."""

__all__ = ["scaled"]

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Fault, Mistake, Pass

SAYS = (
    "the gradient points the right way but is a multiple of the right one: is a learning rate in it, a temperature, or "
    "a norm that it was divided by?"
)


def _scaled(run: Pass, layer: int, grads: Grads) -> Grads:
    """Take the multiple that comes nearest to what was returned."""
    along = sum(float((grad * grads[name]).nansum()) for name, grad in run.claimed[0].items())
    factor = along / max(sum(float(grads[name].square().nansum()) for name in run.claimed[0]), 1e-300)
    return grads | {name: grads[name] * factor for name in run.claimed[0]}


scaled = Fault(lambda structure, names: [Mistake("whole", _scaled, SAYS, rank=4)])
