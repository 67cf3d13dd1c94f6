"""Read `--shapes`: "x=3x10,W=4x10,y=3:4,reg=0.1" -> sizes of every array, labels and classes, numbers by name.

W=4x10 is an array of 4 × 10, b=4 a vector, s=() a single number with a gradient; y=3:4 are 3 labels of 4 classes,
y=3:4:onehot the same labels as 3 rows of one 1 among zeros, y=3x2 real targets; reg=0.1, with a point or an exponent,
is a constant. These values become a function's arguments by its own names where they fit, else in order.
"""

__all__ = ["LARGEST", "Arguments", "Declared", "binding", "declare", "readings"]

import inspect
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import reduce
from inspect import Parameter
from typing import Any, NamedTuple

from tenfold.errors import UsageError, nearest
from tenfold.teach.doctor.subject import Sizes

PRODUCT = re.compile(r"\d+(?:[xX×*]\d+)*")
LABELS = re.compile(r"(\d+):(\d+)(:one-?hot)?")
TARGETS = ("t", "target", "targets", "label", "labels")
LARGEST = 100_000
EXAMPLE = "such as x=3x10,W=4x10,y=3:4"

Arguments = Callable[[Mapping[str, Any]], tuple[list[Any], dict[str, Any]]]
"""Values by their given names -> positional arguments, and those by the function's own names."""


class Declared(NamedTuple):
    """The arguments of a function, in the order in which they were given.

    arrays: sizes by name, x first where one is named so. y: its name, "" for none; targets: its sizes, of labels (N,);
    classes: of labels, 0 for real targets. constants: numbers by name. order: all names as given. onehot: true where
    labels are handed over as rows (N, C).
    """

    arrays: dict[str, Sizes]
    y: str
    targets: Sizes
    classes: int
    constants: dict[str, float]
    order: tuple[str, ...]
    onehot: bool = False


def declare(text: str) -> Declared:
    """Read sizes from their text; a UsageError names the part that cannot be read.

    >>> declare("x=3x10,W=4x10,y=3:4,reg=0.1")
    Declared(arrays={'x': (3, 10), 'W': (4, 10)}, y='y', targets=(3,), classes=4, constants={'reg': 0.1}, \
order=('x', 'W', 'y', 'reg'), onehot=False)
    """
    if not text.strip():
        raise UsageError(f"--shapes: is empty; give the sizes of the function's arguments, {EXAMPLE}")
    declared = reduce(_added, map(str.strip, text.split(",")), Declared({}, "", (), 0, {}, ()))
    arrays = declared.arrays
    if not arrays:
        raise UsageError(f"--shapes {text[:60]!r}: has no array to vary; expected sizes {EXAMPLE}")
    # The array named x or X leads; where none is, the first does.
    first = next((name for name in arrays if name.lower() == "x"), next(iter(arrays)))
    return declared._replace(arrays={first: arrays[first], **arrays})


def readings(declared: Declared) -> list[Declared]:
    """Return the meanings of a declaration: itself; and where none is y, that an array holds the real targets.

    One that is named like targets, or the last where it is as long as x.

    >>> [[one.y for one in readings(declare(f"x=5x7,W=3x7,{last}"))] for last in ("labels=5x3", "b=5x3", "b=3")]
    [['', 'labels'], ['', 'b'], ['']]
    """
    x, *params = declared.arrays
    named = [name for name in params if name.lower() in TARGETS]
    long = [name for name in params[-1:] if declared.arrays[name][:1] == declared.arrays[x][:1]]
    if declared.y or not named + long:
        return [declared]
    y = (named + long)[0]
    left = {name: sizes for name, sizes in declared.arrays.items() if name != y}
    return [declared, declared._replace(arrays=left, y=y, targets=declared.arrays[y])]


