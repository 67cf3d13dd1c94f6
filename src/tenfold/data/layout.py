"""Where the classes and the parts of a folder of images lie: `class/…`, or `train/class/…` with other parts beside it.

A class is a folder; whatever pictures lie in it, at any depth, belong to it. Top folders are parts where their names
say so (`train`, `Training_Set`, `val`, `test images` …) or the user does. Folders that look like parts under other
names are refused: a model would learn to tell the parts from each other. The classes are those of the training part;
another part may lack some, and has no others. Classes whose names are all numbers are ordered as numbers.
"""

__all__ = ["Layout", "layout", "ordered"]

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tenfold.data.listing import LeftOut, beside_folders, holds_pictures, images_below, loose_pictures, subfolders
from tenfold.data.partfolders import NO_PARTS, PARTS, given_parts, likely_part, part_word, suggestion
from tenfold.data.unlabeled import no_class_folders, no_labels, unknown_to_model
from tenfold.errors import DataError, nearest
from tenfold.text import visible

_SHOWN = 3


class Layout(NamedTuple):
    """Names of the classes; folders of every class in every part, the part "" where there are none; what is outside."""

    classes: tuple[str, ...]
    places: dict[tuple[str, int], tuple[Path, ...]]
    left_out: tuple[LeftOut, ...]


def layout(root: Path, parts: str = "", classes: Sequence[str] = ()) -> Layout:
    """Find the classes and parts below a folder.

    parts: the folders of each part as the user names them, "none" for none, "" to judge by their names. classes: those
    that a model knows, in its order; the folder then has no others, and may lack some.
    Raises DataError: no class folders, fewer than two, unlabeled images, folders that look like parts; UsageError for
    parts that the folder does not have.
    """
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; expected one with a folder of images for each class")
    names = subfolders(root)
    if parts not in ("", NO_PARTS):
        return _parted(root, given_parts(root, parts), classes)
    if not names:
        raise no_class_folders(root, bool(classes))
    if parts or (classes and {_key(name) for name in names} <= {_key(name) for name in classes}):
        return _whole(root, names, classes)
    folders = _recognized(root, names)
    return _parted(root, folders, classes) if folders else _whole(root, names, classes)


def ordered(names: Iterable[str]) -> list[str]:
    """Sort names of classes: as numbers where all are whole numbers, else by alphabet.

    >>> ordered(["10", "9", "1"]), ordered(["10", "9", "b"])
    (['1', '9', '10'], ['10', '9', 'b'])
    """
    listed = list(names)
    numbers = all(re.fullmatch(r"-?[0-9]{1,30}", name) for name in listed)
    return sorted(listed, key=lambda name: (int(name) if numbers else 0, name))


def _key(name: str) -> str:
    """Return what makes two names of folders the same class: some systems write é as one letter, some as two."""
    return unicodedata.normalize("NFC", visible(name))


