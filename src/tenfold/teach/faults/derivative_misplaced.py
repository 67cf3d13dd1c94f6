"""The right derivative at the wrong place: φ'(h) for φ'(z), or its formula in the output, h (1 − h), with z put in."""

__all__ = ["derivative_misplaced"]

from collections.abc import Callable, Sequence

from torch import Tensor

from tenfold.teach.doctor.backward import Fault, Pass, Structure, Way, slope
from tenfold.teach.faults import hidden

AT_OUTPUT = "the derivative of {own} is taken at its output h{where}, where it belongs at z, before the activation"
AT_SUM = "the derivative of {own} is written in its output ({formula}){where}, but z, before the activation, was put in"
FORMULAS: dict[str, tuple[str, Callable[[Tensor], Tensor]]] = {
    "sigmoid": ("h(1 − h)", lambda z: z * (1 - z)),
    "tanh": ("1 − h²", lambda z: 1 - z * z),
}


def _ways(structure: Structure | None, names: Sequence[str]) -> list[Way]:
    layers = [(i, word) for i, word in hidden(structure) if word in FORMULAS]
    ways = []
    for i, own in layers:
        where = f" at layer {i + 1}" if len(layers) > 1 else ""
        formula, derivative = FORMULAS[own]
        ways.append(Way("local", _at_output(own), AT_OUTPUT.format(own=own, where=where), i))
        says = AT_SUM.format(own=own, where=where, formula=formula)
        ways.append(Way("local", _at_sum(derivative), says, i))
    return ways


def _at_output(word: str) -> Callable[[Pass, int, Tensor], Tensor]:
    return lambda known, layer, right: slope(word, known.post[layer + 1])


def _at_sum(derivative: Callable[[Tensor], Tensor]) -> Callable[[Pass, int, Tensor], Tensor]:
    return lambda known, layer, right: derivative(known.pre[layer])


derivative_misplaced = Fault(_ways)
