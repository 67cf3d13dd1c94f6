"""Folders that hold the parts of a data set: known by their names, or named by the user as `train=a+b,test=c`.

A name is that of a part where it is a word for it in any case, alone or with a word for a set beside it: train,
Training_Set, train images, valid, dev, testing, data-test.
"""

__all__ = ["NO_PARTS", "PARTS", "given_parts", "likely_part", "part_word", "suggestion"]

import re
import shlex
from collections.abc import Iterable
from pathlib import Path

from tenfold.data.listing import images_below, subfolders
from tenfold.errors import UsageError, nearest

PARTS = ("train", "validation", "test")
NO_PARTS = "none"
_WORDS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "validate": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_SET = r"(?:(?:sub)?sets?|data(?:sets?)?|images?|imgs?|pictures?|pics?|photos?|splits?|parts?|folder|dir)"
_NAME = re.compile(rf"{_SET}*({'|'.join(sorted(_WORDS, key=len, reverse=True))}){_SET}*")
_SEPARATOR = re.compile(r"[\W_]+")
_HINT = 'expected folders of DATA by part, as in --parts "train=fold1+fold2,test=fold3", or none where all are classes'


def part_word(name: str) -> str:
    """Return the part that a folder's name means, "" for none.

    >>> part_word("Training_Set"), part_word("val"), part_word("test images"), part_word("trains")
    ('train', 'validation', 'test', '')
    """
    match = _NAME.fullmatch(_SEPARATOR.sub("", name.lower()))
    return _WORDS[match[1]] if match else ""


def given_parts(root: Path, text: str) -> dict[str, tuple[Path, ...]]:
    """Return the folders of every part that the user names. Raises UsageError in one line."""
    folders: dict[str, tuple[Path, ...]] = {}
    for piece in re.split(r",(?=\s*\w+=)", text):
        word, equals, names = (side.strip() for side in piece.partition("="))
        part = part_word(word)
        if not equals or not names:
            raise UsageError(f"parts {text!r}: {_HINT}")
        if not part:
            raise UsageError(f"parts {text!r}: no part {word!r}: {nearest(word, PARTS)}")
        if part in folders:
            raise UsageError(f"parts {text!r}: {part} is there twice; join its folders by +, as in {part}=a+b")
        folders[part] = tuple(_folder(root, name) for name in _split(root, names))
    _refuse_overlap(text, [folder for part in folders.values() for folder in part])
    return dict(sorted(folders.items(), key=lambda item: PARTS.index(item[0])))


def suggestion(root: Path, folders: Iterable[Path]) -> str:
    """Return the option that names these folders as parts: by their words where they have one, else by their size."""
    chosen: dict[str, list[str]] = {}
    unnamed = []
    for folder in folders:
        name = folder.relative_to(root).as_posix()
        word = likely_part(name) or _beginning(folder.name)
        chosen.setdefault(word, []).append(name) if word else unnamed.append(name)
    unnamed.sort(key=lambda name: -len(images_below(root / name).paths))
    for part in ("test", "validation"):
        if part not in chosen and len(unnamed) > ("train" not in chosen):
            chosen[part] = [unnamed.pop()]
    if unnamed:
        chosen.setdefault("train", []).extend(unnamed)
    option = ",".join(f"{part}={'+'.join(sorted(chosen[part]))}" for part in PARTS if part in chosen)
    return f"--parts {shlex.quote(option)}"


def likely_part(name: str) -> str:
    """Return the part of a name that has a part's word among others, such as seg_train or test1; "" for none."""
    words = {part_word(word) for word in re.split(r"[\W_\d]+", name) if word} - {""}
    return part_word(name) or (words.pop() if len(words) == 1 else "")


def _beginning(name: str) -> str:
    """Return the part of a name that begins like one, such as trainval or Testdaten."""
    match = re.match("train|test|val", name.lower())
    return part_word(match[0]) if match else ""


def _split(root: Path, names: str) -> list[str]:
    """Split at +, unless a folder is called so."""
    return [names] if (root / names).is_dir() else [name.strip() for name in names.split("+")]


def _folder(root: Path, name: str) -> Path:
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise UsageError(f"parts: {name!r} lies outside of {root}; the folders of the parts lie in it")
    if not (root / name).is_dir():
        raise UsageError(f"parts: {root} has no folder {name!r}; {nearest(name, subfolders(root))}")
    return root / name


def _refuse_overlap(text: str, folders: list[Path]) -> None:
    for position, folder in enumerate(folders):
        for other in folders[position + 1 :]:
            if folder == other or folder in other.parents or other in folder.parents:
                raise UsageError(f"parts {text!r}: {other.name!r} would be in two places; name every folder once")
