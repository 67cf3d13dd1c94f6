"""The nouns of the maximum-margin problem. Letters of shapes: n points, D coordinates. Signs are +1 and −1.

minimize ½‖w‖²  subject to  s_i (w·x_i + b) ≥ 1          margin 1/‖w‖, multipliers α_i ≥ 0 of the n constraints
"""

__all__ = ["ExactSolution", "Hyperplane", "Inseparable", "Judged", "Points", "Residuals", "Separated", "Soft", "dot"]

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Number = Fraction | float  # a Fraction where it is exact
Fractions = Sequence[Sequence[Fraction]]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Positions = NDArray[np.int64]
Signs = NDArray[np.int8]


def dot(a: Sequence[Number], b: Sequence[Number]) -> Number:
    """Return the scalar product, a fraction where all numbers are."""
    total: Number = Fraction()
    for p, q in zip(a, b, strict=True):
        total = total + p * q
    return total


class Hyperplane(NamedTuple):
    """w·x + b = 0, and the positions of the points on its margin, with s_i (w·x_i + b) = 1. w: (D,)."""

    w: tuple[Number, ...]
    b: Number
    support: tuple[int, ...] = ()

    def value(self, x: Sequence[Number]) -> Number:
        """Return w·x + b at a point x (D,)."""
        return dot(self.w, x) + self.b


class Points(NamedTuple):
    """Points of two classes.

    x: (n, D). sign: (n,) int8, +1 or −1, 0 of new points. names: class of +1, class of −1. exact: (n, D) coordinates as
    they were written, where these are known and few, else None. labels: for messages, "(1, 0)" or "row 7".
    """

    x: Floats
    sign: Signs
    names: tuple[str, str]
    exact: tuple[tuple[Fraction, ...], ...] | None
    labels: tuple[str, ...]

    @property
    def numbers(self) -> Sequence[Sequence[Number]]:
        """Return the coordinates (n, D), as fractions where they are known as such."""
        return self.exact or self.x.tolist()

    def only(self, rows: Sequence[int]) -> "Points":
        """Return some of the points, by their positions."""
        exact = tuple(self.exact[k] for k in rows) if self.exact else None
        chosen = list(rows)
        return Points(self.x[chosen], self.sign[chosen], self.names, exact, tuple(self.labels[k] for k in rows))

    def positions(self, x: Floats) -> list[int]:
        """Return which of the points lie at x (D,)."""
        return [int(k) for k in np.flatnonzero((self.x == x).all(1))]

    def side(self, value: Number) -> str:
        """Return the class on whose side w·x + b has this value, "" for 0."""
        return self.names[0 if value > 0 else 1] if value else ""


class Residuals(NamedTuple):
    """Violations of the conditions of Karush, Kuhn and Tucker, each 0 where its condition holds.

    stationarity: ‖w − Σ α_i s_i x_i‖ / ‖w‖. feasibility: max(0, 1 − s_i (w·x_i + b)). dual_feasibility: max(0, −α_i)
    / Σα. complementarity: Σ α_i |s_i (w·x_i + b) − 1| / Σα. balance: |Σ α_i s_i| / Σα.
    """

    stationarity: float
    feasibility: float
    dual_feasibility: float
    complementarity: float
    balance: float


class ExactSolution(NamedTuple):
    """The solution in fractions; every condition of optimality was checked in fractions, which is its proof."""

    w: tuple[Fraction, ...]
    b: Fraction
    multipliers: tuple[Fraction, ...]
    squared_margin: Fraction
    primal: Fraction
    dual: Fraction


