"""A recipe's word to code: a room is a folder (or module) whose files (or public functions) are its entries."""

__all__ = ["find", "names"]

import importlib
import pkgutil
from functools import cache
from typing import Any

from tenfold.errors import UsageError, nearest

_PACKAGES = {
    "layers": "engine",
    "losses": "engine",
    "models": "engine",
    "optimizers": "engine",
    "tasks": "engine",
    "initializers": "engine",
    "penalties": "engine",
    "schedules": "engine",
    "augmentations": "data",
    "datasets": "data",
    "features": "data",
    "readers": "data",
    "standardizations": "data",
    "samplers": "search",
    "figures": "report",
    "faults": "teach",
}
"""Room -> the package that it lies in."""


@cache
def names(room: str) -> tuple[str, ...]:
    """Words that a room knows, sorted.

    >>> "hinge" in names("losses")
    True
    """
    module = importlib.import_module(_home(room))
    if hasattr(module, "__path__"):
        return tuple(sorted(entry.name for entry in pkgutil.iter_modules(module.__path__)))
    return tuple(sorted(module.__all__))


@cache
def find(room: str, word: str) -> Any:
    """The object that a word names in a room; a UsageError with the nearest word where there is none.

    >>> find("losses", "hinge").__name__
    'hinge'
    """
    if word not in names(room):
        raise UsageError(f"{word!r} is not one of the {room}: {nearest(word, names(room))}")
    module = importlib.import_module(_home(room))
    if not hasattr(module, "__path__"):
        return getattr(module, word)
    entry = importlib.import_module(f"{_home(room)}.{word}")
    return getattr(entry, entry.__all__[0])


def _home(room: str) -> str:
    return f"tenfold.{_PACKAGES[room]}.{room}"
