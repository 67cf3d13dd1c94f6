"""A loss as a function of the scores alone, where a function lets them be reached.

f(z, y) takes them as they are. Of f(x, W[, b], y) with scores z = x Wᵀ + b,

    x = [z | I],  W = [I | 0],  b = 0        gives the scores z (B, C), and ∂L/∂z_i stands in column C + i of ∂L/∂W;
    x = [0 | I],  W = [0 | zᵀ],  b = 0       has to give the same value, or these are not the scores.

A penalty on W adds what is left of value and gradient at x = 0.
"""

__all__ = ["LossOfScores", "reach"]

import math
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError, TenfoldError
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Subject

IMAGES = 7
CLOSE = {"float64": 1e-9, "float32": 1e-4}

Targets = NDArray[Any]
Of = Callable[[Array, Targets], tuple[float, Array | None]]


class LossOfScores(NamedTuple):
    """`of(z, y) -> value, dz`, dz None where it cannot be seen. z: (B, C), y: (B,) labels, or (B, C) real targets.

    Of a function that takes its labels as one-hot rows, y are the labels. classes: C; labeled: true where y are labels;
    close: relative difference that counts as none.
    """

    of: Of
    classes: int
    labeled: bool
    close: float


class _LinearScores(NamedTuple):
    """Scores that a function makes itself.

    weight: its name; inward: true where it lies as (D, C); bias: by name, {} for none; classes: of labels, 0 for none.
    """

    subject: Subject
    weight: str
    inward: bool
    bias: dict[str, Array]
    classes: int

    def of(self, z: Array, y: Targets) -> tuple[float, Array | None]:
        """Return value and gradient of the scores z."""
        images, width = z.shape
        value, dw = self.unpenalized(np.hstack((z, np.eye(images))), np.eye(width, width + images), y)
        return value, None if dw is None else dw[:, width:].T

    def unpenalized(self, x: Array, w: Array, y: Targets) -> tuple[float, Array | None]:
        """Return the value without a penalty, and its gradient in W, as (C, D)."""
        given, alone, zero = self._call(x, w, y), self._call(0 * x, w, y), self._call(0 * x, 0 * w, y)
        value = given.value - (alone.value - zero.value)
        if self.weight not in self.subject.blocks:
            return value, None
        dw = given.grads[self.weight] - alone.grads[self.weight]
        return value, dw.T if self.inward else dw

    def _call(self, x: Array, w: Array, y: Targets) -> Evaluation:
        params = {self.weight: w.T if self.inward else w, **self.bias}
        return _evaluated(self.subject, Problem(x, params, y, self.classes))


def reach(subject: Subject, rng: np.random.Generator) -> LossOfScores | None:
    """Return the loss of a subject's scores, None where it has no scores, or they cannot be reached."""
    problem = subject.draw(rng, False)
    if problem.y is None or problem.x.ndim != 2 or subject.kind in ("layer", "model"):
        return None
    labeled = bool(problem.classes)
    classes = problem.classes or (problem.y.shape[1] if problem.y.ndim == 2 else 0)
    if not classes or (labeled and problem.y.ndim != 1):
        return None
    try:
        close = CLOSE[subject.evaluate(problem).dtype]
        of = _reached(subject, problem, classes, close, rng)
    except TenfoldError:
        return None
    if of and problem.onehot:
        return LossOfScores(partial(_rowed, of, np.eye(classes)), classes, True, close)
    return LossOfScores(of, classes, labeled, close) if of else None


def _rowed(of: Of, rows: Array, z: Array, y: Targets) -> tuple[float, Array | None]:
    """Hand labels over as one-hot rows."""
    return of(z, rows[y])


def _reached(subject: Subject, problem: Problem, classes: int, close: float, rng: np.random.Generator) -> Of | None:
    if not problem.params:
        bare = problem.x.shape[1] == classes and bool(subject.blocks)
        return partial(_bare, subject, problem.classes) if bare else None
    linear = _linear(subject, problem, classes)
    if linear is None:
        return None
    z = rng.standard_normal((IMAGES, classes))
    y: Targets = rng.integers(0, classes, IMAGES)
    if not problem.classes:
        y = np.eye(classes)[y] if problem.onehot else rng.standard_normal((IMAGES, classes))
    # The same scores, made the other way round.
    x, w = np.eye(IMAGES, classes + IMAGES, classes), np.hstack((np.zeros((classes, classes)), z.T))
    value, other = linear.of(z, y)[0], linear.unpenalized(x, w, y)[0]
    return linear.of if abs(value - other) <= 10 * close * max(1.0, abs(value)) else None


def _bare(subject: Subject, classes: int, z: Array, y: Targets) -> tuple[float, Array | None]:
    given = _evaluated(subject, Problem(z, {}, y, classes))
    (dz,) = given.grads.values()
    return given.value, dz


def _linear(subject: Subject, problem: Problem, classes: int) -> _LinearScores | None:
    """Find one matrix that turns inputs into scores, and perhaps a bias; None where there is anything else."""
    width = problem.x.shape[1]
    weights = [name for name, p in problem.params.items() if p.shape in ((classes, width), (width, classes))]
    biases = {name: np.zeros_like(p) for name, p in problem.params.items() if p.shape in ((classes,), (1, classes))}
    bias = {name: zeros for name, zeros in biases.items() if name not in weights}
    if len(weights) != 1 or len(bias) > 1 or 1 + len(bias) != len(problem.params):
        return None
    inward = problem.params[weights[0]].shape == (width, classes) != (classes, width)
    return _LinearScores(subject, weights[0], inward, bias, problem.classes)


def _evaluated(subject: Subject, problem: Problem) -> Evaluation:
    """Call the function; a DataError where a number is not finite."""
    given = subject.evaluate(problem)
    if not math.isfinite(given.value):
        raise DataError(f"the value is {'NaN' if math.isnan(given.value) else 'infinite'}")
    if not all(np.isfinite(grad).all() for grad in given.grads.values()):
        raise DataError("the gradient is not finite")
    return given
