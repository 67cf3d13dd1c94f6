"""The largest margin, or the proof that there is none.

libsvm guesses the support vectors, the active set of `activeset` solves for them in floats (see there for the
conditions), and in fractions again where the coordinates are known exactly and few. Fractions decide; in floats

    separated    where all s_i (w·x_i + b) > 0 by more than their rounding; then (w, b) is scaled so that the smallest
                 is 1, and α so that the dual ½ (Σα)² / ‖Σ α_i s_i x_i‖² is the largest: the gap is then a bound;
    inseparable  where convex combinations of both classes meet, to a residual that is stated.

Floats are fractions too: where both are in doubt and the points are few, the floats themselves are solved in fractions.
"""

__all__ = ["solve"]

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError
from tenfold.teach.margin import exact, floats
from tenfold.teach.margin.activeset import Climbed, climb
from tenfold.teach.margin.floats import Frame, framed, guess, nearest_pair, residuals, values
from tenfold.teach.margin.leastnorm import least_norm, least_norm_exact
from tenfold.teach.margin.problem import ExactSolution, Floats, Inseparable, Points, Separated, Signs, dot
from tenfold.teach.margin.separability import inseparable

ON_MARGIN = 1e-10  # how far from 1 a functional margin may be by rounding, times 1 + radius / margin
LARGEST = 1e140  # of a coordinate, and of 1 / margin: squares of more, times the points, may overflow
RESCALE = f"expected sizes and distances between {1 / LARGEST:.0e} and {LARGEST:.0e}: scale the coordinates"
WORK, DOUBT = 5e8, 3e7  # in fractions, of what `exact.affordable` counts: about a second, and a tenth of one


def solve(points: Points, removal: bool = True) -> Separated | Inseparable:
    """Find the hyperplane of the largest margin with its multipliers, or the proof that none separates the classes.

    removal: look, too, for the fewest points without which one does, which takes longest. Raises DataError where a
    class has no point, a coordinate is not finite, or rounding leaves it undecided.
    """
    _check(points)
    frame = framed(points.x)
    rough = _climbed(frame, points.sign)
    fractions: Sequence[Sequence[Fraction]] | None = points.exact
    if not fractions and not floats.clear(rough) and points.x.size <= exact.LARGEST:  # floats are fractions, too
        fractions = [[Fraction(value) for value in row] for row in points.x.tolist()]
    whole = exact.whole(fractions) if fractions else None
    proved = _proved(frame, points, rough, whole[0]) if whole else None
    if whole and proved and proved.ray:
        return inseparable(points, frame, proved.ray, fractions, whole[0], removal)
    if whole and proved and proved.held:
        return _exactly(points, frame, whole, proved)
    separated = _separated(points, frame, rough) if rough.held else None
    return separated or inseparable(points, frame, rough.ray, None, None, removal)


def _check(points: Points) -> None:
    for side, name in zip((1, -1), points.names, strict=True):
        if not (points.sign == side).any():
            raise DataError(f"class {name!r} has no point; a margin lies between two classes")
    wrong = np.flatnonzero(~np.isfinite(points.x).all(1))
    if len(wrong):
        raise DataError(f"{points.labels[wrong[0]]}: a coordinate is not a finite number; expected numbers such as 1.5")
    largest = float(abs(points.x).max())
    spread = float(np.ptp(points.x / largest, axis=0).max()) * largest if largest else 0.0
    if largest > LARGEST or 0 < spread < 1 / LARGEST:
        size = f"points of size {largest:.0e}, {spread:.0e} apart"
        raise DataError(f"{size}: squares of such numbers leave what floats hold; {RESCALE}")


def _climbed(frame: Frame, sign: Signs) -> Climbed:
    """Run the active set in floats, from libsvm's guess; solve its last set once more, without what updates leave."""
    arithmetic = floats.arithmetic(frame.z, sign)
    climbed = climb(arithmetic, guess(frame.z, sign), nearest_pair(frame.z, sign))
    again = arithmetic.hold(climbed.held.points, None) if climbed.held and climbed.steps else None
    return climbed._replace(held=again) if again and min(again.multipliers) > 0 else climbed


def _proved(frame: Frame, points: Points, rough: Climbed, whole: exact.Whole) -> Climbed | None:
    """Run the active set in fractions, from where the floats ended; None where it would take, or took, too long."""
    start = rough.held.points if rough.held else tuple(rough.ray or ())
    affordable = exact.affordable(whole, len(start), WORK if points.exact else DOUBT)
    if not affordable:
        return None
    if rough.ray:
        few = list(start)
        if ray := exact.proof(few, whole[few], points.sign[few], affordable):
            return rough._replace(ray=ray)
        start = ()
    pair = nearest_pair(frame.z, points.sign)
    climbed = climb(exact.arithmetic(whole, points.sign), start, pair, affordable)
    return climbed._replace(steps=rough.steps + climbed.steps) if climbed.settled else None


