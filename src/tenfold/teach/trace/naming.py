"""What the quantities of a network are called: x, z₁, h₁, ŷ, w₂, ∂L/∂w₂; in a layer of several units z₁[2], w₂[1,3].

A key is what a file writes: "z1", "w2[1,3]", "dw2[1,3]" for ∂L/∂w₂, "dh1_dz1" for ∂h₁/∂z₁. A name is the key of a
quantity with all of its indices, whatever the widths.
"""

__all__ = ["Naming", "Place", "Quantity"]

from dataclasses import dataclass
from typing import NamedTuple

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Quantity(NamedTuple):
    """A quantity of one sample and update: its name, its key, and how it is written."""

    name: str
    key: str
    text: str
    latex: str


class Place(NamedTuple):
    """Where on a drawing of the network a number stands.

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
    """The quantities of a network of these sizes; loss: its letter, with the sample's number in a batch."""

    sizes: tuple[int, ...]
    activations: tuple[str, ...]
    regresses: bool
    sample: int | None = None

    def pre(self, layer: int, unit: int) -> Quantity:
        """z of a unit; without an activation the sum is what the unit hands on."""
        identity = self.activations[layer - 1] == "identity"
        return self.value(layer, unit) if identity else self._unit("z", layer, unit)

    def value(self, layer: int, unit: int) -> Quantity:
        """What a unit hands on: x, h, and of the last layer ŷ, or the scores of a classifier."""
        if layer == 0:
            return _indexed("x", "x", "x", unit, self.sizes[0])
        if layer == len(self.sizes) - 1 and self.regresses:
            return _indexed("yhat", "ŷ", r"\hat{y}", unit, self.sizes[-1])
        scores = layer == len(self.sizes) - 1 and self.activations[-1] == "identity"
        return self._unit("z" if scores else "h", layer, unit)

    def weight(self, layer: int, unit: int, source: int) -> Quantity:
        """w of the edge to `unit` from `source`."""
        name = f"w{layer}[{unit},{source}]"
        if self.sizes[layer] == self.sizes[layer - 1] == 1:
            return Quantity(name, f"w{layer}", f"w{_sub(layer)}", f"w_{{{layer}}}")
        return Quantity(name, name, f"w{_sub(layer)}[{unit},{source}]", f"w^{{({layer})}}_{{{unit},{source}}}")

    def bias(self, layer: int, unit: int) -> Quantity:
        """b of a unit."""
        return self._unit("b", layer, unit)

    def target(self, unit: int) -> Quantity:
        """y of an output."""
        return _indexed("y", "y", "y", unit, self.sizes[-1])

    def loss(self) -> Quantity:
        """L, of one sample of a batch L₁."""
        if self.sample is None:
            return Quantity("L", "L", "L", "L")
        return Quantity("L", "L", f"L{_sub(self.sample)}", f"L_{{{self.sample}}}")

    def classwise(self, letter: str, unit: int) -> Quantity:
        """A quantity of the loss that every class has, such as p."""
        return _indexed(letter, letter, letter, unit, self.sizes[-1])

    def ratio(self, above: Quantity, below: Quantity) -> Quantity:
        """∂above/∂below."""
        of_loss = above.name == "L"
        names = [
            f"d{below}" if of_loss else f"d{above}_d{below}" for above, below in zip(above[:2], below[:2], strict=True)
        ]
        text = f"∂{above.text}/∂{below.text}"
        return Quantity(names[0], names[1], text, rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}")

    def _unit(self, letter: str, layer: int, unit: int) -> Quantity:
        name, key = f"{letter}{layer}[{unit}]", f"{letter}{layer}"
        if self.sizes[layer] == 1:
            return Quantity(name, key, f"{letter}{_sub(layer)}", f"{letter}_{{{layer}}}")
        return Quantity(name, name, f"{letter}{_sub(layer)}[{unit}]", f"{letter}^{{({layer})}}_{{{unit}}}")


def _indexed(key: str, text: str, latex: str, unit: int, width: int) -> Quantity:
    if width == 1:
        return Quantity(f"{key}[1]", key, text, latex)
    return Quantity(f"{key}[{unit}]", f"{key}[{unit}]", f"{text}{_sub(unit)}", f"{latex}_{{{unit}}}")


def _sub(number: int) -> str:
    return str(number).translate(SUBSCRIPTS)
