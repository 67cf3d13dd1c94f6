"""A hyperplane that somebody gives: its margins point by point, and whether a better one exists, in plain sentences.

(w, b) is optimal iff every s_i (w·x_i + b) ≥ 1 and multipliers α ≥ 0 of the points with s_i (w·x_i + b) = 1 give
w = Σ α_i s_i x_i and Σ α_i s_i = 0. What is left of w where none do is found by nonnegative least squares.
"""

__all__ = ["judge"]

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from scipy import optimize

from tenfold.errors import UsageError
from tenfold.teach.margin.floats import EPS, values
from tenfold.teach.margin.phrases import hyperplane, listed, shown
from tenfold.teach.margin.problem import Floats, Hyperplane, Inseparable, Judged, Number, Points, Separated, dot

SLACK = 1e-9  # of a functional margin in floats, times 1 + ‖w‖ times the radius of the points
OPTIMAL = 1e-8  # of ‖w‖, in floats
BALANCE = 1e6  # weight of Σ α_i s_i = 0 among the equations: it holds to the square of its inverse
NAMED = 5  # points that a sentence names


def judge(points: Points, w: Sequence[Number], b: Number, solution: Separated | Inseparable) -> Judged:
    """Judge w·x + b = 0 beside the solution of the same points, in fractions where all is known exactly.

    Raises UsageError where w has not one finite number for each coordinate.
    """
    width = points.x.shape[1]
    if len(w) != width:
        raise UsageError(f"w has {len(w)} numbers, but the points have {width}: give one for each coordinate")
    if not all(math.isfinite(value) for value in (*w, b)):
        raise UsageError("w and b: expected finite numbers")
    written = points.exact if all(isinstance(value, Fraction | int) for value in (*w, b)) else None
    kind: type[Fraction] | type[float] = Fraction if written else float
    plane, rough = Hyperplane(tuple(map(kind, w)), kind(b)), np.array(w, dtype=np.float64)
    along = tuple(map(plane.value, written) if written else map(float, values(points.x, rough, float(b))))
    functional = tuple(int(s) * value for s, value in zip(points.sign, along, strict=True))
    norm = math.sqrt(dot(plane.w, plane.w)) if written else float(np.linalg.norm(rough))
    slack: Number = 0 if written else _slack(points, rough, float(b))
    on_margin = tuple(i for i, value in enumerate(functional) if abs(value - 1) <= slack)
    violated = tuple(i for i, value in enumerate(functional) if value < 1 - slack)
    smallest = min(functional)
    multipliers, left = _multipliers(points, rough, on_margin)
    optimal = False
    if isinstance(solution, Separated) and not violated and _is_best(points, plane, rough, solution):
        multipliers, left, optimal = solution.multipliers, solution.residuals.stationarity, True
    judged = Judged(
        w=plane.w,
        b=plane.b,
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
        exact=written is not None,
        sentences=(),
    )
    return judged._replace(sentences=tuple(_sentences(judged, points)))


def _slack(points: Points, w: Floats, b: float) -> float:
    """Return by how much a functional margin may be off: by a little of what w makes of the points, and by the
    rounding of w and b themselves, which far from the origin is more."""
    radius = float(np.linalg.norm(points.x - points.x.mean(0), axis=1).max())
    held = abs(b) + float((abs(points.x) @ abs(w)).max())
    return SLACK * (1 + float(np.linalg.norm(w)) * radius) + 4 * EPS * held


def _is_best(points: Points, plane: Hyperplane, w: Floats, solution: Separated) -> bool:
    """Judge whether it is the solution's: the best w is the only one, and so is its b, compared at the center."""
    if isinstance(plane.b, Fraction) and solution.exact:
        return plane.w == solution.exact.w and plane.b == solution.exact.b
    if np.linalg.norm(w - solution.w) > OPTIMAL * np.linalg.norm(solution.w):
        return False
    center, b = points.x.mean(0)[None], float(plane.b)
    off = values(center, w, b) - values(center, solution.w, solution.b)
    return bool(abs(off[0]) <= _slack(points, w, b))


