"""Formulas as trees: evaluated exactly where the numbers are fractions, and from whatever numbers take their place.

magnitude |e| of a formula e: its value with every sum's terms made positive, so that |Σ t| ≤ Σ |t|.
Rounding errs by some 1e-16 of it, however much the sum itself cancels.
"""

__all__ = [
    "ONE", "ZERO", "Calculus", "Expression", "Function", "Indicator", "Largest", "Negative", "Number", "Place",
    "Power", "Precise", "Product", "Quotient", "Sum", "Symbol", "Value", "evaluate", "less", "magnitude", "plain",
    "rewritten", "settled", "symbols", "total",
]  # fmt: skip

import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple

Value = Fraction | float  # exact where it can be; a float after a sigmoid, a logarithm, or too many digits
BITS = 8192  # digits double from layer to layer; a longer fraction goes on as a float64


@dataclass(frozen=True)
class Number:
    """A number that belongs to the formula itself, such as the ½ of a squared error."""

    value: Fraction


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
class Symbol:
    """A quantity by its key among the lines, and how it is written."""

    key: str
    text: str
    latex: str
    mathml: str = ""
    place: Place | None = None

    def within(self, prefix: str) -> "Symbol":
        """Return the symbol with a prefix to its key: of an update and sample."""
        return replace(self, key=prefix + self.key)


@dataclass(frozen=True)
class Sum:
    """Σ of its terms."""

    terms: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Negative:
    """− term."""

    term: "Expression"


@dataclass(frozen=True)
class Product:
    """Π of its factors."""

    factors: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Quotient:
    """above / below."""

    above: "Expression"
    below: "Expression"


@dataclass(frozen=True)
class Power:
    """base to a whole exponent."""

    base: "Expression"
    exponent: int


@dataclass(frozen=True)
class Function:
    """sigmoid, tanh, exp or ln of an argument."""

    name: str
    argument: "Expression"


@dataclass(frozen=True)
class Largest:
    """max of its terms."""

    terms: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Indicator:
    """`above` where the argument is > 0, else `below`."""

    argument: "Expression"
    above: Fraction = Fraction(1)
    below: Fraction = Fraction(0)


@dataclass(frozen=True)
class Precise:
    """A formula that loses digits, as 1 − h does for h near 1, with another that loses none.

    The other is right, and taken, where the value of `of` is that of `source`, as h = σ(z) is before it is rounded.
    """

    written: "Expression"
    of: Symbol
    source: "Expression"
    exact: "Expression"


Expression = Number | Symbol | Sum | Negative | Product | Quotient | Power | Function | Largest | Indicator | Precise

ONE = Number(Fraction(1))
ZERO = Number(Fraction(0))


Calculus = Mapping[str, Callable[..., Any]]
"""Functions by name; "number" that is written, "max" of terms and their values, "same": whether two values are."""

FRACTIONS: Calculus = {
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x)),
    "tanh": math.tanh,
    "exp": math.exp,
    "ln": math.log,
    "ln(1 − …)": lambda rest: math.log1p(-rest),
    "number": lambda value: value,
    "max": lambda _, values: max(values),
    "same": operator.eq,
}


def evaluate(expression: Expression, values: Mapping[str, Any], arithmetic: Calculus = FRACTIONS) -> Any:
    """Return its value. values: of every symbol in it, by key. Raises CalculusError or ValueError where it has none.

    >>> evaluate(Sum((Symbol("w", "w", "w"), Number(Fraction(1, 2)))), {"w": Fraction(1, 3)})
    Fraction(5, 6)
    """
    match expression:
        case Number(value):
            return arithmetic["number"](value)
        case Symbol(key=key):
            return values[key]
        case Negative(term):
            return -evaluate(term, values, arithmetic)
        case Sum(terms):
            return reduce(operator.add, [evaluate(term, values, arithmetic) for term in terms])
        case Product(factors):
            return reduce(operator.mul, [evaluate(factor, values, arithmetic) for factor in factors])
        case Quotient(above, below):
            return evaluate(above, values, arithmetic) / evaluate(below, values, arithmetic)
        case Power(base, exponent):
            return evaluate(base, values, arithmetic) ** exponent
        case Function(name, argument):
            return arithmetic[name](evaluate(argument, values, arithmetic))
        case Largest(terms):
            return arithmetic["max"](terms, [evaluate(term, values, arithmetic) for term in terms])
        case Indicator(argument, above, below):
            return above if evaluate(argument, values, arithmetic) > 0 else below
        case Precise(formula, of, source, exact):
            same = arithmetic["same"](evaluate(source, values, arithmetic), values[of.key])
            return evaluate(exact if same else formula, values, arithmetic)


def magnitude(expression: Expression, values: Mapping[str, Value], sizes: Mapping[str, float]) -> float:
    """Return |e| as above. values: of every symbol; sizes: the magnitudes of those that have one of their own."""
    match expression:
        case Symbol(key=key):
            return sizes.get(key, abs(float(values[key])))
        case Negative(term):
            return magnitude(term, values, sizes)
        case Sum(terms):
            return sum(magnitude(term, values, sizes) for term in terms)
        case Product(factors):
            return math.prod(magnitude(factor, values, sizes) for factor in factors)
        case Quotient(above, below):
            return magnitude(above, values, sizes) / abs(float(evaluate(below, values)))
        case Power(base, exponent):
            return magnitude(base, values, sizes) ** exponent
        case Precise(formula):
            return magnitude(formula, values, sizes)
        case _:
            return abs(float(evaluate(expression, values)))


def settled(value: Value, bits: int = BITS) -> Value:
    """Return the value, as a float where its fraction is too long or too small. Raises OverflowError if not finite."""
    if isinstance(value, Fraction):
        number = float(value)
        short = value.numerator.bit_length() + value.denominator.bit_length() <= bits
        return value if short and (number or not value) else number
    if not math.isfinite(value):
        raise OverflowError("not finite")
    return value


def rewritten(expression: Expression, change: Callable[[Expression], Expression | None]) -> Expression:
    """Return the expression with what `change` makes of its parts, wherever that is not None."""
    changed = change(expression)
    if changed is not None:
        return changed
    match expression:
        case Sum(parts) | Product(parts) | Largest(parts):
            return type(expression)(tuple(rewritten(part, change) for part in parts))
        case Negative(part):
            return Negative(rewritten(part, change))
        case Function(name, part):
            return Function(name, rewritten(part, change))
    return expression


def plain(expression: Expression) -> Expression:
    """Return the expression as it is written, without the formulas that lose no digits."""
    return rewritten(expression, lambda part: part.written if isinstance(part, Precise) else None)


def less(whole: Expression, part: Expression) -> Sum:
    """Return whole − part."""
    return Sum((whole, Negative(part)))


def total(terms: Sequence[Expression]) -> Expression:
    """Return the sum of terms; of one alone, itself."""
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def symbols(expression: Expression) -> Iterator[Symbol]:
    """Yield the symbols in it, from left to right, each as often as it stands there."""
    match expression:
        case Symbol():
            yield expression
        case Sum(parts) | Product(parts) | Largest(parts):
            for part in parts:
                yield from symbols(part)
        case Negative(part) | Power(part, _) | Function(_, part) | Indicator(part, _, _) | Precise(part):
            yield from symbols(part)
        case Quotient(above, below):
            yield from symbols(above)
            yield from symbols(below)
