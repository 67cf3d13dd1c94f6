"""Classes that no hyperplane separates: the certificate, and the fewest points to take away so that one does.

From v ≥ 0 with Σ v_i s_i x_i = 0, Σ v_i s_i = 0 (Farkas), v_i / Σ₊ v_i of class + and v_i / Σ₋ v_i of class − are the
weights of two convex combinations of one point. On affinely independent points but one there are D + 2 of them at most
(Carathéodory 1907). In floats the equations A v = t are solved again on those points, for what rounding left, and then

    |v − v*| ≤ |R| |t − A v| / (1 − q),    q = ‖1 − R A‖ < 1,    R ≈ A⁻¹,

with every rounding counted, proves v* > 0 of the exact solution (Rump 2010): two hulls that nearly meet are no proof.
Where A is not square, even without coordinates that others make up, or q is too large, those few points are solved in
fractions.

Whatever is taken away has to hold a point of every certificate of what is left. So the sets of size k + 1 worth trying
are those of size k, each with one point of its own certificate: at most (D + 2)^k of them, however many points there
are. Certificates without a common point bound the answer from below; what a soft margin gets wrong bounds it above.
"""

__all__ = ["by_programming", "certain", "certificate", "fewest", "inseparable", "misplaced", "refined"]

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np
from scipy import linalg, optimize

from tenfold.errors import DataError
from tenfold.teach.margin import exact, floats
from tenfold.teach.margin.activeset import climb
from tenfold.teach.margin.floats import EPS, Frame, nearest_pair, trained
from tenfold.teach.margin.problem import Floats, Fractions, Inseparable, Number, Points, Positions, Signs

PRICES = (1.0, 100.0, 10_000.0)  # C of the soft margins whose mistakes are some points to take away
STEPS, PATIENCE = 20_000, 3 * 10**7  # of these, and steps times points
SEARCHED = 10_000_000  # numbers that a search for the fewest points to take away looks through
MOST = 200  # certificates that such a search asks for
WORK = 1e9  # of what `exact.affordable` counts, for the fractions of a certificate: about two seconds
SIMPLE = 1_000  # largest denominator of a combination of columns that is tried
PRODUCTS = 10**7  # whole numbers that such combinations may take: a second
PARTED = 1e-11  # of the largest value: points nearer to each other are not parted

Conflict = Callable[[frozenset[int]], tuple[int, ...] | None]
"""Positions of a certificate of what is left without some points, None where the rest can be separated."""


def inseparable(
    points: Points, frame: Frame, ray: Mapping[int, Number] | None, fractions: Fractions | None, removal: bool
) -> Inseparable:
    """Return the certificate of v >= 0 by position, and the fewest points to take away, or some that suffice.

    ray: None where it has yet to be found. fractions: the points as such, (n, D), where the ray is exact. Raises
    DataError where rounding hides whether the classes meet.
    """
    proof = certificate(ray, fractions, points.sign) if ray and fractions else _in_floats(points, frame, ray)
    if fractions and points.exact is None:  # proved for these very floats, but shown as floats
        first, second = ({i: float(value) for i, value in mix.items()} for mix in (proof.first, proof.second))
        proof = Inseparable(first, second, tuple(map(float, proof.meeting)), proof.residual)
    scale = float(abs(points.x - frame.center).max())
    proof = proof._replace(scale=scale, exact=points.exact is not None and bool(fractions))
    return _removed(points, frame, proof) if removal else proof


