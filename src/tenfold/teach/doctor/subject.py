"""A function with a value and gradients by block, and a point at which it is examined."""

__all__ = ["Array", "Evaluation", "Problem", "Sizes", "Subject"]

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Sizes = tuple[int, ...]


class Problem(NamedTuple):
    """One point. params: by name, in the order of the function's arguments.

    y: (B,) int64 labels of `classes` classes, float64 targets (classes 0), such as one-hot rows, or None where the
    function takes none.
    """

    x: Array
    params: dict[str, Array]
    y: NDArray[Any] | None
    classes: int = 0

    @property
    def onehot(self) -> bool:
        """Say if targets are rows of one 1 among zeros, which numbers drawn at random are not."""
        y = self.y
        return y is not None and y.ndim == 2 and bool(np.isin(y, (0, 1)).all() and (y.sum(1) == 1).all())

    def block(self, name: str) -> Array:
        """Return a parameter, or x by whatever other name."""
        return self.params.get(name, self.x)

    def replaced(self, name: str, array: Array) -> "Problem":
        """Return the point with another array for a block."""
        return self._replace(params=self.params | {name: array}) if name in self.params else self._replace(x=array)


class Evaluation(NamedTuple):
    """A function's answer: value, gradients by block, the coarser dtype; changed: arguments that it wrote into."""

    value: float
    grads: dict[str, Array]
    dtype: str = "float64"
    changed: tuple[str, ...] = ()


class Subject(NamedTuple):
    """A function under examination.

    evaluate: calls it with copies of a point; raises UsageError or DataError in plain words. draw(rng, integers): a
    random point, with coordinates in {−1, 0, 1} where integers is true, so that exact kinks and ties occur. blocks:
    those with a gradient, in the order of shapes, the inputs among them where the function returns that too. shapes: of
    every array but y, the inputs first. traced: autograd's gradients by block, None where the function cannot be
    traced. function: the user's own. constants: bound by name. kind: "function", "loss", "layer" or "model".
    """

    name: str
    evaluate: Callable[[Problem], Evaluation]
    draw: Callable[[np.random.Generator, bool], Problem]
    blocks: tuple[str, ...]
    shapes: dict[str, Sizes]
    traced: Callable[[Problem], dict[str, Array] | None]
    function: Callable[..., Any] | None = None
    constants: Mapping[str, float] = MappingProxyType({})
    kind: str = "function"

    def value(self, problem: Problem) -> float:
        """Return the value alone."""
        return self.evaluate(problem).value
