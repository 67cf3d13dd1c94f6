"""The nouns of the maximum-margin problem. Letters of shapes: n points, D coordinates. Signs are +1 and −1.

minimize ½‖w‖²  subject to  s_i (w·x_i + b) ≥ 1          margin 1/‖w‖, multipliers α_i ≥ 0 of the n constraints
"""

__all__ = ["Exact", "Inseparable", "Judged", "Number", "Points", "Residuals", "Separated", "Soft"]

from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Number = Fraction | float
"""A Fraction where it is exact, else a float."""


class Points(NamedTuple):
    """Points of two classes.

    x: (n, D). sign: (n,) int8, +1 or −1. names: class of +1, class of −1. exact: (n, D) coordinates as they were
    written, where these are known and few, else None. labels: of each point, for messages: "(1, 0)" or "row 7".
    """

    x: NDArray[np.float64]
    sign: NDArray[np.int8]
    names: tuple[str, str]
    exact: tuple[tuple[Fraction, ...], ...] | None
    labels: tuple[str, ...]


class Residuals(NamedTuple):
    """How far a solution is from the conditions of Karush, Kuhn and Tucker, each 0 where they hold.

    stationarity: ‖w − Σ α_i s_i x_i‖ / ‖w‖. feasibility: max(0, 1 − s_i (w·x_i + b)). dual_feasibility: max(0, −α_i)
    / Σα. complementarity: Σ α_i |s_i (w·x_i + b) − 1| / Σα. balance: |Σ α_i s_i| / Σα.
    """

    stationarity: float
    feasibility: float
    dual_feasibility: float
    complementarity: float
    balance: float


class Exact(NamedTuple):
    """The solution in fractions; every condition of optimality was checked in fractions, which is its proof."""

    w: tuple[Fraction, ...]
    b: Fraction
    multipliers: tuple[Fraction, ...]
    squared_margin: Fraction
    primal: Fraction
    dual: Fraction


class Separated(NamedTuple):
    """The hyperplane w·x + b = 0 of the largest margin, and what proves it.

    w: (D,). margin: 1/‖w‖. multipliers: (n,) α. support: positions of all points on the margin, those with α = 0 too,
    ascending. unique: whether no other multipliers are known to prove it; least: whether they are those of the least
    norm, else some of many. primal: ½‖w‖²; dual: Σα − ½‖Σ α_i s_i x_i‖²; gap: (primal − dual) / primal. exact: in
    fractions, None where data are not known exactly or too many. iterations: of the active set.
    """

    w: NDArray[np.float64]
    b: float
    margin: float
    multipliers: NDArray[np.float64]
    support: tuple[int, ...]
    unique: bool
    least: bool
    primal: float
    dual: float
    gap: float
    residuals: Residuals
    exact: Exact | None
    iterations: int


class Inseparable(NamedTuple):
    """Proof that no hyperplane separates the classes: a point that both their convex hulls hold.

    first, second: weights of points of class +1 and of −1 by position, positive, each summing to 1, together on at
    most D + 2 points; meeting: (D,) where Σ weights · x of both coincide. residual: the largest coordinate of their
    difference, 0 where exact; scale: the largest deviation of a coordinate from its mean, to compare it with.
    exact: whether weights and meeting are fractions. removal: positions whose removal leaves separable classes, ()
    where none were sought; minimal: whether no smaller set does; at_least: how many points every such set has.
    """

    first: dict[int, Number]
    second: dict[int, Number]
    meeting: tuple[Number, ...]
    residual: float
    scale: float
    exact: bool
    removal: tuple[int, ...]
    minimal: bool
    at_least: int


class Judged(NamedTuple):
    """What a given hyperplane w·x + b = 0 is worth.

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
    multipliers: NDArray[np.float64]
    optimal: bool
    exact: bool
    sentences: tuple[str, ...]


class Soft(NamedTuple):
    """The soft margin: minimize ½‖w‖² + C Σ ξ_i, s_i (w·x_i + b) ≥ 1 − ξ_i, ξ_i ≥ 0.

    w: (D,). multipliers: (n,) in [0, C]. slack: (n,) ξ; misclassified: positions with ξ >= 1. support: positions with
    a positive multiplier. primal, dual: objectives; gap: (primal − dual) / primal.
    """

    w: NDArray[np.float64]
    b: float
    C: float
    margin: float
    multipliers: NDArray[np.float64]
    slack: NDArray[np.float64]
    support: tuple[int, ...]
    misclassified: tuple[int, ...]
    primal: float
    dual: float
    gap: float
