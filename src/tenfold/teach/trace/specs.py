"""Where a network comes from: one line of sizes, a TOML file, or one of the worked examples that Tenfold ships."""

__all__ = ["NetworkSource", "read_source", "read_toml", "shipped"]

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.errors import FileError, UsageError, nearest
from tenfold.teach.trace.network import KEYS

SIZES = re.compile(r"\d+(-\d+)+")
LARGEST = 1_000_000
# What a file may hold beside the network.
BESIDE = ("title", "about", "reported")


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
    path = shipped().get(spec)
    if path is None:
        path = Path(spec).expanduser()
        if path.suffix != ".toml" and not _there(path):
            raise UsageError(
                f"{spec[:80]!r} is no file, no example, and no layer sizes such as 1-1-1: "
                f"{nearest(spec[:80], shipped())}"
            )
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
