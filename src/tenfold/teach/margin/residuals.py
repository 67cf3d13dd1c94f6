"""Distance of a hyperplane and its multipliers from the optimum, measured with more digits than they have.

w·x_i + b is summed in extended precision where the machine has it: next to a tiny margin, or far from the origin, the
rounding of a float64 sum would be taken for a violated constraint.
"""

__all__ = ["residuals", "values"]

import numpy as np
from numpy.typing import NDArray

from tenfold.teach.margin.problem import Floats, Residuals, Signs

ROWS = 1_000  # at a time: extended precision takes twice the memory


def values(x: Floats, w: Floats, b: float) -> NDArray[np.longdouble]:
    """Return w·x_i + b of each point, extended. x: (n, D); w: (D,)."""
    wide = w.astype(np.longdouble)
    sums = [x[row : row + ROWS].astype(np.longdouble) @ wide for row in range(0, len(x), ROWS)]
    return np.asarray(np.concatenate(sums) + b)


def residuals(x: Floats, sign: Signs, w: Floats, b: float, alpha: Floats) -> Residuals:
    """Measure by how much each condition of Karush, Kuhn and Tucker fails. x: (n, D); sign, alpha: (n,).

    Σ α_i s_i x_i is taken around the center of the points, which changes nothing where Σ α_i s_i = 0 (its own entry).
    """
    functional = sign * values(x, w, b)
    beta, total = alpha * sign, float(alpha.sum())
    used = np.flatnonzero(alpha)
    left = w - beta[used] @ (x[used] - x.mean(0))
    return Residuals(
        stationarity=float(np.linalg.norm(left) / np.linalg.norm(w)),
        feasibility=max(0.0, float((1 - functional).max())),
        dual_feasibility=max(0.0, float(-alpha.min()) / total),
        complementarity=float((alpha * abs(functional - 1)).sum() / total),
        balance=abs(float(beta.sum())) / total,
    )
