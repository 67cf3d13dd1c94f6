"""The names of a network's quantities: x, z₁, h₁, ŷ, w₂, ∂L/∂w₂; in a layer of several units z₁[2], w₂[1,3].

A key is what a file writes: "z1", "w2[1,3]", "dw2[1,3]" for ∂L/∂w₂, "dh1_dz1" for ∂h₁/∂z₁.
"""

__all__ = ["Naming", "Place", "ratio"]

from dataclasses import dataclass
from typing import NamedTuple

from tenfold.teach.trace.expressions import Symbol
from tenfold.teach.trace.network import Network

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Place(NamedTuple):
    """The place of a number on a drawing of the network.

    kind: "node", "edge", "bias" or "loss". source: the unit that an edge comes from, else None.
    quantity: "pre" (before the activation), "value", "local" (derivative), "gradient" (of the loss) or "parameter".
    """

    kind: str
    layer: int
    unit: int
    source: int | None
    quantity: str


@dataclass(frozen=True)
class Naming:
    """The symbols of a network's quantities, their keys without a prefix. sample: its number where L has it."""

    network: Network
    sample: int | None = None

    def pre(self, layer: int, unit: int) -> Symbol:
        """Return z of a unit; without an activation the sum is what the unit hands on."""
        identity = self.network.activations[layer - 1] == "identity"
        return self.value(layer, unit) if identity else self._unit("z", layer, unit)

    def value(self, layer: int, unit: int) -> Symbol:
        """Return what a unit hands on: x, h, and of the last layer ŷ, or the scores of a classifier."""
        last = layer == self.network.depth
        if layer == 0:
            return self._indexed("x", "x", "x", unit, 0)
        if last and self.network.regresses:
            return self._indexed("yhat", "ŷ", r"\hat{y}", unit, layer)
        return self._unit("z" if last and self.network.activations[-1] == "identity" else "h", layer, unit)

    def parameter(self, layer: int, unit: int, source: int | None) -> Symbol:
        """Return w of the edge to `unit` from `source`, without a source b of the unit."""
        if source is None:
            return self._unit("b", layer, unit)
        sizes, key = self.network.sizes, f"w{layer}"
        if sizes[layer] == sizes[layer - 1] == 1:
            return Symbol(key, f"w{_sub(layer)}", f"w_{{{layer}}}")
        index = f"{unit},{source}"
        return Symbol(f"{key}[{index}]", f"w{_sub(layer)}[{index}]", f"w^{{({layer})}}_{{{index}}}")

    def target(self, unit: int) -> Symbol:
        """Return y of an output."""
        return self.classwise("y", unit)

    def loss(self) -> Symbol:
        """Return L, of one sample of a batch L₁."""
        if self.sample is None:
            return Symbol("L", "L", "L")
        return Symbol("L", f"L{_sub(self.sample)}", f"L_{{{self.sample}}}")

    def classwise(self, letter: str, unit: int) -> Symbol:
        """Return a quantity that every output has, such as p."""
        return self._indexed(letter, letter, letter, unit, self.network.depth)

    def _unit(self, letter: str, layer: int, unit: int) -> Symbol:
        key = f"{letter}{layer}"
        if self.network.sizes[layer] == 1:
            return Symbol(key, f"{letter}{_sub(layer)}", f"{letter}_{{{layer}}}")
        return Symbol(f"{key}[{unit}]", f"{letter}{_sub(layer)}[{unit}]", f"{letter}^{{({layer})}}_{{{unit}}}")

    def _indexed(self, key: str, text: str, latex: str, unit: int, layer: int) -> Symbol:
        if self.network.sizes[layer] == 1:
            return Symbol(key, text, latex)
        return Symbol(f"{key}[{unit}]", f"{text}{_sub(unit)}", f"{latex}_{{{unit}}}")


def ratio(above: Symbol, below: Symbol) -> Symbol:
    """Return ∂above/∂below; prefixes of their keys are left out.

    >>> ratio(Symbol("2.h1", "h₁", "h_{1}"), Symbol("2.z1", "z₁", "z_{1}")).key
    'dh1_dz1'
    """
    top, bottom = (symbol.key.rpartition(".")[2] for symbol in (above, below))
    key = f"d{bottom}" if top == "L" else f"d{top}_d{bottom}"
    latex = rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}"
    return Symbol(key, f"∂{above.text}/∂{below.text}", latex)


def _sub(number: int) -> str:
    return str(number).translate(SUBSCRIPTS)
