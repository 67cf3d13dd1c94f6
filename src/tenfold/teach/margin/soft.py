"""The soft margin, for classes that no hyperplane separates.

minimize ½‖w‖² + C Σ ξ_i, ξ_i = max(0, 1 − s_i (w·x_i + b)); its dual is that of the hard margin with α_i ≤ C besides.
libsvm, or an interior point, solves it on points z = (x − c) / r, with C r². With F, where 0 < α_i < C, and B, where
α_i = C,

    Z_F Z_Fᵀ β_F + b 1 = s_F − Z_F Z_Bᵀ β_B,    Σ_F β_i = −Σ_B β_i,    β_i = α_i s_i,

is then solved for what its tolerance left, and on the sets that follow, and taken where it narrows the gap. Whatever α
is, Σα − ½‖Σ α_i s_i x_i‖² bounds the objective from below, so that the gap says how good w and b are. An interior
point finds what libsvm cannot where C is large; and the hard margin is the soft one where its α ≤ C.
"""

__all__ = ["soft_margin"]

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from tenfold.errors import DataError, UsageError
from tenfold.teach.margin.floats import framed, trained
from tenfold.teach.margin.interior import interior
from tenfold.teach.margin.problem import Floats, Inseparable, Points, Soft
from tenfold.teach.margin.solving import solve

TOLERANCES = (1e-8, 1e-3)  # libsvm rounds its matrix to float32: where C is large the finer one leads it astray
STEPS, PATIENCE = 3_000_000, 10**9  # of libsvm, and steps times points: a few seconds
MOST = 2_000  # multipliers between 0 and C that are solved for
TRIES, SETTLED = 60, 1e-12  # sets that are solved on, and the relative gap that is small enough
QUICK = 5 * 10**7  # points times squared coordinates up to which an interior point is the quicker way
EVEN = 1e-12  # of Σα: what Σ α_i s_i may be for the dual to be a bound
BOUND = 1e-9  # of C: nearer to 0 or to C, a multiplier is taken to be there


class _Try(NamedTuple):
    """Multipliers alpha (n,) with their w (D,), b, slack (n,), primal and dual objective."""

    alpha: Floats
    w: Floats
    b: float
    slack: Floats
    primal: float
    dual: float

    def gap(self) -> float:
        """Return how far apart both objectives are."""
        return self.primal - self.dual

    def settled(self) -> bool:
        """Judge whether only rounding is left of the gap."""
        return abs(self.gap()) <= SETTLED * self.primal


def soft_margin(points: Points, C: float) -> Soft:
    """Find the hyperplane that pays C for each unit of slack. Raises UsageError where C is not a positive number."""
    if not (C > 0 and math.isfinite(C)):
        raise UsageError(f"C = {C}: expected a positive number, the price of a unit of slack, such as 1")
    frame, s = framed(points.x), points.sign.astype(np.float64)
    price, ways = C * frame.radius**2, [_inside, _by_libsvm]
    if len(s) * (1 + frame.z.shape[1]) ** 2 > QUICK:
        ways.reverse()
    best = ways[0](frame.z, s, price)
    if not best.settled():
        if hard := _hard(points, C):
            return hard
        best = min(best, ways[1](frame.z, s, price), key=_Try.gap)
    scale = frame.radius**2
    w, norm = best.w / frame.radius, float(np.linalg.norm(best.w)) / frame.radius
    return Soft(
        w=w,
        b=float(best.b - w @ frame.center),
        C=float(C),
        margin=1 / norm if norm else math.inf,
        multipliers=best.alpha / scale,
        slack=best.slack,
        support=tuple(np.flatnonzero(best.alpha).tolist()),
        misclassified=tuple(np.flatnonzero(best.slack >= 1).tolist()),
        primal=best.primal / scale,
        dual=best.dual / scale,
        gap=best.gap() / best.primal if best.primal else 0.0,
    )


def _hard(points: Points, C: float) -> Soft | None:
    """Return the hard margin where it is the soft one as well: where it exists and no multiplier exceeds C."""
    try:
        hard = solve(points, removal=False)
    except DataError:
        return None
    if isinstance(hard, Inseparable) or hard.multipliers.max() > C:
        return None
    support, slack = tuple(np.flatnonzero(hard.multipliers).tolist()), np.zeros(len(hard.multipliers))
    return Soft(
        hard.w, hard.b, float(C), hard.margin, hard.multipliers, slack, support, (), hard.primal, hard.dual, hard.gap
    )


