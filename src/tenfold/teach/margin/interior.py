"""The soft margin by a primal-dual interior point (Mehrotra 1992; for this problem Ferris and Munson 2002).

With α = C a, columns V_i = s_i z_i and w = C V a, the conditions are

    Vᵀw + b s − λ + ξ = 1,    sᵀa = 0,    λ_i a_i = 0,    ξ_i (1 − a_i) = 0,    0 ≤ a ≤ 1,    λ, ξ ≥ 0.

Newton's steps towards λ_i a_i = ξ_i (1 − a_i) = μ → 0 have, with Θ = λ/a + ξ/(1 − a) and what is left over, r and ρ,

    [1/C + V Θ⁻¹ Vᵀ   V Θ⁻¹ s ] [dw]   [V Θ⁻¹ r + ρ]
    [sᵀ Θ⁻¹ Vᵀ        sᵀ Θ⁻¹ s] [db] = [sᵀ Θ⁻¹ r + sᵀa],    da = Θ⁻¹ (r − Vᵀdw − s db):

D + 1 equations, however many points there are. w is kept as itself: from α it would lose what cancels in the sum.
"""

__all__ = ["interior"]

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy import linalg

from tenfold.teach.margin.problem import Floats

STEPS = 200
CLOSE = 0.995  # of the way to the nearest bound
NEAR = 1e-15  # of μ, which is 1/2 at the start: nothing is left to gain
SHORTEST = 1e-12  # a step below it leads nowhere
SMALL = (0.0, 1e-16, 1e-14, 1e-12)  # of the diagonal, added to it until Cholesky's factor exists


class _Bounded(NamedTuple):
    """a, 1 − a to all its digits, λ, ξ, each (n,) and positive; or a step of all four."""

    a: Floats
    over: Floats
    lower: Floats
    upper: Floats

    def mu(self) -> float:
        """Return the mean of λ a and ξ (1 − a)."""
        return float(self.a @ self.lower + self.over @ self.upper) / (2 * len(self.a))

    def moved(self, step: "_Bounded", length: float) -> "_Bounded":
        """Return where a step of that length leads."""
        return _Bounded(*(x + length * dx for x, dx in zip(self, step, strict=True)))

    def reach(self, step: "_Bounded") -> float:
        """Return how far along a step all stay positive, at most 1."""
        ends = (float((x[dx < 0] / -dx[dx < 0]).min(initial=np.inf)) for x, dx in zip(self, step, strict=True))
        return min(1.0, *ends)


def interior(z: Floats, s: Floats, C: float) -> tuple[Floats, Floats]:
    """Return α (n,) and w (D,) near the optimum. z: framed points (n, D); s: (n,) signs as floats."""
    n, width = z.shape
    rows, plane = np.vstack([(z * s[:, None]).T, s]), np.zeros(width + 1)
    point = _Bounded(np.full(n, 0.5), np.full(n, 0.5), np.ones(n), np.ones(n))
    for _ in range(STEPS):
        mu = point.mu()
        newton = _newton(point, plane, rows, C) if mu > NEAR else None
        if newton is None:
            break
        first, _ = newton(np.zeros(n), np.zeros(n))
        aim = mu * (point.moved(first, point.reach(first)).mu() / mu) ** 3
        step, turn = newton(aim - first.a * first.lower, aim + first.a * first.upper)
        length = CLOSE * point.reach(step)
        if not (length > SHORTEST and np.isfinite(turn).all()):
            break
        point, plane = point.moved(step, length), plane + length * turn
    return C * point.a, plane[:-1]


def _newton(
    point: _Bounded, plane: Floats, rows: Floats, C: float
) -> Callable[[Floats, Floats], tuple[_Bounded, Floats]] | None:
    """Return Newton's step towards given λ a and ξ (1 − a), and that of the plane; None where no factor exists.

    plane: w with b behind it; rows: [V; s] (D + 1, n).
    """
    inverse_price = np.append(np.full(len(rows) - 1, 1 / C), 0.0)
    theta = point.lower / point.a + point.upper / point.over
    factor = _factor((rows / theta) @ rows.T + np.diag(inverse_price))
    rest = 1 - plane @ rows + point.lower - point.upper
    left = rows @ point.a - inverse_price * plane

    def step(low: Floats, high: Floats) -> tuple[_Bounded, Floats]:
        r = rest - point.lower + low / point.a + point.upper - high / point.over
        turn = linalg.cho_solve(factor, (rows / theta) @ r + left, check_finite=False)
        a = (r - turn @ rows) / theta
        lower = (low - point.lower * a) / point.a - point.lower
        upper = (high + point.upper * a) / point.over - point.upper
        return _Bounded(a, -a, lower, upper), turn

    return step if factor else None


def _factor(matrix: Floats) -> tuple[Floats, bool] | None:
    for small in SMALL:
        try:
            factor: tuple[Floats, bool] = linalg.cho_factor(matrix + small * np.diag(np.diag(matrix)))
            return factor
        except (linalg.LinAlgError, ValueError):  # not positive, not finite
            continue
    return None
