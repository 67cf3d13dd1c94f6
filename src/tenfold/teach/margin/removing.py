"""Which points to take away so that the rest can be separated; the fewest, where a search through them ends in time.

Whatever is taken away has to hold a point of every certificate of what is left. So the sets of size k + 1 worth trying
are those of size k, each with one point of its own certificate: at most (D + 2)^k of them, however many points there
are. Certificates without a common point bound the answer from below; what a soft margin gets wrong bounds it above.
"""

__all__ = ["Conflict", "fewest", "misplaced"]

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

PARTED = 1e-11  # of the largest value: points nearer to each other are not parted
Conflict = Callable[[frozenset[int]], tuple[int, ...] | None]
"""Positions of a certificate of what is left without some points, None where the rest can be separated."""


def fewest(conflict: Conflict, enough: tuple[int, ...], budget: int) -> tuple[tuple[int, ...], bool, int]:
    """Positions to take away, whether no fewer do, and how many every such set has at least.

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
            found, spent = conflict(removed), spent + 1
            if found is None:
                return tuple(sorted(removed)), True, size
            following |= {removed | {i} for i in found}
        level = following
    return enough, True, len(enough)


def _apart(conflict: Conflict, budget: int) -> tuple[int, int]:
    """Number of certificates without a common point, taken as they come, and how many were asked for."""
    removed, count = frozenset[int](), 0
    while count < budget:
        found = conflict(removed)
        if found is None:
            return count, count + 1
        removed, count = removed | set(found), count + 1
    return count, count


def misplaced(z: NDArray[np.float64], sign: NDArray[np.int8], w: NDArray[np.float64]) -> tuple[int, ...]:
    """The fewest positions on the wrong side of w·z + b = 0, over all b that are clear of every point.

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
