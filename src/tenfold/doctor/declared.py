"""What `--shapes` says: "x=3x10,W=4x10,y=3:4,reg=0.1" -> sizes of every array, labels and classes, numbers by name.

W=4x10 is an array of 4 × 10, b=4 a vector, s=() a single number with a gradient; y=3:4 are 3 labels of 4 classes, y=3x2
real targets; reg=0.1, with a point or an exponent, is a constant.
"""

__all__ = ["Declared", "declare"]

import math
import re
from typing import NamedTuple

from tenfold.errors import UsageError

SIZES = re.compile(r"\d+(?:[xX×*]\d+)*")
LABELS = re.compile(r"(\d+):(\d+)")
LARGEST = 100_000
EXAMPLE = "such as x=3x10,W=4x10,y=3:4"


class Declared(NamedTuple):
    """The arguments of a function, in the order in which they were given.

    arrays: sizes by name, x first where one is named so. y: its name, "" for none; labels: its sizes; classes: 0 for
    real targets. constants: numbers by name. order: all names as given.
    """

    arrays: dict[str, tuple[int, ...]]
    y: str
    targets: tuple[int, ...]
    classes: int
    constants: dict[str, float]
    order: tuple[str, ...]


def declare(text: str) -> Declared:
    """Sizes from their text; a UsageError names the part that cannot be read.

    >>> declare("x=3x10,W=4x10,y=3:4,reg=0.1")
    Declared(arrays={'x': (3, 10), 'W': (4, 10)}, y='y', targets=(3,), classes=4, constants={'reg': 0.1}, \
order=('x', 'W', 'y', 'reg'))
    """
    arrays: dict[str, tuple[int, ...]] = {}
    constants: dict[str, float] = {}
    y, classes = "", 0
    targets: tuple[int, ...] = ()
    order: list[str] = []
    for part in _parts(text):
        name, value = _named(part, order)
        if labels := LABELS.fullmatch(value):
            if y:
                raise UsageError(f"--shapes: {part!r}: {y} are labels already; a function takes them once")
            y, targets, classes = name, (int(labels[1]),), int(labels[2])
            _check_labels(part, int(labels[1]), classes)
        elif (sizes := _sizes(part, value)) is None:
            constants[name] = _constant(part, value)
        elif name.lower() == "y":
            y, targets = name, sizes
        else:
            arrays[name] = sizes
        order.append(name)
    if not arrays:
        raise UsageError(f"--shapes {text!r}: has no array to vary; expected sizes {EXAMPLE}")
    return Declared(_x_first(arrays), y, targets, classes, constants, tuple(order))


def _parts(text: str) -> list[str]:
    if not text.strip():
        raise UsageError(f"--shapes: is empty; give the sizes of the function's arguments, {EXAMPLE}")
    return [part.strip() for part in text.split(",")]


def _named(part: str, before: list[str]) -> tuple[str, str]:
    name, sign, value = (piece.strip() for piece in part.partition("="))
    if not sign or not name.isidentifier() or not value:
        raise UsageError(f"--shapes: {part!r} is not name=sizes; expected parts {EXAMPLE}")
    if name in before:
        raise UsageError(f"--shapes: {name} is given twice")
    return name, value


def _sizes(part: str, value: str) -> tuple[int, ...] | None:
    """Sizes, or None where the value is none."""
    if value == "()":
        return ()
    if not SIZES.fullmatch(value):
        return None
    sizes = tuple(int(size) for size in re.split(r"[xX×*]", value))
    if 0 in sizes:
        raise UsageError(f"--shapes: {part!r} has a side of 0; every side is at least 1")
    if math.prod(sizes) > LARGEST:
        raise UsageError(f"--shapes: {part!r} has {math.prod(sizes):,} numbers; a check needs a few, {EXAMPLE}")
    return sizes


def _constant(part: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            f"--shapes: {part!r} cannot be read; expected sizes (W=4x10), labels:classes (y=3:4) or a number (reg=0.1)"
        )
    return number


def _check_labels(part: str, count: int, classes: int) -> None:
    if not count or classes < 2 or max(count, classes) > LARGEST:
        raise UsageError(f"--shapes: {part!r} should be labels:classes with at least one label and two classes (y=3:4)")


def _x_first(arrays: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The array named x or X leads; where none is, the first does."""
    named = next((name for name in arrays if name.lower() == "x"), next(iter(arrays)))
    return {named: arrays[named], **arrays}
