"""What a hyperplane that somebody gives is worth: its margins point by point, and whether a better one exists.

(w, b) is optimal iff every s_i (w·x_i + b) ≥ 1 and multipliers α ≥ 0 of the points with s_i (w·x_i + b) = 1 give
w = Σ α_i s_i x_i and Σ α_i s_i = 0. What is left of w where none do is found by nonnegative least squares.
"""

__all__ = ["judge"]

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from tenfold.errors import UsageError
from tenfold.teach.margin.floats import EPSILON
from tenfold.teach.margin.opinions import sentences
from tenfold.teach.margin.residuals import values
from tenfold.teach.margin.types import Inseparable, Judged, Number, Points, Separated

SLACK = 1e-9  # of a functional margin in floats, times 1 + ‖w‖ times the radius of the points
OPTIMAL = 1e-8  # of ‖w‖, in floats
BALANCE = 1e6  # weight of Σ α_i s_i = 0 among the equations: it holds to the square of its inverse


def judge(points: Points, w: Sequence[Number], b: Number, solution: Separated | Inseparable) -> Judged:
    """The given hyperplane w·x + b = 0 beside the solution of the same points, in fractions where all is known exactly.

    Raises UsageError where w has not one finite number for each coordinate.
    """
    _check(points, w, b)
    exact = points.exact is not None and all(isinstance(value, Fraction | int) for value in (*w, b))
    kind: type[Fraction] | type[float] = Fraction if exact else float
    w, b = tuple(kind(value) for value in w), kind(b)
    along = _exact_values(points, w, b) if exact else _float_values(points, w, b)
    functional = tuple(int(s) * value for s, value in zip(points.sign, along, strict=True))
    norm = _norm(w)
    slack: Number = 0 if exact else _slack(points, w, b)
    on_margin = tuple(i for i, value in enumerate(functional) if abs(value - 1) <= slack)
    violated = tuple(i for i, value in enumerate(functional) if value < 1 - slack)
    smallest = min(functional)
    multipliers, left = _multipliers(points, w, on_margin)
    optimal = not violated and _is_best(points, w, b, exact, solution)
    if optimal and isinstance(solution, Separated):
        multipliers, left = solution.multipliers, solution.residuals.stationarity
    found = Judged(
        w=w,
        b=b,
        values=along,
        functional=functional,
        norm=norm,
        margin=1 / norm if norm else math.inf,
        distance=float(smallest) / norm if norm else 0.0,
        on_margin=on_margin,
        violated=violated,
        misclassified=tuple(i for i, value in enumerate(functional) if value <= 0),
        feasible=not violated,
        canonical=abs(smallest - 1) <= slack,
        factor=1 / smallest if smallest > 0 and norm else None,
        best=solution.margin if isinstance(solution, Separated) else None,
        stationarity=left,
        multipliers=multipliers,
        optimal=optimal,
        exact=exact,
        sentences=(),
    )
    return found._replace(sentences=sentences(found, points))


def _check(points: Points, w: Sequence[Number], b: Number) -> None:
    width = points.x.shape[1]
    if len(w) != width:
        raise UsageError(f"w has {len(w)} numbers, but the points have {width}: give one for each coordinate")
    if not all(math.isfinite(value) for value in (*w, b)):
        raise UsageError("w and b: expected finite numbers")


def _norm(w: Sequence[Number]) -> float:
    squared = sum((value * value for value in w), Fraction(0)) if isinstance(w[0], Fraction) else 0
    return math.sqrt(squared) if squared else float(np.linalg.norm(np.array(w, dtype=np.float64)))


def _exact_values(points: Points, w: Sequence[Number], b: Number) -> tuple[Number, ...]:
    assert points.exact is not None
    return tuple(sum((a * c for a, c in zip(w, row, strict=True)), b) for row in points.exact)


def _float_values(points: Points, w: Sequence[Number], b: Number) -> tuple[Number, ...]:
    return tuple(map(float, values(points.x, np.array(w, dtype=np.float64), float(b))))


def _slack(points: Points, w: Sequence[Number], b: Number) -> float:
    """By how much a functional margin may be off: by a little of what w makes of the points, and by the rounding of w
    and b themselves, which far from the origin is more."""
    plain = np.array(w, dtype=np.float64)
    radius = float(np.linalg.norm(points.x - points.x.mean(0), axis=1).max())
    held = abs(float(b)) + float((abs(points.x) @ abs(plain)).max())
    return SLACK * (1 + float(np.linalg.norm(plain)) * radius) + 4 * EPSILON * held


def _is_best(points: Points, w: Sequence[Number], b: Number, exact: bool, solution: Separated | Inseparable) -> bool:
    """Whether it is the solution's hyperplane: the best w is the only one, and so is its b, compared at the center."""
    if isinstance(solution, Inseparable):
        return False
    if exact and solution.exact:
        return tuple(w) == solution.exact.w and b == solution.exact.b
    plain = np.array(w, dtype=np.float64)
    if np.linalg.norm(plain - solution.w) > OPTIMAL * np.linalg.norm(solution.w):
        return False
    center = points.x.mean(0)[None]
    off = values(center, plain, float(b)) - values(center, solution.w, solution.b)
    return bool(abs(off[0]) <= _slack(points, w, b))


def _multipliers(points: Points, w: Sequence[Number], on_margin: tuple[int, ...]) -> tuple[NDArray[np.float64], float]:
    """α >= 0 of the points on the margin that come nearest to w = Σ α_i s_i x_i, and what is left, divided by ‖w‖."""
    alpha, plain = np.zeros(len(points.sign)), np.array(w, dtype=np.float64)
    size = float(np.linalg.norm(plain))
    if not size:
        return alpha, 0.0
    sides = points.sign[list(on_margin)].astype(np.float64)
    if abs(sides.sum()) == len(sides):
        return alpha, 1.0  # with one class alone Σ α_i s_i = 0 leaves no multipliers but 0
    near = points.x[list(on_margin)] - points.x[on_margin[0]]
    radius = float(abs(near).max()) or 1.0
    equations = np.vstack([(near / radius).T * sides, BALANCE * sides])
    found, _ = optimize.nnls(equations, np.append(plain / size, 0.0))
    alpha[list(on_margin)] = found * size / radius
    return alpha, float(np.linalg.norm(equations[:-1] @ found - plain / size))
