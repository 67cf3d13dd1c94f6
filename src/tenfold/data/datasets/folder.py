"""A folder of images: `class/…`, or `train/class/…` with `validation/class/…` and `test/class/…` beside it.

A class is a folder; whatever images lie in it, at any depth, belong to it. The parts are recognized where all folders
are named train, validation or test, train among them. Order is that of the names: part, class, path. Hidden entries and
files whose ending is not that of an image are ignored and counted. A linked folder is followed, each real folder once,
so that a loop of links ends.

All images become squares of one size, the median of their sides and at most 64 unless one is asked for, and of one
mode: grey if every file is grey, else RGB. Only in RGB are they taken for photographs, for which a mirror image is as
likely: grey folders are often scans or characters, which mirroring would falsify.
"""

__all__ = ["folder"]

import os
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.readers.images import ImageFile, images
from tenfold.data.types import Dataset, DataSource, Reading
from tenfold.errors import DataError
from tenfold.text import count, visible

PARTS = ("train", "validation", "test")
OTHER_NAMES = {"val": "validation", "valid": "validation", "dev": "validation", "training": "train", "testing": "test"}
ENDINGS = frozenset(
    f".{word}"
    for word in ("png", "jpg", "jpeg", "jpe", "jfif", "bmp", "gif", "webp", "tif", "tiff", "ppm", "pgm", "pbm", "pnm")
)
SIDE_CAP = 64
BLOCK = 64  # images decoded by one task
SHOWN = 3  # broken files named in a note


class _Item(NamedTuple):
    """An image and where it belongs."""

    part: str
    label: int
    path: Path
    picture: ImageFile


class _Listing(NamedTuple):
    """Paths of the images below a folder, and how many files were ignored."""

    paths: list[Path]
    ignored: int


def folder(source: DataSource) -> Dataset:
    """Load the data set of the images below `source.location`, at `source.size` if that is not 0.

    Raises DataError: no images, fewer than two classes, a class without images or missing in a part, a broken image
    (unless `source.skip_unreadable`; then they are counted in the notes).
    """
    root = Path(source.location).expanduser()
    classes, places = _classes(root)
    listings = {place: images_below(root / place[0] / classes[place[1]]) for place in places}
    for (part, label), below in listings.items():
        if not below.paths:
            raise DataError(f"{root / part / classes[label]}: no images in this class; add some or remove the folder")
    broken: list[str] = []
    items = list(_headers(listings, source.skip_unreadable, broken))
    side = source.size or _side(items)
    mode = "L" if all(item.picture.grey for item in items) else "RGB"
    pixels, items, changes = _decode(items, mode, side, source.skip_unreadable, broken)
    ignored = _loose(root) + sum(below.ignored for below in listings.values())
    return Dataset(
        name=visible(root.resolve().name),
        images=pixels,
        labels=torch.tensor([item.label for item in items], dtype=torch.int64),
        class_names=tuple(map(visible, classes)),
        scale=1 / 255,
        parts=_positions(items),
        photographs=mode == "RGB",
        paths=tuple(visible(str(item.path)) for item in items),
        notes=_notes(changes, broken, ignored, side),
        reading=_reading(items, broken, ignored),
    )


def _classes(root: Path) -> tuple[list[str], list[tuple[str, int]]]:
    """Return the names of the classes, and every (part, class) that must have images; "" where there are no parts."""
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; expected one with a folder of images for each class")
    names = _folders(root)
    if not names:
        raise DataError(f"{root}: no folders in it; expected one folder of images for each class")
    _check_names(root, names)
    if "train" not in names or not set(names) <= set(PARTS):
        if "train" in names and set(names) & {*PARTS[1:], *OTHER_NAMES}:
            strange = sorted(set(names) - {*PARTS, *OTHER_NAMES})
            raise DataError(f"{root}: {strange[0]!r} stands beside train; expected only {', '.join(PARTS)} there")
        return _at_least_two(root, names), [("", label) for label in range(len(names))]
    classes = _at_least_two(root / "train", _folders(root / "train"))
    parts = [part for part in PARTS if part in names]
    for part in parts[1:]:
        _check_labeled(root / part)
        if different := sorted(set(_folders(root / part)) ^ set(classes)):
            lacking = part if different[0] in classes else "train"
            raise DataError(f"{root}: class {different[0]!r} is missing in {lacking}; every part needs every class")
    # A lone training folder splits nothing.
    return classes, [(part, label) for part in parts for label in range(len(classes))]


def _check_names(root: Path, names: Sequence[str]) -> None:
    """Refuse Train and Test as classes: a model would learn to tell the parts from each other."""
    meant = {name: OTHER_NAMES.get(name.lower(), name.lower()) for name in names}
    other = [name for name in names if meant[name] != name]
    if other and len(names) > 1 and "train" in meant.values() and set(meant.values()) <= set(PARTS):
        raise DataError(f"{root}: rename the folder {other[0]!r} to {meant[other[0]]!r}")
    inner = root / names[0]
    if len(names) == 1 and names[0] not in PARTS and len(_folders(inner)) > 1:
        raise DataError(f"{root}: the folders of the classes are one level down; give {inner} instead")


def _check_labeled(place: Path) -> None:
    loose = sum(_is_image(entry) for entry in _entries(place))
    if loose and not _folders(place):
        part = place.name
        raise DataError(
            f"{place}: {loose:,} images without class folders, so the {part} labels are missing; sort them into "
            f"{part}/<class>/, or move the folder away and label its images with tenfold predict"
        )


