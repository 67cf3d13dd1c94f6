"""Numbers and their arrangement, as a file, an option or Python gives them."""

__all__ = ["counted", "fill_matrix", "fill_vector", "layers_of", "listed", "number", "pairs"]

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tenfold.errors import UsageError, blamed
from tenfold.teach.printed import exactly

Row = tuple[Fraction, ...]
# A larger whole number is a slip of the keyboard.
BITS = 200


def number(cell: object, where: str) -> Fraction:
    """Return the number that is written in a cell. where: named in the UsageError that anything else raises.

    >>> number("0.10", "weights"), number(0.1, "weights")
    (Fraction(1, 10), Fraction(1, 10))
    """
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal | Fraction):
        raise UsageError(f"{where}: {_quoted(cell)} is not a number; expected one such as 0.5, -2 or 1/3")
    if isinstance(cell, int) and cell.bit_length() > BITS:
        raise UsageError(f"{where}: a whole number of {cell.bit_length()} bits is too large")
    with blamed(where):
        return exactly(str(cell))


def counted(cell: object, where: str, least: int, most: int) -> int:
    """Return a whole number from least to most."""
    value = number(cell, where)
    if value.denominator != 1 or not least <= value <= most:
        raise UsageError(f"{where} is {_quoted(cell)}: expected a whole number from {least} to {most:,}")
    return int(value)


def listed(value: Any) -> Any:
    """Return arrays and tuples as plain lists, the rest as it is."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [listed(part) for part in value] if isinstance(value, list | tuple) else value


def layers_of(text: str) -> Any:
    """Read an option's numbers: a space between layers, a semicolon between rows, a comma between cells.

    >>> layers_of("0.5"), layers_of("1,2;3,4 5,6")
    ('0.5', [[['1', '2'], ['3', '4']], [['5', '6']]])
    """
    layers = [[row.split(",") for row in layer.split(";")] for layer in text.split()]
    alone = layers in ([], [[[text.strip()]]])
    return text.strip() if alone else [layer[0][0] if layer == [[layer[0][0]]] else layer for layer in layers]


def pairs(text: str) -> list[dict[str, Any]]:
    """Read an option's samples: a space between them, a colon between x and y, a comma between cells.

    >>> pairs("1:3 2,0.5:4")
    [{'x': ['1'], 'y': ['3']}, {'x': ['2', '0.5'], 'y': ['4']}]
    """
    samples = []
    for k, sample in enumerate(text.split(), 1):
        x, _, y = sample.partition(":")
        if not (x and y):
            raise UsageError(f'samples: {sample[:40]!r}, sample {k}, is not x:y; expected such as "1:3 2:4"')
        samples.append({"x": x.split(","), "y": y.split(",")})
    return samples


def fill_matrix(given: Any, outputs: int, inputs: int, where: str) -> tuple[Row, ...]:
    """Return weights (O, I): rows of numbers, one number for all, or a plain list where O or I is 1."""
    if not isinstance(given, list):
        return ((number(given, where),) * inputs,) * outputs
    if 1 in (outputs, inputs) and given and not any(isinstance(row, list) for row in given):
        given = [given] if outputs == 1 else [[cell] for cell in given]
    if len(given) != outputs or not all(isinstance(row, list) and len(row) == inputs for row in given):
        raise UsageError(
            f"{where}: {_shape(given)}; {outputs} unit{'s' * (outputs > 1)} with {inputs} "
            f"input{'s' * (inputs > 1)} take{'s' * (outputs == 1)} {outputs} × {inputs} numbers, a row for each unit"
        )
    return tuple(tuple(number(cell, f"{where}, row {i}") for cell in row) for i, row in enumerate(given, 1))


def fill_vector(given: Any, width: int, where: str) -> Row:
    """Return a number for each of `width` units, or one for all."""
    if not isinstance(given, list):
        return (number(given, where),) * width
    if len(given) == 1 and isinstance(given[0], list):
        given = given[0]
    if len(given) != width:
        raise UsageError(f"{where}: {len(given)} number{'s' * (len(given) != 1)} for {width} unit{'s' * (width > 1)}")
    return tuple(number(cell, where) for cell in given)


def _shape(rows: Sequence[Any]) -> str:
    widths = {len(row) if isinstance(row, list) else 1 for row in rows}
    return f"{len(rows)} row{'s' * (len(rows) != 1)} of {' and '.join(map(str, sorted(widths))) or 'no'} numbers"


def _quoted(cell: object) -> str:
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:36]} …"
