"""A user's own function `f(x, *params, y) -> value, grads`, in NumPy or torch, as a subject.

The file is run as code, as `python FILE` would run it. The function gets fresh copies at every call.
"""

__all__ = ["user_subjects"]

import ast
import contextlib
import importlib.util
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from tenfold.errors import UsageError, nearest
from tenfold.teach.doctor.calling import Bound, subject_of, tried
from tenfold.teach.doctor.declared import Declared, binding, declare
from tenfold.teach.doctor.guarded import guarded
from tenfold.teach.doctor.subject import Subject

IMPORTING = 20.0
"""Seconds that a file may take to import."""

MANY = 12
ARRAYS = ("auto", "numpy", "torch")
CASE = ("function", "shapes", "arrays")
EXAMPLE = 'CASES = [{"function": "loss_and_grad", "shapes": "x=3x10,W=4x10,y=3:4"}]'


def user_subjects(target: str, shapes: str = "", arrays: str = "auto", float32: bool = False) -> list[Subject]:
    """Return the functions of a user's file that are to be checked, each called once to see what it returns.

    target: FILE.py or FILE.py:function; shapes: text, "" for the file's CASES. Raises UsageError for a file, function,
    or sizes that are not there, DataError for code that fails.
    """
    text, _, name = target.rpartition(":") if not target.endswith(".py") else (target, "", "")
    path = _existing(Path(text).expanduser())
    module = _imported(path)
    cases = [{"function": name, "shapes": shapes}] if shapes else _cases(module, path, name)
    return [_subject(module, path, case, arrays, float32) for case in cases]


def _existing(path: Path) -> Path:
    if path.is_file():
        return path
    files = [str(file) for file in path.parent.glob("*.py")] if path.parent.is_dir() else []
    choice = f"; {nearest(str(path), files)}" if files else f", and {path.parent} holds no Python file"
    raise UsageError(f"{path}: no such file{choice}")


def _imported(path: Path) -> ModuleType:
    """Import the module, its folder importable for it as it would be for `python FILE`, no bytecode left behind."""
    spec = importlib.util.spec_from_file_location(f"tenfold_check_{path.stem}", path.absolute())
    if spec is None or spec.loader is None:
        raise UsageError(f"{path}: not a Python file")
    module, loader = importlib.util.module_from_spec(spec), spec.loader
    sys.modules[spec.name] = module  # dataclasses and pickles of its own look themselves up there
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    sys.path.insert(0, str(path.absolute().parent))
    try:
        with contextlib.chdir("."):  # a file that goes elsewhere comes back
            guarded(lambda: loader.exec_module(module), path, "importing it", IMPORTING)
    finally:
        sys.dont_write_bytecode = before
        with contextlib.suppress(ValueError):
            sys.path.remove(str(path.absolute().parent))
    return module


def _cases(module: ModuleType, path: Path, name: str) -> list[dict[str, Any]]:
    """Return the file's CASES, those of one function where one is named."""
    cases = getattr(module, "CASES", None)
    if cases is None:
        wanted = f"{name[:60]}'s arguments" if name else "its arguments"
        raise UsageError(f"{path}: give the sizes of {wanted} (--shapes x=3x10,W=4x10,y=3:4), or {EXAMPLE} in the file")
    if not isinstance(cases, list | tuple) or not cases or not all(isinstance(case, dict) for case in cases):
        raise UsageError(f"{path}: CASES should be a list with a dict for each check: {EXAMPLE}")
    lacking = [key for case in cases for key in CASE[:2] if not isinstance(case.get(key), str)]
    if lacking:
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
    thing = vars(module).get(name or defined[0])
    if thing is None:
        choice = nearest(name, defined or callables) if callables else "the file defines none"
        raise UsageError(f"{path}: no function {name[:60]!r}: {choice}")
    if not callable(thing):
        raise UsageError(f"{path}: {name} is no function; its type is {type(thing).__name__}")
    function: Callable[..., Any] = thing
    return function


def _subject(module: ModuleType, path: Path, case: Mapping[str, Any], arrays: str, float32: bool) -> Subject:
    function = _function(module, path, case["function"])
    name = case["function"] or getattr(function, "__name__", "")
    declared = _with_constants(declare(case["shapes"]), path, case)
    arguments = binding(function, f"{path}: {name}", declared)
    kinds = _kinds(arrays if arrays != "auto" else case.get("arrays", "auto"), path)
    dtype = "float32" if float32 else "float64"
    bound = tried(Bound(function, path, name, declared, arguments, kinds[0], dtype), kinds)
    return subject_of(bound, f"{path}:{name}")


def _with_constants(declared: Declared, path: Path, case: Mapping[str, Any]) -> Declared:
    """Add the numbers of a case."""
    numbers = {key: value for key, value in case.items() if key not in CASE}
    for key, value in numbers.items():
        if not isinstance(value, int | float):
            raise UsageError(
                f"{path}: CASES: {key!r} is {value!r}; expected {', '.join(CASE)}, or a number for an argument"
            )
    order = tuple(dict.fromkeys((*declared.order, *numbers)))
    return declared._replace(constants={**declared.constants, **numbers}, order=order)


def _kinds(arrays: Any, path: Path) -> list[bool]:
    """Return the kinds of arrays to try, in that order; True for tensors."""
    if arrays not in ARRAYS:
        raise UsageError(f"{path}: arrays {arrays!r}: {nearest(str(arrays), ARRAYS)}")
    if arrays != "auto":
        return [arrays == "torch"]
    imported = _imports(path)
    return [False] if "torch" not in imported else [False, True] if "numpy" in imported else [True, False]


def _imports(path: Path) -> set[str]:
    """Return the packages that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    members = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | members}
