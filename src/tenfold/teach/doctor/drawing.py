"""Random points: normal numbers, whose size differs from point to point, or −1, 0 and 1 for exact ties and kinks."""

__all__ = ["draw_problem"]

import math
from collections.abc import Mapping

import numpy as np

from tenfold.teach.doctor.subject import Array, Problem

SPREAD = 0.5
"""Powers of ten by which the size of the parameters varies to either side: scores near ties, and scores far apart."""


def draw_problem(
    rng: np.random.Generator,
    integers: bool,
    x: tuple[int, ...],
    params: Mapping[str, tuple[int, ...]],
    targets: tuple[int, ...] | None,
    classes: int,
) -> Problem:
    """x, params: sizes; targets: of y, None where there is none; classes: of its labels, 0 for real targets."""
    factor = 10 ** rng.uniform(-SPREAD, SPREAD)
    point = _numbers(rng, integers, x, 1.0 if params else 2 * factor)
    drawn = {name: _numbers(rng, integers, sizes, factor / _width(sizes)) for name, sizes in params.items()}
    if targets is None:
        return Problem(point, drawn, None, 0)
    if classes:
        return Problem(point, drawn, rng.integers(0, classes, targets), classes)
    return Problem(point, drawn, _numbers(rng, integers, targets, 1.0), 0)


def _numbers(rng: np.random.Generator, integers: bool, sizes: tuple[int, ...], size: float) -> Array:
    if integers:
        return rng.integers(-1, 2, sizes).astype(np.float64)
    return np.asarray(size * rng.standard_normal(sizes), dtype=np.float64)


def _width(sizes: tuple[int, ...]) -> float:
    """√ of the longer side of a matrix, so that scores stay of the size of the inputs."""
    return math.sqrt(max(sizes[-2:])) if len(sizes) > 1 else 1.0
