"""A folder of images: `class/…`, or `train/class/…` with `validation/class/…` and `test/class/…` beside it.

Where classes and parts lie is found by `tenfold.data.layout`, the images in them by `tenfold.data.listing`. Order is
that of part, class and path. What is left out is counted and named.

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

from tenfold.data.background import background_of
from tenfold.data.layout import Layout, layout
from tenfold.data.listing import LeftOut, images_below, left_out_note
from tenfold.data.readers.images import ImageFile, images
from tenfold.data.types import Dataset, DataSource, Reading
from tenfold.errors import DataError
from tenfold.text import count, visible

PARTS = ("train", "validation", "test")
SIDE_CAP = 64
BLOCK = 64  # images decoded by one task
SHOWN = 3  # broken files named in a note


class _Item(NamedTuple):
    """An image and where it belongs."""

    part: str
    label: int
    path: Path
    picture: ImageFile


class _Form(NamedTuple):
    """Form that all images get: mode, side of the square, color under what is transparent."""

    mode: str
    side: int
    background: str


class _Contents(NamedTuple):
    """Paths of the pictures by part and class, what was left out, and how many pictures only their content shows."""

    paths: dict[tuple[str, int], list[Path]]
    left_out: list[LeftOut]
    by_content: int


def folder(source: DataSource) -> Dataset:
    """Load the data set of the images below `source.location`, at `source.size` if that is not 0.

    Raises DataError: see the layout; a class without training images, a part without images, a broken image (unless
    `source.skip_unreadable`; then they are counted in the notes).
    """
    root = Path(source.location).expanduser()
    arranged = layout(root, source.parts, source.precedent.classes)
    contents = _contents(root, arranged, bool(source.precedent.classes))
    broken: list[str] = []
    items = list(_headers(contents.paths, source.skip_unreadable, broken))
    if broken and not items:
        raise DataError(f"{root}: none of the {len(broken):,} images can be read: {broken[0]}")
    side = source.size or _side(items)
    mode = "L" if all(item.picture.grey for item in items) else "RGB"
    pictures = [item.picture for item in items]
    background, remark = (source.precedent.background, "") if source.precedent.background else background_of(pictures)
    pixels, items, changes = _decode(items, _Form(mode, side, background), source.skip_unreadable, broken)
    return Dataset(
        name=visible(root.resolve().name),
        images=pixels,
        labels=torch.tensor([item.label for item in items], dtype=torch.int64),
        class_names=arranged.classes,
        scale=1 / 255,
        parts=_positions(root, arranged, items),
        photographs=mode == "RGB",
        paths=tuple(visible(str(item.path)) for item in items),
        notes=(*_notes(changes, broken, side), *filter(None, [remark]), *_contents_notes(root, contents)),
        reading=_reading(items, broken, len(contents.left_out)),
        background=background,
    )


def _contents(root: Path, arranged: Layout, may_lack: bool) -> _Contents:
    """List the pictures of every class in every part. may_lack: a class may have none in training, too."""
    contents = _Contents({}, list(arranged.left_out), 0)
    for (part, label), places in arranged.places.items():
        listings = [images_below(place) for place in places]
        paths = [path for listing in listings for path in listing.paths]
        if not paths and part in ("", "train") and not may_lack:
            raise DataError(f"{places[0]}: no images in this class; add some or remove the folder")
        contents.paths[part, label] = paths
        contents.left_out.extend(entry for listing in listings for entry in listing.left_out)
        contents = contents._replace(by_content=contents.by_content + sum(listing.by_content for listing in listings))
    return contents


def _headers(paths: dict[tuple[str, int], list[Path]], skip: bool, broken: list[str]) -> Iterator[_Item]:
    for (part, label), of_class in paths.items():
        for path in of_class:
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


def _decode(items: list[_Item], form: _Form, skip: bool, broken: list[str]) -> tuple[Tensor, list[_Item], Counter[str]]:
    """Return the pixels of the readable images, those images, and how many of them took each conversion.

    Pillow decodes outside the interpreter's lock. Two threads on two cores: 1.7 times as fast on PNG of 500 × 500,
    1.4 times on JPEG of 256 × 256, no faster on thumbnails of 32 × 32.
    """
    pixels = torch.empty((len(items), 1 if form.mode == "L" else 3, form.side, form.side), dtype=torch.uint8)
    block = partial(_decode_block, items, pixels.numpy(), form)
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
    items: Sequence[_Item], array: NDArray[np.uint8], form: _Form, start: int
) -> list[tuple[str, ...] | DataError]:
    """Decode BLOCK images into their places; return for each the conversions, or the error."""
    results: list[tuple[str, ...] | DataError] = []
    for place in range(start, min(start + BLOCK, len(items))):
        try:
            array[place], changes = items[place].picture.pixels(*form)
            results.append(changes)
        except DataError as error:
            results.append(error)
    return results


def _positions(root: Path, arranged: Layout, items: Sequence[_Item]) -> dict[str, Tensor]:
    """Return the positions of every part; of a lone training folder none, which splits nothing."""
    places = np.array([item.part for item in items])
    parts = dict.fromkeys(part for part, _ in arranged.places)
    positions = {part: torch.from_numpy(np.flatnonzero(places == part)) for part in parts}
    for part, rows in positions.items():
        if part and not len(rows):
            raise DataError(f"{root}: no readable images in the {part} part; add some, or remove its folder")
    return {} if list(parts) in ([""], ["train"]) else positions


def _reading(items: Sequence[_Item], broken: Sequence[str], ignored: int) -> Reading:
    """Count sizes and modes of the images that were read, the commonest first."""
    sizes = Counter(f"{item.picture.width} × {item.picture.height}" for item in items)
    modes = Counter(item.picture.kind for item in items)
    return Reading(dict(sizes.most_common()), dict(modes.most_common()), tuple(broken), ignored)


def _notes(changes: Counter[str], broken: Sequence[str], side: int) -> tuple[str, ...]:
    counted = [(n, change) for change, n in sorted(changes.items()) if change != "resized"]
    if changes["resized"]:
        counted.append((changes["resized"], f"resized to {side} × {side}"))
    notes = [f"{count(n, 'image')}: {change}" for n, change in counted]
    if broken:
        more = f", and {len(broken) - SHOWN:,} more" if len(broken) > SHOWN else ""
        images = count(len(broken), "unreadable image")
        notes.append(f"{images} skipped: {'; '.join(broken[:SHOWN])}{more}")
    return tuple(notes)


def _contents_notes(root: Path, contents: _Contents) -> list[str]:
    unnamed = contents.by_content
    notes = [f"{count(unnamed, 'image')} known by content: their names do not end like images"] if unnamed else []
    return [*notes, left_out_note(root, contents.left_out)] if contents.left_out else notes
