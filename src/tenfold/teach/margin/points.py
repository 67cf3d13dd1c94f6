"""Points of two classes, as typed, "1,0:+ 0,1:+ 1,1:- 2,0:-", or from a CSV: a row for each, the class last.

A first row without any number is a header. Which class is +: the first of those asked for; else the one whose word says
so (+, 1, positive, yes, true, against −, −1, 0, negative, no, false); else the one that appears first.
"""

__all__ = [
    "Given",
    "Places",
    "Read",
    "parse_given",
    "parse_places",
    "parse_points",
    "read_places",
    "read_points",
    "stated",
]

import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError, TenfoldError, UsageError, nearest
from tenfold.teach.margin.rows import SHOWN, Row, kind_of, rows_of
from tenfold.teach.margin.types import Points
from tenfold.teach.printed import exactly

POINTS_CAP = 20_000
EXACT_CAP = 40_000  # numbers kept as fractions, too: of more, no proof in fractions is found in a second
NAMED = 3  # coordinates that a message can show
POSITIVE = frozenset({"+", "+1", "1", "1.0", "pos", "positive", "true", "yes"})
NEGATIVE = frozenset({"-", "-1", "-1.0", "0", "0.0", "neg", "negative", "false", "no"})
_COMMA = re.compile(r"\s*[+−-]?\d{0,20},\d{1,20}\s*").fullmatch
EXAMPLE = 'expected points such as "1,0:+ 0,1:+ 1,1:- 2,0:-"'


class Given(NamedTuple):
    """A line that somebody gives: w (D,) and b of w·x + b = 0."""

    w: tuple[Fraction, ...]
    b: Fraction


class Places(NamedTuple):
    """Points without a class. x: (n, D); exact: the same as written, or None; labels: "(1, 0)" or "row 7"."""

    x: NDArray[np.float64]
    exact: tuple[tuple[Fraction, ...], ...] | None
    labels: tuple[str, ...]


class Read(NamedTuple):
    """Points of a file, and what there is to know about how they were read."""

    points: Points
    notes: tuple[str, ...]


def parse_points(text: str, classes: Sequence[str] = ()) -> Points:
    """Points as typed; classes: the two to take, the first as +. Raises UsageError that names the point at fault."""
    rows = []
    for number, token in enumerate(_tokens(text), 1):
        place, colon, kind = token.rpartition(":")
        if not colon or not kind or not place:
            raise UsageError(f"point {number}, {token[:SHOWN]!r}: {EXAMPLE}, each with its class behind a colon")
        rows.append(Row(_cells(place), kind_of(kind), f"point {number}"))
    return _points(rows, classes, "the points", UsageError)


def read_points(path: Path, classes: Sequence[str] = ()) -> Read:
    """Points of a CSV, their class in the last column; classes as for `parse_points`.

    Raises DataError that names the row and column at fault, UsageError for classes that it has not.
    """
    rows, notes = rows_of(path, classed=True)
    if rows and len(rows[0].cells) < 2:
        raise DataError(f"{path}: one column; expected the coordinates of a point and, in the last column, its class")
    labeled = [Row(row.cells[:-1], kind_of(row.cells[-1].strip()), row.where) for row in rows]
    if labeled and not any(row.kind for row in labeled):
        raise DataError(f"{path}: the last column is empty; expected the class there: is there one separator too many?")
    return Read(_points(labeled, classes, str(path), DataError), notes)


def parse_places(text: str, dimensions: int) -> Places:
    """Points without a class, as typed: "0,0 3,3". Raises UsageError where they have not so many dimensions."""
    rows = [Row(_cells(token), "", f"point {number}") for number, token in enumerate(_tokens(text), 1)]
    return _places(rows, dimensions, "new points", UsageError)


def read_places(path: Path, dimensions: int) -> Places:
    """Points without a class, of a CSV with D columns. Raises DataError that names the row at fault."""
    return _places(rows_of(path, classed=False)[0], dimensions, str(path), DataError)


def parse_given(text: str, dimensions: int) -> Given:
    """A line as typed, "w=-2,0; b=5"; a UsageError where it is none, or has not so many dimensions."""
    w, mark, b = (part.strip(" \t;,") for part in text.rpartition("b"))
    if not mark or not re.match(r"w\s*=", w) or b[:1] != "=":
        raise UsageError(f'{text[:SHOWN]!r} is no line w·x + b = 0: expected one such as "w=-2,0; b=5"')
    try:
        given = Given(tuple(map(exactly, _cells(w.partition("=")[2]))), exactly(b[1:]))
    except UsageError as error:
        raise UsageError(f"{text[:SHOWN]!r}: {error}") from None
    if len(given.w) != dimensions:
        raise UsageError(f"{text[:SHOWN]!r}: w has {len(given.w)} numbers; the points have {_count(dimensions)} each")
    return given


