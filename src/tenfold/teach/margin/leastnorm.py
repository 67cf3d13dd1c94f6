"""The multipliers of the least norm, and whether there are others.

All multipliers that prove one hyperplane belong to points on its margin, the columns of

    B = [s_i x_i; s_i],    Bα = c = (w, 0),    α ≥ 0.

Those of the least norm are α = max(0, Bᵀz), where z, D + 1 numbers however many points there are, minimizes the convex

    φ(z) = ½ ‖max(0, Bᵀz)‖² − c·z,    ∇φ = Bα − c,    ∇²φ = B_P B_Pᵀ on the columns P with α > 0,

by Newton's method, which ends when P is right. In fractions z is solved for on the P of the floats, and Bα = c,
Bᵀz > 0 on P and Bᵀz ≤ 0 elsewhere, checked without a rest, prove the least norm. α is the only one iff no v ≠ 0 with
Bv = 0 has v_i ≥ 0 wherever α_i = 0: iff the columns P are independent, and no v_Z ≥ 0, Σv_Z = 1, of the others has
B v_Z in their span; what is left of these, N B_Z with the rows N that B_P maps to 0, has y·N B_Z > 0 then (Gordan).
"""

__all__ = ["least_norm", "least_norm_exact"]

from fractions import Fraction

import numpy as np
from scipy import linalg, optimize

from tenfold.teach.margin.exact import Whole, null_space, reduced, solved, whole
from tenfold.teach.margin.problem import Flags, Floats

DEPENDENT = 1e-10  # of the largest singular value: a column that adds less adds nothing
POSITIVE = 1e-9  # of the largest multiplier
ZERO = 1e-12  # of the largest number
STEPS, HALVINGS = 100, 40  # of Newton's method, and of each of its steps
SOLVED = 1e-10  # of ‖c‖: what Newton's method may leave
MOST = 500_000  # fractions that elimination may take, r² m: a few seconds
ABOVE = 1e-9  # of columns of length 1: above it a sign is likely to hold in fractions

Bounds = tuple[float | None, float | None]


def least_norm(b: Floats, alpha: Floats) -> tuple[Floats, bool, bool]:
    """Return α of the least norm, whether it is the only one, and whether it was found; else α as it was.

    b: (r, m) as B above; alpha: (m,) any that does.
    """
    _, sizes, v = linalg.svd(b, full_matrices=False)
    rank = int((sizes > DEPENDENT * sizes[0]).sum())
    if rank == b.shape[1]:
        return alpha, True, True
    rows = v[:rank]
    least = rows.T @ (rows @ alpha)
    least[abs(least) <= ZERO * abs(least).max()] = 0.0  # what rounding left
    if least.min() < 0:
        bounded = _bounded(rows, rows @ alpha)
        if bounded is None:
            return alpha, False, False
        least = bounded
    least = np.where(least > POSITIVE * least.max(), least, 0.0)
    return least, _only(b, least > 0), True


def _bounded(rows: Floats, c: Floats) -> Floats | None:
    """Return α >= 0 of the least norm with rows α = c, None after too many steps. rows: (rank, m) orthonormal."""

    def phi(point: Floats) -> float:
        return float(np.sum(np.maximum(0, point @ rows) ** 2) / 2 - c @ point)

    z = c
    for _ in range(STEPS):
        alpha = np.maximum(0, z @ rows)
        left = c - rows @ alpha
        if linalg.norm(left) <= SOLVED * linalg.norm(c):
            break
        inside = rows[:, alpha > 0]
        step = linalg.lstsq(inside @ inside.T, left, cond=ZERO, check_finite=False)[0]
        tried, before = (z + step / 2**k for k in range(HALVINGS)), phi(z)
        z = next((point for point in tried if phi(point) < before), z + step)
    alpha = np.maximum(0, z @ rows)
    positive = alpha > POSITIVE * alpha.max()
    alpha[~positive] = 0.0
    alpha[positive] = linalg.lstsq(rows[:, positive], c, cond=ZERO, check_finite=False)[0]
    good = alpha.min() >= 0 and linalg.norm(rows @ alpha - c) <= SOLVED * linalg.norm(c)
    return alpha if good else None