def _added(declared: Declared, part: str) -> Declared:
    name, sign, value = (piece.strip() for piece in part.partition("="))
    if not sign or not name.isidentifier() or not value:
        raise UsageError(f"--shapes: {part[:60]!r} is not name=sizes; expected parts {EXAMPLE}")
    if name in declared.order:
        raise UsageError(f"--shapes: {name} is given twice")
    declared = declared._replace(order=(*declared.order, name))
    if labels := LABELS.fullmatch(value):
        if declared.y:
            raise UsageError(f"--shapes: {part!r}: {declared.y} are labels already; a function takes them once")
        count, classes, onehot = int(labels[1]), int(labels[2]), bool(labels[3])
        if not count or classes < 2 or max(count, classes) > LARGEST:
            expected = "labels:classes with at least one label and two classes (y=3:4)"
            raise UsageError(f"--shapes: {part!r} should be {expected}")
        _check_count(part, count * classes if onehot else count)
        return declared._replace(y=name, targets=(count,), classes=classes, onehot=onehot)
    if value != "()" and not PRODUCT.fullmatch(value):
        return declared._replace(constants={**declared.constants, name: _constant(part, value)})
    sizes = tuple(int(size) for size in re.split(r"[xX×*]", value)) if value != "()" else ()
    if 0 in sizes:
        raise UsageError(f"--shapes: {part[:60]!r} has a side of 0; every side is at least 1")
    _check_count(part, math.prod(sizes))
    if name.lower() == "y":
        return declared._replace(y=name, targets=sizes)
    return declared._replace(arrays={**declared.arrays, name: sizes})


def _constant(part: str, value: str) -> float:
    with suppress(ValueError):
        if math.isfinite(number := float(value)):
            return number
    choice = "sizes (W=4x10), labels:classes (y=3:4, or as one-hot rows y=3:4:onehot) or a number (reg=0.1)"
    raise UsageError(f"--shapes: {part[:60]!r} cannot be read; expected {choice}")


def _check_count(part: str, count: int) -> None:
    if count > LARGEST:
        raise UsageError(f"--shapes: {part[:60]!r} has {count:,} numbers; a check needs a few, {EXAMPLE}")


def binding(function: Callable[..., Any], where: str, declared: Declared) -> Arguments:
    """Return how to call a function, named `where` in messages; a UsageError where names and arguments do not fit."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        parameters = inspect.signature(lambda *given: None).parameters
    ordered, named = _plan(parameters, where, declared)
    return lambda values: ([values[name] for name in ordered], {key: values[name] for key, name in named.items()})


def _plan(parameters: Mapping[str, Parameter], where: str, declared: Declared) -> tuple[list[str], dict[str, str]]:
    """Return the names of the values to hand over in order, and by the function's own names."""
    kinds = {name: parameter.kind for name, parameter in parameters.items()}
    several, anything = Parameter.VAR_POSITIONAL in kinds.values(), Parameter.VAR_KEYWORD in kinds.values()
    only = [name for name, kind in kinds.items() if kind is Parameter.KEYWORD_ONLY]
    places = [name for name, kind in kinds.items() if kind.name.startswith("POSITIONAL")]
    needed = [name for name in (*places, *only) if parameters[name].default is Parameter.empty]
    taken = {key: name for key in (*places, *only) if (name := _same_name(key, declared.order))}
    loose = [name for name in declared.order if name not in taken.values()]
    numbers = {name: name for name in loose if name in declared.constants}
    arrays = [name for name in loose if name not in numbers]
    if numbers and not anything:
        first = next(iter(numbers))
        raise UsageError(f"{where} takes no {first!r}: {nearest(first, parameters)}")
    for key in places:
        if key not in taken and arrays and (key in needed or not several):
            taken[key] = arrays.pop(0)
    takes = f"{where} takes ({', '.join(parameters)})"
    if name := next((key for key in needed if key not in taken), ""):
        raise UsageError(f"{takes}: give {name!r} in --shapes, as sizes ({name}=4x10) or as a number ({name}=0.1)")
    if arrays and not several:
        raise UsageError(f"{takes}, --shapes gives {', '.join(declared.order)}: {arrays[0]!r} is too many")
    ahead = [key for key in places if key in taken and (several or kinds[key] is Parameter.POSITIONAL_ONLY)]
    by_name = {key: name for key, name in taken.items() if key not in ahead}
    return [*(taken[key] for key in ahead), *arrays], by_name | numbers


def _same_name(argument: str, given: Sequence[str]) -> str:
    """Return the given name that means an argument: the same, or the only one that differs in case alone."""
    alike = [name for name in given if name.lower() == argument.lower()]
    return argument if argument in given else alike[0] if len(alike) == 1 else ""
