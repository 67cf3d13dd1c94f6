"""Read `--shapes`: "x=3x10,W=4x10,y=3:4,reg=0.1" -> sizes of every array, labels and classes, numbers by name.

W=4x10 is an array of 4 × 10, b=4 a vector, s=() a single number with a gradient; y=3:4 are 3 labels of 4 classes,
y=3:4:onehot the same labels as 3 rows of one 1 among zeros, y=3x2 real targets; reg=0.1, with a point or an exponent,
is a constant.
"""

__all__ = ["LARGEST", "Declared", "declare", "readings"]

import math
import re
from typing import NamedTuple

from tenfold.errors import UsageError
from tenfold.teach.doctor.subject import Sizes

PRODUCT = re.compile(r"\d+(?:[xX×*]\d+)*")
LABELS = re.compile(r"(\d+):(\d+)(:one-?hot)?")
TARGETS = ("t", "target", "targets", "label", "labels")
LARGEST = 100_000
EXAMPLE = "such as x=3x10,W=4x10,y=3:4"


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
    declared = Declared({}, "", (), 0, {}, ())
    for part in map(str.strip, text.split(",")):
        declared = _added(declared, part)
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
    if declared.y or not params:
        return [declared]
    last = params[-1] if declared.arrays[params[-1]][:1] == declared.arrays[x][:1] else ""
    y = next((name for name in params if name.lower() in TARGETS), last)
    if not y:
        return [declared]
    left = {name: sizes for name, sizes in declared.arrays.items() if name != y}
    return [declared, declared._replace(arrays=left, y=y, targets=declared.arrays[y])]


def _added(declared: Declared, part: str) -> Declared:
    """Add what one part declares."""
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
        _check_labels(part, count, classes, onehot)
        return declared._replace(y=name, targets=(count,), classes=classes, onehot=onehot)
    sizes = _sizes(part, value)
    if sizes is None:
        return declared._replace(constants={**declared.constants, name: _constant(part, value)})
    if name.lower() == "y":
        return declared._replace(y=name, targets=sizes)
    return declared._replace(arrays={**declared.arrays, name: sizes})


def _sizes(part: str, value: str) -> Sizes | None:
    """Return sizes, or None where the value is none."""
    if value == "()":
        return ()
    if not PRODUCT.fullmatch(value):
        return None
    sizes = tuple(int(size) for size in re.split(r"[xX×*]", value))
    if 0 in sizes:
        raise UsageError(f"--shapes: {part[:60]!r} has a side of 0; every side is at least 1")
    _check_count(part, math.prod(sizes))
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
    if onehot:
        _check_count(part, count * classes)


def _check_count(part: str, count: int) -> None:
    if count > LARGEST:
        raise UsageError(f"--shapes: {part[:60]!r} has {count:,} numbers; a check needs a few, {EXAMPLE}")
