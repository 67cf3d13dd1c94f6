"""Rows as they stand in a CSV: the separator, a header, an index that pandas wrote before the first column."""

__all__ = ["SHOWN", "PointRow", "kind_of", "rows_of", "there"]

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tenfold.errors import DataError

BYTES_CAP = 2**24
SHOWN = 40  # letters of what was given that a message repeats


class PointRow(NamedTuple):
    """One point as it stands there. kind: its class. where: "row 7" of a file, or "point 2" of what was typed."""

    cells: tuple[str, ...]
    kind: str
    where: str


def there(text: str) -> tuple[Path, str]:
    """Return a path, and "file", "folder" or, where neither is there or what was typed is no path, ""."""
    path = Path(text)
    try:
        path = path.expanduser()
        kind = "folder" if path.is_dir() else "file" if path.is_file() else ""
    except (OSError, RuntimeError):  # points may be longer than a name, and begin with "~" though nobody is called so
        kind = ""
    return path, kind if text else ""


def rows_of(path: Path, classed: bool) -> tuple[list[PointRow], tuple[str, ...]]:
    """Return the rows of a CSV that hold something, without header and index, and a note where an index was left out.

    classed: the last column is no coordinate. A "#" makes a comment of a row. The separator is the first row's: tab,
    ";" or ",". Raises DataError.
    """
    rows = list(_rows(path))
    if len(rows) < 2 or any(_is_number(cell) for cell in rows[0].cells[: -1 if classed else None]):
        return rows, ()
    head, rest = rows[0].cells, rows[1:]
    counted = all(row.cells[0].strip() == str(k) for k, row in enumerate(rest))
    if head[0].strip() or not counted or len(head) < 2 + classed:
        return rest, ()
    note = f"the first column has no name and counts from 0 to {len(rest) - 1}: taken for an index and left out"
    return [row._replace(cells=row.cells[1:]) for row in rest], (note,)


def _is_number(cell: str) -> bool:
    """Tell a number from a cell of a header."""
    try:
        float(cell.replace("−", "-").partition("/")[0])
    except ValueError:
        return False
    return True


def kind_of(text: str) -> str:
    """Return a class as it is compared: "−" is "-"."""
    return text.replace("−", "-") if len(text) < 3 else text


def _rows(path: Path) -> Iterator[PointRow]:
    lines = _text(path).splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    separator = next((mark for mark in "\t;" if mark in first), ",")
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            try:
                cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True, strict=True))
            except csv.Error as error:
                raise DataError(f"{path}, row {number}: not a row of a CSV ({error})") from None
            yield PointRow(tuple(cells), "", f"row {number}")


def _text(path: Path) -> str:
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
    return text
