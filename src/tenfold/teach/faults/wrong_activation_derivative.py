"""The derivative of another activation, at z or by its formula in the output h, or none at all.

relu [z > 0], leaky_relu [z > 0] + 0.01 [z ≤ 0], sigmoid σ(z)(1 − σ(z)) = h (1 − h), tanh 1 − tanh² z = 1 − h²
"""

__all__ = ["wrong_activation_derivative"]

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from tenfold.teach.doctor.backward import Blocks, Fault, Mistake, Pass, Structure, slope
from tenfold.teach.faults import FORMULAS, hidden

FORGOTTEN = "the derivative of {of} is left out{where}: the gradient must be multiplied by it on its way down"
OTHER = "the derivative of {other} is taken where the activation is {of}{where}"
OF_OUTPUT = "the derivative of {other}, written in its output ({formula}), is taken where the activation is {of}{where}"
TURNED = "the derivative of {of} has its two sides exchanged{where}: the slope of z > 0 is taken where z ≤ 0"
ACTIVATIONS = ("leaky_relu", "leaky_relu 0.1", "leaky_relu 0.2", "relu", "sigmoid", "tanh")

Derivative = Callable[[Tensor, Tensor], Tensor]
"""From z and h."""


@Fault
def wrong_activation_derivative(structure: Structure, names: Blocks) -> list[Mistake]:
    """List the derivatives that may stand for another, at one layer or at all."""
    layers = hidden(structure)
    places = [(-1, layers[0][1], "")] if len({word for _, word in layers}) == 1 else []
    if len(layers) > 1:
        places += [(i, word, f" at layer {i + 1}") for i, word in layers]
    return [
        Mistake("local", _with(derivative), says.format(of=word, where=where), i)
        for i, word, where in places
        for says, derivative in _wrong(word)
    ]


def _wrong(word: str) -> Iterator[tuple[str, Derivative]]:
    """Yield sentences and derivatives that are taken for that of an activation."""
    yield FORGOTTEN, lambda z, h: torch.ones_like(z)
    if word.startswith(("relu", "leaky")):
        yield TURNED, lambda z, h: slope(word, -z)
    for other in ACTIVATIONS:
        if other != word:
            yield OTHER.replace("{other}", other), _slope_of(other)
            if other in FORMULAS:
                formula, derivative = FORMULAS[other]
                yield OF_OUTPUT.replace("{other}", other).replace("{formula}", formula), _of_output(derivative)


def _slope_of(word: str) -> Derivative:
    return lambda z, h: slope(word, z)


def _of_output(derivative: Callable[[Tensor], Tensor]) -> Derivative:
    return lambda z, h: derivative(h)


def _with(derivative: Derivative) -> Callable[[Pass, int, Tensor], Tensor]:
    """Return the change at layers that have an activation."""

    def change(run: Pass, layer: int, right: Tensor) -> Tensor:
        active = run.structure.activation_of(layer) != "identity"
        return derivative(run.pre[layer], run.post[layer + 1]) if active else right

    return change
