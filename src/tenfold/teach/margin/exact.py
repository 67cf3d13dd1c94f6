"""The active set in whole numbers and fractions: no tolerance anywhere, so that its end is a proof.

Coordinates are brought to whole numbers X by their common denominator q, x = X / q. A solution W, B, α' for X is one
for x: W·X + B is the same number when w = q W, and w = Σ α s x when α = q² α'. Equations are solved without fractions
on the way (Bareiss 1968): every number that elimination meets is a minor of the matrix, so that each division by the
pivot before leaves no rest and no number grows longer than Hadamard's bound.
"""

__all__ = ["Whole", "affordable", "arithmetic", "null_space", "proof", "reduced", "root", "solved", "whole"]

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.teach.margin.activeset import STEPS, Arithmetic, Held, climb
from tenfold.teach.margin.problem import Fractions, Number, Signs

LARGEST = 40_000  # numbers in (n, D)
LOOK = 50  # of the same measure, of one product with a coordinate

Whole = NDArray[Any]  # Python's whole numbers of any size, or fractions


def affordable(x: Whole, size: int, work: float) -> int:
    """Return how many steps in fractions can be paid for from an active set of that size, 0 where not even a few.

    x: (n, D) whole numbers. Elimination on k points takes k³ products of numbers that grow to k times the bits of a
    coordinate; measured, 5e8 of k⁴ bits take about a second. Besides, each step looks through all n D numbers.
    """
    bits = max(abs(int(value)).bit_length() for value in (x.min(), x.max()))
    each = size**4 * max(bits, 1) + LOOK * x.size
    return 0 if x.size > LARGEST or each > work else min(STEPS, 20 + int(4 * work / max(each, 1)))


