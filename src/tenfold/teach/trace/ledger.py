"""The lines of a trace as they are written, one below the other, each evaluated from those above it."""

__all__ = ["Given", "Ledger", "Line", "Moment", "valued"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from tenfold.errors import TenfoldError, UsageError
from tenfold.teach.trace.expressions import Expression, Symbol, Value, evaluate, settled, symbols
from tenfold.teach.trace.naming import Place, Quantity

MOST = 5000


class Moment(NamedTuple):
    """The update, and the sample (its number) that a line belongs to; None for what is of the whole batch."""

    update: int
    sample: int | None
    prefix: str


@dataclass(frozen=True)
class Given:
    """A number that the trace starts from: a first parameter, a sample's x or y, the learning rate."""

    key: str
    name: str
    symbol: Symbol
    value: Fraction
    place: Place | None


@dataclass(frozen=True)
class Line:
    """One number of the trace and where it comes from.

    name: with all indices, among those of its update and sample. ratio: of a derivative, the names above and below.
    """

    number: int
    key: str
    name: str
    moment: Moment
    stage: str
    rule: str
    symbol: Symbol
    formula: Expression
    value: Value
    place: Place
    ratio: tuple[str, str] | None

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Keys of what the formula takes, each once."""
        return tuple(dict.fromkeys(symbol.key for symbol in symbols(self.formula)))


@dataclass
class Ledger:
    """Givens and lines so far, and the value of each by key."""

    givens: list[Given] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    values: dict[str, Value] = field(default_factory=dict)

    def give(self, prefix: str, quantity: Quantity, value: Fraction, place: Place | None) -> Symbol:
        """Enter a number to start from."""
        symbol = Symbol(prefix + quantity.key, quantity.text, quantity.latex)
        self.givens.append(Given(symbol.key, quantity.name, symbol, value, place))
        self.values[symbol.key] = value
        return symbol

    def write(
        self,
        moment: Moment,
        quantity: Quantity,
        formula: Expression,
        kind: tuple[str, str],
        place: Place,
        ratio: tuple[str, str] | None = None,
    ) -> Symbol:
        """Enter a line and evaluate it. kind: its stage and its rule. Raises TenfoldError that names the line."""
        symbol = Symbol(moment.prefix + quantity.key, quantity.text, quantity.latex)
        number = len(self.lines) + 1
        value = valued(f"line {number}, {symbol.key}", formula, self.values)
        self.values[symbol.key] = value
        self.lines.append(Line(number, symbol.key, quantity.name, moment, *kind, symbol, formula, value, place, ratio))
        return symbol

    def allow(self, total: int) -> None:
        """Refuse a trace that nobody reads. total: lines that it will have."""
        if total > MOST:
            raise UsageError(
                f"this trace would have {total:,} lines, at most {MOST:,} can be read: take fewer updates (--updates), "
                "fewer samples or a smaller network"
            )


def valued(where: str, formula: Expression, values: Mapping[str, Value]) -> Value:
    """The value of a line's formula; where: the line, for the TenfoldError where it is no finite number."""
    try:
        return settled(evaluate(formula, values))
    except (OverflowError, ZeroDivisionError):
        told = "is too large a number for a float64: take a smaller learning rate, smaller weights or inputs"
    except ValueError:
        told = "is the logarithm of 0: a probability has become too small for a float64; take smaller weights or inputs"
    raise TenfoldError(f"{where} {told}")
