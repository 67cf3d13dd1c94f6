"""Linear equations in whole numbers, without fractions on the way (Bareiss 1968).

Every number that elimination meets is a minor of the matrix, so that each division by the pivot before leaves no rest
and no number grows longer than Hadamard's bound. Rows are arrays of Python's whole numbers.
"""

__all__ = ["null_space", "quotients", "reduced", "solved"]

import math
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[Any]


def solved(matrix: Whole, right: Whole) -> tuple[Whole, int] | None:
    """y (k,) and d > 0 with matrix y / d = right, both whole; None where the matrix (k, k) is singular.

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
        if pivot != step:
            rows[[step, pivot]] = rows[[pivot, step]]
        below = rows[step + 1 :]
        top = rows[step, step]
        below[:, step + 1 :] = (
            top * below[:, step + 1 :] - below[:, step, None] * rows[step, None, step + 1 :]
        ) // before
        before = top
    return _back(rows)


def _back(rows: Whole) -> tuple[Whole, int]:
    """The solution from the rows above the diagonal; d is the last pivot, which by Cramer's rule makes all whole."""
    k = len(rows)
    d = rows[k - 1, k - 1]
    y = np.zeros(k, dtype=object)
    for i in reversed(range(k)):
        y[i] = (d * rows[i, k] - rows[i, i + 1 : k] @ y[i + 1 :]) // rows[i, i]
    common = math.gcd(d, *y) * (1 if d > 0 else -1)
    return y // common, d // common


def quotients(matrix: Whole, right: Whole) -> Whole | None:
    """y (k,) of fractions with matrix y = right, both of fractions; None where the matrix (k, k) is singular.

    >>> quotients(np.array([[Fraction(1, 2)]], dtype=object), np.array([Fraction(1, 3)], dtype=object))
    array([Fraction(2, 3)], dtype=object)
    """
    rows = np.concatenate([matrix, right[:, None]], axis=1)
    scaled = [[int(value * q) for value in row] for row in rows for q in [math.lcm(*(v.denominator for v in row))]]
    table = np.array(scaled, dtype=object).reshape(rows.shape)
    found = solved(table[:, :-1], table[:, -1])
    return None if found is None else np.array([Fraction(int(value), found[1]) for value in found[0]], dtype=object)


def reduced(matrix: Whole) -> tuple[Whole, list[int]]:
    """The reduced row echelon form (rank, m) of fractions or whole numbers (r, m), and the columns of its pivots.

    >>> reduced(np.array([[2, 4], [1, 2]], dtype=object))
    (array([[Fraction(1, 1), Fraction(2, 1)]], dtype=object), [0])
    """
    rows, pivots = matrix * Fraction(1), list[int]()
    for column in range(matrix.shape[1]):
        rank = len(pivots)
        found = next((i for i in range(rank, len(rows)) if rows[i, column]), None)
        if found is None:
            continue
        rows[[rank, found]] = rows[[found, rank]]
        rows[rank] = rows[rank] / rows[rank, column]
        for i in range(len(rows)):
            if i != rank and rows[i, column]:
                rows[i] = rows[i] - rows[i, column] * rows[rank]
        pivots.append(column)
    return rows[: len(pivots)], pivots


def null_space(matrix: Whole) -> Whole:
    """Columns (m, q) of fractions that span what the matrix (r, m) maps to 0; q = m − rank.

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
