"""Proof that two classes cannot be separated: a point of both hulls.

From v ≥ 0 with Σ v_i s_i x_i = 0, Σ v_i s_i = 0 (Farkas), v_i / Σ₊ v_i of class + and v_i / Σ₋ v_i of class − are the
weights of two convex combinations of one point. On affinely independent points but one there are D + 2 of them at most
(Carathéodory 1907). In floats the equations are solved again on those points, by least squares, for what rounding left.
"""

__all__ = ["Certificate", "by_programming", "certificate", "refined"]

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from tenfold.margin.types import Number

Floats = NDArray[np.float64]


class Certificate(NamedTuple):
    """first, second: weights of class + and − by position; meeting: (D,); residual: largest coordinate left over."""

    first: dict[int, Number]
    second: dict[int, Number]
    meeting: tuple[Number, ...]
    residual: float


def certificate(
    ray: Mapping[int, Number], x: Floats | Sequence[Sequence[Fraction]], sign: NDArray[np.int8]
) -> Certificate:
    """The convex combinations that v >= 0 by position means; fractions in, fractions out. x: (n, D)."""
    first, second = _shares(ray, sign, 1), _shares(ray, sign, -1)
    meeting, other = ([sum(w * x[i][k] for i, w in own.items()) for k in range(len(x[0]))] for own in (first, second))
    residual = max(abs(a - b) for a, b in zip(meeting, other, strict=True))
    return Certificate(first, second, tuple(meeting), float(residual))


def _shares(ray: Mapping[int, Number], sign: NDArray[np.int8], side: int) -> dict[int, Number]:
    own = {i: value for i, value in sorted(ray.items()) if sign[i] == side}
    total = sum(own.values(), Fraction(0))
    return {i: value / total for i, value in own.items()}


def refined(ray: Mapping[int, Number], z: Floats, sign: NDArray[np.int8]) -> dict[int, Number]:
    """v >= 0 that is nearer to Σ v_i s_i z_i = 0, Σ₊ v_i = Σ₋ v_i = 1, on the same points. z: (n, D) framed."""
    points = list(ray)
    plus = sign[points] > 0
    equations = np.vstack([z[points].T * sign[points], plus, ~plus])
    right = np.append(np.zeros(z.shape[1]), [1.0, 1.0])
    v = np.array([float(value) for value in ray.values()])
    v /= np.where(plus, v[plus].sum(), v[~plus].sum())
    for _ in range(2):
        v = v + linalg.lstsq(equations, right - equations @ v, check_finite=False)[0]
    return {i: value for i, value in zip(points, v.tolist(), strict=True) if value > 0}


def by_programming(z: Floats, sign: NDArray[np.int8]) -> dict[int, Number] | None:
    """v >= 0 by position, by linear programming (HiGHS), or None where there is none. z: (n, D) framed."""
    plus = sign > 0
    equations = np.vstack([z.T * sign, plus, ~plus])
    right = np.append(np.zeros(z.shape[1]), [1.0, 1.0])
    found = optimize.linprog(np.zeros(len(z)), A_eq=equations, b_eq=right, method="highs-ds")
    if found.status != 0:
        return None
    return {int(i): float(found.x[i]) for i in np.flatnonzero(found.x > 0)}
