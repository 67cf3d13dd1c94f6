"""Points of two classes, as typed, "1,0:+ 0,1:+ 1,1:- 2,0:-", or from a CSV: a row for each, the class last.

A first row without any number is a header. Which class is +: the first of those asked for; else the one whose word says
so (+, 1, positive, yes, true, against −, −1, 0, negative, no, false); else the one that appears first.
"""

__all__ = ["Places", "Read", "parse_given", "parse_places", "parse_points", "read_places", "read_points"]

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tenfold.errors import DataError, TenfoldError, UsageError, nearest
from tenfold.teach.margin.problem import Floats, Hyperplane, Number, Points
from tenfold.teach.margin.rows import SHOWN, PointRow, kind_of, rows_of
from tenfold.teach.printed import exactly

POINTS_CAP = 20_000
EXACT_CAP = 40_000  # numbers kept as fractions, too: of more, no proof in fractions is found in a second
NAMED = 3  # coordinates that a message can show
POSITIVE = frozenset({"+", "+1", "1", "1.0", "pos", "positive", "true", "yes"})
NEGATIVE = frozenset({"-", "-1", "-1.0", "0", "0.0", "neg", "negative", "false", "no"})
_COMMA = re.compile(r"\s*[+−-]?\d{0,20},\d{1,20}\s*").fullmatch
EXAMPLE = 'expected points such as "1,0:+ 0,1:+ 1,1:- 2,0:-"'


class Places(NamedTuple):
    """Points without a class. x: (n, D); exact: the same as written, or None; labels: "(1, 0)" or "row 7"."""

    x: Floats
    exact: tuple[tuple[Fraction, ...], ...] | None
    labels: tuple[str, ...]

    @property
    def numbers(self) -> Sequence[Sequence[Number]]:
        """The coordinates (n, D), as fractions where they are known as such."""
        return self.exact or self.x.tolist()


class Read(NamedTuple):
    """Points of a file, and notes on how they were read."""

    points: Points
    notes: tuple[str, ...]


def parse_points(text: str, classes: Sequence[str] = ()) -> Points:
    """Parse points as typed; classes: the two to take, + first. Raises UsageError that names the point at fault."""
    rows = []
    for number, token in enumerate(_tokens(text), 1):
        place, colon, kind = token.rpartition(":")
        if not colon or not kind or not place:
            raise UsageError(f"point {number}, {token[:SHOWN]!r}: {EXAMPLE}, each with its class behind a colon")
        rows.append(PointRow(_cells(place), kind_of(kind), f"point {number}"))
    return _points(rows, classes, "the points", UsageError)


def read_points(path: Path, classes: Sequence[str] = ()) -> Read:
    """Read points of a CSV, their class in the last column; classes as for `parse_points`.

    Raises DataError that names the row and column at fault, UsageError for classes that it has not.
    """
    rows, notes = rows_of(path, classed=True)
    if rows and len(rows[0].cells) < 2:
        raise DataError(f"{path}: one column; expected the coordinates of a point and, in the last column, its class")
    labeled = [PointRow(row.cells[:-1], kind_of(row.cells[-1].strip()), row.where) for row in rows]
    if labeled and not any(row.kind for row in labeled):
        raise DataError(f"{path}: the last column is empty; expected the class there: is there one separator too many?")
    return Read(_points(labeled, classes, str(path), DataError), notes)


def parse_places(text: str, dimensions: int) -> Places:
    """Parse points without a class, "0,0 3,3". Raises UsageError where they have not so many dimensions."""
    rows = [PointRow(_cells(token), "", f"point {number}") for number, token in enumerate(_tokens(text), 1)]
    return _places(rows, dimensions, "new points", UsageError)


def read_places(path: Path, dimensions: int) -> Places:
    """Read points without a class, of a CSV with D columns. Raises DataError that names the row at fault."""
    return _places(rows_of(path, classed=False)[0], dimensions, str(path), DataError)


def parse_given(text: str, dimensions: int) -> Hyperplane:
    """Parse a line, "w=-2,0; b=5". Raises UsageError where it is none, or has not so many dimensions."""
    w, mark, b = (part.strip(" \t;,") for part in text.rpartition("b"))
    if not mark or not re.match(r"w\s*=", w) or b[:1] != "=":
        raise UsageError(f'{text[:SHOWN]!r} is no line w·x + b = 0: expected one such as "w=-2,0; b=5"')
    try:
        given = Hyperplane(tuple(map(exactly, _cells(w.partition("=")[2]))), exactly(b[1:]))
    except UsageError as error:
        raise UsageError(f"{text[:SHOWN]!r}: {error}") from None
    if len(given.w) != dimensions:
        raise UsageError(f"{text[:SHOWN]!r}: w has {len(given.w)} numbers; the points have {_count(dimensions)} each")
    return given