def _removed(points: Points, frame: Frame, proof: Inseparable) -> Inseparable:
    """Add points to take away, whether fewer would not do, and how many it takes at least."""
    n, width = points.x.shape
    whole = exact.whole(points.exact)[0] if points.exact and proof.exact else None

    def conflict(removed: frozenset[int]) -> tuple[int, ...] | None:
        if not removed:
            return *proof.first, *proof.second
        kept = np.array([i for i in range(n) if i not in removed], dtype=np.int64)
        if len(set(points.sign[kept].tolist())) < 2:
            return None
        return tuple(kept[_ray(points, frame, whole, kept)].tolist()) or None

    enough, budget = _enough(points, frame), min(MOST, SEARCHED // (n * width * (10 + min(n, width))))
    try:
        taken, minimal, least = fewest(conflict, enough, budget)
    except DataError:  # rounding hides whether some are enough
        taken, minimal, least = enough, False, 1
    minimal = minimal or width == 1  # all cuts of a line were tried
    return proof._replace(removal=taken, minimal=minimal, at_least=len(taken) if minimal else max(1, least))


def _in_floats(points: Points, frame: Frame, ray: Mapping[int, Number] | None) -> Inseparable:
    for attempt in range(2):
        v = by_programming(frame.z, points.sign) if attempt else ray
        if v and (proof := certain(v, points, frame)):
            return proof
    raise DataError(
        "rounding hides whether these classes can be separated, so near are they to each other; take fewer points, or "
        "coordinates with fewer digits: those are solved in fractions"
    )


def _ray(points: Points, frame: Frame, whole: exact.Whole | None, kept: Positions) -> list[int]:
    """Return which of the points kept prove that these cannot be separated, none where they can.

    Floats find it; where there are fractions these prove it, on those few points, or decide where floats are in doubt.
    Raises DataError where neither can.
    """
    z, sign = frame.z[kept], points.sign[kept]
    pair = nearest_pair(z, sign)
    rough = climb(floats.arithmetic(z, sign), (), pair)
    if floats.clear(rough):
        return []
    if whole is None:
        certificate = _in_floats(points.only(kept.tolist()), frame._replace(z=z), rough.ray)
        return [*certificate.first, *certificate.second]
    few = list(rough.ray or ())
    proved = exact.proof(few, whole[kept[few]], sign[few])
    return list(proved or climb(exact.arithmetic(whole[kept], sign), (), pair).ray or ())


def _enough(points: Points, frame: Frame) -> tuple[int, ...]:
    """Return points whose removal suffices: the fewest that some planes get wrong; on a line, the fewest of all."""
    z, sign = frame.z, points.sign
    if points.x.shape[1] == 1:
        return min((misplaced(z, sign, np.array([w])) for w in (1.0, -1.0)), key=len)
    tried: list[tuple[int, ...]] = []
    for price in PRICES:
        tried.append(misplaced(z, sign, trained(z, sign, price, 1e-3, min(STEPS, PATIENCE // len(z))) @ z))
        if len(tried[-1]) == 1:  # fewer do not exist
            break
    return min(tried, key=len)


def misplaced(z: Floats, sign: Signs, w: Floats) -> tuple[int, ...]:
    """Return the fewest positions on the wrong side of w·z + b = 0, over all b that are clear of every point.

    z: (n, D); w: (D,). So what is left is separated strictly.
    """
    values = z @ w
    places = np.sort(values)
    clear = np.flatnonzero(np.diff(places) > PARTED * abs(places).max())
    between = np.concatenate([[places[0] - 1], (places[clear + 1] + places[clear]) / 2, [places[-1] + 1]])
    plus, minus = np.sort(values[sign > 0]), np.sort(values[sign < 0])
    wrong = np.searchsorted(plus, between) + len(minus) - np.searchsorted(minus, between)
    functional = sign * (values - between[wrong.argmin()])
    return tuple(int(i) for i in np.flatnonzero(functional <= 0))


def fewest(conflict: Conflict, enough: tuple[int, ...], budget: int) -> tuple[tuple[int, ...], bool, int]:
    """Return positions to take away, whether no fewer do, and how many every such set has at least.

    enough: some that do; budget: certificates to ask for at most.
    """
    if len(enough) <= 1:  # one point is the fewest, for all of them cannot be separated
        return enough, True, len(enough)
    apart, spent = list[tuple[int, ...]](), 0  # certificates without a common point, taken as they come
    while spent < budget // 4:
        rest, spent = conflict(frozenset(i for certificate in apart for i in certificate)), spent + 1
        if rest is None:
            break
        apart.append(rest)
    least = len(apart)
    if least >= len(enough):
        return enough, True, least
    level = {frozenset[int]()}
    for size in range(len(enough)):
        following = set[frozenset[int]]()
        for removed in sorted(level, key=sorted):
            if spent >= budget:
                return enough, False, max(least, size)
            rest, spent = conflict(removed), spent + 1
            if rest is None:
                return tuple(sorted(removed)), True, size
            following |= {removed | {i} for i in rest}
        level = following
    return enough, True, len(enough)


def certificate(ray: Mapping[int, Number], x: Floats | Fractions, sign: Signs) -> Inseparable:
    """Return the convex combinations that v >= 0 by position means; fractions in, fractions out. x: (n, D)."""
    weighed = sorted(ray.items())
    totals = {side: sum((v for i, v in weighed if sign[i] == side), Fraction(0)) for side in (1, -1)}
    first, second = ({i: v / totals[side] for i, v in weighed if sign[i] == side} for side in (1, -1))
    meeting, other = ([sum(w * x[i][k] for i, w in mix.items()) for k in range(len(x[0]))] for mix in (first, second))
    residual = max(abs(a - b) for a, b in zip(meeting, other, strict=True))
    return Inseparable(first, second, tuple(meeting), float(residual))


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


def certain(ray: Mapping[int, Number], points: Points, frame: Frame) -> Inseparable | None:
    """Return the certificate of v >= 0 by position, as floats; None where it is not proved that the hulls meet."""
    v = refined(ray, frame.z, points.sign)
    if _holds(v, points, frame):
        return certificate(v, points.x, points.sign)
    few = list(ray)
    whole = _whole(points, few)
    limit = exact.affordable(whole, len(few), WORK)
    proved = exact.proof(few, whole, points.sign[few], limit) if limit else None
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