def _numbered(names: Iterable[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the names to show, and the number of each class by its key."""
    shown: dict[str, str] = {}
    for name in names:
        shown.setdefault(_key(name), visible(name))
    return tuple(shown.values()), {key: number for number, key in enumerate(shown)}


def _whole(root: Path, names: Sequence[str], classes: Sequence[str]) -> Layout:
    """Take every folder for a class."""
    _refuse_wrapper(root, names, classes)
    shown, numbers = _numbered(classes or _at_least_two(root, ordered(names)))
    _refuse_strange(root, "", names, shown, numbers)
    places: dict[tuple[str, int], tuple[Path, ...]] = {}
    for name in names:
        place = ("", numbers[_key(name)])
        places[place] = (*places.get(place, ()), root / name)
    return Layout(shown, dict(sorted(places.items())), tuple(beside_folders(root)))


def _refuse_wrapper(root: Path, names: Sequence[str], classes: Sequence[str]) -> None:
    """Point to a lone folder that is no class itself, but holds the folders of the classes."""
    inner = {_key(name) for name in subfolders(root / names[0])} if len(names) == 1 else set()
    keys = {_key(name) for name in classes}
    if _key(names[0]) not in keys and (len(inner) > 1 or inner & keys):
        raise DataError(f"{root}: the folders of the classes are one level down; give {root / names[0]} instead")


def _parted(root: Path, folders: Mapping[str, tuple[Path, ...]], classes: Sequence[str]) -> Layout:
    """Take the folders inside those of the parts for classes."""
    _check_labeled(folders)
    if not classes and "train" not in folders:
        listed = ", ".join(folder.name for part in folders.values() for folder in part)
        raise DataError(f"{root}: no training part beside {listed}; name its folder with --parts train=…")
    shown, numbers = _numbered(classes or _training_classes(root, folders))
    places: dict[tuple[str, int], tuple[Path, ...]] = {}
    left_out = list(_outside(root, {folder for part in folders.values() for folder in part}))
    for part, of_part in folders.items():
        for folder in of_part:
            names = subfolders(folder)
            empty = [name for name in names if _key(name) not in numbers and not holds_pictures(folder / name)]
            left_out += [*beside_folders(folder), *(LeftOut(folder / name, "without images") for name in empty)]
            names = [name for name in names if name not in empty]
            _refuse_strange(folder, part, names, shown, numbers)
            for name in names:
                place = (part, numbers[_key(name)])
                places[place] = (*places.get(place, ()), folder / name)
    order = sorted(places, key=lambda place: (PARTS.index(place[0]), place[1]))
    return Layout(shown, {place: places[place] for place in order}, tuple(left_out))


def _at_least_two(root: Path, names: list[str]) -> list[str]:
    if len(names) < 2:
        held = f"holds only the class folder {names[0]!r}" if names else "holds no class folder"
        raise DataError(f"{root}: {held}; a classifier needs at least two class folders")
    return names


def _training_classes(root: Path, folders: Mapping[str, tuple[Path, ...]]) -> list[str]:
    training = folders["train"]
    deeper = [_unwrapped(folder) for part in folders.values() for folder in part]
    if all(_unwrapped(folder) != folder for folder in training):
        raise DataError(
            f"{training[0]}: the folders of the classes are one level down; name them with {suggestion(root, deeper)}"
        )
    return _at_least_two(training[0], ordered({name for folder in training for name in subfolders(folder)}))


def _check_labeled(folders: Mapping[str, tuple[Path, ...]]) -> None:
    """Refuse a part whose images lie in no class folder."""
    flat = {
        folder: part
        for part, of_part in folders.items()
        for folder in of_part
        if not subfolders(folder) and loose_pictures(folder)
    }
    if flat:
        place, part = next(iter(flat.items()))
        raise no_labels(place, part, 1 < len(flat) == sum(map(len, folders.values())))


def _refuse_strange(
    folder: Path, part: str, names: Sequence[str], classes: Sequence[str], numbers: Mapping[str, int]
) -> None:
    """Refuse a class that training did not have; a lone one is a folder of unlabeled images."""
    strange = [name for name in names if _key(name) not in numbers]
    if strange and len(names) == 1:
        raise unknown_to_model(folder, strange[0], classes)
    if strange:
        where = f"is missing in train, but {part} has it" if part else "that the model does not know"
        has = f"{folder.parent if part else folder}: " + ("" if part else "has a ")
        raise DataError(
            f"{has}class {visible(strange[0])!r} {where}; add training images of it or move it away "
            f"({nearest(visible(strange[0]), classes)})"
        )


def _outside(place: Path, folders: set[Path]) -> Iterator[LeftOut]:
    """Yield what lies in none of the folders: files one by one, folders by their images."""
    if place in folders:
        return
    yield from beside_folders(place)
    for inner in (place / name for name in subfolders(place)):
        if any(inner in folder.parents for folder in folders):
            yield from _outside(inner, folders)
        elif inner not in folders:
            yield from (LeftOut(path, "in no part") for path in images_below(inner).paths or [inner])


def _recognized(root: Path, names: Sequence[str]) -> dict[str, tuple[Path, ...]]:
    """Return the folders of the parts by their names, none where the folders are classes."""
    words = {name: part_word(name) for name in names if part_word(name)}
    if len(words) < len(names):
        _refuse_likely_parts(root, names)
    if not words:
        _refuse_unnamed_parts(root, [root / name for name in names])
        return {}
    others = [name for name in names if name not in words and holds_pictures(root / name)]
    if others:
        parts = [root / name for name in names if name in words or _holds_classes(root / name)]
        if {"train"} < set(words.values()) or any(_holds_classes(root / name) for name in words):
            raise _undecided(root, f"{others[0]!r} stands beside {next(iter(words))}", parts)
        return {}
    twice = [part for part, times in Counter(words.values()).items() if times > 1]
    if twice:
        same = [name for name, part in words.items() if part == twice[0]]
        raise _undecided(
            root, f"{' and '.join(same)} both look like the {twice[0]} part", [root / name for name in names]
        )
    return {part: (root / name,) for part in PARTS for name, word in words.items() if word == part}


def _undecided(root: Path, what: str, folders: Sequence[Path]) -> DataError:
    option = suggestion(root, [_unwrapped(folder) for folder in folders])
    return DataError(
        f"{root}: {what}; say which folders are parts, for example {option}, or --parts none if all of them are classes"
    )


def _refuse_likely_parts(root: Path, names: Sequence[str]) -> None:
    """Refuse folders whose names all have a part's word in them, such as train and test1, and are no plain words."""
    likely = {name: likely_part(name) for name in names if likely_part(name)}
    if not {"train"} < set(likely.values()) or all(map(part_word, likely)):
        return
    if not any(holds_pictures(root / name) for name in names if name not in likely):
        raise _undecided(root, f"the folders {_listed(likely)} look like parts", [root / name for name in likely])


def _refuse_unnamed_parts(root: Path, tops: Sequence[Path]) -> None:
    """Refuse folders that each hold the same folders: parts under names of their own, or classes split inside."""
    places = {top: _unwrapped(top) for top in tops}
    times = Counter(name for place in places.values() for name in subfolders(place))
    shared = {top: [name for name in subfolders(place) if times[name] > 1] for top, place in places.items()}
    alike = [top for top in tops if len(shared[top]) > 1]
    if len(alike) < 2:
        return
    others = any(holds_pictures(top) for top in tops if top not in alike)
    if others and "train" not in {likely_part(top.name) for top in alike}:
        return
    inner = {name for top in alike for name in shared[top] if holds_pictures(places[top] / name)}
    if len(inner) < 2 or 2 * sum(bool(loose_pictures(places[top])) for top in alike) >= len(alike):
        return
    if len({part_word(name) for name in inner} - {""}) > 1:
        raise DataError(
            f"{root}: the folders {_listed([top.name for top in alike])} each hold {_listed(inner)}: the parts lie "
            f"inside the classes; move them to {root}/train/<class>/ and so on, or take all images of a class together "
            "and split them anew with --parts none"
        )
    raise _undecided(
        root,
        f"the folders {_listed([top.name for top in alike])} look like parts, each with the classes {_listed(inner)}",
        alike,
    )


def _holds_classes(folder: Path) -> bool:
    """Test whether a folder looks like a part: two folders with images in it, none outside of them."""
    place = _unwrapped(folder)
    inner = [name for name in subfolders(place) if holds_pictures(place / name)]
    return len(inner) > 1 and not loose_pictures(place)


def _unwrapped(folder: Path, depth: int = 4) -> Path:
    """Return the folder itself, or the one deeper down that it wraps. depth: a bound, since links may go in a loop."""
    inner = subfolders(folder)
    wraps = depth and len(inner) == 1 and subfolders(folder / inner[0]) and not loose_pictures(folder)
    return _unwrapped(folder / inner[0], depth - 1) if wraps else folder


def _listed(names: Iterable[str]) -> str:
    shown = [visible(name) for name in ordered(names)]
    return ", ".join([*shown[:_SHOWN], *["…"] * (len(shown) > _SHOWN)])
