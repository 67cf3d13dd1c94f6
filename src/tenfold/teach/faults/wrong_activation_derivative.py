"""The derivative of another activation, at z or by its formula in the output h, or none at all.

relu [z > 0], leaky_relu [z > 0] + 0.01 [z ≤ 0], sigmoid σ(z)(1 − σ(z)) = h (1 − h), tanh 1 − tanh² z = 1 − h²
"""

__all__ = ["wrong_activation_derivative"]

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way, slope
from tenfold.teach.faults import hidden

FORGOTTEN = "the derivative of {own} is left out{where}: the gradient must be multiplied by it on its way down"
OTHER = "the derivative of {other} is taken where the activation is {own}{where}"
OF_OUTPUT = (
    "the derivative of {other}, written in its output ({formula}), is taken where the activation is {own}{where}"
)
TURNED = "the derivative of {own} has its two sides exchanged{where}: the slope of z > 0 is taken where z ≤ 0"
ACTIVATIONS = ("leaky_relu", "leaky_relu 0.1", "leaky_relu 0.2", "relu", "sigmoid", "tanh")
IN_OUTPUT: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "sigmoid": ("h(1 − h)", lambda h: h * (1 - h)),
    "tanh": ("1 − h²", lambda h: 1 - h * h),
}


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    layers = hidden(structure)
    places = [(-1, layers[0][1], "")] if len({word for _, word in layers}) == 1 else []
    if len(layers) > 1:
        places += [(i, word, f" at layer {i + 1}") for i, word in layers]
    return [way for i, own, where in places for way in _at(i, own, where)]


def _at(layer: int, own: str, where: str) -> list[Way]:
    ways = [Way("local", _forgotten, FORGOTTEN.format(own=own, where=where), layer)]
    if own.startswith(("relu", "leaky")):
        ways.append(Way("local", _turned(own), TURNED.format(own=own, where=where), layer))
    for other in ACTIVATIONS:
        if other != own:
            says = OTHER.format(other=other, own=own, where=where)
            ways.append(Way("local", _at_sum(other), says, layer))
            if other in IN_OUTPUT:
                formula, derivative = IN_OUTPUT[other]
                says = OF_OUTPUT.format(other=other, own=own, where=where, formula=formula)
                ways.append(Way("local", _at_output(derivative), says, layer))
    return ways


def _forgotten(known: Pass, layer: int, right: Tensor) -> Tensor:
    return torch.ones_like(right)


def _turned(word: str) -> Callable[[Pass, int, Tensor], Tensor]:
    return lambda known, layer, right: slope(word, -known.pre[layer]) if _active(known, layer) else right


def _at_sum(word: str) -> Callable[[Pass, int, Tensor], Tensor]:
    return lambda known, layer, right: slope(word, known.pre[layer]) if _active(known, layer) else right


def _at_output(derivative: Callable[[Tensor], Tensor]) -> Callable[[Pass, int, Tensor], Tensor]:
    return lambda known, layer, right: derivative(known.post[layer + 1]) if _active(known, layer) else right


def _active(known: Pass, layer: int) -> bool:
    return layer in [i for i, _ in hidden(known.structure)]


wrong_activation_derivative = Fault(_ways)