def _inside(z: Floats, s: Floats, price: float) -> _Try:
    """Solve by an interior point; what is nearly at 0 or at C is put there."""
    alpha, w = interior(z, s, price)
    alpha = np.where(alpha < BOUND * price, 0.0, np.where(alpha > (1 - BOUND) * price, price, alpha))
    best = min(_tried(z, s, alpha, price), _tried(z, s, alpha, price, w), key=_Try.gap)
    if not _even(alpha, s):
        best = best._replace(dual=-math.inf)
    return _polished(z, s, best, price)


def _by_libsvm(z: Floats, s: Floats, price: float) -> _Try:
    steps, tries = min(STEPS, PATIENCE // len(s)), list[_Try]()
    for tolerance in TOLERANCES:
        alpha = abs(trained(z, s.astype(np.int8), price, tolerance, steps))
        tries.append(_polished(z, s, _tried(z, s, alpha, price), price))
        if tries[-1].settled():
            break
    return min(tries, key=_Try.gap)


def _even(alpha: Floats, s: Floats) -> bool:
    return bool(abs(alpha @ s) <= EVEN * alpha.sum())


def _tried(z: Floats, s: Floats, alpha: Floats, price: float, w: Floats | None = None) -> _Try:
    """Measure α. w: given where Σ α_i s_i z_i has lost digits, for α is large and most of it cancels."""
    reached = (alpha * s) @ z
    w = reached if w is None else w
    along = z @ w
    b = _best_offset(along, s)
    slack = np.maximum(0, 1 - s * (along + b))
    dual = float(alpha.sum()) - float(reached @ reached) / 2
    return _Try(alpha, w, b, slack, float(w @ w) / 2 + price * float(slack.sum()), dual)


def _polished(z: Floats, s: Floats, best: _Try, price: float) -> _Try:
    """Improve on `best` by what the equations above give on its sets and on those that follow from it.

    What leaves 0 to C stays at that bound; what is at 0 and beyond the margin, or at C and not, is solved for next.
    """
    alpha, seen = best.alpha, set[bytes]()
    bound = alpha >= price * (1 - BOUND)
    free = (alpha > price * BOUND) & ~bound
    while 0 < free.sum() <= MOST and best.gap() > SETTLED * best.primal and len(seen) < TRIES:
        sets = free.tobytes() + bound.tobytes()
        if sets in seen:
            break
        seen.add(sets)
        raw = _solved(z, s, free, bound, price)
        attempt = _tried(z, s, np.clip(raw, 0, price), price)
        if _even(attempt.alpha, s):
            best = min(best, attempt, key=_Try.gap)
        functional = s * (z @ ((raw * s) @ z) + attempt.b)
        bound, below = (raw >= price) & (~free | (raw > price)), raw < 0
        free = (free & ~below & ~bound) | ((raw == 0) & (functional < 1 - BOUND)) | (bound & (functional > 1 + BOUND))
        bound &= ~free
    return best


def _solved(z: Floats, s: Floats, free: NDArray[np.bool_], bound: NDArray[np.bool_], price: float) -> Floats:
    """Solve for α (n,) on the free points; it is the price where bound, and 0 elsewhere."""
    beta, k = np.where(bound, price * s, 0.0), int(free.sum())
    system = np.ones((k + 1, k + 1))
    system[:k, :k], system[k, k] = z[free] @ z[free].T, 0.0
    right = np.append(s[free] - z[free] @ (beta @ z), -beta.sum())
    beta[free] = linalg.lstsq(system, right, check_finite=False)[0][:k]
    return np.asarray(beta * s)


def _best_offset(along: Floats, s: Floats) -> float:
    """Return b with the least Σ max(0, 1 − s_i (along_i + b)), convex with kinks at s_i − along_i: one is best.

    Going up, its slope starts at −n₊ and rises by 1 at each kink; where it is 0 between two, their middle is taken.
    """
    kinks = np.sort(s - along)
    rises = int((s > 0).sum())
    return float((kinks[rises - 1] + kinks[rises]) / 2)
