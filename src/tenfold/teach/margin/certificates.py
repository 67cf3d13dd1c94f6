"""Proof that two classes cannot be separated: a point of both hulls.

From v ≥ 0 with Σ v_i s_i x_i = 0, Σ v_i s_i = 0 (Farkas), v_i / Σ₊ v_i of class + and v_i / Σ₋ v_i of class − are the
weights of two convex combinations of one point. On affinely independent points but one there are D + 2 of them at most
(Carathéodory 1907). In floats the equations A v = t are solved again on those points, for what rounding left, and then

    |v − v*| ≤ |R| |t − A v| / (1 − q),    q = ‖1 − R A‖ < 1,    R ≈ A⁻¹,

with every rounding counted, proves v* > 0 of the exact solution (Rump 2010): two hulls that nearly meet are no proof.
Where A is not square, even without coordinates that others make up, or q is too large, those few points are solved in
fractions.
"""

__all__ = ["Certificate", "by_programming", "certain", "certificate", "refined"]

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from scipy import linalg, optimize

from tenfold.teach.margin import exact
from tenfold.teach.margin.floats import EPS, Frame
from tenfold.teach.margin.problem import Floats, Number, Points, Signs

WORK = 1e9  # of what `exact.affordable` counts, for the fractions of a certificate: about two seconds
SIMPLE = 1_000  # largest denominator of a combination of columns that is tried
PRODUCTS = 10**7  # whole numbers that such combinations may take: a second


class Certificate(NamedTuple):
    """first, second: weights of class + and − by position; meeting: (D,); residual: largest coordinate left over."""

    first: Mapping[int, Number]
    second: Mapping[int, Number]
    meeting: tuple[Number, ...]
    residual: float


def certificate(ray: Mapping[int, Number], x: Floats | Sequence[Sequence[Fraction]], sign: Signs) -> Certificate:
    """Return the convex combinations that v >= 0 by position means; fractions in, fractions out. x: (n, D)."""
    first, second = (_shares({i: v for i, v in ray.items() if sign[i] == side}) for side in (1, -1))
    meeting, other = ([sum(w * x[i][k] for i, w in mix.items()) for k in range(len(x[0]))] for mix in (first, second))
    residual = max(abs(a - b) for a, b in zip(meeting, other, strict=True))
    return Certificate(first, second, tuple(meeting), float(residual))


def _shares(weights: Mapping[int, Number]) -> dict[int, Number]:
    """Scale positive weights to the sum 1, by ascending position."""
    ordered = dict(sorted(weights.items()))
    total = sum(ordered.values(), Fraction(0))
    return {i: value / total for i, value in ordered.items()}


def _equations(z: Floats, sign: Signs) -> tuple[Floats, Floats]:
    """Return A (D + 2, n) and t of the equations A v = t: Σ v_i s_i z_i = 0, Σ₊ v_i = Σ₋ v_i = 1."""
    plus = sign > 0
    return np.vstack([z.T * sign, plus, ~plus]).astype(np.float64), np.append(np.zeros(z.shape[1]), [1.0, 1.0])


def refined(ray: Mapping[int, Number], z: Floats, sign: Signs) -> dict[int, float]:
    """Return v >= 0 that is nearer to Σ v_i s_i z_i = 0, Σ₊ v_i = Σ₋ v_i = 1, on the same points. z: (n, D) framed."""
    points = list(ray)
    plus = sign[points] > 0
    equations, right = _equations(z[points], sign[points])
    v = np.array([float(value) for value in ray.values()])
    v /= np.where(plus, v[plus].sum(), v[~plus].sum())
    for _ in range(2):
        v = v + linalg.lstsq(equations, right - equations @ v, check_finite=False)[0]
    return {i: value for i, value in zip(points, v.tolist(), strict=True) if value > 0}


