"""A user's own function `f(x, *params, y) -> value, grads`, in NumPy or torch, as a subject.

The file is run as code, as `python FILE` would run it. At every call fresh copies go in, a value and gradients come
out; or torch traces it.
"""

__all__ = ["Bound", "drawn", "subject_of", "user_subjects"]

import ast
import contextlib
import importlib.util
import math
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import torch

from tenfold.errors import DataError, UsageError, nearest
from tenfold.seeds import generator
from tenfold.teach.doctor.declared import Arguments, Declared, binding, declare, readings
from tenfold.teach.doctor.guarded import guarded
from tenfold.teach.doctor.returned import blocks_of, understood
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Sizes, Subject

IMPORTING, CALLING = 20.0, 30.0  # seconds that an import and a call may take
SPREAD = 0.5  # powers of ten, to either side, by which parameters vary in size: scores near ties, scores far apart
MANY = 12
ARRAYS = ("auto", "numpy", "torch")
CASE = ("function", "shapes", "arrays")
EXAMPLE = 'CASES = [{"function": "loss_and_grad", "shapes": "x=3x10,W=4x10,y=3:4"}]'


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


def user_subjects(target: str, shapes: str = "", arrays: str = "auto", float32: bool = False) -> list[Subject]:
    """Return the functions of a user's file that are to be checked, each called once to see what it returns.

    target: FILE.py or FILE.py:function; shapes: text, "" for the file's CASES. Raises UsageError for a file, function,
    or sizes that are not there, DataError for code that fails.
    """
    text, _, name = target.rpartition(":") if not target.endswith(".py") else (target, "", "")
    path = Path(text).expanduser()
    if not path.is_file():
        files = [str(file) for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
        choice = f"; {nearest(str(path), files)}" if files else f", and {path.parent} holds no Python file"
        raise UsageError(f"{path}: no such file{choice}")
    module = _imported(path)
    cases = [{"function": name, "shapes": shapes}] if shapes else _cases(module, path, name)
    return [_subject(module, path, case, arrays, float32) for case in cases]


def _imported(path: Path) -> ModuleType:
    """Import the module, its folder importable for it as it would be for `python FILE`, no bytecode left behind."""
    spec = importlib.util.spec_from_file_location(f"tenfold_check_{path.stem}", path.absolute())
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: not a Python file")
    module, loader = importlib.util.module_from_spec(spec), spec.loader
    sys.modules[spec.name] = module  # dataclasses and pickles of its own look themselves up there
    sys.path.insert(0, str(path.absolute().parent))
    try:
        # A file that goes elsewhere comes back.
        with contextlib.chdir("."), mock.patch.object(sys, "dont_write_bytecode", True):
            guarded(lambda: loader.exec_module(module), path, "importing it", IMPORTING)
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(path.absolute().parent))
    return module


def _cases(module: ModuleType, path: Path, name: str) -> list[dict[str, Any]]:
    cases = getattr(module, "CASES", None)
    if cases is None:
        wanted = f"{name[:60]}'s arguments" if name else "its arguments"
        raise UsageError(f"{path}: give the sizes of {wanted} (--shapes x=3x10,W=4x10,y=3:4), or {EXAMPLE} in the file")
    if not isinstance(cases, list | tuple) or not cases or not all(isinstance(case, dict) for case in cases):
        raise UsageError(f"{path}: CASES should be a list with a dict for each check: {EXAMPLE}")
    if lacking := [key for case in cases for key in CASE[:2] if not isinstance(case.get(key), str)]:
        raise UsageError(f"{path}: a case of CASES has no {lacking[0]!r} as text; expected {EXAMPLE}")
    chosen = [dict(case) for case in cases if name in ("", case["function"])]
    if not chosen:
        _function(module, path, name)
        raise UsageError(f"{path}: CASES has none for {name}; give its sizes with --shapes x=3x10,W=4x10,y=3:4")
    return chosen


def _function(module: ModuleType, path: Path, name: str) -> Callable[..., Any]:
    """Return the function of that name; the file's only one where none is named."""
    callables = {word: thing for word, thing in vars(module).items() if callable(thing) and not word.startswith("_")}
    defined = [word for word, thing in callables.items() if getattr(thing, "__module__", "") == module.__name__]
    if not name and len(defined) != 1:
        some = ", ".join(defined[:MANY]) + ", …" * (len(defined) > MANY)
        choice = f"one of {some} as {path}:FUNCTION" if defined else "but the file defines none"
        raise UsageError(f"{path}: say which function, {choice}")
    thing: Callable[..., Any] | None = vars(module).get(name or defined[0])
    if thing is None:
        choice = nearest(name, defined or callables) if callables else "the file defines none"
        raise UsageError(f"{path}: no function {name[:60]!r}: {choice}")
    if not callable(thing):
        raise UsageError(f"{path}: {name} is no function; its type is {type(thing).__name__}")
    return thing


