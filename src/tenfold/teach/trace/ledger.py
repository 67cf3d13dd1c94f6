"""The lines of a trace as they are written, each evaluated from those above it, and the names of their quantities.

x, z₁, h₁, ŷ, w₂, ∂L/∂w₂; in a layer of several units z₁[2], w₂[1,3]. A key is what a file writes: "z1", "w2[1,3]",
"dw2[1,3]" for ∂L/∂w₂, "dh1_dz1" for ∂h₁/∂z₁.
"""

__all__ = ["Desk", "GivenNumber", "Ledger", "Moment", "Naming", "TraceLine", "ratio", "symbol"]

from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from tenfold.errors import TenfoldError, UsageError
from tenfold.teach.trace.expressions import Expression, Place, Symbol, Value, evaluate, settled, symbols
from tenfold.teach.trace.network import Network

MOST = 5000
LARGE = "too large a number for a float64: take a smaller learning rate,"
LOGARITHM = "the logarithm of 0: a probability has become too small for a float64; take"
BARE = {  # letters that mathematics writes otherwise: as MathML and LaTeX
    "ŷ": ('<mover accent="true"><mi>y</mi><mo stretchy="false">^</mo></mover>', r"\hat{y}"),
    "η": ("<mi>η</mi>", r"\eta"),
}
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
        """Return w of every edge to a layer, unit for unit, and b of every unit."""
        before, units = self.network.sizes[layer - 1], range(1, self.network.sizes[layer] + 1)
        edges = [Place("edge", layer, unit, source, "parameter") for unit in units for source in range(1, before + 1)]
        weights = [symbol("w", f"{edge.unit},{edge.source}", layer, edge) for edge in edges]
        if len(edges) == 1:
            weights = [symbol("w", str(layer), place=edges[0])]
        return weights, [self._unit("b", Place("bias", layer, unit, None, "parameter")) for unit in units]

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


class Moment(NamedTuple):
    """The update, and the sample (its number) that a line belongs to; None for what is of the whole batch."""

    update: int
    sample: int | None
    prefix: str


class GivenNumber(NamedTuple):
    """A number that the trace starts from: a first parameter, a sample's x or y, the learning rate."""

    symbol: Symbol
    value: Fraction

    @property
    def key(self) -> str:
        """Return the key of its symbol."""
        return self.symbol.key


@dataclass(frozen=True)
class TraceLine:
    """One number of the trace and where it comes from. ratio: of a derivative, the keys of what is above and below."""

    number: int
    moment: Moment
    stage: str
    rule: str
    symbol: Symbol
    formula: Expression
    value: Value
    ratio: tuple[str, str] | None

    @property
    def key(self) -> str:
        """Return the key of its symbol."""
        return self.symbol.key

    @property
    def place(self) -> Place:
        """Return where it stands on the drawing of the network."""
        if self.symbol.place is None:
            raise ValueError(f"{self.key} has no place")
        return self.symbol.place

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Return the keys of what the formula takes, each once."""
        return tuple(dict.fromkeys(symbol.key for symbol in symbols(self.formula)))


@dataclass
class Ledger:
    """Givens and lines so far, and the value of each by key."""

    givens: list[GivenNumber] = field(default_factory=list)
    lines: list[TraceLine] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)

    def give(self, prefix: str, quantity: Symbol, value: Fraction) -> Symbol:
        """Enter a number to start from."""
        symbol = quantity.within(prefix)
        self.givens.append(GivenNumber(symbol, value))
        self.values[symbol.key] = value
        return symbol

    def allow(self, total: int) -> None:
        """Refuse a trace that nobody reads. total: lines that it will have."""
        if total > MOST:
            fewer = "take fewer updates (--updates), fewer samples or a smaller network"
            raise UsageError(f"this trace would have {total:,} lines, at most {MOST:,} can be read: {fewer}")


class Desk(NamedTuple):
    """The ledger in which the lines of one moment are written, and the names of the quantities."""

    ledger: Ledger
    naming: Naming
    moment: Moment

    def write(
        self, quantity: Symbol, formula: Expression, kind: tuple[str, str], of: tuple[str, str] | None = None
    ) -> Symbol:
        """Enter a line and evaluate it. kind: stage and rule; of: ratio. Raises TenfoldError by its name."""
        symbol, number = quantity.within(self.moment.prefix), len(self.ledger.lines) + 1
        try:
            value = settled(evaluate(formula, self.ledger.values))
        except (OverflowError, ZeroDivisionError, ValueError) as error:
            why = LOGARITHM if isinstance(error, ValueError) else LARGE
            raise TenfoldError(f"line {number}, {symbol.key} is {why} smaller weights or inputs") from None
        self.ledger.values[symbol.key] = value
        self.ledger.lines.append(TraceLine(number, self.moment, *kind, symbol, formula, value, of))
        return symbol

    def derive(
        self, above: Symbol, below: Symbol, formula: Expression, kind: tuple[str, str], place: Place | None = None
    ) -> Symbol:
        """Enter the line of ∂above/∂below. place: where it is not that of below."""
        return self.write(ratio(above, below, place), formula, kind, (above.key, below.key))
