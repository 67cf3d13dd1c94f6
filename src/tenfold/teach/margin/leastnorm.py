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
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, optimize

from tenfold.teach.margin.elimination import Whole, null_space, quotients, reduced

DEPENDENT = 1e-10  # of the largest singular value: a column that adds less adds nothing
POSITIVE = 1e-9  # of the largest multiplier
ZERO = 1e-12  # of the largest number
STEPS, HALVINGS = 100, 40  # of Newton's method, and of each of its steps
SOLVED = 1e-10  # of ‖c‖: what Newton's method may leave
MOST = 500_000  # fractions that elimination may take, r² m: a few seconds
ABOVE = 1e-9  # of columns of length 1: above it a sign is likely to hold in fractions

Floats = NDArray[np.float64]


def least_norm(b: Floats, alpha: Floats) -> tuple[Floats, bool, bool]:
    """α of the least norm, whether it is the only one, and whether it was found; else α as it was.

    b: (r, m) as B above; alpha: (m,) any that does.
    """
    _, sizes, v = linalg.svd(b, full_matrices=False)
    rank = int((sizes > DEPENDENT * sizes[0]).sum())
    if rank == b.shape[1]:
        return alpha, True, True
    rows = v[:rank]
    least = _clean(rows.T @ (rows @ alpha))
    if least.min() < 0:
        bounded = _bounded(rows, rows @ alpha)
        if bounded is None:
            return alpha, False, False
        least = bounded
    least = np.where(least > POSITIVE * least.max(), least, 0.0)
    return least, _only(b, least > 0), True


def _clean(numbers: Floats) -> Floats:
    """What rounding left of 0 is 0."""
    return np.where(abs(numbers) > ZERO * abs(numbers).max(), numbers, 0.0)


def _bounded(rows: Floats, c: Floats) -> Floats | None:
    """Least norm with α >= 0 and rows α = c, None where steps did not suffice. rows: (rank, m) orthonormal."""
    z = c
    for _ in range(STEPS):
        alpha = np.maximum(0, z @ rows)
        left = c - rows @ alpha
        if linalg.norm(left) <= SOLVED * linalg.norm(c):
            break
        inside = rows[:, alpha > 0]
        z = _descended(rows, c, z, linalg.lstsq(inside @ inside.T, left, cond=ZERO, check_finite=False)[0])
    alpha = np.maximum(0, z @ rows)
    positive = alpha > POSITIVE * alpha.max()
    alpha[~positive] = 0.0
    alpha[positive] = linalg.lstsq(rows[:, positive], c, check_finite=False)[0]
    good = alpha.min() >= 0 and linalg.norm(rows @ alpha - c) <= SOLVED * linalg.norm(c)
    return alpha if good else None


def _descended(rows: Floats, c: Floats, z: Floats, step: Floats) -> Floats:
    """As far along a step, halved until φ falls."""

    def phi(at: Floats) -> float:
        return float(np.sum(np.maximum(0, at @ rows) ** 2) / 2 - c @ at)

    before = phi(z)
    for k in range(HALVINGS):
        if phi(z + step / 2**k) < before:
            return np.asarray(z + step / 2**k)
    return np.asarray(z + step)


def _only(b: Floats, positive: NDArray[np.bool_]) -> bool:
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
    """The same in fractions: b (r, m), alpha (m,); where the least norm is not proved, α as it was."""
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


def _on(rows: Whole, c: Whole, positive: NDArray[np.bool_]) -> Whole | None:
    """α of the least norm if those are the positive ones, None where it is not. rows: (rank, m), independent."""
    inside, outside = rows[:, positive], rows[:, ~positive]
    _, chosen = reduced(inside.T)
    found = quotients(inside[chosen] @ inside[chosen].T, c[chosen])
    assert found is not None  # of independent rows
    z = np.full(len(rows), Fraction(0), dtype=object)
    z[chosen] = found
    alpha = np.full(rows.shape[1], Fraction(0), dtype=object)
    alpha[positive] = z @ inside
    if min(alpha) < 0 or (rows @ alpha != c).any():
        return None
    if len(chosen) < len(rows) and (z @ outside > 0).any():
        z = _turned(z, null_space(inside.T), outside)
    return alpha if not (z @ outside > 0).any() else None


def _turned(z: Whole, free: Whole, outside: Whole) -> Whole:
    """z + free y, the same on P, that is farthest below 0 outside, as floats find it. free: (rank, q)."""
    along, start = (free.T @ outside).astype(np.float64), (z @ outside).astype(np.float64)
    size = max(1.0, float(abs(start).max()))
    q, m = along.shape
    found = optimize.linprog(
        [*np.zeros(q), -1.0],
        np.column_stack([along.T, np.ones(m)]),
        -start / size,
        bounds=[*[(None, None)] * q, (None, 1.0)],
        method="highs-ds",
    )
    return z + free @ (_fractions(found.x[:-1]) * Fraction(size)) if found.status == 0 else z


def _fractions(numbers: Floats) -> Whole:
    """Near numbers with small denominators: on a bound they are the bound itself, most often."""
    return np.array([Fraction(value).limit_denominator(10**6) for value in numbers.tolist()], dtype=object)


def _only_exact(rows: Whole, positive: NDArray[np.bool_]) -> bool:
    count = int(positive.sum())
    if count > len(rows) or len(reduced(rows[:, positive])[1]) < count:
        return False
    if positive.all():
        return True
    return count < len(rows) and _halved(null_space(rows[:, positive].T).T @ rows[:, ~positive])


def _halved(left: Whole) -> bool:
    """Whether some y has y·left > 0 in each column; False where floats see none. left: (q, m)."""
    plain = np.array([[float(value) for value in row] for row in left])
    sizes = np.linalg.norm(plain, axis=0)
    if not sizes.all():
        return False
    q, m = plain.shape
    found = optimize.linprog(
        [*np.zeros(q), -1.0],
        np.column_stack([-(plain / sizes).T, np.ones(m)]),
        np.zeros(m),
        bounds=[*[(-1.0, 1.0)] * q, (None, None)],
        method="highs-ds",
    )
    if found.status != 0 or found.x[-1] < ABOVE:
        return False
    return bool((_exact_values(found.x[:-1]) @ left > 0).all())


def _exact_values(numbers: Floats) -> Any:
    return np.array([Fraction(value) for value in numbers.tolist()], dtype=object)