def _subject(module: ModuleType, path: Path, case: Mapping[str, Any], arrays: str, float32: bool) -> Subject:
    function = _function(module, path, case["function"])
    name = case["function"] or getattr(function, "__name__", "")
    declared = declare(case["shapes"])
    numbers = {key: value for key, value in case.items() if key not in CASE}
    for key, value in numbers.items():
        if not isinstance(value, int | float):
            expected = f"{', '.join(CASE)}, or a number for an argument"
            raise UsageError(f"{path}: CASES: {key!r} is {value!r}; expected {expected}")
    order = tuple(dict.fromkeys((*declared.order, *numbers)))
    declared = declared._replace(constants={**declared.constants, **numbers}, order=order)
    arguments = binding(function, f"{path}: {name}", declared)
    kinds = _kinds(arrays if arrays != "auto" else case.get("arrays", "auto"), path)
    dtype = "float32" if float32 else "float64"
    bound = _tried(Bound(function, path, name, declared, arguments, kinds[0], dtype), kinds)
    return subject_of(bound, f"{path}:{name}")


def _kinds(arrays: Any, path: Path) -> list[bool]:
    """Return the kinds of arrays to try, in order, True for tensors; without a choice, by what the file imports."""
    if arrays not in ARRAYS:
        raise UsageError(f"{path}: arrays {arrays!r}: {nearest(str(arrays), ARRAYS)}")
    if arrays != "auto":
        return [arrays == "torch"]
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    members = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    imported = {name.partition(".")[0] for name in plain | members}
    return [False] if "torch" not in imported else [False, True] if "numpy" in imported else [True, False]


def _tried(bound: Bound, kinds: list[bool]) -> Bound:
    """Return the function with the first kind of arrays (True: tensors) that it takes, read as its result fits."""
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
    """Return the function as declared, or with an array for real targets: as its gradients fit, else as they count."""
    counted, failures, where = [], [], f"{bound.path}: {bound.name}"
    for declared in readings(bound.declared):
        try:
            blocks = blocks_of(result, where, declared.arrays, bool(declared.y))
            counted.append(bound._replace(declared=declared, blocks=blocks))
            understood(result, where, blocks, declared.arrays, _images(problem))
        except DataError as error:
            failures.append(error)
        else:
            return counted[-1]
    if not counted:
        raise failures[0]
    return counted[0]


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
    labels, classes = rng.integers(0, declared.classes, declared.targets), declared.classes
    return Problem(x, params, np.eye(classes)[labels]) if declared.onehot else Problem(x, params, labels, classes)


def subject_of(bound: Bound, name: str, kind: str = "function") -> Subject:
    """Return a function as a subject."""
    declared = bound.declared
    blocks = tuple(block for block in declared.arrays if block in bound.blocks)
    traced = partial(_traced, bound) if bound.torch else lambda problem: None  # NumPy keeps no record
    calls = partial(_evaluated, bound), partial(drawn, declared)
    return Subject(name, *calls, blocks, dict(declared.arrays), traced, bound.function, declared.constants, kind)


def _evaluated(bound: Bound, problem: Problem) -> Evaluation:
    given = _named(bound, problem)
    result, changed = _called(bound, given)
    where, shapes = f"{bound.path}: {bound.name}", {name: np.shape(given[name]) for name in bound.declared.arrays}
    return understood(result, where, bound.blocks, shapes, _images(problem))._replace(changed=changed)


def _images(problem: Problem) -> int:
    """Return N, the inputs that x holds, in rows, in columns or a single one: by labels or real targets, or rows."""
    if problem.y is None:
        return len(problem.x) if problem.x.ndim else 1
    return len(problem.y) if problem.classes else next((n for n in problem.y.shape if n in problem.x.shape), 1)


def _traced(bound: Bound, problem: Problem) -> dict[str, Array] | None:
    """Return autograd's gradients by block, None where torch cannot follow the value back to its arguments."""
    tensors = {name: torch.tensor(array) for name, array in _named(bound, problem).items()}
    leaves = [tensors[name].requires_grad_() for name in bound.blocks]
    try:
        # What is saved is copied: else autograd refuses a function that works in place on what its value was made of.
        with torch.autograd.graph.saved_tensors_hooks(torch.clone, lambda saved: saved):
            value = _guarded(bound, tensors, "tracing it")[0]
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
    shapes = ", ".join(f"{name} {'×'.join(map(str, array.shape)) or 'a number'}" for name, array in given.items())
    result = _guarded(bound, copies, f"{bound.name} (with {shapes})")
    return result, tuple(name for name, array in arrays.items() if array.tobytes() != before[name])


def _guarded(bound: Bound, values: dict[str, Any], doing: str) -> Any:
    positional, named = bound.arguments({**values, **bound.declared.constants})
    return guarded(lambda: bound.function(*positional, **named), bound.path, doing, CALLING)


def _named(bound: Bound, problem: Problem) -> dict[str, Any]:
    arrays: dict[str, Any] = {name: problem.block(name) for name in bound.declared.arrays}
    return {**arrays, bound.declared.y: problem.y} if bound.declared.y else arrays