def stated(cells: Sequence[str]) -> str:
    """A point as a message shows it.

    >>> stated(["-1", "0.50"])
    '(−1, 0.50)'
    """
    told = [cell.strip().replace("-", "−") for cell in cells]
    return told[0] if len(told) == 1 else f"({', '.join(told)})"


def _tokens(text: str) -> list[str]:
    """What stands between spaces or semicolons, once those around commas and colons are gone."""
    # Spaces are joined first: a pattern that takes any number of them would look at a long run again and again.
    return re.sub(r" ?([,:]) ?", r"\1", " ".join(text.split())).replace(";", " ").split()


def _cells(place: str) -> tuple[str, ...]:
    """The numbers of a point, with or without parentheses around them."""
    inside = place.strip()
    return tuple((inside[1:-1] if inside[:1] in ("(", "[") and inside[-1:] in (")", "]") else inside).split(","))


def _points(rows: list[Row], classes: Sequence[str], source: str, error: type[TenfoldError]) -> Points:
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
    """The classes of + and of −."""
    counts = Counter(kinds)
    known = tuple(counts)
    for name in classes:
        if name not in counts:
            close = nearest(name[:SHOWN], [other[:SHOWN] for other in known])
            raise UsageError(f"--classes: no class {name[:SHOWN]!r} in {source}: {close}")
    if classes:
        return classes[0], classes[1]
    if len(known) == 1:
        only = f"only class {known[0][:SHOWN]!r}"
        raise error(f"{source}: {only}; a margin lies between two classes: add points of another")
    if len(known) > 2:
        first = ", ".join(name[:SHOWN] for name in known[:5]) + ", …" * (len(known) > 5)
        header = counts[known[0]] == 1 and error is DataError
        pair = ",".join(name[:SHOWN] for name in known[header : header + 2])
        choice = f"choose two of them: --classes {pair}" + "; or is row 1 a header? Then take it out" * header
        raise error(f"{source}: {len(known):,} classes ({first}); {choice}")
    swapped = known[0].lower() in NEGATIVE and known[1].lower() in POSITIVE
    return (known[1], known[0]) if swapped else (known[0], known[1])


def _places(rows: list[Row], dimensions: int, source: str, error: type[TenfoldError]) -> Places:
    if not rows:
        raise error(f"{source}: no points in it")
    if len(rows) > POINTS_CAP:
        raise error(f"{source}: {len(rows):,} points; at most {POINTS_CAP:,} are taken: leave some out")
    for row in rows:
        if len(row.cells) != dimensions:
            raise error(f"{source}, {row.where}: {_count(len(row.cells))}; expected {_count(dimensions)}")
    small = len(rows) * dimensions <= EXACT_CAP
    exact = tuple(tuple(_exact(row, k, source, error) for k in range(dimensions)) for row in rows) if small else None
    numbers = exact or [[_float(row, k, source, error) for k in range(dimensions)] for row in rows]
    x = np.array([[float(number) for number in row] for row in numbers])
    return Places(x, exact, _labels(rows))


def _count(coordinates: int) -> str:
    return f"{coordinates} coordinate{'s' * (coordinates != 1)}"


def _exact(row: Row, k: int, source: str, error: type[TenfoldError]) -> Fraction:
    try:
        return exactly(row.cells[k])
    except UsageError as wrong:
        hint = f": write {row.cells[k].replace(',', '.')}, or save with decimal points" * bool(_COMMA(row.cells[k]))
        raise error(f"{source}, {row.where}, column {k + 1}: {wrong}{hint}") from None


def _float(row: Row, k: int, source: str, error: type[TenfoldError]) -> float:
    """As `_exact`, where there are too many for fractions."""
    try:
        number = float(row.cells[k])
    except ValueError:
        return float(_exact(row, k, source, error))
    if not np.isfinite(number) or abs(number) > 1e60:
        raise error(f"{source}, {row.where}, column {k + 1}: {row.cells[k][:SHOWN]!r} is not a finite number")
    return number


def _labels(rows: Sequence[Row]) -> tuple[str, ...]:
    """What messages call the points: coordinates where they are short, with the row where two have the same ones."""
    told = [stated(row.cells) for row in rows]
    short = len(rows[0].cells) <= NAMED and max(map(len, told)) <= SHOWN
    once = {text for text, count in Counter(told).items() if short and count == 1}
    return tuple(
        text if text in once else f"{text} of {row.where}" if short else row.where
        for text, row in zip(told, rows, strict=True)
    )
