"""The hard-margin support vector machine beside general solvers of quadratic programs: seconds, and the gap reached.

800 points of 784 coordinates: MNIST 3 against 5 and 4 against 9 (400 + 400 images, pixels / 255), and random labels,
which need two points in three to support the margin. Ours goes from points to the checked result. The others get their
matrices ready-made, in the form that is quicker for them, primal (w, b) or dual (α over the Gram matrix), at the
tightest tolerance that they reach within their limits; OSQP with polishing. Clarabel and OSQP come with the test group.
"""

import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse

import tenfold
from sidebyside import Budget, main
from tenfold.teach.margin.problem import Points, Separated
from tenfold.teach.margin.solving import solve

PROBLEMS = ("MNIST 3 and 5", "MNIST 4 and 9", "random labels")
BUDGETS = (
    ("MNIST 3 and 5", "Clarabel", 1.0),
    ("MNIST 3 and 5", "OSQP", 1.0),
    ("MNIST 4 and 9", "Clarabel", 1.0),
    ("MNIST 4 and 9", "OSQP", 1.0),
    ("random labels", "Clarabel", 1.0),
    ("random labels", "OSQP", 1.0),
)


def points(problem: str) -> Points:
    if problem == "random labels":
        rng = np.random.default_rng(0)
        x, sign = rng.standard_normal((800, 784)), rng.choice([-1, 1], 800)
    else:
        data, digits = tenfold.load("mnist"), [int(word) for word in problem.split() if word.isdigit()]
        labels = data.labels.numpy()
        rows = np.concatenate([np.flatnonzero(labels == digit)[:400] for digit in digits])
        x, sign = data.images.numpy()[rows].reshape(800, -1) / 255, np.where(labels[rows] == digits[0], 1, -1)
    return Points(x, sign.astype(np.int8), ("+", "-"), None, tuple(map(str, range(800))))


def primal(given: Points) -> tuple[Any, ...]:
    """½ vᵀPv + qᵀv, A v <= u of v = (w, b)."""
    n, width = given.x.shape
    p = sparse.csc_matrix(sparse.diags([1.0] * width + [0.0]))
    a = sparse.csc_matrix(-given.sign[:, None] * np.column_stack([given.x, np.ones(n)]))
    return p, np.zeros(width + 1), a, np.full(n, -np.inf), -np.ones(n)


def dual(given: Points) -> tuple[Any, ...]:
    """The same of v = α, with Σ α s = 0 as the first row of A."""
    n = len(given.sign)
    z = given.x * given.sign[:, None]
    a = sparse.csc_matrix(sparse.vstack([given.sign[None].astype(float), -sparse.identity(n)]))
    lower = np.append(0.0, np.full(n, -np.inf))
    return sparse.csc_matrix(np.triu(z @ z.T)), -np.ones(n), a, lower, np.zeros(n + 1)


def ours(problem: str) -> Callable[[], object]:
    given = points(problem)
    return lambda: solve(given)


def osqp(problem: str, form: Callable[[Points], tuple[Any, ...]] = dual) -> Callable[[], object]:
    import osqp

    p, q, a, lower, upper = form(points(problem))

    def run() -> object:
        solver = osqp.OSQP()
        solver.setup(p, q, a, lower, upper, verbose=False, eps_abs=1e-9, eps_rel=1e-9, max_iter=20_000, polishing=True)
        return solver.solve().x

    return run


def clarabel(problem: str, form: Callable[[Points], tuple[Any, ...]] = dual) -> Callable[[], object]:
    import clarabel

    p, q, a, lower, upper = form(points(problem))
    equal = int((lower == upper).sum())
    cones = [clarabel.ZeroConeT(equal)] * bool(equal) + [clarabel.NonnegativeConeT(len(upper) - equal)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-13
    return lambda: np.array(clarabel.DefaultSolver(p, q, a, upper, cones, settings).solve().x)


def gap(given: Points, v: Any) -> float:
    """Relative gap between a feasible hyperplane and feasible multipliers made of what a solver returned.

    v: (w, b), or α. From α: negative ones become 0, each class is scaled to the same sum, w = Σ α s x. From w alone
    the distance of the classes along it; the dual bound is then the best known, ours.
    """
    x, s = given.x - given.x.mean(0), given.sign
    if len(v) == len(s):
        alpha = np.maximum(v, 0)
        alpha = alpha / np.where(s > 0, alpha[s > 0].sum(), alpha[s < 0].sum())
        w = (alpha * s) @ x
        furthest = 2 / np.linalg.norm(w)
    else:
        w = v[:-1]
        found = solve(given)
        assert isinstance(found, Separated)
        furthest = np.sqrt(2 * found.dual)
    along = x @ w / np.linalg.norm(w)
    nearest = (along[s > 0].min() - along[s < 0].max()) / 2
    return float(1 - (furthest * nearest) ** 2) if nearest > 0 else float("inf")


def gaps() -> None:
    print("relative gap reached, between what can be made feasible of the answer:")
    for problem in PROBLEMS:
        given, found = points(problem), ours(problem)()
        assert isinstance(found, Separated)
        reached = {name: gap(given, run(problem)()) for name, run in (("Clarabel", clarabel), ("OSQP", osqp))}
        others = ", ".join(f"{name} {value:.1e}" for name, value in reached.items())
        print(f"  {problem}: ours {abs(found.gap):.1e} ({len(found.support)} support vectors), {others}", flush=True)


if __name__ == "__main__":
    runs = {"ours": ours, "Clarabel": clarabel, "OSQP": osqp}
    main(
        "Hard margin",
        {f"{name}, {problem}": (partial(run, problem), 1) for problem in PROBLEMS for name, run in runs.items()},
        [Budget(f"ours, {problem}", f"{name}, {problem}", share) for problem, name, share in BUDGETS],
    )
    if "--serve" not in sys.argv:
        gaps()
