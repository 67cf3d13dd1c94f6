"""The derivative of another activation, at z or by its formula in the output h, or none at all.

relu [z > 0], leaky_relu [z > 0] + 0.01 [z ≤ 0], sigmoid σ(z)(1 − σ(z)) = h (1 − h), tanh 1 − tanh² z = 1 − h²
"""

__all__ = ["wrong_activation_derivative"]

from collections.abc import Iterator

import torch

from tenfold.teach.doctor.backward import ACTIVATIONS, Blocks, Change, Fault, Mistake, Structure, slope
from tenfold.teach.faults import FORMULAS

FORGOTTEN = "the derivative of {of} is left out{where}: the gradient must be multiplied by it on its way down"
OTHER = "the derivative of {other} is taken where the activation is {of}{where}"
OF_OUTPUT = "the derivative of {other}, written in its output ({formula}), is taken where the activation is {of}{where}"
TURNED = "the derivative of {of} has its two sides exchanged{where}: the slope of z > 0 is taken where z ≤ 0"
LEAKY = ("leaky_relu 0.1", "leaky_relu 0.2")


@Fault
def wrong_activation_derivative(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the derivatives that may stand for another, at one layer or at all."""
    layers = structure.hidden()
    places = [(-1, layers[0][1], "")] if len({word for _, word in layers}) == 1 else []
    if len(layers) > 1:
        places += [(i, word, f" at layer {i + 1}") for i, word in layers]
    return [Mistake("local", change, says, i) for i, of, where in places for says, change in _wrong(of, where)]


def _wrong(of: str, where: str) -> Iterator[tuple[str, Change]]:
    """Yield sentences and derivatives that are taken for that of an activation."""
    yield FORGOTTEN.format(of=of, where=where), lambda run, layer, right: torch.ones_like(right)
    if of.startswith(("relu", "leaky")):
        yield TURNED.format(of=of, where=where), lambda run, layer, right: slope(of, -run.pre[layer])
    for other in (word for word in (*ACTIVATIONS, *LEAKY) if word not in ("identity", of)):
        says = OTHER.format(other=other, of=of, where=where)
        yield says, lambda run, layer, right, word=other: slope(word, run.pre[layer])
        if other in FORMULAS:
            formula, derivative = FORMULAS[other]
            says = OF_OUTPUT.format(other=other, formula=formula, of=of, where=where)
            yield says, lambda run, layer, right, taken=derivative: taken(run.post[layer + 1])
