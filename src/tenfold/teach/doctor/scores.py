"""A loss as a function of the scores alone, where a function lets them be reached.

f(z, y) takes them as they are. Of f(x, W[, b], y) with scores z = x Wᵀ + b,

    x = [z | I],  W = [I | 0],  b = 0        gives the scores z (B, C), and ∂L/∂z_i stands in column C + i of ∂L/∂W;
    x = [0 | I],  W = [0 | zᵀ],  b = 0       has to give the same value, or these are not the scores.

What a penalty on W adds is what is left of value and gradient at x = 0.
"""

__all__ = ["Scored", "reach"]

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError, TenfoldError
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Subject, is_one_hot

IMAGES = 7
CLOSE = {"float64": 1e-9, "float32": 1e-4}


Of = Callable[[Array, NDArray[Any]], tuple[float, Array | None]]


class Scored(NamedTuple):
    """`of(z, y) -> value, dz`, dz None where it cannot be seen. z: (B, C), y: (B,) labels, or (B, C) real targets.

    Of a function that takes its labels as one-hot rows, y are the labels.
    classes: C; labeled: whether y are labels; close: relative difference that counts as none.
    """

    of: Of
    classes: int
    labeled: bool
    close: float


class _Layout(NamedTuple):
    """How scores are made: the weight's name and whether it lies as (D, C); the bias' name and sizes, "" for none."""

    weight: str
    inward: bool
    bias: str
    row: bool


def reach(subject: Subject, rng: np.random.Generator) -> Scored | None:
    """The loss of a subject's scores, None where it has no scores, or they cannot be reached."""
    problem = subject.draw(rng, False)
    if problem.y is None or problem.x.ndim != 2 or subject.kind in ("layer", "model"):
        return None
    labeled, hot = bool(problem.classes), is_one_hot(problem)
    classes = problem.classes or (problem.y.shape[1] if problem.y.ndim == 2 else 0)
    if not classes or (labeled and problem.y.ndim != 1):
        return None
    try:
        close = CLOSE[subject.evaluate(problem).dtype]
        found = _reached(subject, problem, classes, labeled, close, rng)
    except TenfoldError:
        return None
    return found._replace(of=partial(_rowed, found.of, np.eye(classes)), labeled=True) if found and hot else found


def _rowed(of: Of, rows: Array, z: Array, y: NDArray[Any]) -> tuple[float, Array | None]:
    """Labels handed over as one-hot rows."""
    return of(z, rows[y])


def _reached(
    subject: Subject, problem: Problem, classes: int, labeled: bool, close: float, rng: np.random.Generator
) -> Scored | None:
    if not problem.params:
        plain = problem.x.shape[1] == classes and bool(subject.blocks)
        return Scored(partial(_plain, subject, classes * labeled), classes, labeled, close) if plain else None
    layout = _layout(problem, classes)
    if layout is None:
        return None
    probe = partial(_linear, subject, layout, classes * labeled)
    z = rng.standard_normal((IMAGES, classes))
    y: NDArray[Any] = rng.integers(0, classes, IMAGES)
    if not labeled:
        y = np.eye(classes)[y] if is_one_hot(problem) else rng.standard_normal((IMAGES, classes))
    value, other = probe(z, y)[0], _crossed(subject, layout, classes * labeled, z, y)
    same = abs(value - other) <= 10 * close * max(1.0, abs(value))
    return Scored(probe, classes, labeled, close) if same else None


def _plain(subject: Subject, classes: int, z: Array, y: NDArray[Any]) -> tuple[float, Array | None]:
    found = _finite(subject.evaluate(Problem(z, {}, y, classes)))
    (dz,) = found.grads.values()
    return found.value, dz


def _layout(problem: Problem, classes: int) -> _Layout | None:
    """One matrix that turns inputs into scores, and perhaps a bias; None where there is anything else."""
    width = problem.x.shape[1]
    weights = [name for name, p in problem.params.items() if p.shape in ((classes, width), (width, classes))]
    biases = [name for name, p in problem.params.items() if p.shape in ((classes,), (1, classes))]
    biases = [name for name in biases if name not in weights]
    if len(weights) != 1 or len(weights) + len(biases) != len(problem.params) or len(biases) > 1:
        return None
    bias = biases[0] if biases else ""
    inward = problem.params[weights[0]].shape == (width, classes) != (classes, width)
    return _Layout(weights[0], inward, bias, bool(bias) and problem.params[bias].ndim == 2)


def _linear(subject: Subject, layout: _Layout, classes: int, z: Array, y: NDArray[Any]) -> tuple[float, Array | None]:
    images, width = z.shape
    x, w = np.hstack((z, np.eye(images))), np.eye(width, width + images)
    found = _at(subject, layout, classes, x, w, y)
    alone = _at(subject, layout, classes, 0 * x, w, y)
    zero = _at(subject, layout, classes, 0 * x, 0 * w, y)
    value = found.value - (alone.value - zero.value)
    if layout.weight not in subject.blocks:
        return value, None
    dw = found.grads[layout.weight] - alone.grads[layout.weight]
    return value, (dw.T if layout.inward else dw)[:, width:].T


def _crossed(subject: Subject, layout: _Layout, classes: int, z: Array, y: NDArray[Any]) -> float:
    """The same scores, made the other way round."""
    images, width = z.shape
    x, w = np.hstack((np.zeros((images, width)), np.eye(images))), np.hstack((np.zeros((width, width)), z.T))
    found = _at(subject, layout, classes, x, w, y).value
    return (
        found - _at(subject, layout, classes, 0 * x, w, y).value + _at(subject, layout, classes, 0 * x, 0 * w, y).value
    )


def _at(subject: Subject, layout: _Layout, classes: int, x: Array, w: Array, y: NDArray[Any]) -> Evaluation:
    params: dict[str, Array] = {}
    for name in subject.shapes:
        if name == layout.weight:
            params[name] = w.T if layout.inward else w
        elif name == layout.bias:
            params[name] = np.zeros((1, len(w)) if layout.row else len(w))
    return _finite(subject.evaluate(Problem(x, params, y, classes)))


def _finite(found: Evaluation) -> Evaluation:
    """A DataError where a number is not finite."""
    if not math.isfinite(found.value):
        raise DataError(f"the value is {'NaN' if math.isnan(found.value) else 'infinite'}")
    if not all(np.isfinite(grad).all() for grad in found.grads.values()):
        raise DataError("the gradient is not finite")
    return found