def _tokens(text: str) -> list[str]:
    """Split at spaces and semicolons, once the spaces around commas and colons are gone."""
    # Spaces are joined first: a pattern that takes any number of them would look at a long run again and again.
    return re.sub(r" ?([,:]) ?", r"\1", " ".join(text.split())).replace(";", " ").split()


def _cells(place: str) -> tuple[str, ...]:
    """Split the numbers of a point, with or without parentheses around them."""
    inside = place.strip()
    return tuple((inside[1:-1] if inside[:1] in ("(", "[") and inside[-1:] in (")", "]") else inside).split(","))


def _points(rows: list[PointRow], classes: Sequence[str], source: str, error: type[TenfoldError]) -> Points:
    if not rows:
        raise error(f"{source}: no points in it; {EXAMPLE}, or a CSV with the class in the last column")
    for row in rows:
        if not row.kind:
            raise error(f"{source}, {row.where}: its class is missing")
    names = _pair([row.kind for row in rows], classes, source, error)
    taken = [row for row in rows if row.kind in names]
    places = _places(taken, len(taken[0].cells), source, error)
    sign = np.array([1 if row.kind == names[0] else -1 for row in taken], dtype=np.int8)
    return Points(places.x, sign, names, places.exact, places.labels)


def _pair(kinds: Sequence[str], classes: Sequence[str], source: str, error: type[TenfoldError]) -> tuple[str, str]:
    """Return the classes of + and of −."""
    counts = Counter(kinds)
    names = tuple(counts)
    short = [name[:SHOWN] for name in names]
    for name in classes:
        if name not in counts:
            close = nearest(name[:SHOWN], short)
            raise UsageError(f"--classes: no class {name[:SHOWN]!r} in {source}: {close}")
    if classes:
        return classes[0], classes[1]
    if len(names) == 1:
        raise error(f"{source}: only class {short[0]!r}; a margin lies between two classes: add points of another")
    if len(names) > 2:
        first = ", ".join(short[:5]) + ", …" * (len(names) > 5)
        header = counts[names[0]] == 1 and error is DataError
        choice = f"choose two of them: --classes {','.join(short[header : header + 2])}"
        choice += "; or is row 1 a header? Then take it out" * header
        raise error(f"{source}: {len(names):,} classes ({first}); {choice}")
    swapped = names[0].lower() in NEGATIVE and names[1].lower() in POSITIVE
    return (names[1], names[0]) if swapped else (names[0], names[1])


def _places(rows: list[PointRow], dimensions: int, source: str, error: type[TenfoldError]) -> Places:
    if not rows:
        raise error(f"{source}: no points in it")
    if len(rows) > POINTS_CAP:
        raise error(f"{source}: {len(rows):,} points; at most {POINTS_CAP:,} are taken: leave some out")
    for row in rows:
        if len(row.cells) != dimensions:
            raise error(f"{source}, {row.where}: {_count(len(row.cells))}; expected {_count(dimensions)}")
    if len(rows) * dimensions > EXACT_CAP:
        x = np.array([[_float(row, k, source, error) for k in range(dimensions)] for row in rows])
        return Places(x, None, _labels(rows))
    exact = tuple(tuple(_exact(row, k, source, error) for k in range(dimensions)) for row in rows)
    return Places(np.array(exact, dtype=np.float64), exact, _labels(rows))


def _count(coordinates: int) -> str:
    return f"{coordinates} coordinate{'s' * (coordinates != 1)}"


def _exact(row: PointRow, k: int, source: str, error: type[TenfoldError]) -> Fraction:
    try:
        return exactly(row.cells[k])
    except UsageError as wrong:
        hint = f": write {row.cells[k].replace(',', '.')}, or save with decimal points" * bool(_COMMA(row.cells[k]))
        raise error(f"{source}, {row.where}, column {k + 1}: {wrong}{hint}") from None


def _float(row: PointRow, k: int, source: str, error: type[TenfoldError]) -> float:
    """Read a number as `_exact` does, where there are too many for fractions."""
    try:
        number = float(row.cells[k])
    except ValueError:
        return float(_exact(row, k, source, error))
    if not np.isfinite(number) or abs(number) > 1e60:
        raise error(f"{source}, {row.where}, column {k + 1}: {row.cells[k][:SHOWN]!r} is not a finite number")
    return number


def _labels(rows: Sequence[PointRow]) -> tuple[str, ...]:
    """Name the points for messages: coordinates where they are short, with the row where two have the same ones."""
    names = [_stated(row.cells) for row in rows]
    if len(rows[0].cells) > NAMED or max(map(len, names)) > SHOWN:
        return tuple(row.where for row in rows)
    counts = Counter(names)
    return tuple(name if counts[name] == 1 else f"{name} of {row.where}" for name, row in zip(names, rows, strict=True))


def _stated(cells: Sequence[str]) -> str:
    numbers = [cell.strip().replace("-", "−") for cell in cells]
    return numbers[0] if len(numbers) == 1 else f"({', '.join(numbers)})"