class Separated(NamedTuple):
    """The hyperplane w·x + b = 0 of the largest margin with its proof.

    w: (D,). margin: 1/‖w‖. multipliers: (n,) α. support: positions of all points on the margin, those with α = 0 too,
    ascending. unique: these are proved to be the only multipliers; least: they have the least norm, else they are some
    of many. primal: ½‖w‖²; dual: Σα − ½‖Σ α_i s_i x_i‖²; gap: (primal − dual) / primal. exact: in
    fractions, None where data are not known exactly or too many. iterations: of the active set.
    """

    w: Floats
    b: float
    margin: float
    multipliers: Floats
    support: tuple[int, ...]
    unique: bool
    least: bool
    primal: float
    dual: float
    gap: float
    residuals: Residuals
    exact: ExactSolution | None = None
    iterations: int = 0

    @property
    def alpha(self) -> Sequence[Number]:
        """Return the multipliers, in fractions where these are computed."""
        return self.exact.multipliers if self.exact else self.multipliers.tolist()

    @property
    def plane(self) -> Hyperplane:
        """Return the hyperplane, in fractions where these are computed."""
        w, b = (self.exact.w, self.exact.b) if self.exact else (tuple(self.w.tolist()), self.b)
        return Hyperplane(w, b, self.support)


class Inseparable(NamedTuple):
    """Proof that no hyperplane separates the classes: a point that both their convex hulls hold.

    first, second: weights of points of class +1 and of −1 by position, positive, each summing to 1, together on at
    most D + 2 points; meeting: (D,) where Σ weights · x of both coincide. residual: the largest coordinate of their
    difference, 0 where exact; scale: the largest deviation of a coordinate from its mean, to compare it with.
    exact: whether weights and meeting are fractions. removal: positions whose removal leaves separable classes, ()
    where none were sought; minimal: whether no smaller set does; at_least: how many points every such set has.
    """

    first: Mapping[int, Number]
    second: Mapping[int, Number]
    meeting: tuple[Number, ...]
    residual: float
    scale: float = 1.0
    exact: bool = False
    removal: tuple[int, ...] = ()
    minimal: bool = False
    at_least: int = 1


class Judged(NamedTuple):
    """A given hyperplane w·x + b = 0 beside the best one.

    values: (n,) w·x_i + b; functional: (n,) s_i (w·x_i + b); fractions where points, w and b are known exactly.
    norm: ‖w‖. margin: 1/‖w‖, inf for w = 0; distance: of the nearest point, min functional / ‖w‖, negative where one
    is on the wrong side. on_margin, violated, misclassified: positions with functional = 1, < 1, <= 0. feasible: none
    violated. canonical: min functional = 1. factor: what makes (w, b) canonical when it multiplies them, None where it
    separates nothing. best: the largest margin, None where there is none. stationarity: ‖w − Σ α_i s_i x_i‖ / ‖w‖ at
    best for multipliers α >= 0 of the points on_margin with Σ α_i s_i = 0; multipliers: (n,) those α. optimal:
    feasible, and best. sentences: all of it in plain words.
    """

    w: tuple[Number, ...]
    b: Number
    values: tuple[Number, ...]
    functional: tuple[Number, ...]
    norm: float
    margin: float
    distance: float
    on_margin: tuple[int, ...]
    violated: tuple[int, ...]
    misclassified: tuple[int, ...]
    feasible: bool
    canonical: bool
    factor: Number | None
    best: float | None
    stationarity: float
    multipliers: Floats
    optimal: bool
    exact: bool
    sentences: tuple[str, ...]

    @property
    def plane(self) -> Hyperplane:
        """Return the hyperplane with the points on its margin."""
        return Hyperplane(self.w, self.b, self.on_margin)


class Soft(NamedTuple):
    """The soft margin: minimize ½‖w‖² + C Σ ξ_i, s_i (w·x_i + b) ≥ 1 − ξ_i, ξ_i ≥ 0.

    w: (D,). multipliers: (n,) in [0, C]. slack: (n,) ξ; misclassified: positions with ξ >= 1. support: positions with
    a positive multiplier. primal, dual: objectives; gap: (primal − dual) / primal.
    """

    w: Floats
    b: float
    C: float
    margin: float
    multipliers: Floats
    slack: Floats
    support: tuple[int, ...]
    misclassified: tuple[int, ...]
    primal: float
    dual: float
    gap: float

    @property
    def plane(self) -> Hyperplane:
        """Return the hyperplane with its support vectors."""
        return Hyperplane(tuple(self.w.tolist()), self.b, self.support)
