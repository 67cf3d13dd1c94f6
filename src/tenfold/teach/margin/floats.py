"""The active set in float64, on points moved to their mean and scaled to distance 1, where tolerances have a meaning.

With x = c + r z, a plane w'·z + b' of z is w = w'/r, b = b' − w·c of x, and multipliers α' are α = α'/r². The points A
of the active set are held by their QR factors, so that the condition of A counts and not its square:

    Aᵀ = Q R:    w = Q R⁻ᵀ t,    β = R⁻¹ R⁻ᵀ t,    t_i = s_i − s_0,    and a − Q Qᵀ a is what A cannot express of a.

What a solution leaves of the conditions is summed in extended precision where the machine has it: next to a tiny
margin, or far from the origin, the rounding of a float64 sum would be taken for a violated constraint.
"""

__all__ = ["EPS", "Frame", "arithmetic", "clear", "framed", "guess", "nearest_pair", "trained", "values"]

import warnings
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC

from tenfold.teach.margin.activeset import Arithmetic, Climbed, Held
from tenfold.teach.margin.problem import Floats, Signs

SPANNED = 1e-11  # of the farthest point's distance: nearer to what others span, a point is taken to be in it
DOUBTFUL = 1e6  # radius / margin: above it floats alone do not say that points can be separated
EPS = float(np.finfo(np.float64).eps)
LARGE, FEW = 48, 3  # points and coordinates from which on, and points that leave up to which, updates are quicker
BEYOND = 4e-14  # of a functional margin, times ‖w‖: below it no point is beyond the margin
GRAM = 2_500  # points up to which all products are taken at once, for BLAS is quicker than libsvm
HARD = 1e10  # libsvm's C in place of infinity
PRECISE = 1e-3  # libsvm's tolerance, its usual one: its support vectors are then nearly always the right ones
ROWS = 1_000  # at a time: extended precision takes twice the memory
STEPS, PATIENCE = 50_000, 10**8  # of libsvm, and steps times points: where a margin is tiny it would go on for hours


class Frame(NamedTuple):
    """z: (n, D). center: (D,); radius: of the points around it, 1 where it is 0."""

    z: Floats
    center: Floats
    radius: float


def framed(x: Floats) -> Frame:
    """Move points (n, D) to their mean and scale them, so that neither huge nor tiny coordinates overflow."""
    largest = float(abs(x).max()) or 1.0
    center = (x / largest).mean(0) * largest
    moved = x - center
    size = float(abs(moved).max()) or 1.0
    radius = size * float(np.linalg.norm(moved / size, axis=1).max()) or 1.0
    return Frame(moved / radius, center, radius)


def guess(z: Floats, sign: Signs) -> tuple[int, ...]:
    """Return libsvm's support vectors of the hard margin (Chang and Lin 2011), as far as they are affinely independent.

    The heaviest comes first, the others as pivoted QR takes them: they span what all support vectors span.
    """
    weight = abs(trained(z, sign, HARD, PRECISE, min(STEPS, PATIENCE // len(z))))
    points = np.argsort(-weight, kind="stable")[: np.count_nonzero(weight)]
    if len(points) < 2:
        return tuple(points.tolist())
    base, rest = points[0], points[1:]
    _, r, order = linalg.qr((z[rest] - z[base]).T, mode="economic", pivoting=True, check_finite=False)
    rank = int((abs(np.diag(r)) > SPANNED).sum())
    return (int(base), *rest[order[:rank]].tolist())


def trained(z: Floats, sign: Signs, C: float, tolerance: float, steps: int) -> Floats:
    """Return libsvm's α_i s_i (n,), as far as it comes in so many steps. z: framed points (n, D)."""
    gram = len(z) <= GRAM
    kernel = "precomputed" if gram else "linear"
    machine = SVC(C=C, kernel=kernel, tol=tolerance, max_iter=max(1, steps), cache_size=500)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(z @ z.T if gram else z, sign)
    beta = np.zeros(len(z))
    beta[machine.support_] = machine.dual_coef_[0]
    return beta


def nearest_pair(z: Floats, sign: Signs) -> tuple[int, int]:
    """Return a point of each class, near each other. z: framed points (n, D)."""
    plus, minus = np.flatnonzero(sign > 0), np.flatnonzero(sign < 0)
    second = minus[np.linalg.norm(z[minus] - z[plus].mean(0), axis=1).argmin()]
    first = plus[np.linalg.norm(z[plus] - z[second], axis=1).argmin()]
    return int(first), int(second)


def clear(climbed: Climbed) -> bool:
    """Judge whether floats alone say that points can be separated, with a margin far above their rounding."""
    return bool(climbed.held and climbed.settled and float(np.linalg.norm(climbed.held.plane[:-1])) <= DOUBTFUL)


def arithmetic(z: Floats, sign: Signs) -> Arithmetic:
    """Return the floats for `climb`. z: framed points (n, D); sign: (n,). The plane is w (D,) with b behind it."""
    s = sign.astype(np.float64)

    def hold(points: tuple[int, ...], before: Held | None) -> Held | None:
        base, rest = points[0], list(points[1:])
        a = (z[rest] - z[base]).T
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
        held = z[list(points)] @ w
        return Held(points, multipliers.tolist(), np.append(w, np.mean(s[list(points)] - held)), (q, r))

    def express(held: Held, j: int) -> list[float] | None:
        points, (q, r) = list(held.points), held.factor
        a = z[j] - z[points[0]]
        inside = q.T @ a
        if linalg.norm(a - q @ inside) > SPANNED:
            return None
        c = linalg.solve_triangular(r, inside, check_finite=False)
        return list(-s[points] * s[j] * np.concatenate([[1 - c.sum()], c]))

    def worst(plane: Floats) -> int | None:
        functional = s * (z @ plane[:-1] + plane[-1])
        j = int(functional.argmin())
        return j if functional[j] < 1 - BEYOND * (1 + float(linalg.norm(plane))) else None

    return Arithmetic(hold, express, worst)


def _factored(a: Floats, before: Held | None, points: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Return Aᵀ = Q R, from the factors of the set before where a few points left it and at most one came, last."""
    gone = [k for k, i in enumerate(before.points) if i not in set(points)] if before else [0]
    came = len(points) - (len(before.points) - len(gone)) if before else 0
    if before and min(a.shape) >= LARGE and len(gone) <= FEW and 0 not in gone and came <= 1:
        q, r = before.factor
        for k in reversed(gone):
            q, r = linalg.qr_delete(q, r, k - 1, which="col", check_finite=False)
            q, r = q[:, : r.shape[1]], r[: r.shape[1]]  # it takes a square Q for a full one
        if not came:
            return q, r
        with suppress(linalg.LinAlgError):  # it refuses what the others span but for rounding
            q, r = linalg.qr_insert(q, r, a[:, -1], r.shape[1], which="col", check_finite=False)
            return q, r
    q, r = linalg.qr(a, mode="economic", check_finite=False)
    return q, r


def values(x: Floats, w: Floats, b: float) -> NDArray[np.longdouble]:
    """Return w·x_i + b of each point, extended. x: (n, D); w: (D,)."""
    wide = w.astype(np.longdouble)
    sums = [x[row : row + ROWS].astype(np.longdouble) @ wide for row in range(0, len(x), ROWS)]
    return np.asarray(np.concatenate(sums) + b)
