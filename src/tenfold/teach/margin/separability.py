"""Classes that no hyperplane separates: the certificate, and the fewest points to take away so that one does.

Whatever is taken away has to hold a point of every certificate of what is left. So the sets of size k + 1 worth trying
are those of size k, each with one point of its own certificate: at most (D + 2)^k of them, however many points there
are. Certificates without a common point bound the answer from below; what a soft margin gets wrong bounds it above.
"""

__all__ = ["fewest", "inseparable", "misplaced"]

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError
from tenfold.teach.margin import exact, floats
from tenfold.teach.margin.activeset import climb
from tenfold.teach.margin.certificates import Certificate, by_programming, certain, certificate
from tenfold.teach.margin.floats import Frame, nearest_pair, trained
from tenfold.teach.margin.problem import Floats, Inseparable, Number, Points, Signs

PRICES = (1.0, 100.0, 10_000.0)  # C of the soft margins whose mistakes are some points to take away
STEPS, PATIENCE = 20_000, 3 * 10**7  # of these, and steps times points
SEARCHED = 10_000_000  # numbers that a search for the fewest points to take away looks through
MOST = 200  # certificates that such a search asks for
PARTED = 1e-11  # of the largest value: points nearer to each other are not parted

Conflict = Callable[[frozenset[int]], tuple[int, ...] | None]
"""Positions of a certificate of what is left without some points, None where the rest can be separated."""


def inseparable(
    points: Points,
    frame: Frame,
    ray: Mapping[int, Number] | None,
    fractions: Sequence[Sequence[Fraction]] | None,
    whole: exact.Whole | None,
    removal: bool,
) -> Inseparable:
    """Return the certificate of v >= 0 by position, and the fewest points to take away, or some that suffice.

    ray: None where it has yet to be found. fractions, whole: the points as such numbers, (n, D) each, where the ray is
    exact. Raises DataError where rounding hides whether the classes meet.
    """
    proof = certificate(ray, fractions, points.sign) if ray and fractions else _in_floats(points, frame, ray)
    if fractions and points.exact is None:  # proved for these very floats, but shown as floats
        first, second = ({i: float(value) for i, value in mix.items()} for mix in (proof.first, proof.second))
        proof = Certificate(first, second, tuple(map(float, proof.meeting)), proof.residual)
    scale = float(abs(points.x - frame.center).max())
    taken = _removed(points, frame, proof, whole if points.exact else None) if removal else ((), False, 1)
    return Inseparable(*proof, scale, points.exact is not None and bool(fractions), *taken)


def _removed(
    points: Points, frame: Frame, proof: Certificate, whole: exact.Whole | None
) -> tuple[tuple[int, ...], bool, int]:
    """Return points to take away, whether fewer would not do, and how many it takes at least."""
    n, width = points.x.shape

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
    return taken, minimal, len(taken) if minimal else max(1, least)


def _in_floats(points: Points, frame: Frame, ray: Mapping[int, Number] | None) -> Certificate:
    for attempt in range(2):
        v = by_programming(frame.z, points.sign) if attempt else ray
        proof = certain(v, points, frame) if v else None
        if proof:
            return proof
    raise DataError(
        "rounding hides whether these classes can be separated, so near are they to each other; take fewer points, or "
        "coordinates with fewer digits: those are solved in fractions"
    )


def _ray(points: Points, frame: Frame, whole: exact.Whole | None, kept: NDArray[np.int64]) -> list[int]:
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
    proved = exact.proof(few, whole[kept[few]], sign[few], nearest_pair(z[few], sign[few])) if few else None
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
    least, spent = _apart(conflict, budget // 4)
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


def _apart(conflict: Conflict, budget: int) -> tuple[int, int]:
    """Count certificates without a common point, taken as they come, and how many were asked for."""
    removed = frozenset[int]()
    for count in range(budget):
        rest = conflict(removed)
        if rest is None:
            return count, count + 1
        removed = removed | set(rest)
    return budget, budget
