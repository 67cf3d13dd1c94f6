"""A recipe's word to code: a room is a folder (or module) whose files (or public functions) are its entries.

What an entry says of itself in constants (`NUMBERS`, `USES`, `ACTIVATION` …) is read off its source, so that the
command line knows it without importing torch.
"""

__all__ = ["Fact", "Hyperparameter", "Owner", "beside", "declared", "find", "marked", "names", "numbers", "words"]

import ast
import importlib
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.errors import UsageError, nearest

_PACKAGES = {
    "layers": "engine",
    "losses": "engine",
    "embedding_losses": "engine",
    "models": "engine",
    "optimizers": "engine",
    "presets": "engine",
    "tasks": "engine",
    "initializers": "engine",
    "penalties": "engine",
    "schedules": "engine",
    "augmentations": "data",
    "datasets": "data",
    "features": "data",
    "readers": "data",
    "standardizations": "data",
    "exports": "trained",
    "samplers": "search",
    "figures": "report",
    "faults": "teach",
}
"""Room -> the package that it lies in."""


@dataclass(frozen=True)
class Hyperparameter:
    """A field of the recipe that an entry declares: a number, a switch (default False) or one of some words.

    default: its type is the field's. help: what it is, without the entry's word. least, above, below: bounds
    (≥, >, <). words: those that it may be. varies: it may differ between the members of a population.
    """

    name: str
    default: Any
    help: str
    least: float | None = None
    above: float | None = None
    below: float | None = None
    words: tuple[str, ...] = ()
    varies: bool = False


class Fact(NamedTuple):
    """Facts of a field, from which lists of fields are made.

    room: its word is an entry of that room, or of the room `also`; mark: of those whose files say `mark = True`.
    varies: it may differ between the members of a population. splits: a sweep may search it, and its values make
    separate populations. fit: a fit leaves it to the user. sweep: only a sweep has it. widths: it holds the widths of
    layers, so that a list of numbers is one value. text: its text may have commas and colons. numbers: what its entries
    declare in NUMBERS are fields behind it. owner, without: it means nothing with these words of that field. option:
    its option's word, where that is not its name.
    """

    room: str = ""
    also: str = ""
    mark: str = ""
    varies: bool = False
    splits: bool = False
    fit: bool = False
    sweep: bool = False
    widths: bool = False
    text: bool = False
    numbers: bool = False
    owner: str = ""
    without: tuple[str, ...] = ()
    option: str = ""

    @property
    def rooms(self) -> tuple[str, ...]:
        """Return the rooms whose entries its word may be."""
        return tuple(room for room in (self.room, self.also) if room)


class Owner(NamedTuple):
    """The field whose word decides whether another field means anything, the words that have it, those that lack it."""

    field: str
    having: tuple[str, ...]
    lacking: tuple[str, ...]


@cache
def names(room: str) -> tuple[str, ...]:
    """Return the words of a room, sorted.

    >>> "hinge" in names("losses")
    True
    """
    if _is_folder(room):
        files = (file for place in _places(room) for file in place.glob("*.py"))
        return tuple(sorted(file.stem for file in files if file.stem != "__init__"))
    return tuple(sorted(_constant(_place(room).with_suffix(".py"), "__all__", ())))


@cache
def find(room: str, word: str) -> Any:
    """Return the object that a word names in a room; a UsageError with the nearest word where there is none.

    >>> find("losses", "hinge").__name__
    'hinge'
    """
    if word not in names(room):
        raise UsageError(f"{word!r} is not one of the {room}: {nearest(word, names(room))}")
    if not _is_folder(room):
        return getattr(importlib.import_module(_home(room)), word)
    entry = importlib.import_module(f"{_home(room)}.{word}")
    return getattr(entry, entry.__all__[0])


def beside(room: str, word: str, name: str) -> Any:
    """Return another object of an entry's file, such as the function `built` of a model."""
    find(room, word)
    return getattr(importlib.import_module(f"{_home(room)}.{word}"), name)


def words(room: str) -> list[str]:
    """Return the words of a room that a recipe of a classifier takes, as one types them.

    >>> words("models")
    ['convnet', 'knn', 'linear', 'mlp']
    """
    typed = [word.replace("_", "-") if room == "standardizations" else word for word in names(room)]
    return [word for word in typed if word not in marked(room, "UNLABELED")]


@cache
def marked(room: str, mark: str) -> tuple[str, ...]:
    """Return the words of a room whose files say `mark = True`.

    >>> "relu" in marked("layers", "ACTIVATION"), "linear" in marked("layers", "ACTIVATION")
    (True, False)
    """
    return tuple(word for word in names(room) if declared(room, word, mark, False))


@cache
def numbers(room: str, word: str) -> tuple[Hyperparameter, ...]:
    """Return the numbers that an entry declares in NUMBERS.

    >>> [number.name for number in numbers("optimizers", "sgd")]
    ['momentum', 'nesterov']
    """
    return tuple(declared(room, word, "NUMBERS", ()))


def declared(room: str, word: str, constant: str, otherwise: Any) -> Any:
    """Return a constant of an entry's file, made of literals and Hyperparameter(…); otherwise, where it has none."""
    if not _is_folder(room) or word not in names(room):
        return otherwise
    files = (place / f"{word}.py" for place in _places(room))
    return next((_constant(file, constant, otherwise) for file in files if file.exists()), otherwise)


@cache
def _constant(file: Path, constant: str, otherwise: Any) -> Any:
    source = file.read_text(encoding="utf-8")
    for statement in ast.parse(source).body if constant in source else ():
        if isinstance(statement, ast.Assign) and constant in [ast.unparse(name) for name in statement.targets]:
            return _literal(statement.value)
    return otherwise


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Tuple):
        return tuple(map(_literal, node.elts))
    if isinstance(node, ast.Call):
        keywords = {str(keyword.arg): _literal(keyword.value) for keyword in node.keywords}
        return Hyperparameter(*map(_literal, node.args), **keywords)
    return ast.literal_eval(node)


def _is_folder(room: str) -> bool:
    return _place(room).is_dir()


def _places(room: str) -> list[Path]:
    """Return the folders of a room: its own, and those that were added to the path of its package."""
    package = sys.modules.get(_home(room))
    return [Path(place) for place in package.__path__] if package else [_place(room)]


def _place(room: str) -> Path:
    return Path(__file__).parent / _PACKAGES[room] / room


def _home(room: str) -> str:
    return f"tenfold.{_PACKAGES[room]}.{room}"
