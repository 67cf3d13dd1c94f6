"""Points moved to their mean and scaled to distance 1, where tolerances have a meaning, and planes moved back.

With x = c + r z, a plane w'·z + b' of z is w = w'/r, b = b' − w·c of x, and multipliers α' are α = α'/r².
"""

__all__ = ["Frame", "framed", "guess", "nearest_pair", "trained"]

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC

Floats = NDArray[np.float64]
GRAM = 2_500  # points up to which all products are taken at once, for BLAS is quicker than libsvm
HARD = 1e10  # libsvm's C in place of infinity
PRECISE = 1e-3  # libsvm's tolerance, its usual one: its support vectors are then nearly always the right ones
STEPS, PATIENCE = 50_000, 10**8  # of libsvm, and steps times points: where a margin is tiny it would go on for hours


class Frame(NamedTuple):
    """z: (n, D). center: (D,); radius: of the points around it, 1 where it is 0."""

    z: Floats
    center: Floats
    radius: float


def framed(x: Floats) -> Frame:
    """Points (n, D) around their mean; computed so that neither huge nor tiny coordinates overflow."""
    largest = float(abs(x).max()) or 1.0
    center = (x / largest).mean(0) * largest
    moved = x - center
    size = float(abs(moved).max()) or 1.0
    radius = size * float(np.linalg.norm(moved / size, axis=1).max()) or 1.0
    return Frame(moved / radius, center, radius)


def guess(z: Floats, sign: NDArray[np.int8]) -> tuple[int, ...]:
    """libsvm's support vectors (Chang and Lin 2011) of the hard margin, the heaviest first. z: framed points (n, D)."""
    weight = abs(trained(z, sign, HARD, PRECISE, min(STEPS, PATIENCE // len(z))))
    order = np.argsort(-weight, kind="stable")
    return tuple(int(i) for i in order[: np.count_nonzero(weight)])


def trained(z: Floats, sign: NDArray[np.int8], C: float, tolerance: float, steps: int) -> Floats:
    """libsvm's α_i s_i (n,), as far as it comes in so many steps. z: framed points (n, D)."""
    gram = len(z) <= GRAM
    machine = SVC(
        C=C, kernel="precomputed" if gram else "linear", tol=tolerance, max_iter=max(1, steps), cache_size=500
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(z @ z.T if gram else z, sign)
    beta = np.zeros(len(z))
    beta[machine.support_] = machine.dual_coef_[0]
    return beta


def nearest_pair(z: Floats, sign: NDArray[np.int8]) -> tuple[int, int]:
    """A point of each class, near each other. z: framed points (n, D)."""
    plus, minus = np.flatnonzero(sign > 0), np.flatnonzero(sign < 0)
    second = minus[np.linalg.norm(z[minus] - z[plus].mean(0), axis=1).argmin()]
    first = plus[np.linalg.norm(z[plus] - z[second], axis=1).argmin()]
    return int(first), int(second)