def _at_least_two(root: Path, names: list[str]) -> list[str]:
    if len(names) < 2:
        held = f"holds only the class folder {names[0]!r}" if names else "holds no class folder"
        raise DataError(f"{root}: {held}; a classifier needs at least two class folders")
    return names


def _folders(root: Path) -> list[str]:
    return [entry.name for entry in _entries(root) if not entry.name.startswith(".") and entry.is_dir()]


def _loose(root: Path) -> int:
    """Count files that lie beside the class folders, or beside those of the parts."""
    return sum(not entry.is_dir() for entry in _entries(root))


def _entries(root: Path) -> list[Path]:
    try:
        return sorted(root.iterdir())
    except OSError as error:
        raise DataError(f"{root}: cannot be listed ({error.strerror or error})") from error


def images_below(root: Path) -> _Listing:
    """List the images at any depth below a folder, in the order of their paths."""
    paths: list[Path] = []
    ignored = 0
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        current = waiting.pop()
        identity = (current.stat().st_dev, current.stat().st_ino)
        if identity in seen:
            ignored += 1
            continue
        seen.add(identity)
        for entry in _entries(current):
            if entry.name.startswith("."):
                ignored += 1
            elif entry.is_dir():
                waiting.append(entry)
            elif _is_image(entry):
                paths.append(entry)
            else:
                ignored += 1
    return _Listing(sorted(paths, key=lambda path: path.as_posix()), ignored)


def _is_image(path: Path) -> bool:
    """Judge by the ending. A link that leads nowhere counts, so that it is reported; a pipe does not: it could hang."""
    return path.suffix.lower() in ENDINGS and (path.is_file() or not path.exists())


def _headers(listings: dict[tuple[str, int], _Listing], skip: bool, broken: list[str]) -> Iterator[_Item]:
    for (part, label), below in listings.items():
        for path in below.paths:
            try:
                yield _Item(part, label, path, images(path))
            except DataError as error:
                _report(error, skip, broken)


def _report(error: DataError, skip: bool, broken: list[str]) -> None:
    if not skip:
        raise DataError(visible(f"{error}; repair or remove it, or skip it by --skip-unreadable")) from error
    broken.append(visible(str(error)))


def _side(items: Sequence[_Item]) -> int:
    sides = [side for item in items for side in (item.picture.width, item.picture.height)]
    return max(1, min(SIDE_CAP, int(statistics.median(sides)))) if sides else 1


def _decode(
    items: list[_Item], mode: str, side: int, skip: bool, broken: list[str]
) -> tuple[Tensor, list[_Item], Counter[str]]:
    """Return the pixels of the readable images, those images, and how many of them took each conversion.

    Pillow decodes outside the interpreter's lock. Two threads on two cores: 1.7 times as fast on PNG of 500 × 500,
    1.4 times on JPEG of 256 × 256, no faster on thumbnails of 32 × 32.
    """
    pixels = torch.empty((len(items), 1 if mode == "L" else 3, side, side), dtype=torch.uint8)
    block = partial(_decode_block, items, pixels.numpy(), mode, side)
    changes: Counter[str] = Counter()
    failed: set[int] = set()
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        try:
            results = (result for done in pool.map(block, range(0, len(items), BLOCK)) for result in done)
            for place, result in enumerate(results):
                if isinstance(result, DataError):
                    _report(result, skip, broken)
                    failed.add(place)
                else:
                    changes.update(result)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    if not failed:
        return pixels, items, changes
    kept = [place for place in range(len(items)) if place not in failed]
    return pixels[torch.tensor(kept, dtype=torch.int64)], [items[place] for place in kept], changes


def _decode_block(
    items: Sequence[_Item], array: NDArray[np.uint8], mode: str, side: int, start: int
) -> list[tuple[str, ...] | DataError]:
    """Decode BLOCK images into their places; return for each the conversions, or the error."""
    results: list[tuple[str, ...] | DataError] = []
    for place in range(start, min(start + BLOCK, len(items))):
        try:
            array[place], changes = items[place].picture.pixels(mode, side)
            results.append(changes)
        except DataError as error:
            results.append(error)
    return results


def _positions(items: Sequence[_Item]) -> dict[str, Tensor]:
    places = np.array([item.part for item in items])
    parts = {part: torch.from_numpy(np.flatnonzero(places == part)) for part in PARTS if (places == part).any()}
    return parts if len(parts) > 1 else {}


def _reading(items: Sequence[_Item], broken: Sequence[str], ignored: int) -> Reading:
    """Count sizes and modes of the images that were read, the commonest first."""
    sizes = Counter(f"{item.picture.width} × {item.picture.height}" for item in items)
    modes = Counter(item.picture.kind for item in items)
    return Reading(dict(sizes.most_common()), dict(modes.most_common()), tuple(broken), ignored)


def _notes(changes: Counter[str], broken: Sequence[str], ignored: int, side: int) -> tuple[str, ...]:
    counted = [(n, change) for change, n in sorted(changes.items()) if change != "resized"]
    if changes["resized"]:
        counted.append((changes["resized"], f"resized to {side} × {side}"))
    notes = [f"{count(n, 'image')}: {change}" for n, change in counted]
    if ignored:
        entries = count(ignored, "entry", "entries")
        notes.append(f"{entries} ignored: hidden, not an image, or outside the class folders")
    if broken:
        more = f", and {len(broken) - SHOWN:,} more" if len(broken) > SHOWN else ""
        images = count(len(broken), "unreadable image")
        notes.append(f"{images} skipped: {'; '.join(broken[:SHOWN])}{more}")
    return tuple(notes)