def _only(b: Floats, positive: Flags) -> bool:
    """Judge whether no other α >= 0 has the same Bα, by the rank and by Gordan's alternative."""
    inside, outside = b[:, positive], b[:, ~positive]
    if inside.shape[1] > len(inside):
        return False
    sizes = linalg.svdvals(inside)
    if sizes[-1] <= DEPENDENT * sizes[0]:
        return False
    if not outside.shape[1]:
        return True
    q, _ = linalg.qr(inside, mode="economic")
    left = outside - q @ (q.T @ outside)
    e = np.concatenate([left, np.ones((1, left.shape[1]))])
    return bool(optimize.nnls(e, np.eye(len(e))[-1])[1] > DEPENDENT**0.5)


def least_norm_exact(b: Whole, alpha: Whole) -> tuple[Whole, bool, bool]:
    """Return the same in fractions: b (r, m), alpha (m,); where the least norm is not proved, α as it was."""
    if b.shape[0] ** 2 * b.shape[1] > MOST:
        return alpha, False, False
    rows, _ = reduced(b)
    if len(rows) == b.shape[1]:
        return alpha, True, True
    scaled = (alpha / max(alpha)).astype(np.float64)
    positive = least_norm(rows.astype(np.float64), scaled)[0] > 0
    least = _on(rows, rows @ alpha, positive)
    if least is None:
        return alpha, False, False
    return least, _only_exact(rows, positive), True


def _on(rows: Whole, c: Whole, positive: Flags) -> Whole | None:
    """Return α of the least norm if those are the positive ones, else None. rows: (rank, m), independent."""
    inside, outside = rows[:, positive], rows[:, ~positive]
    _, chosen = reduced(inside.T)
    system, _ = whole(np.column_stack([inside[chosen] @ inside[chosen].T, c[chosen]]).tolist())
    solution = solved(system[:, :-1], system[:, -1])
    assert solution is not None  # of independent rows
    z = np.full(len(rows), Fraction(0), dtype=object)
    z[chosen] = [Fraction(int(value), solution[1]) for value in solution[0]]
    alpha = np.full(rows.shape[1], Fraction(0), dtype=object)
    alpha[positive] = z @ inside
    if min(alpha) < 0 or (rows @ alpha != c).any():
        return None
    if len(chosen) < len(rows) and (z @ outside > 0).any():
        z = _turned(z, null_space(inside.T), outside)
    return alpha if not (z @ outside > 0).any() else None


def _turned(z: Whole, free: Whole, outside: Whole) -> Whole:
    """Return the z + free y, the same on P, that floats find farthest below 0 outside. free: (rank, q)."""
    along, start = (free.T @ outside).astype(np.float64), (z @ outside).astype(np.float64)
    size = max(1.0, float(abs(start).max()))
    y = _farthest(along.T, -start / size, (None, None), (None, 1.0))
    if y is None:
        return z
    # With small denominators: on a bound they are the bound itself, most often.
    fractions = [Fraction(value).limit_denominator(10**6) * Fraction(size) for value in y.tolist()[:-1]]
    return np.asarray(z + free @ np.array(fractions, dtype=object))


def _farthest(rows: Floats, limits: Floats, within: Bounds, reach: Bounds) -> Floats | None:
    """Return (*y, t) with the largest t where rows y + t <= limits, None where there is none. rows: (m, q).

    within: bounds of each y; reach: those of t.
    """
    m, q = rows.shape
    system, bounds = np.column_stack([rows, np.ones(m)]), [*[within] * q, reach]
    solution = optimize.linprog([*np.zeros(q), -1.0], system, limits, bounds=bounds, method="highs-ds")
    return np.asarray(solution.x) if solution.status == 0 else None


def _only_exact(rows: Whole, positive: Flags) -> bool:
    """Prove the same of fractions, by some y with y·left > 0 in each column; False where floats see none."""
    count = int(positive.sum())
    if count > len(rows) or len(reduced(rows[:, positive])[1]) < count:
        return False
    if positive.all() or count == len(rows):
        return bool(positive.all())
    left = null_space(rows[:, positive].T).T @ rows[:, ~positive]
    rough = left.astype(np.float64)
    sizes = np.linalg.norm(rough, axis=0)
    if not sizes.all():
        return False
    y = _farthest(-(rough / sizes).T, np.zeros(len(sizes)), (-1.0, 1.0), (None, None))
    if y is None or y[-1] < ABOVE:
        return False
    return bool((np.array([Fraction(value) for value in y.tolist()[:-1]], dtype=object) @ left > 0).all())
