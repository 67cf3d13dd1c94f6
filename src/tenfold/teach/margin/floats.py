"""The active set's arithmetic in float64: A by its QR factors, so that the condition of A counts and not its square.

    Aᵀ = Q R:    w = Q R⁻ᵀ t,    β = R⁻¹ R⁻ᵀ t,    t_i = s_i − s_0,    and a − Q Qᵀ a is what A cannot express of a.

Points are expected centered, the farthest at distance 1.
"""

__all__ = ["EPSILON", "arithmetic", "clear", "independent"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from tenfold.teach.margin.activeset import Arithmetic, Climbed, Held

SPANNED = 1e-11  # of the farthest point's distance: nearer to what others span, a point is taken to be in it
DOUBTFUL = 1e6  # radius / margin: above it floats alone do not say that points can be separated
EPSILON = float(np.finfo(np.float64).eps)
LARGE, FEW = 48, 3  # points and coordinates from which on, and points that leave up to which, updates are quicker
BEYOND = 4e-14  # of a functional margin, times ‖w‖: below it no point is beyond the margin

Floats = NDArray[np.float64]


class _Factor(NamedTuple):
    """Aᵀ = Q R: q (D, k − 1), r (k − 1, k − 1)."""

    q: Floats
    r: Floats


def arithmetic(x: Floats, sign: NDArray[np.int8]) -> Arithmetic:
    """Floats for `climb`. x: (n, D) centered and scaled; sign: (n,). The plane is w (D,) with b behind it."""
    s = sign.astype(np.float64)

    def hold(points: tuple[int, ...], before: Held | None) -> Held | None:
        base, rest = points[0], list(points[1:])
        a = (x[rest] - x[base]).T
        if len(rest) > len(a):
            return None
        q, r = _factored(a, before, points)
        if abs(np.diag(r)).min() <= SPANNED:
            return None
        t = s[rest] - s[base]
        y = linalg.solve_triangular(r, t, trans="T", check_finite=False)
        w = q @ y
        # One step of refinement: what the product with A itself still leaves.
        y += linalg.solve_triangular(r, t - a.T @ w, trans="T", check_finite=False)
        w = q @ y
        beta = linalg.solve_triangular(r, y, check_finite=False)
        multipliers = s[list(points)] * np.concatenate([[-beta.sum()], beta])
        held = x[list(points)] @ w
        return Held(points, multipliers.tolist(), np.append(w, np.mean(s[list(points)] - held)), _Factor(q, r))

    def express(held: Held, j: int) -> list[float] | None:
        points, (q, r) = list(held.points), held.factor
        a = x[j] - x[points[0]]
        inside = q.T @ a
        if linalg.norm(a - q @ inside) > SPANNED:
            return None
        c = linalg.solve_triangular(r, inside, check_finite=False)
        return list(-s[points] * s[j] * np.concatenate([[1 - c.sum()], c]))

    def worst(plane: Floats) -> int | None:
        functional = s * (x @ plane[:-1] + plane[-1])
        j = int(functional.argmin())
        return j if functional[j] < 1 - BEYOND * (1 + float(linalg.norm(plane))) else None

    return Arithmetic(hold, express, worst)


def clear(climbed: Climbed) -> bool:
    """Whether floats alone say that points can be separated, with a margin far above their rounding."""
    return bool(climbed.held and climbed.settled and float(np.linalg.norm(climbed.held.plane[:-1])) <= DOUBTFUL)


def _factored(a: Floats, before: Held | None, points: tuple[int, ...]) -> _Factor:
    """Aᵀ = Q R, from the factors of the set before where a few points left it and at most one came, as the last."""
    gone = [k for k, i in enumerate(before.points) if i not in set(points)] if before else [0]
    came = len(points) - (len(before.points) - len(gone)) if before else 0
    if before is None or min(a.shape) < LARGE or len(gone) > FEW or 0 in gone or came > 1:
        return _Factor(*linalg.qr(a, mode="economic", check_finite=False))
    q, r = before.factor
    for k in reversed(gone):
        q, r = linalg.qr_delete(q, r, k - 1, which="col", check_finite=False)
        q, r = q[:, : r.shape[1]], r[: r.shape[1]]  # it takes a square Q for a full one
    if came:
        try:
            q, r = linalg.qr_insert(q, r, a[:, -1], r.shape[1], which="col", check_finite=False)
        except linalg.LinAlgError:  # it refuses what the others span but for rounding
            return _Factor(*linalg.qr(a, mode="economic", check_finite=False))
    return _Factor(q, r)


def independent(x: Floats, points: tuple[int, ...]) -> tuple[int, ...]:
    """Points that are affinely independent and span what all of `points` span, by pivoted QR. x: as `arithmetic`."""
    if len(points) < 2:
        return points
    rest = np.array(points[1:])
    _, r, order = linalg.qr((x[rest] - x[points[0]]).T, mode="economic", pivoting=True, check_finite=False)
    rank = int((abs(np.diag(r)) > SPANNED).sum())
    return (points[0], *(int(i) for i in rest[order[:rank]]))
