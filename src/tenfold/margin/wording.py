"""Numbers of a margin in words that fit into a sentence: fractions as they are, floats to six digits."""

__all__ = ["told", "vector"]

from collections.abc import Sequence
from fractions import Fraction

from tenfold.margin.types import Number

LONGEST = 16  # letters of a fraction that is still easier to read than its decimals
SHOWN = 6


def told(number: Number) -> str:
    """A number, with a true minus sign.

    >>> told(Fraction(-5, 2)), told(Fraction(1, 3)), told(-0.3535533905932738), told(float("inf"))
    ('−2.5', '1/3', '−0.353553', '∞')
    """
    text = _fraction(number) if isinstance(number, Fraction) else f"{float(number) or 0.0:.6g}"
    return text.replace("-", "−").replace("inf", "∞")


def vector(numbers: Sequence[Number]) -> str:
    """Numbers in parentheses, one alone without; of many, the first.

    >>> vector([Fraction(-2), Fraction(1, 2)])
    '(−2, 0.5)'
    """
    if len(numbers) == 1:
        return told(numbers[0])
    shown = ", ".join(map(told, numbers[:SHOWN]))
    return f"({shown})" if len(numbers) <= SHOWN else f"({shown}, … {len(numbers)} numbers)"


def _fraction(number: Fraction) -> str:
    """As a decimal where it is a short one, else as it is, and as a float where that is too long to read."""
    decimal = f"{float(number):.10g}"
    if "e" not in decimal and Fraction(decimal) == number:
        return decimal
    text = str(number)
    return text if len(text) <= LONGEST else f"≈ {float(number):.6g}"