def _exactly(points: Points, frame: Frame, whole: tuple[exact.Whole, int], proved: Climbed) -> Separated:
    """Return the solution in fractions: its conditions hold without a rest, or `climb` would not have ended there."""
    x, q = whole
    held, s = proved.held, points.sign.astype(object)
    assert held is not None
    plane = held.plane
    support = np.flatnonzero(s * (x @ plane.w + plane.b) == plane.d)
    w, b = tuple(Fraction(int(value * q), plane.d) for value in plane.w), Fraction(int(plane.b), plane.d)
    alpha = np.full(len(s), Fraction(0), dtype=object)
    alpha[list(held.points)] = held.multipliers
    unique, least = len(support) == len(held.points), True  # which are independent
    if not unique:
        columns = np.concatenate([x[support] * s[support, None], s[support, None]], axis=1).T
        alpha[support], unique, least = least_norm_exact(columns, alpha[support])
    alpha *= q * q
    squared = Fraction(dot(w, w))
    if squared > Fraction(LARGEST) ** 2:
        raise DataError(f"the margin is so small that 1/‖w‖² leaves what floats hold; {RESCALE}")
    rounded, plain = alpha.astype(np.float64), np.array(w, dtype=np.float64)
    solution = _measured(points, frame, (plain, float(b)), rounded, support, (unique, least), proved.steps)
    if points.exact is None:  # proved for these very floats, but shown as floats: their own gap, measured in fractions
        dual, primal = _dual(x[support] - x[support[0]], q, s[support] * rounded[support]), Fraction(solution.primal)
        return solution._replace(dual=float(dual), gap=float((primal - dual) / primal))
    proof = ExactSolution(w, b, tuple(alpha.tolist()), 1 / squared, squared / 2, sum(alpha) - squared / 2)
    return solution._replace(exact=proof, primal=float(proof.primal), dual=float(proof.dual), gap=0.0)


def _dual(x: exact.Whole, q: int, beta: exact.Whole) -> Fraction:
    """Return Σα − ½‖Σ α_i s_i x_i‖² of float multipliers, without rounding. x: (m, D) whole, q times the points."""
    parts = [Fraction(value) for value in beta.tolist()]
    reached = (np.array(parts, dtype=object) @ x).tolist()
    return sum(map(abs, parts), Fraction(0)) - Fraction(dot(reached, reached)) / (2 * q * q)


def _separated(points: Points, frame: Frame, rough: Climbed) -> Separated | None:
    """Return the solution in floats; None where rounding leaves no certain gap between the classes."""
    held, plus, moved = rough.held, points.sign > 0, points.x - frame.center
    assert held is not None
    w = held.plane[:-1] / frame.radius
    for _ in range(2):  # w is rounded once more when it has its length
        along = values(moved, w, 0.0)
        least_plus, most_minus = along[plus].min(), along[~plus].max()
        rounding = len(w) * np.finfo(np.longdouble).eps * (abs(moved) @ abs(w)).max()
        rounding += floats.EPS * float(abs(w) @ abs(moved).max(0))  # moved was rounded itself
        if not least_plus - most_minus > 4 * rounding:
            return None
        w = (w * (2 / (least_plus - most_minus))).astype(np.float64)
    along = values(moved, w, 0.0)
    middle = (along[plus].min() + along[~plus].max()) / 2
    b = float(-middle - w.astype(np.longdouble) @ frame.center)
    alpha = np.zeros(len(plus))
    alpha[list(held.points)] = held.multipliers
    near = abs(points.sign * (along - middle) - 1) <= ON_MARGIN * (1 + np.linalg.norm(w) * frame.radius)
    support = np.flatnonzero(near | (alpha > 0))
    unique, least = len(support) == len(held.points), True  # which are independent
    if not unique:
        columns = np.column_stack([frame.z[support], np.ones(len(support))]).T * points.sign[support]
        alpha[support], unique, least = least_norm(columns.astype(np.float64), alpha[support])
    reached = (alpha * points.sign) @ frame.z
    alpha *= alpha.sum() / (reached @ reached) / frame.radius**2
    return _measured(points, frame, (w, b), alpha, support, (unique, least), rough.steps)


def _measured(
    points: Points,
    frame: Frame,
    plane: tuple[Floats, float],
    alpha: Floats,
    support: NDArray[np.int64],
    sure: tuple[bool, bool],
    steps: int,
) -> Separated:
    """Return the solution with its objectives, measured on the floats that it is made of. sure: unique and least."""
    (w, b), reached = plane, (alpha * points.sign) @ frame.z * frame.radius
    primal, dual = float(w @ w / 2), float(alpha.sum() - reached @ reached / 2)
    conditions = residuals(points.x, points.sign, w, b, alpha)
    places, margin, gap = tuple(support.tolist()), 1 / float(np.linalg.norm(w)), (primal - dual) / primal
    return Separated(w, b, margin, alpha, places, *sure, primal, dual, gap, conditions, None, steps)
