"""One call of a user's function: fresh copies go in, a value and gradients come out; or torch traces it."""

__all__ = ["Bound", "drawn", "evaluated", "sizes", "traced", "tried"]

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from tenfold.errors import DataError
from tenfold.seeds import generator
from tenfold.teach.doctor.binding import Arguments
from tenfold.teach.doctor.declared import Declared, readings
from tenfold.teach.doctor.drawing import draw_problem
from tenfold.teach.doctor.guarded import guarded
from tenfold.teach.doctor.returned import blocks_of, understood
from tenfold.teach.doctor.subject import Array, Evaluation, Problem

CALLING = 30.0
"""Seconds that one call may take."""


class Bound(NamedTuple):
    """A function, and how it is called.

    path, name: of its file and its own. arguments: values by name -> its arguments. torch: takes tensors, not arrays.
    dtype: "float64" or "float32".
    """

    function: Callable[..., Any]
    path: Path
    name: str
    declared: Declared
    arguments: Arguments
    torch: bool
    dtype: str


def sizes(declared: Declared) -> dict[str, tuple[int, ...]]:
    """Of every block, the inputs first."""
    return dict(declared.arrays)


def drawn(declared: Declared, rng: np.random.Generator, integers: bool) -> Problem:
    """A random point of these sizes."""
    x, *params = declared.arrays
    own = {name: declared.arrays[name] for name in params}
    targets = declared.targets if declared.y else None
    problem = draw_problem(rng, integers, declared.arrays[x], own, targets, declared.classes)
    return problem._replace(y=np.eye(declared.classes)[problem.y], classes=0) if declared.onehot else problem


def tried(bound: Bound, kinds: Sequence[bool]) -> tuple[Bound, tuple[str, ...]]:
    """The function with the first kind of arrays (True: tensors) that it takes, and the blocks that it differentiates.

    What was declared is read as its first result fits. Raises DataError for what its first call with the first kind ran
    into, where it takes none of them.
    """
    problem, failures = drawn(bound.declared, generator(0, "first call"), False), []
    for kind in kinds:
        one = bound._replace(torch=kind)
        try:
            result, _ = _called(one, problem)
        except DataError as error:
            failures.append(error)
        else:
            return _read(one, result, problem)
    raise failures[0]


def _read(bound: Bound, result: Any, problem: Problem) -> tuple[Bound, tuple[str, ...]]:
    """The function as declared, or with an array taken for the real targets: as its gradients fit, else as they count.

    Raises DataError where they do not even count so many.
    """
    where, counted, failures = f"{bound.path}: {bound.name}", [], []
    for declared in readings(bound.declared):
        one = bound._replace(declared=declared)
        try:
            blocks = blocks_of(result, where, sizes(declared), bool(declared.y))
            counted.append((one, blocks))
            understood(result, where, blocks, sizes(declared), _images(problem))
        except DataError as error:
            failures.append(error)
        else:
            return one, blocks
    if not counted:
        raise failures[0]
    return counted[0]


def evaluated(bound: Bound, blocks: Sequence[str], problem: Problem) -> Evaluation:
    """What the function gives at a point. blocks: of which it returns gradients, in its order."""
    result, changed = _called(bound, problem)
    shapes = {name: np.shape(_named(bound, problem)[name]) for name in bound.declared.arrays}
    where = f"{bound.path}: {bound.name}"
    return understood(result, where, blocks, shapes, _images(problem))._replace(changed=changed)


def _images(problem: Problem) -> int:
    """N, the inputs that x holds: as many as labels; else the side of real targets that x has too, 1 where none is.

    Inputs may lie in columns, or be a single one; without targets they are taken for rows.
    """
    if problem.y is None:
        return len(problem.x) if problem.x.ndim else 1
    if problem.classes:
        return len(problem.y)
    return next((side for side in problem.y.shape if side in problem.x.shape), 1)


def traced(bound: Bound, blocks: Sequence[str], problem: Problem) -> dict[str, Array] | None:
    """Autograd's gradients by block, None where torch cannot follow the value back to its arguments."""
    given = _named(bound, problem)
    tensors = {name: torch.tensor(array) for name, array in given.items()}
    leaves = [tensors[name].requires_grad_() for name in blocks]
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
    known = {name: grad.detach().numpy() for name, grad in zip(blocks, grads, strict=True) if grad is not None}
    # A block that the value does not come from by torch's operations may have been cut off from it on the way.
    return known if len(known) == len(blocks) else None


def _called(bound: Bound, problem: Problem) -> tuple[Any, tuple[str, ...]]:
    """What the function returns, and the names of the arguments that it wrote into."""
    given = _named(bound, problem)
    arrays = {name: _narrowed(array, bound.dtype) for name, array in given.items()}
    copies = {name: torch.from_numpy(array) if bound.torch else array for name, array in arrays.items()}
    before = {name: array.tobytes() for name, array in arrays.items()}
    positional, named = bound.arguments({**copies, **bound.declared.constants})
    shapes = ", ".join(f"{name} {'×'.join(map(str, array.shape)) or 'a number'}" for name, array in given.items())
    doing = f"{bound.name} (with {shapes})"
    result = guarded(lambda: bound.function(*positional, **named), bound.path, doing, CALLING)
    return result, tuple(name for name, array in arrays.items() if array.tobytes() != before[name])


def _named(bound: Bound, problem: Problem) -> dict[str, Any]:
    """The arrays of a point by the names that they were given."""
    x, *params = bound.declared.arrays
    arrays: dict[str, Any] = {x: problem.x, **{name: problem.params[name] for name in params}}
    return {**arrays, bound.declared.y: problem.y} if bound.declared.y else arrays


def _narrowed(array: Any, dtype: str) -> Any:
    """A copy; what is no label in the type asked for."""
    return np.array(array, dtype=dtype if array.dtype.kind == "f" else array.dtype, order="C")
