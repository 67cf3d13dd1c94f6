"""Equations that are linear in w1, …, wD and b, as people write them: "-2w1 + b = -1", "2w₁ + b = −1"."""

__all__ = ["Equation", "constraint", "normal", "read_equation", "stated_equation"]

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from tenfold.errors import UsageError
from tenfold.teach.margin.phrases import equated, shown
from tenfold.teach.printed import exactly

_TERM = re.compile(r"([+-]?)(\d*(?:\.\d*)?(?:/\d+)?)(w\d+|b)?")
_PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉−–", "0123456789--", " *·_\t")
_LOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
LONGEST = 1000


class Equation(NamedTuple):
    """Σ factors · names = right; names are "w1", …, "wD", "b", and only those with a factor."""

    factors: dict[str, Fraction]
    right: Fraction

    def sizes(self) -> "Equation":
        """Return the same numbers without their signs."""
        return Equation({name: abs(factor) for name, factor in self.factors.items()}, abs(self.right))


def read_equation(text: str) -> Equation:
    """Read an equation: unknowns to its left, the number to its right. Raises UsageError for anything else.

    >>> read_equation("−2w₁ + b = −1")
    Equation(factors={'w1': Fraction(-2, 1), 'b': Fraction(1, 1)}, right=Fraction(-1, 1))
    """
    ascii_text = text.translate(_PLAIN)
    left, equals, right = ascii_text.partition("=")
    if not equals or "=" in right or not left or not right or len(ascii_text) > LONGEST:
        raise UsageError(f'{text[:60]!r}: expected one equation such as "2w1 + b = -1"')
    factors = _side(left, text)
    for name, size in _side(right, text).items():
        factors[name] = factors.get(name, Fraction()) - size
    number = -factors.pop("", Fraction())
    return Equation({name: factors[name] for name in sorted(factors, key=_order) if factors[name]}, number)


def normal(equation: Equation) -> Equation:
    """Scale an equation so that its first factor is 1: multiples of each other become equal."""
    first = next(iter(equation.factors.values()), Fraction(1))
    return Equation({name: factor / first for name, factor in equation.factors.items()}, equation.right / first)


def constraint(x: Sequence[Fraction], sign: int) -> Equation:
    """Return what a point on the margin says: w·x + b = ±1."""
    factors = {f"w{k}": number for k, number in enumerate(x, 1) if number}
    return Equation(factors | {"b": Fraction(1)}, Fraction(sign))


def stated_equation(equation: Equation) -> str:
    """Write an equation as one would by hand.

    >>> stated_equation(constraint([Fraction(2), Fraction(-1)], -1))
    '2w₁ − w₂ + b = −1'
    """
    terms = []
    for name, factor in equation.factors.items():
        size = "" if abs(factor) == 1 else shown(abs(factor))
        terms.append(f"{'−' if factor < 0 else '+'} {size}{name.translate(_LOW)}")
    left = " ".join(terms).removeprefix("+ ") or "0"
    return equated(left.replace("− ", "−", 1) if left[0] == "−" else left, equation.right)


def _order(name: str) -> tuple[int, int]:
    return (1, 0) if name == "b" else (0, int(name[1:]))


def _side(side: str, text: str) -> dict[str, Fraction]:
    """Sum the factors by name, "" for what is no unknown."""
    factors: dict[str, Fraction] = {}
    place = 0
    while place < len(side):
        term = _TERM.match(side, place)
        if not term or not term[0].strip("+-") or (place and not term[1]):
            raise UsageError(f'{text[:60]!r}: cannot be read at {side[place : place + 12]!r}; expected "2w1 + b = -1"')
        size = exactly(term[2]) if term[2] else Fraction(1)
        name = term[3] or ""
        factors[name] = factors.get(name, Fraction()) + (-size if term[1] == "-" else size)
        place = term.end()
    return factors
