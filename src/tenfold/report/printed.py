"""Numbers that somebody wrote down, held against what they should be: exact, rounded or truncated.

With the last printed digit worth q, a value v is printed as p

    rounded    where |v − p| ≤ q / 2 (a tie goes either way)
    truncated  where p has the sign of v and 0 ≤ |v| − |p| < q
"""

__all__ = ["FLOATS", "exactly", "fidelity", "quantum", "significant"]

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from tenfold.errors import UsageError

SLACK = 1e-9  # of a float's size: far above its own error, far below a printed digit
CANCELED = 1e-15  # what is left of numbers about 1 whose difference is 0
LONGEST = 60
FLOATS = 330  # digits before or after the point, as many as a float64 may need


def exactly(printed: str, within: int = LONGEST) -> Fraction:
    """Return the number that was written: "-2.69", "−2.69", "1.09e-15" or "1/3". Raises UsageError for anything else.

    within: digits that it may have before or after the point.

    >>> exactly("−2.5"), exactly("1/3")
    (Fraction(-5, 2), Fraction(1, 3))
    """
    text = printed.strip().replace("−", "-")
    above, slash, below = text.partition("/")
    try:
        numbers = [Decimal(part) for part in ((above, below) if slash else (text,))]
    except InvalidOperation:
        numbers = []
    finite = bool(numbers) and all(number.is_finite() for number in numbers)
    if finite and any(abs(number.adjusted()) >= within for number in numbers):
        raise UsageError(f"{printed[:LONGEST]!r} is too large or too small: at most {within} digits beside the point")
    if not finite or (slash and not numbers[-1]):
        raise UsageError(f"{printed[:LONGEST]!r} is not a number; expected one such as -2.69, 1.1e-15 or 1/3")
    return Fraction(numbers[0]) / Fraction(numbers[1]) if slash else Fraction(numbers[0])


def quantum(printed: str) -> Fraction:
    """Return what the last written digit is worth, 0 for a fraction.

    >>> quantum("-2.690"), quantum("12e3")
    (Fraction(1, 1000), Fraction(1000, 1))
    """
    if "/" in printed:
        return Fraction(0)
    exponent = Decimal(printed.strip().replace("−", "-")).as_tuple().exponent
    return Fraction(10) ** int(exponent)


def significant(printed: str) -> int:
    """Count the digits that a written number tells, 0 for a zero; a fraction tells all.

    >>> significant("-2.690"), significant("0.05"), significant("0.00"), significant("1/3")
    (4, 1, 0, 60)
    """
    if "/" in printed:
        return LONGEST
    digits = Decimal(printed.strip().replace("−", "-")).as_tuple().digits
    return len(digits) if any(digits) else 0


def fidelity(printed: str, value: Fraction | float) -> str:
    """Return how a written number renders a value: "exact", "rounded", "truncated", or "" where it does not.

    A Fraction is compared as it is, a float with a slack of 1e-9 of its size, and of 1e-15 for what cancels; nothing
    renders a float that is not finite.

    >>> [fidelity(p, Fraction("1.3156")) for p in ("1.3156", "1.32", "1.31", "1.33")]
    ['exact', 'rounded', 'truncated', '']
    """
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    p, q = exactly(printed, FLOATS), quantum(printed)
    v = value if isinstance(value, Fraction) else Fraction(value)
    slack = Fraction(0) if isinstance(value, Fraction) else Fraction(SLACK) * abs(v) + Fraction(CANCELED)
    if abs(v - p) <= slack:
        return "exact"
    if abs(v - p) <= q / 2 + slack:
        return "rounded"
    return "truncated" if p * v >= 0 and -slack <= abs(v) - abs(p) < q else ""
