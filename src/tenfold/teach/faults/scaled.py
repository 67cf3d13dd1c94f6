"""The gradient is a multiple of the right one: a learning rate, a temperature or a norm that went into it."""

__all__ = ["scaled"]

from collections.abc import Sequence

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way

SAYS = (
    "the gradient points the right way but is a multiple of the right one: is a learning rate in it, a temperature, or "
    "a norm that it was divided by?"
)


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    def factor(known: Pass, grads: Grads) -> float:
        along = sum(float((known.claimed[0][name] * grads[name]).nansum()) for name in names)
        return along / max(sum(float(grads[name].square().nansum()) for name in names), 1e-300)

    def change(known: Pass, grads: Grads) -> Grads:
        return grads | {name: grads[name] * factor(known, grads) for name in names}

    return [Way("whole", change, SAYS, rank=4)]


scaled = Fault(_ways)
