"""The names of a network's quantities: x, z₁, h₁, ŷ, w₂, ∂L/∂w₂; in a layer of several units z₁[2], w₂[1,3].

A key is what a file writes: "z1", "w2[1,3]", "dw2[1,3]" for ∂L/∂w₂, "dh1_dz1" for ∂h₁/∂z₁.
"""

__all__ = ["Naming", "ratio", "symbol"]

from dataclasses import dataclass, replace

from tenfold.teach.trace.expressions import Place, Symbol
from tenfold.teach.trace.network import Network

BARE = {
    "ŷ": ('<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>', r"\hat{y}"),
    "η": ("<mi>η</mi>", r"\eta"),
}
"""Letters that mathematics writes otherwise: as MathML and LaTeX."""
SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass(frozen=True)
class Naming:
    """The symbols of a network's quantities, their keys without a prefix. sample: its number where L has it."""

    network: Network
    sample: int | None = None

    def sums(self, layer: int) -> list[Symbol]:
        """Return z of every unit of a layer; without an activation the sum is what the unit hands on."""
        if self.network.activations[layer - 1] == "identity":
            return self.values(layer)
        return [self._unit("z", place) for place in self._places(layer, "pre")]

    def values(self, layer: int) -> list[Symbol]:
        """Return what every unit of a layer hands on: x, h, and of the last ŷ, or the scores of a classifier."""
        last, places = layer == self.network.depth, self._places(layer, "value")
        if layer == 0 or (last and self.network.regresses):
            return [self._indexed("ŷ" if layer else "x", place) for place in places]
        letter = "z" if last and self.network.activations[-1] == "identity" else "h"
        return [self._unit(letter, place) for place in places]

    def parameters(self, layer: int) -> tuple[list[Symbol], list[Symbol]]:
        """Return the weights of a layer, row by row, and its biases."""
        inputs, units = range(1, self.network.sizes[layer - 1] + 1), range(1, self.network.sizes[layer] + 1)
        weights = [self.parameter(layer, unit, source) for unit in units for source in inputs]
        return weights, [self.parameter(layer, unit, None) for unit in units]

    def parameter(self, layer: int, unit: int, source: int | None) -> Symbol:
        """Return w of the edge to `unit` from `source`, without a source b of the unit."""
        if source is None:
            return self._unit("b", Place("bias", layer, unit, None, "parameter"))
        place = Place("edge", layer, unit, source, "parameter")
        alone = self.network.sizes[layer] == self.network.sizes[layer - 1] == 1
        return symbol("w", str(layer), place=place) if alone else symbol("w", f"{unit},{source}", layer, place)

    def loss(self) -> Symbol:
        """Return L, of one sample of a batch L₁."""
        place = Place("loss", self.network.depth, 1, None, "value")
        return replace(symbol("L", str(self.sample or ""), place=place), key="L")

    def classwise(self, letter: str, unit: int = 0) -> Symbol:
        """Return a quantity of the loss that every output has, such as p, or, without a unit, one for all."""
        place = Place("loss", self.network.depth, unit or 1, None, "value")
        return self._indexed(letter, place) if unit else symbol(letter, place=place)

    def _places(self, layer: int, quantity: str) -> list[Place]:
        return [Place("node", layer, unit, None, quantity) for unit in range(1, self.network.sizes[layer] + 1)]

    def _unit(self, letter: str, place: Place) -> Symbol:
        alone, layer = self.network.sizes[place.layer] == 1, place.layer
        return symbol(letter, str(layer), place=place) if alone else symbol(letter, str(place.unit), layer, place)

    def _indexed(self, letter: str, place: Place) -> Symbol:
        if self.network.sizes[place.layer] == 1:
            return symbol(letter, place=place)
        return replace(symbol(letter, str(place.unit), place=place), key=f"{symbol(letter).key}[{place.unit}]")


def symbol(letter: str, index: str = "", layer: int = 0, place: Place | None = None) -> Symbol:
    """Return a letter with an index below it; with a layer, that stands above, and in plain text before the index.

    >>> symbol("w", "1,3", 2).text, symbol("w", "1,3", 2).latex
    ('w₂[1,3]', 'w^{(2)}_{1,3}')
    """
    bare, latex = BARE.get(letter, (f"<mi>{letter}</mi>", letter))
    key = "yhat" if letter == "ŷ" else letter
    below = "<mo>,</mo>".join(f"<mn>{part}</mn>" for part in index.split(","))
    if layer:
        above = f'<mrow><mo stretchy="false">(</mo><mn>{layer}</mn><mo stretchy="false">)</mo></mrow>'
        mathml = f"<msubsup>{bare}<mrow>{below}</mrow>{above}</msubsup>"
        text = f"{letter}{str(layer).translate(SUBSCRIPTS)}[{index}]"
        return Symbol(f"{key}{layer}[{index}]", text, f"{latex}^{{({layer})}}_{{{index}}}", mathml, place)
    if index:
        mathml = f"<msub>{bare}{below}</msub>"
        return Symbol(f"{key}{index}", f"{letter}{index.translate(SUBSCRIPTS)}", f"{latex}_{{{index}}}", mathml, place)
    return Symbol(key, letter, latex, bare, place)


def ratio(above: Symbol, below: Symbol, place: Place | None = None) -> Symbol:
    """Return ∂above/∂below; prefixes of their keys are left out. place: where it is not that of below.

    >>> ratio(Symbol("2.h1", "h₁", "h_{1}"), Symbol("2.z1", "z₁", "z_{1}")).key
    'dh1_dz1'
    """
    top, bottom = (symbol.key.rpartition(".")[2] for symbol in (above, below))
    key = f"d{bottom}" if top == "L" else f"d{top}_d{bottom}"
    latex = rf"\frac{{\partial {above.latex}}}{{\partial {below.latex}}}"
    mathml = "".join(f"<mrow><mi>∂</mi>{symbol.mathml}</mrow>" for symbol in (above, below))
    here = place or below.place
    here = here._replace(quantity="gradient" if top == "L" else "local") if here else None
    return Symbol(key, f"∂{above.text}/∂{below.text}", latex, f"<mfrac>{mathml}</mfrac>", here)
