"""The active set's arithmetic in whole numbers and fractions: no tolerance anywhere, so that its end is a proof.

Coordinates are brought to whole numbers X by their common denominator q, x = X / q. A solution W, B, α' for X is one
for x: W·X + B is the same number when w = q W, and w = Σ α s x when α = q² α'.
"""

__all__ = ["Whole", "affordable", "arithmetic", "whole"]

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.teach.margin.activeset import STEPS, Arithmetic, Held
from tenfold.teach.margin.elimination import solved

LARGEST = 40_000  # numbers in (n, D)
LOOK = 50  # of the same measure, of one product with a coordinate

Whole = NDArray[Any]
"""Python's whole numbers of any size in an array."""


class _Plane(NamedTuple):
    """w = W / d, b = B / d in whole numbers, d > 0."""

    w: Whole
    b: int
    d: int


def affordable(x: Whole, size: int, work: float) -> int:
    """Steps that can be taken in fractions from an active set of that size, 0 where not even a few.

    x: (n, D) whole numbers. Elimination on k points takes k³ products of numbers that grow to k times the bits of a
    coordinate; measured, 5e8 of k⁴ bits take about a second. Besides, each step looks through all n D numbers.
    """
    bits = max(abs(int(value)).bit_length() for value in (x.min(), x.max()))
    each = size**4 * max(bits, 1) + LOOK * x.size
    return 0 if x.size > LARGEST or each > work else min(STEPS, 20 + int(4 * work / max(each, 1)))


def whole(x: Sequence[Sequence[Fraction]]) -> tuple[Whole, int]:
    """Coordinates (n, D) times their common denominator q, and q.

    >>> whole([[Fraction(1, 2), Fraction(1, 3)]])
    (array([[3, 2]], dtype=object), 6)
    """
    q = math.lcm(*{value.denominator for row in x for value in row})
    scaled = [[value.numerator * (q // value.denominator) for value in row] for row in x]
    return np.array(scaled, dtype=object), q


def arithmetic(x: Whole, sign: NDArray[np.int8]) -> Arithmetic:
    """Fractions for `climb`. x: (n, D) whole numbers; sign: (n,). Its planes are _Plane."""
    s = sign.astype(object)

    def hold(points: tuple[int, ...], before: Held | None) -> Held | None:
        base, rest = points[0], list(points[1:])
        a = x[rest] - x[base]
        found = solved(a @ a.T, s[rest] - s[base])
        if found is None:
            return None
        beta, d = found
        w = beta @ a
        numerators = [-sum(beta), *beta]
        multipliers = [Fraction(int(s[i] * value), d) for i, value in zip(points, numerators, strict=True)]
        return Held(points, multipliers, _Plane(w, s[base] * d - w @ x[base], d), a)

    def express(held: Held, j: int) -> list[Fraction] | None:
        points, a = list(held.points), held.factor
        difference = x[j] - x[points[0]]
        found = solved(a @ a.T, a @ difference)
        assert found is not None  # the points of what is held are independent
        c, d = found
        if (c @ a != d * difference).any():
            return None
        return [Fraction(int(-s[i] * s[j] * v), d) for i, v in zip(points, [d - sum(c), *c], strict=True)]

    def worst(plane: _Plane) -> int | None:
        functional = s * (x @ plane.w + plane.b)
        j = int(functional.argmin())
        return j if functional[j] < plane.d else None

    return Arithmetic(hold, express, worst)
