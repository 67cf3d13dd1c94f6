"""What `--shapes` says: "x=3x10,W=4x10,y=3:4,reg=0.1" -> sizes of every array, labels and classes, numbers by name.

W=4x10 is an array of 4 × 10, b=4 a vector, s=() a single number with a gradient; y=3:4 are 3 labels of 4 classes,
y=3:4:onehot the same labels as 3 rows of one 1 among zeros, y=3x2 real targets; reg=0.1, with a point or an exponent,
is a constant.
"""

__all__ = ["LARGEST", "Declared", "declare", "readings"]

import math
import re
from typing import NamedTuple

from tenfold.errors import UsageError

SIZES = re.compile(r"\d+(?:[xX×*]\d+)*")
LABELS = re.compile(r"(\d+):(\d+)(:one-?hot)?")
TARGETS = ("t", "target", "targets", "label", "labels")
LARGEST = 100_000
EXAMPLE = "such as x=3x10,W=4x10,y=3:4"


class Declared(NamedTuple):
    """The arguments of a function, in the order in which they were given.

    arrays: sizes by name, x first where one is named so. y: its name, "" for none; targets: its sizes, of labels (N,);
    classes: of labels, 0 for real targets. constants: numbers by name. order: all names as given. onehot: whether
    labels are handed over as rows (N, C).
    """

    arrays: dict[str, tuple[int, ...]]
    y: str
    targets: tuple[int, ...]
    classes: int
    constants: dict[str, float]
    order: tuple[str, ...]
    onehot: bool = False


def declare(text: str) -> Declared:
    """Sizes from their text; a UsageError names the part that cannot be read.

    >>> declare("x=3x10,W=4x10,y=3:4,reg=0.1")
    Declared(arrays={'x': (3, 10), 'W': (4, 10)}, y='y', targets=(3,), classes=4, constants={'reg': 0.1}, \
order=('x', 'W', 'y', 'reg'), onehot=False)
    """
    arrays: dict[str, tuple[int, ...]] = {}
    constants: dict[str, float] = {}
    y, classes, onehot = "", 0, False
    targets: tuple[int, ...] = ()
    order: list[str] = []
    for part in _parts(text):
        name, value = _named(part, order)
        if labels := LABELS.fullmatch(value):
            if y:
                raise UsageError(f"--shapes: {part!r}: {y} are labels already; a function takes them once")
            y, targets, classes, onehot = name, (int(labels[1]),), int(labels[2]), bool(labels[3])
            _check_labels(part, targets[0], classes, onehot)
        elif (sizes := _sizes(part, value)) is None:
            constants[name] = _constant(part, value)
        elif name.lower() == "y":
            y, targets = name, sizes
        else:
            arrays[name] = sizes
        order.append(name)
    if not arrays:
        raise UsageError(f"--shapes {text[:60]!r}: has no array to vary; expected sizes {EXAMPLE}")
    return Declared(_x_first(arrays), y, targets, classes, constants, tuple(order), onehot)


def readings(declared: Declared) -> list[Declared]:
    """What a declaration may mean: itself; and where none is y, that an array holds the real targets.

    One that is named like targets, or the last where it is as long as x.

    >>> [[one.y for one in readings(declare(f"x=5x7,W=3x7,{last}"))] for last in ("labels=5x3", "b=5x3", "b=3")]
    [['', 'labels'], ['', 'b'], ['']]
    """
    x, *params = declared.arrays
    if declared.y or not params:
        return [declared]
    named = next((name for name in params if name.lower() in TARGETS), "")
    last = params[-1]
    if not named and declared.arrays[last][:1] != declared.arrays[x][:1]:
        return [declared]
    y = named or last
    left = {name: sizes for name, sizes in declared.arrays.items() if name != y}
    other = declared._replace(arrays=left, y=y, targets=declared.arrays[y])
    return [declared, other]


def _parts(text: str) -> list[str]:
    if not text.strip():
        raise UsageError(f"--shapes: is empty; give the sizes of the function's arguments, {EXAMPLE}")
    return [part.strip() for part in text.split(",")]


def _named(part: str, before: list[str]) -> tuple[str, str]:
    name, sign, value = (piece.strip() for piece in part.partition("="))
    if not sign or not name.isidentifier() or not value:
        raise UsageError(f"--shapes: {part[:60]!r} is not name=sizes; expected parts {EXAMPLE}")
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
        raise UsageError(f"--shapes: {part[:60]!r} has a side of 0; every side is at least 1")
    if math.prod(sizes) > LARGEST:
        raise UsageError(f"--shapes: {part[:60]!r} has {math.prod(sizes):,} numbers; a check needs a few, {EXAMPLE}")
    return sizes


def _constant(part: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            f"--shapes: {part[:60]!r} cannot be read; expected sizes (W=4x10), labels:classes (y=3:4, or as"
            " one-hot rows y=3:4:onehot) or a number (reg=0.1)"
        )
    return number


def _check_labels(part: str, count: int, classes: int, onehot: bool) -> None:
    if not count or classes < 2 or max(count, classes) > LARGEST:
        raise UsageError(f"--shapes: {part!r} should be labels:classes with at least one label and two classes (y=3:4)")
    if onehot and count * classes > LARGEST:
        raise UsageError(f"--shapes: {part!r} has {count * classes:,} numbers; a check needs a few, {EXAMPLE}")


def _x_first(arrays: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """The array named x or X leads; where none is, the first does."""
    named = next((name for name in arrays if name.lower() == "x"), next(iter(arrays)))
    return {named: arrays[named], **arrays}
