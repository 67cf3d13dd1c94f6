"""Rows of points, as typed or as they stand in a CSV: the separator, a header, an index that pandas wrote before it."""

__all__ = ["EXAMPLE", "SHOWN", "PointRow", "PointTable", "cells", "read_rows", "there", "typed_rows"]

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tenfold.errors import DataError, TenfoldError, UsageError

BYTES_CAP = 2**24
SHOWN = 40  # letters of what was given that a message repeats
EXAMPLE = 'expected points such as "1,0:+ 0,1:+ 1,1:- 2,0:-"'


class PointRow(NamedTuple):
    """One point as it stands there. kind: its class, or "". where: "row 7" of a file, "point 2" of what was typed."""

    cells: tuple[str, ...]
    kind: str
    where: str


class PointTable(NamedTuple):
    """Rows of one source. error: of what is wrong with them; notes: on how they were read."""

    rows: list[PointRow]
    source: str
    error: type[TenfoldError]
    notes: tuple[str, ...] = ()

    def fault(self, text: str, row: PointRow | None = None) -> TenfoldError:
        """Return the error that names the source, the row and what is wrong with it."""
        return self.error(f"{self.source}, {row.where}{text}" if row else f"{self.source}: {text}")


def there(text: str) -> tuple[Path, str]:
    """Return a path, and "file", "folder" or, where neither is there or what was typed is no path, ""."""
    path = Path(text)
    try:
        path = path.expanduser()
        return path, "folder" if text and path.is_dir() else "file" if path.is_file() else ""
    except (OSError, RuntimeError):  # points may be longer than a name, and begin with "~" though nobody is called so
        return path, ""


def typed_rows(text: str, classed: bool) -> PointTable:
    """Parse points between spaces or semicolons. classed: each has its class behind a colon. Raises UsageError."""
    rows = []
    # Spaces are joined first: a pattern that takes any number of them would look at a long run again and again.
    joined = re.sub(r" ?([,:]) ?", r"\1", " ".join(text.split())).replace(";", " ")
    for number, token in enumerate(joined.split(), 1):
        place, _, kind = token.rpartition(":") if classed else (token, "", "")
        if classed and not (kind and place):
            raise UsageError(f"point {number}, {token[:SHOWN]!r}: {EXAMPLE}, each with its class behind a colon")
        rows.append(PointRow(cells(place), _kind(kind), f"point {number}"))
    return PointTable(rows, "the points" if classed else "new points", UsageError)


def cells(place: str) -> tuple[str, ...]:
    """Split the numbers of a point, with or without parentheses around them."""
    inside = place.strip()
    return tuple((inside[1:-1] if inside[:1] in ("(", "[") and inside[-1:] in (")", "]") else inside).split(","))


def read_rows(path: Path, classed: bool) -> PointTable:
    """Read the rows of a CSV that hold something, without header and index; a note tells of an index.

    classed: the class is in the last column. A "#" makes a comment of a row. The separator is the first row's: tab, ";"
    or ",". Raises DataError.
    """
    rows, notes = _without_header(list(_rows(path)), classed)
    if classed:
        if rows and len(rows[0].cells) < 2:
            raise DataError(f"{path}: one column; expected the coordinates of a point and, in the last, its class")
        rows = [PointRow(row.cells[:-1], _kind(row.cells[-1].strip()), row.where) for row in rows]
        if rows and not any(row.kind for row in rows):
            raise DataError(f"{path}: the last column is empty; expected the class there: one separator too many?")
    return PointTable(rows, str(path), DataError, notes)


def _without_header(rows: list[PointRow], classed: bool) -> tuple[list[PointRow], tuple[str, ...]]:
    if len(rows) < 2 or any(_is_number(cell) for cell in rows[0].cells[: -1 if classed else None]):
        return rows, ()
    head, rest = rows[0].cells, rows[1:]
    counted = all(row.cells[0].strip() == str(k) for k, row in enumerate(rest))
    if head[0].strip() or not counted or len(head) < 2 + classed:
        return rest, ()
    note = f"the first column has no name and counts from 0 to {len(rest) - 1}: taken for an index and left out"
    return [row._replace(cells=row.cells[1:]) for row in rest], (note,)


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace("−", "-").partition("/")[0])
    except ValueError:
        return False
    return True


def _kind(text: str) -> str:
    return text.replace("−", "-") if len(text) < 3 else text


def _rows(path: Path) -> Iterator[PointRow]:
    try:
        if path.stat().st_size > BYTES_CAP:
            raise DataError(f"{path}: {path.stat().st_size:,} bytes; at most {BYTES_CAP:,} are read")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    if "\0" in text:
        raise DataError(f"{path}: not a text file; expected a CSV in UTF-8: numbers, and the class in the last column")
    lines = [(k, line) for k, line in enumerate(text.splitlines(), 1) if line.strip() and line[0] != "#"]
    separator = next((mark for mark in "\t;" if lines and mark in lines[0][1]), ",")
    for number, line in lines:
        try:
            parts = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True))
        except csv.Error as error:
            raise DataError(f"{path}, row {number}: not a row of a CSV ({error})") from None
        yield PointRow(tuple(parts), "", f"row {number}")
