"""One call of a user's function: fresh copies go in, a value and gradients come out; or torch traces it."""

__all__ = ["Bound", "drawn", "subject_of", "tried"]

import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tenfold.errors import DataError
from tenfold.seeds import generator
from tenfold.teach.doctor.declared import Arguments, Declared, readings
from tenfold.teach.doctor.guarded import guarded
from tenfold.teach.doctor.returned import blocks_of, understood
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Sizes, Subject

CALLING = 30.0
"""Seconds that one call may take."""

SPREAD = 0.5
"""Powers of ten by which the size of the parameters varies to either side: scores near ties, and scores far apart."""


class Bound(NamedTuple):
    """A function, and how it is called.

    path, name: of its file and its own. arguments: values by name -> its arguments. torch: takes tensors, not arrays.
    dtype: "float64" or "float32". blocks: those of which it returns gradients, in its order.
    """

    function: Callable[..., Any]
    path: Path
    name: str
    declared: Declared
    arguments: Arguments
    torch: bool
    dtype: str
    blocks: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """Return its name in messages."""
        return f"{self.path}: {self.name}"


def drawn(declared: Declared, rng: np.random.Generator, integers: bool) -> Problem:
    """Draw a point of normal numbers, whose size differs from point to point, or of −1, 0 and 1 for exact kinks."""

    def numbers(sizes: Sizes, size: float) -> Array:
        array = rng.integers(-1, 2, sizes) if integers else size * rng.standard_normal(sizes)
        return np.asarray(array, dtype=np.float64)

    (_, sizes), *others = declared.arrays.items()
    factor = 10 ** rng.uniform(-SPREAD, SPREAD)
    x = numbers(sizes, 1.0 if others else 2 * factor)
    # Over the root of a matrix's longer side, so that scores stay of the size of the inputs.
    params = {name: numbers(s, factor / (math.sqrt(max(s[-2:])) if len(s) > 1 else 1.0)) for name, s in others}
    if not declared.y:
        return Problem(x, params, None)
    if not declared.classes:
        return Problem(x, params, numbers(declared.targets, 1.0))
    labels = rng.integers(0, declared.classes, declared.targets)
    if declared.onehot:
        return Problem(x, params, np.eye(declared.classes)[labels])
    return Problem(x, params, labels, declared.classes)


def subject_of(bound: Bound, name: str, kind: str = "function") -> Subject:
    """Return a function as a subject."""
    shapes = dict(bound.declared.arrays)
    return Subject(
        name,
        partial(_evaluated, bound),
        partial(drawn, bound.declared),
        tuple(block for block in shapes if block in bound.blocks),
        shapes,
        # NumPy keeps no record of what it computed.
        partial(_traced, bound) if bound.torch else lambda problem: None,
        bound.function,
        bound.declared.constants,
        kind,
    )


def tried(bound: Bound, kinds: Sequence[bool]) -> Bound:
    """Return the function with the first kind of arrays (True: tensors) that it takes, and its blocks.

    What was declared is read as its first result fits. Raises DataError for what its first call with the first kind ran
    into, where it takes none of them.
    """
    problem, failures = drawn(bound.declared, generator(0, "first call"), False), []
    for kind in kinds:
        one = bound._replace(torch=kind)
        try:
            result, _ = _called(one, _named(one, problem))
        except DataError as error:
            failures.append(error)
        else:
            return _read(one, result, problem)
    raise failures[0]


def _read(bound: Bound, result: Any, problem: Problem) -> Bound:
    """Return the function as declared, or with an array taken for the real targets: as its gradients fit, else as they
    count.

    Raises DataError where they do not even count so many.
    """
    counted, failures = [], []
    for declared in readings(bound.declared):
        try:
            blocks = blocks_of(result, bound.where, declared.arrays, bool(declared.y))
            counted.append(bound._replace(declared=declared, blocks=blocks))
            understood(result, bound.where, blocks, declared.arrays, _images(problem))
        except DataError as error:
            failures.append(error)
        else:
            return counted[-1]
    if not counted:
        raise failures[0]
    return counted[0]


def _evaluated(bound: Bound, problem: Problem) -> Evaluation:
    """Return the function's answer at a point."""
    given = _named(bound, problem)
    result, changed = _called(bound, given)
    shapes = {name: np.shape(given[name]) for name in bound.declared.arrays}
    return understood(result, bound.where, bound.blocks, shapes, _images(problem))._replace(changed=changed)


def _images(problem: Problem) -> int:
    """Return N, the inputs that x holds: as many as labels; else the side of real targets that x has too, or 1.

    Inputs may lie in columns, or be a single one; without targets they are taken for rows.
    """
    if problem.y is None:
        return len(problem.x) if problem.x.ndim else 1
    if problem.classes:
        return len(problem.y)
    return next((side for side in problem.y.shape if side in problem.x.shape), 1)


def _traced(bound: Bound, problem: Problem) -> dict[str, Array] | None:
    """Return autograd's gradients by block, None where torch cannot follow the value back to its arguments."""
    tensors = {name: torch.tensor(array) for name, array in _named(bound, problem).items()}
    leaves = [tensors[name].requires_grad_() for name in bound.blocks]
    positional, named = bound.arguments({**tensors, **bound.declared.constants})
    try:
        # What is saved is copied: else autograd refuses a function that works in place on what its value was made of.
        with torch.autograd.graph.saved_tensors_hooks(torch.clone, lambda saved: saved):
            value = guarded(lambda: bound.function(*positional, **named), bound.path, "tracing it", CALLING)[0]
            if not isinstance(value, torch.Tensor) or not value.requires_grad or value.numel() != 1:
                return None
            grads = torch.autograd.grad(value.reshape(()), leaves, allow_unused=True)
    except (DataError, RuntimeError, TypeError, IndexError):
        return None
    # A block that the value does not come from by torch's operations may have been cut off from it on the way.
    if any(grad is None for grad in grads):
        return None
    return {name: grad.detach().numpy() for name, grad in zip(bound.blocks, grads, strict=True)}


def _called(bound: Bound, given: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Return the function's result, and the names of the arguments that it wrote into."""
    narrow = {name: bound.dtype if array.dtype.kind == "f" else array.dtype for name, array in given.items()}
    arrays = {name: np.array(array, dtype=narrow[name], order="C") for name, array in given.items()}
    copies = {name: torch.from_numpy(array) if bound.torch else array for name, array in arrays.items()}
    before = {name: array.tobytes() for name, array in arrays.items()}
    positional, named = bound.arguments({**copies, **bound.declared.constants})
    shapes = ", ".join(f"{name} {'×'.join(map(str, array.shape)) or 'a number'}" for name, array in given.items())
    doing = f"{bound.name} (with {shapes})"
    result = guarded(lambda: bound.function(*positional, **named), bound.path, doing, CALLING)
    return result, tuple(name for name, array in arrays.items() if array.tobytes() != before[name])


def _named(bound: Bound, problem: Problem) -> dict[str, Any]:
    """Return the arrays of a point by the names that they were given."""
    x, *params = bound.declared.arrays
    arrays: dict[str, Any] = {x: problem.x, **{name: problem.params[name] for name in params}}
    return {**arrays, bound.declared.y: problem.y} if bound.declared.y else arrays
