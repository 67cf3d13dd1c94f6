"""Points of two classes, as typed, "1,0:+ 0,1:+ 1,1:- 2,0:-", or from a CSV: a row for each, the class last.

A first row without any number is a header. Which class is +: the first of those asked for; else the one whose word says
so (+, 1, positive, yes, true, against −, −1, 0, negative, no, false); else the one that appears first.
"""

__all__ = ["choose_classes", "parse_given", "parse_places", "parse_points", "places_of", "points_of"]

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from tenfold.errors import DataError, TenfoldError, UsageError, blamed, nearest
from tenfold.report.printed import exactly
from tenfold.teach.margin.problem import Hyperplane, Points
from tenfold.teach.margin.rows import EXAMPLE, SHOWN, PointRow, PointTable, cells, typed_rows

POINTS_CAP = 20_000
EXACT_CAP = 40_000  # numbers kept as fractions, too: of more, no proof in fractions is found in a second
NAMED = 3  # coordinates that a message can show
LISTED = 10  # classes that a message lists
POSITIVE = frozenset({"+", "+1", "1", "1.0", "pos", "positive", "true", "yes"})
NEGATIVE = frozenset({"-", "-1", "-1.0", "0", "0.0", "neg", "negative", "false", "no"})
_COMMA = re.compile(r"\s*[+−-]?\d{0,20},\d{1,20}\s*").fullmatch


def parse_points(text: str, classes: Sequence[str] = ()) -> Points:
    """Parse points as typed; classes: the two to take, + first. Raises UsageError that names the point at fault."""
    return points_of(typed_rows(text, classed=True), classes)


def parse_places(text: str, dimensions: int) -> Points:
    """Parse points without a class, "0,0 3,3". Raises UsageError where they have not so many dimensions."""
    return places_of(typed_rows(text, classed=False), dimensions)


def parse_given(text: str, dimensions: int) -> Hyperplane:
    """Parse a line, "w=-2,0; b=5". Raises UsageError where it is none, or has not so many dimensions."""
    w, mark, b = (part.strip(" \t;,") for part in text.rpartition("b"))
    if not mark or not re.match(r"w\s*=", w) or b[:1] != "=":
        raise UsageError(f'{text[:SHOWN]!r} is no line w·x + b = 0: expected one such as "w=-2,0; b=5"')
    with blamed(repr(text[:SHOWN])):
        given = Hyperplane(tuple(map(exactly, cells(w.partition("=")[2]))), exactly(b[1:]))
        if len(given.w) != dimensions:
            raise UsageError(f"w has {len(given.w)} numbers; the points have {_count(dimensions)} each")
    return given


def choose_classes(
    names: Sequence[str], classes: Sequence[str], source: str, error: type[TenfoldError], header: bool = False
) -> tuple[str, str]:
    """Return two classes: those that were asked for, else the only two. Raises an error that says what to ask for.

    header: the first name may be one of a column.
    """
    short = [name[:SHOWN] for name in names]
    for name in classes:
        if name not in names:
            raise UsageError(f"--classes: no class {name[:SHOWN]!r} in {source}: {nearest(name[:SHOWN], short)}")
    if not classes and len(names) == 1:
        raise error(f"{source}: only class {short[0]!r}; a margin lies between two classes: add points of another")
    if not classes and len(names) > 2:
        few = ", ".join(short[:LISTED]) + ", …" * (len(names) > LISTED)
        choice = f"choose two of them: --classes {','.join(short[header : header + 2])}"
        choice += "; or is row 1 a header? Then take it out" * header
        raise error(f"{source}: {len(names):,} classes ({few}); {choice}")
    first, second = classes or names
    return first, second


def points_of(table: PointTable, classes: Sequence[str] = ()) -> Points:
    """Return the points of two classes; classes: the two to take, + first.

    Raises the table's error, which names the row and column at fault, and UsageError for classes that it has not.
    """
    if not table.rows:
        raise table.fault(f"no points in it; {EXAMPLE}, or a CSV with the class in the last column")
    for row in table.rows:
        if not row.kind:
            raise table.fault(": its class is missing", row)
    counts = Counter(row.kind for row in table.rows)
    header = counts[table.rows[0].kind] == 1 and table.error is DataError
    names = choose_classes(tuple(counts), classes, table.source, table.error, header)
    if not classes and names[0].lower() in NEGATIVE and names[1].lower() in POSITIVE:
        names = names[1], names[0]
    taken = [row for row in table.rows if row.kind in names]
    sign = np.array([1 if row.kind == names[0] else -1 for row in taken], dtype=np.int8)
    return places_of(table._replace(rows=taken), len(taken[0].cells))._replace(sign=sign, names=names)


def places_of(table: PointTable, dimensions: int) -> Points:
    """Return points without a class. Raises the table's error where they have not so many dimensions."""
    rows, sign = table.rows, np.zeros(len(table.rows), dtype=np.int8)
    if not rows:
        raise table.fault("no points in it")
    if len(rows) > POINTS_CAP:
        raise table.fault(f"{len(rows):,} points; at most {POINTS_CAP:,} are taken: leave some out")
    for row in rows:
        if len(row.cells) != dimensions:
            raise table.fault(f": {_count(len(row.cells))}; expected {_count(dimensions)}", row)
    if len(rows) * dimensions > EXACT_CAP:
        x = np.array([[_float(table, row, k) for k in range(dimensions)] for row in rows])
        return Points(x, sign, ("", ""), None, _labels(rows))
    exact = tuple(tuple(_exact(table, row, k) for k in range(dimensions)) for row in rows)
    return Points(np.array(exact, dtype=np.float64), sign, ("", ""), exact, _labels(rows))


def _count(coordinates: int) -> str:
    return f"{coordinates} coordinate{'s' * (coordinates != 1)}"


def _exact(table: PointTable, row: PointRow, k: int) -> Fraction:
    try:
        return exactly(row.cells[k])
    except UsageError as wrong:
        hint = f": write {row.cells[k].replace(',', '.')}, or save with decimal points" * bool(_COMMA(row.cells[k]))
        raise table.fault(f", column {k + 1}: {wrong}{hint}", row) from None


def _float(table: PointTable, row: PointRow, k: int) -> float:
    """Read a number as `_exact` does, where there are too many for fractions."""
    try:
        number = float(row.cells[k])
    except ValueError:
        return float(_exact(table, row, k))
    if not np.isfinite(number) or abs(number) > 1e60:
        raise table.fault(f", column {k + 1}: {row.cells[k][:SHOWN]!r} is not a finite number", row)
    return number


def _labels(rows: Sequence[PointRow]) -> tuple[str, ...]:
    """Name the points for messages: coordinates where they are short, with the row where two have the same ones."""
    numbers = [", ".join(cell.strip().replace("-", "−") for cell in row.cells) for row in rows]
    names = numbers if len(rows[0].cells) == 1 else [f"({text})" for text in numbers]
    if len(rows[0].cells) > NAMED or max(map(len, names)) > SHOWN:
        return tuple(row.where for row in rows)
    counts = Counter(names)
    return tuple(name if counts[name] == 1 else f"{name} of {row.where}" for name, row in zip(names, rows, strict=True))