def _multipliers(points: Points, w: Floats, on_margin: tuple[int, ...]) -> tuple[Floats, float]:
    """Return α >= 0 of the points on the margin that come nearest to w = Σ α_i s_i x_i, and what is left, over ‖w‖."""
    alpha, size, places = np.zeros(len(points.sign)), float(np.linalg.norm(w)), list(on_margin)
    if not size:
        return alpha, 0.0
    sides = points.sign[places].astype(np.float64)
    if abs(sides.sum()) == len(sides):
        return alpha, 1.0  # with one class alone Σ α_i s_i = 0 leaves no multipliers but 0
    near = points.x[places] - points.x[places[0]]
    radius = float(abs(near).max()) or 1.0
    equations = np.vstack([(near / radius).T * sides, BALANCE * sides])
    scaled, _ = optimize.nnls(equations, np.append(w / size, 0.0))
    alpha[places] = scaled * size / radius
    return alpha, float(np.linalg.norm(equations[:-1] @ scaled - w / size))


def _sentences(judged: Judged, points: Points) -> Iterator[str]:
    """Say whether it separates, is feasible, canonical and optimal, and why not."""
    if not judged.norm:
        yield f"w is 0, so that w·x + b is {shown(judged.b)} everywhere: this is no hyperplane"
        return
    wrong = [i for i in judged.misclassified if judged.functional[i] < 0]
    on = [i for i in judged.misclassified if judged.functional[i] == 0]
    if not judged.misclassified:
        yield "it separates the classes"
    elif max(judged.functional) < 0:
        yield "it separates the classes the wrong way round: −w and −b would have each on its own side"
        wrong = []
    for places, where in ((wrong, "on the wrong side"), (on, "on the hyperplane itself")):
        if places:
            lie = "lies" if len(places) == 1 else "lie"
            yield f"{_named(places, points)} {lie} {where}: it does not separate the classes"
    if judged.feasible:
        yield "feasible: s (w·x + b) is at least 1 at every point"
    else:
        cases = [f"{shown(judged.functional[i])} at {points.labels[i]}" for i in judged.violated[:NAMED]]
        yield f"not feasible: s (w·x + b) has to be at least 1, but is {listed(cases, len(judged.violated))}"
    if judged.canonical:
        yield f"canonical: the smallest s (w·x + b) is 1, so that 1/‖w‖ = {shown(judged.margin)} is its margin"
    elif judged.factor is not None:
        canonical = Hyperplane(tuple(value * judged.factor for value in judged.w), judged.b * judged.factor)
        yield (
            f"not canonical: the smallest s (w·x + b) is {shown(min(judged.functional))}, not 1, so that its margin is "
            f"{shown(judged.distance)} and not 1/‖w‖ = {shown(judged.margin)}; the same hyperplane is "
            f"{hyperplane(canonical)}"
        )
    yield f"s (w·x + b) is exactly 1 at {_named(judged.on_margin, points) if judged.on_margin else 'no point'}"
    yield from _optimality(judged, points)


def _optimality(judged: Judged, points: Points) -> Iterator[str]:
    if judged.optimal:
        yield "optimal: w = Σ α s x and Σ α s = 0 with multipliers α ≥ 0 of these points"
        return
    if judged.best is None:
        yield "not optimal: no hyperplane separates these classes"
        return
    if judged.misclassified:
        yield f"not optimal: one exists that separates them with a margin of {shown(judged.best)}"
    elif judged.best > judged.distance * (1 + 1e-9):
        yield f"not optimal: the largest margin is {shown(judged.best)}, this one has {shown(judged.distance)}"
    else:
        yield "not optimal as it stands, although it is the best hyperplane: only its scale is wrong"
    sides = {int(points.sign[i]) for i in judged.on_margin}
    if sides and judged.stationarity >= 1e-9:
        left = f" α ≥ 0 of these points give w = Σ α s x: {100 * judged.stationarity:.3g} % of w is left over"
        if len(sides) == 1:
            name = points.side(*sides)
            left = f": s (w·x + b) is 1 at points of class {name} alone, so that Σ α s = 0 leaves only α = 0"
        yield f"no multipliers{left}"


def _named(places: Sequence[int], points: Points) -> str:
    labels = [points.labels[i] for i in places[:NAMED]]
    if len(places) > NAMED or len(places) == 1:
        return listed(labels, len(places))
    return f"{', '.join(labels[:-1])} and {labels[-1]}"
