"""Classes that no hyperplane separates: the certificate, and what to take away so that one does."""

__all__ = ["inseparable"]

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError
from tenfold.teach.margin import exact, floats
from tenfold.teach.margin.activeset import climb
from tenfold.teach.margin.certificates import Certificate, by_programming, certain, certificate
from tenfold.teach.margin.framing import Frame, nearest_pair, trained
from tenfold.teach.margin.removing import Conflict, fewest, misplaced
from tenfold.teach.margin.types import Inseparable, Number, Points

PRICES = (1.0, 100.0, 10_000.0)  # C of the soft margins whose mistakes are some points to take away
STEPS, PATIENCE = 20_000, 3 * 10**7  # of these, and steps times points
SEARCHED = 10_000_000  # numbers that a search for the fewest points to take away looks through
MOST = 200  # certificates that such a search asks for


def inseparable(
    points: Points,
    frame: Frame,
    ray: Mapping[int, Number] | None,
    known: Sequence[Sequence[Fraction]] | None,
    whole: exact.Whole | None,
    removal: bool,
) -> Inseparable:
    """The certificate of v >= 0 by position, and the fewest points to take away, or some that suffice.

    ray: None where it has yet to be found. known, whole: the points as fractions and as whole numbers, (n, D) each,
    where the ray is exact. Raises DataError where rounding hides whether the classes meet.
    """
    proof = certificate(ray, known, points.sign) if ray and known else _in_floats(points, frame, ray)
    if known and points.exact is None:  # proved for these very floats, but shown as floats
        proof = _rounded(proof)
    scale = float(abs(points.x - frame.center).max())
    sides = proof.first, proof.second, proof.meeting, proof.residual
    exactly = points.exact is not None and bool(known)
    taken = _removed(points, frame, proof, whole if points.exact else None) if removal else ((), False, 1)
    return Inseparable(*sides, scale, exactly, *taken)


def _removed(
    points: Points, frame: Frame, proof: Certificate, searched: exact.Whole | None
) -> tuple[tuple[int, ...], bool, int]:
    """Points to take away, whether fewer would not do, and how many it takes at least."""
    conflict = _conflicts(points, frame, searched, (*proof.first, *proof.second))
    n, width = points.x.shape
    budget = min(MOST, SEARCHED // (n * width * (10 + min(n, width))))
    enough = _enough(points, frame)
    try:
        taken, searched_all, least = fewest(conflict, enough, budget)
    except DataError:  # rounding hides whether some are enough
        taken, searched_all, least = enough, False, 1
    minimal = searched_all or width == 1  # all cuts of a line were tried
    return taken, minimal, len(taken) if minimal else max(1, least)


def _in_floats(points: Points, frame: Frame, ray: Mapping[int, Number] | None) -> Certificate:
    for attempt in range(2):
        v = by_programming(frame.z, points.sign) if attempt else ray
        found = certain(v, points, frame) if v else None
        if found:
            return found
    raise DataError(
        "rounding hides whether these classes can be separated, so near are they to each other; take fewer points, or "
        "coordinates with fewer digits: those are solved in fractions"
    )


def _rounded(proof: Certificate) -> Certificate:
    first: dict[int, Number] = {i: float(value) for i, value in proof.first.items()}
    second: dict[int, Number] = {i: float(value) for i, value in proof.second.items()}
    return Certificate(first, second, tuple(map(float, proof.meeting)), proof.residual)


def _conflicts(points: Points, frame: Frame, whole: exact.Whole | None, first: tuple[int, ...]) -> Conflict:
    """Certificates of what is left without some points; `first` is that of all of them."""

    def conflict(removed: frozenset[int]) -> tuple[int, ...] | None:
        if not removed:
            return first
        kept = np.array([i for i in range(len(points.sign)) if i not in removed], dtype=np.int64)
        if len(set(points.sign[kept].tolist())) < 2:
            return None
        found = _ray(points, frame, whole, kept)
        return tuple(int(i) for i in kept[list(found)]) if found else None

    return conflict


def _ray(points: Points, frame: Frame, whole: exact.Whole | None, kept: NDArray[np.int64]) -> list[int]:
    """Which of some points prove that they cannot be separated; none where they can.

    Floats find it; where there are fractions these prove it, on those few points, or decide where floats are in doubt.
    Raises DataError where neither can.
    """
    z, sign = frame.z[kept], points.sign[kept]
    pair = nearest_pair(z, sign)
    rough = climb(floats.arithmetic(z, sign), (), pair)
    if floats.clear(rough):
        return []
    if whole is None:
        part = points._replace(x=points.x[kept], sign=sign, exact=points.exact and tuple(points.exact[i] for i in kept))
        proof = _in_floats(part, frame._replace(z=z), rough.ray)
        return [*proof.first, *proof.second]
    few = np.array(list(rough.ray or ()), dtype=np.int64)
    if len(few):
        proved = climb(exact.arithmetic(whole[kept[few]], sign[few]), (), nearest_pair(z[few], sign[few]))
        if proved.ray:
            return [int(i) for i in few[list(proved.ray)]]
    return list(climb(exact.arithmetic(whole[kept], sign), (), pair).ray or ())


def _enough(points: Points, frame: Frame) -> tuple[int, ...]:
    """Points whose removal suffices: what some hyperplanes get wrong, the fewest of them; of numbers, the fewest."""
    steps = min(STEPS, PATIENCE // len(frame.z))
    if points.x.shape[1] == 1:
        return min((misplaced(frame.z, points.sign, np.array([w])) for w in (1.0, -1.0)), key=len)
    best: tuple[int, ...] | None = None
    for price in PRICES:
        found = misplaced(frame.z, points.sign, trained(frame.z, points.sign, price, 1e-3, steps) @ frame.z)
        best = found if best is None or len(found) < len(best) else best
        if len(best) == 1:  # fewer do not exist
            break
    assert best is not None
    return best
