"""The derivative of another activation, at z or by its formula in the output h, or none at all.

relu [z > 0], leaky_relu [z > 0] + 0.01 [z ≤ 0], sigmoid σ(z)(1 − σ(z)) = h (1 − h), tanh 1 − tanh² z = 1 − h²
"""

__all__ = ["wrong_activation_derivative"]

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from tenfold.teach.doctor.backward import Blocks, Change, Fault, Mistake, Pass, Structure, slope
from tenfold.teach.faults import FORMULAS, hidden

FORGOTTEN = "the derivative of {of} is left out{where}: the gradient must be multiplied by it on its way down"
OTHER = "the derivative of {other} is taken where the activation is {of}{where}"
OF_OUTPUT = "the derivative of {other}, written in its output ({formula}), is taken where the activation is {of}{where}"
TURNED = "the derivative of {of} has its two sides exchanged{where}: the slope of z > 0 is taken where z ≤ 0"
ACTIVATIONS = ("leaky_relu", "leaky_relu 0.1", "leaky_relu 0.2", "relu", "sigmoid", "tanh")


@Fault
def wrong_activation_derivative(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the derivatives that may stand for another, at one layer or at all."""
    layers = hidden(structure)
    places = [(-1, layers[0][1], "")] if len({word for _, word in layers}) == 1 else []
    if len(layers) > 1:
        places += [(i, word, f" at layer {i + 1}") for i, word in layers]
    return [Mistake("local", change, says, i) for i, of, where in places for says, change in _wrong(of, where)]


def _wrong(of: str, where: str) -> Iterator[tuple[str, Change]]:
    """Yield sentences and derivatives that are taken for that of an activation."""
    yield FORGOTTEN.format(of=of, where=where), lambda run, layer, right: torch.ones_like(right)
    if of.startswith(("relu", "leaky")):
        yield TURNED.format(of=of, where=where), lambda run, layer, right: slope(of, -run.pre[layer])
    for other in (word for word in ACTIVATIONS if word != of):
        yield OTHER.format(other=other, of=of, where=where), partial(_at_sum, other)
        if other in FORMULAS:
            says = OF_OUTPUT.format(other=other, formula=FORMULAS[other][0], of=of, where=where)
            yield says, partial(_at_output, other)


def _at_sum(word: str, run: Pass, layer: int, right: Tensor) -> Tensor:
    return slope(word, run.pre[layer])


def _at_output(word: str, run: Pass, layer: int, right: Tensor) -> Tensor:
    return FORMULAS[word][1](run.post[layer + 1])
