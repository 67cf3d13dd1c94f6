"""The largest margin, or the proof that there is none.

libsvm guesses the support vectors, the active set of `activeset` solves for them in floats (see there for the
conditions), and in fractions again where the coordinates are known exactly and few. Fractions decide; in floats

    separated    where all s_i (w·x_i + b) > 0 by more than their rounding; then (w, b) is scaled so that the smallest
                 is 1, and α so that the dual ½ (Σα)² / ‖Σ α_i s_i x_i‖² is the largest: the gap is then a bound;
    inseparable  where convex combinations of both classes meet, to a residual that is stated.

Floats are fractions too: where both are in doubt and the points are few, the floats themselves are solved in fractions.
"""

__all__ = ["solve"]

from fractions import Fraction

import numpy as np

from tenfold.errors import DataError
from tenfold.teach.margin import exact, floats
from tenfold.teach.margin.activeset import Climbed, Held, climb
from tenfold.teach.margin.floats import Frame, framed, guess, nearest_pair, values
from tenfold.teach.margin.leastnorm import least_norm, least_norm_exact
from tenfold.teach.margin.problem import ExactSolution, Floats, Inseparable, Points, Positions, Residuals, Separated
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
    rough = _climbed(frame, points)
    fractions = points.exact
    if not fractions and not floats.clear(rough) and points.x.size <= exact.LARGEST:  # floats are fractions, too
        fractions = tuple(tuple(map(Fraction, row)) for row in points.x.tolist())
    whole = exact.whole(fractions) if fractions else None
    proved = _proved(frame, points, rough, whole[0]) if whole else None
    if whole and proved and proved.ray:
        return inseparable(points, frame, proved.ray, fractions, removal)
    if whole and proved and proved.held:
        return _exactly(points, frame, whole, proved.held)._replace(iterations=proved.steps)
    separated = _separated(points, frame, rough.held) if rough.held else None
    if separated:
        return separated._replace(iterations=rough.steps)
    return inseparable(points, frame, rough.ray, None, removal)


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


def _climbed(frame: Frame, points: Points) -> Climbed:
    """Run the active set in floats, from libsvm's guess; solve its last set once more, without what updates leave."""
    arithmetic = floats.arithmetic(frame.z, points.sign)
    climbed = climb(arithmetic, guess(frame.z, points.sign), nearest_pair(frame.z, points.sign))
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


def _exactly(points: Points, frame: Frame, whole: tuple[exact.Whole, int], held: Held) -> Separated:
    """Return the solution in fractions: its conditions hold without a rest, or `climb` would not have ended there."""
    (x, q), (numerators, above, d), s = whole, held.plane, points.sign.astype(object)
    support = np.flatnonzero(s * (x @ numerators + above) == d)
    w, b = tuple(Fraction(int(value * q), d) for value in numerators), Fraction(int(above), d)
    alpha = np.full(len(s), Fraction(0), dtype=object)
    alpha[list(held.points)] = held.multipliers
    unique, least = len(support) == len(held.points), True  # which are independent
    if not unique:
        columns = np.concatenate([x[support] * s[support, None], s[support, None]], axis=1).T
        alpha[support], unique, least = least_norm_exact(columns, alpha[support])
    alpha *= q * q
    squared = sum((value * value for value in w), Fraction())
    if squared > Fraction(LARGEST) ** 2:
        raise DataError(f"the margin is so small that 1/‖w‖² leaves what floats hold; {RESCALE}")
    rounded, plain = alpha.astype(np.float64), np.array(w, dtype=np.float64)
    solution = _measured(points, frame, (plain, float(b)), rounded, support, (unique, least))
    if points.exact is None:  # proved for these very floats, but shown as floats: their own gap, measured in fractions
        beta = np.array([Fraction(value) for value in (s * rounded)[support].tolist()], dtype=object)
        reached, primal = beta @ (x[support] - x[support[0]]), Fraction(solution.primal)
        dual = sum(abs(beta)) - (reached @ reached) / (2 * q * q)
        return solution._replace(dual=float(dual), gap=float((primal - dual) / primal))
    proof = ExactSolution(w, b, tuple(alpha.tolist()), 1 / squared, squared / 2, sum(alpha) - squared / 2)
    return solution._replace(exact=proof, primal=float(proof.primal), dual=float(proof.dual), gap=0.0)


def _separated(points: Points, frame: Frame, held: Held) -> Separated | None:
    """Return the solution in floats; None where rounding leaves no certain gap between the classes."""
    plus, moved = points.sign > 0, points.x - frame.center
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
    return _measured(points, frame, (w, b), alpha, support, (unique, least))


def _measured(
    points: Points, frame: Frame, plane: tuple[Floats, float], alpha: Floats, places: Positions, sure: tuple[bool, bool]
) -> Separated:
    """Return the solution with objectives and residuals, measured on the floats that it is made of.

    sure: unique and least. Σ α_i s_i x_i is taken around the center of the points, which changes nothing where
    Σ α_i s_i = 0 (a residual of its own).
    """
    (w, b), beta, norm, total = plane, alpha * points.sign, float(np.linalg.norm(plane[0])), float(alpha.sum())
    reached, used = beta @ frame.z * frame.radius, np.flatnonzero(alpha)
    primal, dual = float(w @ w / 2), float(alpha.sum() - reached @ reached / 2)
    gap = (primal - dual) / primal
    functional = points.sign * values(points.x, w, b)
    conditions = Residuals(
        stationarity=float(np.linalg.norm(w - beta[used] @ (points.x[used] - points.x.mean(0)))) / norm,
        feasibility=max(0.0, float((1 - functional).max())),
        dual_feasibility=max(0.0, float(-alpha.min()) / total),
        complementarity=float((alpha * abs(functional - 1)).sum() / total),
        balance=abs(float(beta.sum())) / total,
    )
    return Separated(w, b, 1 / norm, alpha, tuple(places.tolist()), *sure, primal, dual, gap, conditions)
