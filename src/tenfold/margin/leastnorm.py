"""The multipliers of the least norm, and whether there are others.

All multipliers that prove one hyperplane belong to points on its margin, the columns of

    B = [s_i x_i; s_i],    Bα = (w, 0),    α ≥ 0:    α = α₀ + v with Bv = 0.

Without the bound the least norm has a = α₀ less its part in the null space of B, and Π the projector on that space.
With it, α = a + Πu / (1 + a·u) where u ≥ 0 minimizes ½‖Πu‖² + ½(1 + a·u)²: least distance by nonnegative least squares
(Lawson and Hanson 1974, chapter 23). α is the only one iff no v ≠ 0 with Bv = 0 has v_i ≥ 0 wherever α_i = 0: iff the
columns S with α_i > 0 are independent, and no v_Z ≥ 0, Σv_Z = 1, of the others has B v_Z in their span.
"""

__all__ = ["least_norm", "least_norm_exact"]

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from tenfold.margin.elimination import Whole, null_space, quotients, reduced

DEPENDENT = 1e-10  # of the largest singular value: a column that adds less adds nothing
POSITIVE = 1e-9  # of the largest multiplier
ROUNDING = 1e-12  # of the largest number
MOST = 1_500  # points on the margin whose bounds are minded; without bounds there is no limit

Floats = NDArray[np.float64]


def least_norm(b: Floats, alpha: Floats) -> tuple[Floats, bool]:
    """α of the least norm, and whether it is the only one. b: (r, m) as B above; alpha: (m,) any that does.

    Of more than 1,500 points `alpha` stays where the least norm without bounds is negative somewhere.
    """
    _, sizes, v = linalg.svd(b, full_matrices=False)
    rank = int((sizes > DEPENDENT * sizes[0]).sum())
    if rank == b.shape[1]:
        return alpha, True
    free = _clean(v[:rank].T @ (v[:rank] @ alpha))
    if free.min() < 0 and len(alpha) > MOST:
        return alpha, False
    least = free if free.min() >= 0 else _bounded(_clean(linalg.null_space(b, rcond=DEPENDENT)), free)
    least = np.where(least > POSITIVE * least.max(), least, 0.0)
    return least, _only(b, least > 0)


def _clean(numbers: Floats) -> Floats:
    """What rounding left of 0 is 0: least squares would take it for a bound that is hard to keep."""
    return np.where(abs(numbers) > ROUNDING * abs(numbers).max(), numbers, 0.0)


def _bounded(basis: Floats, a: Floats) -> Floats:
    """Least norm with α >= 0. basis: (m, q) orthonormal of the null space."""
    e = np.concatenate([basis.T, -a[None] / linalg.norm(a)])
    u, _ = optimize.nnls(e, np.eye(len(e))[-1])
    rest = e @ u
    return np.asarray(a + linalg.norm(a) * (basis @ rest[:-1]) / (1 - rest[-1]))


def _only(b: Floats, positive: NDArray[np.bool_]) -> bool:
    inside, outside = b[:, positive], b[:, ~positive]
    sizes = linalg.svdvals(inside)
    if inside.shape[1] > len(inside) or sizes[-1] <= DEPENDENT * sizes[0]:
        return False
    if not outside.shape[1]:
        return True
    q, _ = linalg.qr(inside, mode="economic")
    left = outside - q @ (q.T @ outside)
    e = np.concatenate([left, np.ones((1, left.shape[1]))])
    return bool(optimize.nnls(e, np.eye(len(e))[-1])[1] > DEPENDENT**0.5)


def least_norm_exact(b: Whole, alpha: Whole) -> tuple[Whole, bool]:
    """The same in fractions: b (r, m), alpha (m,)."""
    rows, _ = reduced(b)
    if len(rows) == b.shape[1]:
        return alpha, True
    gram = rows @ rows.T
    a = rows.T @ _solve(gram, rows @ alpha)
    least = a if min(a) >= 0 else _bounded_exact(rows, gram, a)
    return least, _only_exact(b, np.array([value > 0 for value in least]))


def _bounded_exact(rows: Whole, gram: Whole, a: Whole) -> Whole:
    """Least norm with α >= 0, from that without, a. rows: (rank, m), independent; gram: their products."""
    inverse = np.stack([_solve(gram, column) for column in np.eye(len(gram), dtype=int).astype(object)])
    projector = np.eye(len(a), dtype=int).astype(object) - rows.T @ inverse @ rows
    u = _nonnegative(projector + np.outer(a, a), -a)
    bounded: Whole = a + projector @ u / (1 + a @ u)
    return bounded


def _only_exact(b: Whole, positive: NDArray[np.bool_]) -> bool:
    if null_space(b[:, positive]).shape[1]:
        return False
    if positive.all():
        return True
    left = null_space(b[:, positive].T).T @ b[:, ~positive]
    u = _nonnegative(left.T @ left + 1, np.full(left.shape[1], Fraction(1), dtype=object))
    return bool((left @ u != 0).any() or sum(u) != 1)


def _nonnegative(h: Whole, c: Whole) -> Whole:
    """u >= 0 that minimizes ½ uᵀHu − c·u where H = EᵀE, c = Eᵀf: Lawson and Hanson's, in fractions."""
    u, chosen = np.full(len(c), Fraction(0), dtype=object), list[int]()
    while True:
        slope = c - h @ u
        outside = [i for i in range(len(c)) if i not in chosen and slope[i] > 0]
        if not outside:
            return u
        chosen.append(max(outside, key=lambda i: slope[i]))
        while True:
            z = np.full(len(c), Fraction(0), dtype=object)
            z[chosen] = _solve(h[np.ix_(chosen, chosen)], c[chosen])
            if all(z[i] > 0 for i in chosen):
                break
            length = min(u[i] / (u[i] - z[i]) for i in chosen if z[i] <= 0)
            u = u + length * (z - u)
            chosen = [i for i in chosen if u[i] > 0]
        u = z


def _solve(matrix: Whole, right: Whole) -> Any:
    found = quotients(matrix, right)
    assert found is not None  # its columns are independent
    return found
