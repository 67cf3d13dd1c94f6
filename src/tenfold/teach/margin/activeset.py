"""The largest margin by an active set, in floats and in fractions alike.

minimize ½‖w‖² subject to s_i (w·x_i + b) ≥ 1 has the conditions of Karush, Kuhn and Tucker, with multipliers α ≥ 0,

    w = Σ α_i s_i x_i,    Σ α_i s_i = 0,    s_i (w·x_i + b) ≥ 1,    α_i (s_i (w·x_i + b) − 1) = 0.

On a set P of affinely independent points, all held on the margin, they are linear. With a base point 0 in P,
A = (x_i − x_0) as rows and β_i = α_i s_i,

    A w = (s_i − s_0),    w = Aᵀβ    =>    A Aᵀ β = (s_i − s_0),    β_0 = −Σ β_i,    b = s_0 − w·x_0.

The algorithm (after Wolfe 1976, who finds the nearest point of a polytope) keeps α > 0 on P. It takes into P the point
j that is farthest beyond the margin. If x_j = Σ c_i x_i with Σ c_i = 1 over P, then v_j = 1, v_i = −s_i s_j c_i keeps
both equations, and the dual rises along it by Σ v_i = 1 − s_j (w·x_j + b) > 0: either some α_i becomes 0 and leaves, or
v ≥ 0, and Σ₊ v_i x_i = Σ₋ v_i x_i proves that the hulls of both classes meet (Farkas). Then α goes towards the solution
on P; what becomes 0 on the way leaves. The dual rises in every step, so that no P comes twice, and the algorithm ends:
in fractions without any tolerance, in floats when a set comes again.
"""

__all__ = ["STEPS", "Arithmetic", "Climbed", "Held", "climb"]

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tenfold.teach.margin.problem import Number

STEPS = 20_000  # that are taken at most, unless a budget says fewer


class Held(NamedTuple):
    """The solution with the points P held on the margin: α in the order of P, and what the arithmetic made of it.

    plane: w and b as `worst` takes them. factor: of A, as `express` takes it.
    """

    points: tuple[int, ...]
    multipliers: Sequence[Any]
    plane: Any
    factor: Any


class Arithmetic(NamedTuple):
    """Operations of the active set on floats or on fractions.

    hold: P, and the Held before it, which may save work -> Held, None where P is affinely dependent. express: Held, j
    -> v_i over P, None where j is affinely independent of P. worst: plane -> the point that is farthest beyond the
    margin, None where there is none.
    """

    hold: Callable[[tuple[int, ...], Held | None], Held | None]
    express: Callable[[Held, int], Sequence[Any] | None]
    worst: Callable[[Any], int | None]


class Climbed(NamedTuple):
    """The end of an active set: held is the optimum, or ray holds v >= 0 by position, which proves that none exists.

    settled: the conditions hold, or v >= 0; False where rounding, or too many steps, ended it before.
    """

    held: Held | None
    ray: dict[int, Number] | None
    steps: int
    settled: bool


def climb(arithmetic: Arithmetic, start: tuple[int, ...], pair: tuple[int, int], limit: int = STEPS) -> Climbed:
    """Find the optimum, or a ray, from a guess of its active set; pair: one of each class to begin with if it fails."""
    held = _begin(arithmetic, start) or arithmetic.hold(pair, None)
    if held is None:
        return Climbed(None, dict.fromkeys(pair, 1), 0, True)  # the same place for both classes
    seen: set[frozenset[int]] = set()
    for step in range(limit):
        j = arithmetic.worst(held.plane)
        seen.add(frozenset(held.points))
        if j is None or j in held.points:
            return Climbed(held, None, step, j is None)
        alpha = dict(zip(held.points, held.multipliers, strict=True))
        v = arithmetic.express(held, j)
        if v is not None:
            along = {**dict(zip(held.points, v, strict=True)), j: 1}
            if min(v) >= 0:
                return Climbed(None, {i: value for i, value in along.items() if value > 0}, step + 1, True)
            alpha = _moved({**alpha, j: 0}, along)
        else:
            alpha[j] = 0
        following = _settle(arithmetic, alpha, held)
        if following is None or frozenset(following.points) in seen:
            return Climbed(held, None, step + 1, False)
        held = following
    return Climbed(held, None, limit, False)


def _begin(arithmetic: Arithmetic, start: tuple[int, ...]) -> Held | None:
    """Solve on a guessed set without those whose multipliers are not positive."""
    while len(start) > 1:
        held = arithmetic.hold(start, None)
        if held is None or min(held.multipliers) > 0:
            return held
        start = tuple(i for i, value in zip(start, held.multipliers, strict=True) if value > 0)
    return None


def _moved(alpha: dict[int, Any], along: dict[int, Any]) -> dict[int, Any]:
    """Go along a direction as far as α >= 0 allows, without those that become 0 there."""
    ratios = {i: alpha[i] / -v for i, v in along.items() if v < 0}
    length = min(ratios.values())
    return {i: alpha[i] + length * v for i, v in along.items() if i not in ratios or ratios[i] > length}


def _settle(arithmetic: Arithmetic, alpha: dict[int, Any], before: Held) -> Held | None:
    """Solve on the points of α once those are gone whose multipliers became 0 on the way to it."""
    while True:
        held = arithmetic.hold(tuple(alpha), before)
        if held is None or min(held.multipliers) > 0:
            return held
        before, target = held, dict(zip(held.points, held.multipliers, strict=True))
        if any(not alpha[i] and target[i] <= 0 for i in alpha):  # by rounding alone
            return None
        alpha = _moved(alpha, {i: target[i] - alpha[i] for i in alpha})
