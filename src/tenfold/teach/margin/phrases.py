"""Numbers of a margin as a sentence shows them: fractions as they are, floats to six digits."""

__all__ = ["equated", "hyperplane", "listed", "mixture", "shown", "vector"]

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tenfold.teach.margin.problem import Hyperplane, Number

LONGEST = 16  # letters of a fraction that is still easier to read than its decimals
SHOWN = 6  # numbers of a vector


def shown(number: Number) -> str:
    """Write a number, with a true minus sign.

    >>> shown(Fraction(-5, 2)), shown(Fraction(1, 3)), shown(-0.3535533905932738), shown(float("inf"))
    ('−2.5', '1/3', '−0.353553', '∞')
    """
    text = f"{float(number) or 0.0:.6g}"
    if isinstance(number, Fraction):  # a decimal where it is a short one, else the fraction, a float where that is long
        decimal, whole = f"{float(number):.10g}", str(number)
        short = "e" not in decimal and Fraction(decimal) == number
        text = decimal if short else whole if len(whole) <= LONGEST else f"≈ {text}"
    return text.replace("-", "−").replace("inf", "∞")


def vector(numbers: Sequence[Number]) -> str:
    """Write numbers in parentheses, one alone without; of many, the first.

    >>> vector([Fraction(-2), Fraction(1, 2)])
    '(−2, 0.5)'
    """
    if len(numbers) == 1:
        return shown(numbers[0])
    text = ", ".join(map(shown, numbers[:SHOWN]))
    return f"({text})" if len(numbers) <= SHOWN else f"({text}, … {len(numbers)} numbers)"


def equated(name: str, value: Number | Sequence[Number]) -> str:
    """Write the value of a name, after "=" or, for a fraction too long to read, "≈".

    >>> equated("b", Fraction(1, 3)), equated("b", Fraction(10**20 + 1, 3))
    ('b = 1/3', 'b ≈ 3.33333e+19')
    """
    text = vector(value) if isinstance(value, Sequence) else shown(value)
    return f"{name} {text}" if text[0] == "≈" else f"{name} = {text}"


def hyperplane(plane: Hyperplane) -> str:
    """Write w and b of w·x + b = 0."""
    return f"{equated('w', plane.w)}, {equated('b', plane.b)}"


def listed(first: Sequence[str], total: int) -> str:
    """List the first of some names, and say how many more there are.

    >>> listed(["a", "b"], 2), listed(["a", "b"], 3)
    ('a, b', 'a, b and 1 more')
    """
    return ", ".join(first) + (f" and {total - len(first):,} more" if total > len(first) else "")


def mixture(labels: Sequence[str], weights: Mapping[int, Number]) -> str:
    """Write a weighted sum of points, or the one point that is all of it.

    >>> mixture(["(1, 0)", "row 2"], {0: Fraction(1, 2), 1: 0.5}), mixture(["row 1"], {0: 1.0})
    ('0.5 (1, 0) + 0.5 (row 2)', 'row 1')
    """
    if len(weights) == 1:
        return labels[next(iter(weights))]
    names = {k: labels[k] if labels[k].startswith("(") else f"({labels[k]})" for k in weights}
    return " + ".join(f"{shown(weight)} {names[k]}" for k, weight in weights.items())
