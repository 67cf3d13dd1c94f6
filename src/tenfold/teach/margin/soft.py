"""The soft margin, for classes that no hyperplane separates.

minimize ½‖w‖² + C Σ ξ_i, ξ_i = max(0, 1 − s_i (w·x_i + b)); its dual is that of the hard margin with α_i ≤ C besides.
libsvm, or an interior point, solves it on points z = (x − c) / r, with C r². With F, where 0 < α_i < C, and B, where
α_i = C,

    Z_F Z_Fᵀ β_F + b 1 = s_F − Z_F Z_Bᵀ β_B,    Σ_F β_i = −Σ_B β_i,    β_i = α_i s_i,

is then solved for what its tolerance left, and on the sets that follow, and taken where it narrows the gap. Whatever α
is, Σα − ½‖Σ α_i s_i x_i‖² bounds the objective from below, so that the gap says how good w and b are. An interior
point finds what libsvm cannot where C is large; and the hard margin is the soft one where its α ≤ C.

The interior point is a primal-dual one (Mehrotra 1992; for this problem Ferris and Munson 2002). With α = C a, columns
V_i = s_i z_i and w = C V a, the conditions are

    Vᵀw + b s − λ + ξ = 1,    sᵀa = 0,    λ_i a_i = 0,    ξ_i (1 − a_i) = 0,    0 ≤ a ≤ 1,    λ, ξ ≥ 0.

Newton's steps towards λ_i a_i = ξ_i (1 − a_i) = μ → 0 have, with Θ = λ/a + ξ/(1 − a) and what is left over, r and ρ,

    [1/C + V Θ⁻¹ Vᵀ   V Θ⁻¹ s ] [dw]   [V Θ⁻¹ r + ρ]
    [sᵀ Θ⁻¹ Vᵀ        sᵀ Θ⁻¹ s] [db] = [sᵀ Θ⁻¹ r + sᵀa],    da = Θ⁻¹ (r − Vᵀdw − s db):

D + 1 equations, however many points there are. w is kept as itself: from α it would lose what cancels in the sum.
"""

__all__ = ["soft_margin"]

import math
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

import numpy as np
from scipy import linalg

from tenfold.errors import DataError, UsageError
from tenfold.teach.margin.floats import framed, trained
from tenfold.teach.margin.problem import Flags, Floats, Inseparable, Points, Soft
from tenfold.teach.margin.solving import solve

TOLERANCES = (1e-8, 1e-3)  # libsvm rounds its matrix to float32: where C is large the finer one leads it astray
STEPS, PATIENCE = 3_000_000, 10**9  # of libsvm, and steps times points: a few seconds
MOST = 2_000  # multipliers between 0 and C that are solved for
TRIES, SETTLED = 60, 1e-12  # sets that are solved on, and the relative gap that is small enough
QUICK = 5 * 10**7  # points times squared coordinates up to which an interior point is the quicker way
EVEN = 1e-12  # of Σα: what Σ α_i s_i may be for the dual to be a bound
BOUND = 1e-9  # of C: nearer to 0 or to C, a multiplier is taken to be there
NEWTON = 200  # steps of the interior point
CLOSE = 0.995  # of the way to the nearest bound
NEAR = 1e-15  # of μ, which is 1/2 at the start: nothing is left to gain
SHORTEST = 1e-12  # a step below it leads nowhere
SMALL = (0.0, 1e-16, 1e-14, 1e-12)  # of the diagonal, added to it until Cholesky's factor exists


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
    b, margin = float(best.b - w @ frame.center), 1 / norm if norm else math.inf
    support, wrong = (tuple(np.flatnonzero(some).tolist()) for some in (best.alpha, best.slack >= 1))
    objectives = best.primal / scale, best.dual / scale, best.gap() / best.primal if best.primal else 0.0
    return Soft(w, b, float(C), margin, best.alpha / scale, best.slack, support, wrong, *objectives)


def _hard(points: Points, C: float) -> Soft | None:
    """Return the hard margin where it is the soft one as well: where it exists and no multiplier exceeds C."""
    try:
        hard = solve(points, removal=False)
    except DataError:
        return None
    if isinstance(hard, Inseparable) or hard.multipliers.max() > C:
        return None
    support, slack = tuple(np.flatnonzero(hard.multipliers).tolist()), np.zeros(len(hard.multipliers))
    objectives = hard.primal, hard.dual, hard.gap
    return Soft(hard.w, hard.b, float(C), hard.margin, hard.multipliers, slack, support, (), *objectives)


def _inside(z: Floats, s: Floats, price: float) -> _Try:
    """Solve by an interior point; what is nearly at 0 or at C is put there."""
    alpha, w = _interior(z, s, price)
    alpha = np.where(alpha < BOUND * price, 0.0, np.where(alpha > (1 - BOUND) * price, price, alpha))
    return _polished(z, s, min(_tried(z, s, alpha, price), _tried(z, s, alpha, price, w), key=_Try.gap), price)


