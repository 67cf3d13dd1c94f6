"""Statements about a maximum margin, read from a TOML file; the files that come with Tenfold have a name.

points = "1,0:+ 0,1:+ 1,1:- 2,0:-"      and, where they are part of it, given = "w=-2,0; b=5", predict = "1,3"

[[reported]]                              a statement each, with one key of KINDS, and
w = ["-2", "-2"]                          at = "2,0": the point that it is about
note = "what is worth knowing"            alone = true: found from the other points, without this one
"""

__all__ = ["KINDS", "Sheet", "Statement", "read_sheet", "shipped"]

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.errors import UsageError, blamed, nearest
from tenfold.teach.margin.equations import read_equation
from tenfold.teach.margin.rows import SHOWN, there
from tenfold.teach.printed import exactly

NUMBERS = ("b", "norm", "margin", "width", "objective", "value")
LISTS = ("w", "multipliers")
EXAMPLES = {"class": '"+"', "support": '"1,0 0,1", or "all"', "equation": '"2w1 + b = -1"'}
KINDS = (*NUMBERS, *LISTS, *EXAMPLES)
"""w, b; norm ‖w‖; margin 1/‖w‖; width 2/‖w‖; objective ½‖w‖²; multipliers of all points in their order; value w·x + b
and class at a point; support: the points that are support vectors, or "all"; equation: linear in w1, w2, …, b."""
PLACED = ("value", "class")
HEAD = ("title", "report", "points", "given", "predict", "notes", "reported")
BESIDE = ("at", "note", "alone")
BYTES_CAP = 2**20


class Statement(NamedTuple):
    """A number or claim. printed: one text or, for w and multipliers, one for each number. at: a point, "" for none."""

    kind: str
    printed: tuple[str, ...]
    at: str = ""
    note: str = ""
    alone: bool = False


class Sheet(NamedTuple):
    """A file of statements. points, given, predict: as typed on the command line, "" where the file has none."""

    name: str
    title: str
    report: str
    points: str
    given: str
    predict: str
    notes: tuple[str, ...]
    statements: tuple[Statement, ...]


def shipped() -> dict[str, Path]:
    """Return the sheets that come with the package, by name."""
    return {path.stem: path for path in sorted((Path(__file__).parent.parent / "worked").glob("maximum-margin*.toml"))}


def read_sheet(name: str) -> Sheet:
    """Read a sheet by its name, or from a file. Raises a UsageError in one line where it cannot be one."""
    path, kind = there(str(shipped().get(name, name)))
    if kind != "file":
        close = nearest(name[:SHOWN], shipped())
        raise UsageError(f"{name[:SHOWN]!r} is no sheet of reported numbers and no file: {close}")
    with blamed(str(path)):
        try:
            if path.stat().st_size > BYTES_CAP:
                raise UsageError(f"at most {BYTES_CAP:,} bytes are read")
            return _sheet(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
        except (ValueError, RecursionError, OSError) as error:
            raise UsageError(f"not a readable TOML file ({error})") from None


def _sheet(name: str, given: Mapping[str, Any]) -> Sheet:
    _check_keys(given, HEAD, "")
    texts = {key: _text(given.get(key, ""), key) for key in ("title", "report", "points", "given", "predict")}
    notes, entries = given.get("notes", []), given.get("reported", [])
    if not isinstance(notes, list) or not all(isinstance(note, str) for note in notes):
        raise UsageError('notes: expected a list of texts, such as ["the first two points are positive"]')
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UsageError("reported: expected tables, each below a line [[reported]]")
    statements = tuple(_statement(entry, f"reported {number}") for number, entry in enumerate(entries, 1))
    return Sheet(name=name, notes=tuple(notes), statements=statements, **texts)


def _statement(entry: Mapping[str, Any], where: str) -> Statement:
    _check_keys(entry, (*KINDS, *BESIDE), f"{where}: ")
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) != 1:
        present = " and ".join(kinds) or "none of them"
        raise UsageError(f"{where}: expected one of {', '.join(KINDS)}; found {present}")
    kind, alone = kinds[0], entry.get("alone", False)
    place, note = (_text(entry.get(key, ""), f"{where}, {key}") for key in ("at", "note"))
    if not isinstance(alone, bool):
        raise UsageError(f"{where}: alone is true or false")
    if (kind in PLACED or alone) and not place:
        raise UsageError(f'{where}: {"alone" if alone else kind} needs its point: at = "1,3"')
    return Statement(kind, _printed(entry[kind], kind, f"{where}, {kind}"), place, note, alone)


def _printed(value: Any, kind: str, where: str) -> tuple[str, ...]:
    """Return numbers as they were printed, as texts, for a float would lose the digits that were written."""
    texts = value if isinstance(value, list) and kind in LISTS else [value]
    if kind in LISTS and isinstance(value, str):
        texts = value.strip("()[] ").split(",")
    numeric = kind not in EXAMPLES
    if not texts or not all(isinstance(text, str) or (numeric and type(text) is int) for text in texts):
        example = '["-2", "0.5"]' if kind in LISTS else EXAMPLES.get(kind, '"0.354"')
        raise UsageError(f"{where}: expected what was printed, in quotes, such as {example}")
    printed = tuple(str(text).strip() for text in texts)
    with blamed(where):
        for text in printed if numeric else ():
            exactly(text)
        if kind == "equation":
            read_equation(printed[0])
    return printed


def _check_keys(table: Mapping[str, Any], keys: Sequence[str], where: str) -> None:
    for key in table:
        if key not in keys:
            raise UsageError(f"{where}unknown key {key!r}: {nearest(key, keys)}")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{where}: expected a text in quotes")
    return value
