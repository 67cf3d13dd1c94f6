"""Covariance matrix adaptation (Hansen and Ostermeier 2001) over the ranges, by cmaes, which Optuna's sampler wraps.

A batch is a generation. Every call goes through all scored members again, in order, so that there is no state to keep;
Optuna's own sampler keeps its state in its trials, and starts anew where it did not ask for them itself. Lists, and the
choice between an axis' pieces, are drawn independently.
"""

__all__ = ["cma_es"]

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tenfold.choices import applicable
from tenfold.errors import UsageError
from tenfold.recipe import Settings
from tenfold.search.axes import Axis, Range, at, fitting_piece, position
from tenfold.search.study import required, worths
from tenfold.seeds import generator

# Standard deviation of the first batch on a range of length 1, which it about fills.
SIGMA = 0.3

Span = tuple[str, Range]


def cma_es(
    axes: Sequence[Axis], count: int, seed: int, batch: int, scored: Sequence[tuple[Settings, float | None]]
) -> list[Settings]:
    """Propose the next `count` members after all that are scored.

    Raises UsageError with fewer than two ranges, or where cmaes is not installed.
    """
    spans = [(axis.name, piece) for axis in axes for piece in axis.pieces if isinstance(piece, Range)]
    if len(spans) < 2:
        raise UsageError("the sampler cma_es needs at least two ranges: give another range, or choose tpe or sobol")
    stream = generator(seed, "sweep", "cma_es", batch)
    evolution = required("cmaes").CMA(
        mean=np.full(len(spans), 0.5),
        sigma=SIGMA,
        bounds=np.tile([0.0, 1.0], (len(spans), 1)),
        # No fewer than the method's default, which smaller batches fill together.
        population_size=max(count, 4 + int(3 * math.log(len(spans)))),
        seed=int(stream.integers(2**31)),
    )
    _teach(evolution, axes, spans, scored)
    asked = [dict(zip(spans, evolution.ask(), strict=True)) for _ in range(count)]
    return [applicable({axis.name: _value(axis, places, stream.random()) for axis in axes}) for places in asked]


def _teach(
    evolution: Any, axes: Sequence[Axis], spans: Sequence[Span], scored: Sequence[tuple[Settings, float | None]]
) -> None:
    """Tell full generations, in order. It minimizes."""
    size, scores = evolution.population_size, worths(scored)
    for first in range(0, len(scored) - size + 1, size):
        members = range(first, first + size)
        evolution.tell([(_places(evolution, axes, spans, scored[i][0]), -scores[i]) for i in members])


def _places(evolution: Any, axes: Sequence[Axis], spans: Sequence[Span], settings: Settings) -> Any:
    """Return a member's places on all ranges; on those that it did not use a draw, which teaches nothing."""
    places = evolution.ask()
    for axis in axes:
        piece = fitting_piece(axis, settings[axis.name]) if axis.name in settings else None
        if isinstance(piece, Range):
            places[spans.index((axis.name, piece))] = position(piece, settings[axis.name])
    return places


def _value(axis: Axis, places: dict[Span, float], u: float) -> Any:
    piece = axis.pieces[int(u * len(axis.pieces))]
    return at(piece, places[axis.name, piece]) if isinstance(piece, Range) else piece