def whole(x: Fractions) -> tuple[Whole, int]:
    """Return fractions (n, D) times their common denominator q, and q.

    >>> whole([[Fraction(1, 2), Fraction(1, 3)]])
    (array([[3, 2]], dtype=object), 6)
    """
    q = math.lcm(*{value.denominator for row in x for value in row})
    scaled = [[value.numerator * (q // value.denominator) for value in row] for row in x]
    return np.array(scaled, dtype=object), q


def arithmetic(x: Whole, sign: Signs) -> Arithmetic:
    """Return the fractions for `climb`. x: (n, D) whole numbers; sign: (n,).

    The plane is (W, B, d) in whole numbers, w = W / d, b = B / d, d > 0.
    """
    s = sign.astype(object)

    def hold(points: tuple[int, ...], before: Held | None) -> Held | None:
        base, rest = points[0], list(points[1:])
        a = x[rest] - x[base]
        solution = solved(a @ a.T, s[rest] - s[base])
        if solution is None:
            return None
        beta, d = solution
        w = beta @ a
        numerators = [-sum(beta), *beta]
        multipliers = [Fraction(int(s[i] * value), d) for i, value in zip(points, numerators, strict=True)]
        return Held(points, multipliers, (w, s[base] * d - w @ x[base], d), a)

    def express(held: Held, j: int) -> list[Fraction] | None:
        points, a = list(held.points), held.factor
        difference = x[j] - x[points[0]]
        solution = solved(a @ a.T, a @ difference)
        assert solution is not None  # the points of what is held are independent
        c, d = solution
        if (c @ a != d * difference).any():
            return None
        return [Fraction(int(-s[i] * s[j] * v), d) for i, v in zip(points, [d - sum(c), *c], strict=True)]

    def worst(plane: tuple[Whole, int, int]) -> int | None:
        functional = s * (x @ plane[0] + plane[1])
        j = int(functional.argmin())
        return j if functional[j] < plane[2] else None

    return Arithmetic(hold, express, worst)


def proof(few: Sequence[int], x: Whole, sign: Signs, limit: int = STEPS) -> dict[int, Number] | None:
    """Return v >= 0 by position that proves of a few points alone that their hulls meet, None where it proves nothing.

    few: their positions. x: (k, D) whole numbers and sign: (k,) of these.
    """
    if len(set(sign.tolist())) < 2:
        return None
    # Nearly always all of them are needed: the last then depends on the others.
    ray = climb(arithmetic(x, sign), tuple(range(len(few) - 1)), (int(sign.argmax()), int(sign.argmin())), limit).ray
    return {few[i]: value for i, value in ray.items()} if ray else None


def solved(matrix: Whole, right: Whole) -> tuple[Whole, int] | None:
    """Return y (k,) and d > 0 with matrix y / d = right, all whole; None where the matrix (k, k) is singular.

    >>> solved(np.array([[2, 1], [1, 3]], dtype=object), np.array([1, 0], dtype=object))
    (array([3, -1], dtype=object), 5)
    """
    k = len(matrix)
    if not k:
        return np.array([], dtype=object), 1
    rows = np.concatenate([matrix, right[:, None]], axis=1)
    before = 1
    for step in range(k):
        pivot = next((i for i in range(step, k) if rows[i, step]), None)
        if pivot is None:
            return None
        rows[[step, pivot]] = rows[[pivot, step]]
        below, top = rows[step + 1 :], rows[step, step]
        products = top * below[:, step + 1 :] - below[:, step, None] * rows[step, None, step + 1 :]
        below[:, step + 1 :] = products // before
        before = top
    d = rows[k - 1, k - 1]  # the last pivot, which by Cramer's rule makes all whole
    y = np.zeros(k, dtype=object)
    for i in reversed(range(k)):
        y[i] = (d * rows[i, k] - rows[i, i + 1 : k] @ y[i + 1 :]) // rows[i, i]
    common = math.gcd(d, *y) * (1 if d > 0 else -1)
    return y // common, d // common


def reduced(matrix: Whole) -> tuple[Whole, list[int]]:
    """Return the reduced row echelon form (rank, m) of fractions or whole numbers (r, m), and its pivots' columns.

    >>> reduced(np.array([[2, 4], [1, 2]], dtype=object))
    (array([[Fraction(1, 1), Fraction(2, 1)]], dtype=object), [0])
    """
    rows, pivots = matrix * Fraction(1), list[int]()
    for column in range(matrix.shape[1]):
        rank = len(pivots)
        pivot = next((i for i in range(rank, len(rows)) if rows[i, column]), None)
        if pivot is None:
            continue
        rows[[rank, pivot]] = rows[[pivot, rank]]
        rows[rank] = rows[rank] / rows[rank, column]
        for i in range(len(rows)):
            if i != rank and rows[i, column]:
                rows[i] = rows[i] - rows[i, column] * rows[rank]
        pivots.append(column)
    return rows[: len(pivots)], pivots


def null_space(matrix: Whole) -> Whole:
    """Return columns (m, q) of fractions that span what the matrix (r, m) maps to 0; q = m − rank.

    >>> null_space(np.array([[1, 2]], dtype=object))
    array([[Fraction(-2, 1)],
           [Fraction(1, 1)]], dtype=object)
    """
    rows, pivots = reduced(matrix)
    free = [column for column in range(matrix.shape[1]) if column not in pivots]
    basis = np.full((matrix.shape[1], len(free)), Fraction(0), dtype=object)
    basis[pivots] = -rows[:, free]
    basis[free, range(len(free))] = Fraction(1)
    return basis


def root(squared: Number) -> Number:
    """Return a square root, as a fraction where it is one.

    >>> root(Fraction(9, 4)), root(Fraction(2))
    (Fraction(3, 2), 1.4142135623730951)
    """
    if isinstance(squared, Fraction):
        above, below = math.isqrt(squared.numerator), math.isqrt(squared.denominator)
        if above**2 == squared.numerator and below**2 == squared.denominator:
            return Fraction(above, below)
    return math.sqrt(squared)