def certain(ray: Mapping[int, Number], points: Points, frame: Frame) -> Certificate | None:
    """Return the certificate of v >= 0 by position, as floats; None where it is not proved that the hulls meet."""
    v = refined(ray, frame.z, points.sign)
    if _holds(v, points, frame):
        return certificate(v, points.x, points.sign)
    few = list(ray)
    whole, sign = _whole(points, few), points.sign[few]
    limit = exact.affordable(whole, len(few), WORK)
    if not limit or len(set(sign.tolist())) < 2:
        return None
    pair = int(sign.argmax()), int(sign.argmin())
    proved = exact.proof(few, whole, sign, pair, tuple(range(len(few) - 1)), limit)
    if not proved:
        return None
    total = sum(proved.values())
    return certificate({i: float(value / total) for i, value in proved.items()}, points.x, points.sign)


def _whole(points: Points, few: Sequence[int]) -> exact.Whole:
    """Return some points less the first of them, in whole numbers: (k, D)."""
    rows = [points.exact[i] if points.exact else list(map(Fraction, points.x[i].tolist())) for i in few]
    return exact.whole([[a - c for a, c in zip(row, rows[0], strict=True)] for row in rows])[0]


def _holds(v: Mapping[int, float], points: Points, frame: Frame) -> bool:
    """Prove by equations near these floats that the exact ones have a positive solution; False where they do not."""
    few, k = list(v), len(v)
    if k < 2:
        return False
    columns = _spanning(_whole(points, few)) if k < points.x.shape[1] + 2 else list(range(points.x.shape[1]))
    if columns is None or len(columns) + 2 != k:
        return False
    a, t = _equations(frame.z[few][:, columns], points.sign[few])
    try:
        inverse = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return False
    solution = np.array(list(v.values()))
    off = 2 * EPS * abs(a)  # moving and scaling rounded twice
    if points.exact:  # and so did reading decimals
        off[:-2] += EPS * abs(points.x[few][:, columns].T) / frame.radius
    q = (abs(np.eye(k) - inverse @ a) + abs(inverse) @ (off + k * EPS * abs(a))).sum(1).max()
    left = abs(t - a @ solution) + (off + (k + 2) * EPS * abs(a)) @ solution + EPS * t
    return bool(q < 1 / 2 and solution.min() > (abs(inverse) @ left).max() / (1 - q))


def _spanning(whole: exact.Whole) -> list[int] | None:
    """Return k − 2 columns of (k, D) of which all others are exactly simple combinations, None where none are found.

    Constant columns, those that are there twice, and the last of a category in columns of 0 and 1 are such.
    """
    kinds = {column: j for j, column in enumerate(zip(*whole.tolist(), strict=True)) if any(column)}
    columns, k = list(kinds.values()), len(whole)
    if len(columns) == k - 2:
        return columns
    if len(columns) < k - 2 or k == 2 or (len(columns) - k + 2) * k * k > PRODUCTS:
        return None
    rough = (whole[:, columns] / Fraction(abs(whole).max())).astype(np.float64)
    order = linalg.qr(rough, mode="r", pivoting=True, check_finite=False)[1]
    base, rest = order[: k - 2], order[k - 2 :]
    factors = linalg.lstsq(rough[:, base], rough[:, rest], check_finite=False)[0].tolist()
    times, q = exact.whole([[Fraction(value).limit_denominator(SIMPLE) for value in row] for row in factors])
    spanning, made = np.array(columns)[base], np.array(columns)[rest]
    return spanning.tolist() if (whole[:, spanning] @ times == q * whole[:, made]).all() else None


def by_programming(z: Floats, sign: Signs) -> dict[int, Number] | None:
    """Find v >= 0 by position by linear programming (HiGHS), None where there is none. z: (n, D) framed."""
    equations, right = _equations(z, sign)
    solution = optimize.linprog(np.zeros(len(z)), A_eq=equations, b_eq=right, method="highs-ds")
    if solution.status != 0:
        return None
    return {int(i): float(solution.x[i]) for i in np.flatnonzero(solution.x > 0)}
