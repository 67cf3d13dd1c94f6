"""How far a hyperplane and its multipliers are from optimal, measured with more digits than they have.

w·x_i + b is summed in extended precision where the machine has it: next to a tiny margin, or far from the origin, the
rounding of a float64 sum would be taken for a violated constraint.
"""

__all__ = ["classify", "residuals", "values"]

import numpy as np
from numpy.typing import NDArray

from tenfold.teach.margin.types import Residuals

Floats = NDArray[np.float64]
ROWS = 1_000  # at a time: extended precision takes twice the memory


def values(x: Floats, w: Floats, b: float) -> NDArray[np.longdouble]:
    """w·x_i + b of each point, extended. x: (n, D); w: (D,)."""
    wide = w.astype(np.longdouble)
    sums = [x[row : row + ROWS].astype(np.longdouble) @ wide for row in range(0, len(x), ROWS)]
    return np.asarray(np.concatenate(sums) + b)


def classify(w: Floats, b: float, x: Floats) -> NDArray[np.int8]:
    """+1, −1, or 0 on the hyperplane itself, of each point. w: (D,); x: (n, D)."""
    return np.sign(values(x, w, b)).astype(np.int8)


def residuals(x: Floats, sign: NDArray[np.int8], w: Floats, b: float, alpha: Floats) -> Residuals:
    """The conditions of Karush, Kuhn and Tucker, each by how much it fails. x: (n, D); sign, alpha: (n,).

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
