"""The network and the reported numbers of a trace, from a line of sizes, a TOML file or an example that is shipped.

Reported numbers are [[reported]] tables, one for each update, with a key for each number.
"""

__all__ = ["NetworkSource", "entries_of", "read_source", "read_toml", "resolved_key", "shipped"]

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.errors import FileError, UsageError, blamed, nearest
from tenfold.report.printed import FLOATS, exactly
from tenfold.teach.trace.court import ReportedNumber
from tenfold.teach.trace.ledger import Ledger
from tenfold.teach.trace.network import KEYS, counted

SIZES = re.compile(r"\d+(-\d+)+")
LARGEST = 1_000_000
BESIDE = ("title", "about", "reported")  # what a file may hold beside the network
WORDS = ("update", "sample", "where")
PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉∂", "0123456789d")  # people write ∂L/∂w₂, dL/dw2, ŷ for a key
LONGEST = 80  # digits after which a number is no more than noise on a page


class NetworkSource(NamedTuple):
    """A network's name, its keys, and the numbers that somebody reported of it."""

    name: str
    choices: Mapping[str, Any]
    title: str = ""
    about: str = ""
    reported: Any = ()
    where: str = ""


def shipped() -> dict[str, Path]:
    """Find the worked networks that come with the package, by name; other worked examples lie beside them."""
    paths = sorted((Path(__file__).parent.parent / "worked").glob("*.toml"))
    return {path.stem: path for path in paths if "sizes" in read_toml(path)}


def read_source(spec: str) -> NetworkSource:
    """Read what a spec names: "1-1-1", a file, or a shipped example. Raises UsageError for anything else.

    >>> read_source("2-3-1").choices
    {'sizes': '2-3-1'}
    """
    if SIZES.fullmatch(spec):
        return NetworkSource("network", {"sizes": spec})
    path = shipped().get(spec) or Path(spec).expanduser()
    if path.suffix != ".toml" and not _there(path):
        close = nearest(spec[:80], shipped())
        raise UsageError(f"{spec[:80]!r} is no file, no example, and no layer sizes such as 1-1-1: {close}")
    given = read_toml(path)
    for key in given:
        if key not in (*KEYS, *BESIDE):
            raise UsageError(f"{path}: unknown key {key!r}: {nearest(key, (*KEYS, *BESIDE))}")
        if key in ("title", "about") and not isinstance(given[key], str):
            raise UsageError(f"{path}: {key} is no text; write it in quotes")
    choices = {key: given.pop(key) for key in KEYS if key in given}
    return NetworkSource(path.stem, choices, **given, where=str(path))


def read_toml(path: Path) -> dict[str, Any]:
    """Read the keys of a TOML file, its floats as the text that stands there. Raises FileError or UsageError."""
    if not _there(path):
        name = str(path)
        raise UsageError(f"{name if len(name) <= 200 else f'{name[:80]}…{name[-80:]}'}: no such file")
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    if len(raw) > LARGEST:
        raise UsageError(f"{path}: more than {LARGEST:,} bytes; a network that one can trace needs a few hundred")
    try:
        # A float's last zeros say how it was rounded, and 0.1 is a tenth: both are lost in a float.
        return tomllib.loads(raw.decode(), parse_float=str)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
        raise UsageError(f"{path}: not a readable TOML file ({why})") from None


def _there(path: Path) -> bool:
    """Return whether it is a file; a name that no file system takes is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def entries_of(reported: Any, ledger: Ledger) -> tuple[ReportedNumber, ...]:
    """Read [[reported]] tables, or a mapping from whole keys ("2.h1"). Raises UsageError by the key."""
    keys = {line.key for line in ledger.lines}
    if isinstance(reported, Mapping):
        return tuple(
            entry
            for key, given in reported.items()
            for entry in _printed(resolved_key(str(key), keys), given, str(key), "")
        )
    if not isinstance(reported, list | tuple) or not all(isinstance(table, Mapping) for table in reported):
        raise UsageError('reported: expected [[reported]] tables, each with its update and keys such as h1 = "1.53"')
    return tuple(entry for k, table in enumerate(reported, 1) for entry in _of_table(table, k, ledger, keys))


def _of_table(table: Mapping[str, Any], k: int, ledger: Ledger, keys: set[str]) -> Iterator[ReportedNumber]:
    where = f"reported {k}"
    if "update" not in table:
        raise UsageError(f"{where}: update is missing: give the number of the update that its numbers belong to")
    update = counted(table["update"], f"{where}: update", 1, ledger.lines[-1].moment.update)
    prefix = f"{update}."
    if "sample" in table:
        samples = {line.moment.sample for line in ledger.lines if line.moment.update == update and line.moment.sample}
        sample = counted(table["sample"], f"{where}: sample", min(samples), max(samples))
        prefix += f"s{sample}." if f"{prefix}s{sample}.L" in keys else ""
    note = table.get("where", "")
    if not isinstance(note, str):
        raise UsageError(f"{where}: where is no text; write it in quotes")
    for key, given in table.items():
        if key not in WORDS:
            yield from _printed(resolved_key(key, keys, prefix), given, f"{where}, {key}", note)


def resolved_key(written: str, keys: set[str], prefix: str = "") -> str:
    """Find the line that is meant; spelled as in the trace or as in a book. Raises UsageError with the nearest.

    >>> resolved_key("∂L/∂w₂", {"1.dw2", "1.w2"}, "1.")
    '1.dw2'
    """
    key = written.strip().translate(PLAIN).replace("ŷ", "yhat").replace("dL/d", "d").replace(" ", "")
    key = re.sub(r"/(?=d)", "_", key)
    for candidate in (prefix + key, prefix + key.replace("[1]", "").replace("[1,1]", "")):
        if candidate in keys:
            return candidate
    choices = {candidate.removeprefix(prefix) for candidate in keys if candidate.startswith(prefix)}
    where = f" in update {prefix[:-1]}" if prefix else ""
    raise UsageError(f"no line has the key {written[:60]!r}{where}: {nearest(key, choices)}")


def _printed(key: str, given: Any, where: str, note: str) -> Iterator[ReportedNumber]:
    """Yield one number, several where it is printed in several places, each with a note of its own or the table's."""
    for one in given if isinstance(given, Sequence) and not isinstance(given, str) else [given]:
        table = one if isinstance(one, Mapping) else {"printed": one}
        if set(table) - {"printed", "where"} or "printed" not in table or not isinstance(table.get("where", ""), str):
            raise UsageError(f'{where}: expected printed = "0.52" and, if need be, where = "some words"')
        printed = table["printed"]
        if isinstance(printed, bool) or not isinstance(printed, str | int | float):
            raise UsageError(
                f'{where}: {str(printed)[:40]!r} is no number; write it as it is printed, in quotes: "1.30"'
            )
        text = str(printed).strip()[:LONGEST]
        with blamed(where):
            exactly(text, FLOATS)
        yield ReportedNumber(key, text.replace("-", "−"), table.get("where", note))
