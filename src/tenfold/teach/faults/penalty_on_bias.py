"""The gradient of a bias holds a penalty that the value puts on the weights alone."""

__all__ = ["penalty_on_bias"]

from collections.abc import Sequence

from tenfold.engine.types import Grads
from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way, penalty_gradient

SAYS = "the penalty is on the bias: the gradient of {of} holds 2λb, but the value penalizes the weights alone"


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    if structure is not None and (not structure.penalty or structure.penalty.endswith("biases")):
        return []
    layers = structure.layers if structure else ()
    biases = [layer.bias for layer in layers if layer.bias in names] if structure else list(names)
    groups = [biases, *([name] for name in biases if len(biases) > 1)] if biases else []
    return [_on(group) for group in groups]


def _on(group: Sequence[str]) -> Way:
    def change(known: Pass, grads: Grads) -> Grads:
        own = [name for name in group if name in known.params and known.params[name].squeeze().dim() < 2]
        return grads | {name: grads[name] + penalty_gradient(known, name) for name in own}

    return Way("whole", change, SAYS.format(of=", ".join(group)))


penalty_on_bias = Fault(_ways)
