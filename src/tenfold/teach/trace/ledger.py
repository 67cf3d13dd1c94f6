"""The lines of a trace as they are written, one below the other, each evaluated from those above it."""

__all__ = ["Desk", "GivenNumber", "Ledger", "Moment", "TraceLine"]

from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from tenfold.errors import TenfoldError, UsageError
from tenfold.teach.trace.expressions import Expression, Place, Symbol, Value, evaluate, settled, symbols
from tenfold.teach.trace.naming import Naming, ratio

MOST = 5000
LARGE = "too large a number for a float64: take a smaller learning rate,"
LOGARITHM = "the logarithm of 0: a probability has become too small for a float64; take"


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
            raise UsageError(
                f"this trace would have {total:,} lines, at most {MOST:,} can be read: take fewer updates (--updates), "
                "fewer samples or a smaller network"
            )


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