def _by_libsvm(z: Floats, s: Floats, price: float) -> _Try:
    steps, tries = min(STEPS, PATIENCE // len(s)), list[_Try]()
    for tolerance in TOLERANCES:
        alpha = abs(trained(z, s.astype(np.int8), price, tolerance, steps))
        tries.append(_polished(z, s, _tried(z, s, alpha, price), price))
        if tries[-1].settled():
            break
    return min(tries, key=_Try.gap)


def _tried(z: Floats, s: Floats, alpha: Floats, price: float, w: Floats | None = None) -> _Try:
    """Measure α. w: given where Σ α_i s_i z_i has lost digits, for α is large and most of it cancels."""
    reached = (alpha * s) @ z
    w = reached if w is None else w
    along = z @ w
    # Σ max(0, 1 − s_i (along_i + b)) is convex in b with kinks at s_i − along_i. Going up, its slope starts at −n₊ and
    # rises by 1 at each kink; where it is 0 between two, their middle is taken.
    kinks, rises = np.sort(s - along), int((s > 0).sum())
    b = float((kinks[rises - 1] + kinks[rises]) / 2)
    slack = np.maximum(0, 1 - s * (along + b))
    even = abs(alpha @ s) <= EVEN * alpha.sum()
    dual = float(alpha.sum()) - float(reached @ reached) / 2 if even else -math.inf
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
        best = min(best, attempt, key=_Try.gap)
        functional = s * (z @ ((raw * s) @ z) + attempt.b)
        bound, below = (raw >= price) & (~free | (raw > price)), raw < 0
        free = (free & ~below & ~bound) | ((raw == 0) & (functional < 1 - BOUND)) | (bound & (functional > 1 + BOUND))
        bound &= ~free
    return best


def _solved(z: Floats, s: Floats, free: Flags, bound: Flags, price: float) -> Floats:
    """Solve for α (n,) on the free points; it is the price where bound, and 0 elsewhere."""
    beta, k = np.where(bound, price * s, 0.0), int(free.sum())
    system = np.ones((k + 1, k + 1))
    system[:k, :k], system[k, k] = z[free] @ z[free].T, 0.0
    right = np.append(s[free] - z[free] @ (beta @ z), -beta.sum())
    beta[free] = linalg.lstsq(system, right, check_finite=False)[0][:k]
    return np.asarray(beta * s)


def _interior(z: Floats, s: Floats, C: float) -> tuple[Floats, Floats]:
    """Return α (n,) and w (D,) near the optimum. z: framed points (n, D); s: (n,) signs as floats."""
    n, width = z.shape
    rows, plane = np.vstack([(z * s[:, None]).T, s]), np.zeros(width + 1)
    # a, 1 − a to all its digits, λ and ξ, which stay positive: (4, n), as is a step of all four.
    point = np.repeat([[0.5], [0.5], [1.0], [1.0]], n, axis=1)
    for _ in range(NEWTON):
        mu = _mu(point)
        newton = _newton(point, plane, rows, C) if mu > NEAR else None
        if newton is None:
            break
        first, _ = newton(np.zeros(n), np.zeros(n))
        aim = mu * (_mu(point + _reach(point, first) * first) / mu) ** 3
        step, turn = newton(aim - first[0] * first[2], aim + first[0] * first[3])
        length = CLOSE * _reach(point, step)
        if not (length > SHORTEST and np.isfinite(turn).all()):
            break
        point, plane = point + length * step, plane + length * turn
    return C * point[0], plane[:-1]


def _mu(point: Floats) -> float:
    """Return the mean of λ a and ξ (1 − a)."""
    a, over, lower, upper = point
    return float(a @ lower + over @ upper) / (2 * len(a))


def _reach(point: Floats, step: Floats) -> float:
    """Return how far along a step all stay positive, at most 1."""
    return float((point[step < 0] / -step[step < 0]).min(initial=1.0))


def _newton(
    point: Floats, plane: Floats, rows: Floats, C: float
) -> Callable[[Floats, Floats], tuple[Floats, Floats]] | None:
    """Return Newton's step towards given λ a and ξ (1 − a), and that of the plane; None where no factor exists.

    plane: w with b behind it; rows: [V; s] (D + 1, n).
    """
    a, over, lower, upper = point
    inverse_price = np.append(np.full(len(rows) - 1, 1 / C), 0.0)
    theta = lower / a + upper / over
    factor = _factor((rows / theta) @ rows.T + np.diag(inverse_price))
    rest = 1 - plane @ rows + lower - upper
    left = rows @ a - inverse_price * plane

    def step(low: Floats, high: Floats) -> tuple[Floats, Floats]:
        r = rest - lower + low / a + upper - high / over
        turn = linalg.cho_solve(factor, (rows / theta) @ r + left, check_finite=False)
        da = (r - turn @ rows) / theta
        return np.array([da, -da, (low - lower * da) / a - lower, (high + upper * da) / over - upper]), turn

    return step if factor else None


def _factor(matrix: Floats) -> tuple[Floats, bool] | None:
    for small in SMALL:
        with suppress(linalg.LinAlgError, ValueError):  # not positive, not finite
            factor: tuple[Floats, bool] = linalg.cho_factor(matrix + small * np.diag(np.diag(matrix)))
            return factor
    return None
