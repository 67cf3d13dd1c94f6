"""A recipe's word to code: a room is a folder (or module) whose files (or public functions) are its entries."""

__all__ = ["find", "names"]

import importlib
import pkgutil
from functools import cache
from typing import Any

from tenfold.errors import UsageError, nearest


@cache
def names(room: str) -> tuple[str, ...]:
    """Words that a room knows, sorted.

    >>> "hinge" in names("losses")
    True
    """
    module = importlib.import_module(f"tenfold.{room}")
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
    module = importlib.import_module(f"tenfold.{room}")
    if not hasattr(module, "__path__"):
        return getattr(module, word)
    entry = importlib.import_module(f"tenfold.{room}.{word}")
    return getattr(entry, entry.__all__[0])
