"""Numbers of a margin in words that fit into a sentence: fractions as they are, floats to six digits."""

__all__ = ["equated", "hyperplane", "mixture", "told", "vector"]

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tenfold.teach.margin.types import Number

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


def equated(name: str, value: Number | Sequence[Number]) -> str:
    """What a name stands for, with "=" or, for a fraction too long to read, "≈".

    >>> equated("b", Fraction(1, 3)), equated("b", Fraction(10**20 + 1, 3))
    ('b = 1/3', 'b ≈ 3.33333e+19')
    """
    text = vector(value) if isinstance(value, Sequence) else told(value)
    return f"{name} {text}" if text[0] == "≈" else f"{name} = {text}"


def hyperplane(w: Sequence[Number], b: Number) -> str:
    """Both of w·x + b = 0."""
    return f"{equated('w', w)}, {equated('b', b)}"


def mixture(labels: Sequence[str], weights: Mapping[int, Number]) -> str:
    """A weighted sum of points, or the one point that is all of it.

    >>> mixture(["(1, 0)", "row 2"], {0: Fraction(1, 2), 1: 0.5}), mixture(["row 1"], {0: 1.0})
    ('0.5 (1, 0) + 0.5 (row 2)', 'row 1')
    """
    if len(weights) == 1:
        return labels[next(iter(weights))]
    names = {k: labels[k] if labels[k].startswith("(") else f"({labels[k]})" for k in weights}
    return " + ".join(f"{told(weight)} {names[k]}" for k, weight in weights.items())


def _fraction(number: Fraction) -> str:
    """As a decimal where it is a short one, else as it is, and as a float where that is too long to read."""
    decimal = f"{float(number):.10g}"
    if "e" not in decimal and Fraction(decimal) == number:
        return decimal
    text = str(number)
    return text if len(text) <= LONGEST else f"≈ {float(number):.6g}"
