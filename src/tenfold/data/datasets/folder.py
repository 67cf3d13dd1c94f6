"""A folder of images: `class/…`, or `train/class/…` with `validation/class/…` and `test/class/…` beside it.

Where classes and parts lie is found by `tenfold.data.layout`, the images in them by `tenfold.data.listing`. Order is
that of part, class and path. What is left out is counted and named.

All images become squares (`tenfold.data.framing`) of one size, the median of their sides and at most 64 unless one is
asked for, and of one mode: grey or RGB, by their content (`tenfold.data.decode`). Only in RGB are they taken for
photographs, for which a mirror image is as likely: grey folders are often scans or characters, which mirroring would
falsify.
"""

__all__ = ["folder"]

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tenfold.data.decode import Decoded, decode
from tenfold.data.layout import Layout, layout
from tenfold.data.listing import LeftOut, images_below, left_out_note
from tenfold.data.readers.images import ImageFile
from tenfold.data.types import Dataset, DataSource, Reading
from tenfold.errors import DataError
from tenfold.text import count, unequal, visible

PARTS = ("train", "validation", "test")
SHOWN = 3  # broken files named in a note


class _Item(NamedTuple):
    """An image and where it belongs."""

    part: str
    label: int
    path: Path
    picture: ImageFile


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
    places = [(part, label, path) for (part, label), paths in contents.paths.items() for path in paths]
    decoded = _decoded(source, places)
    items = [_Item(*places[row], file) for row, file in zip(decoded.rows, decoded.files, strict=True)]
    broken = [visible(str(error)) for _, error in decoded.unreadable]
    if broken and not items:
        raise DataError(f"{root}: none of the {len(broken):,} images can be read: {broken[0]}")
    return Dataset(
        name=visible(root.resolve().name),
        images=decoded.pixels,
        labels=torch.tensor([item.label for item in items], dtype=torch.int64),
        class_names=arranged.classes,
        scale=1 / 255,
        parts=_positions(root, arranged, items),
        photographs=decoded.pixels.shape[1] == 3,
        paths=tuple(visible(str(item.path)) for item in items),
        notes=(*_notes(decoded, broken), *map(visible, decoded.remarks), *_contents_notes(root, contents)),
        reading=_reading(items, broken, len(contents.left_out)),
        background=decoded.precedent.background,
        levels=decoded.precedent.levels,
        framing=decoded.precedent.framing,
    )


def _decoded(source: DataSource, places: Sequence[tuple[str, int, Path]]) -> Decoded:
    labels, paths = [label for _, label, _ in places], [path for _, _, path in places]
    try:
        return decode(paths, labels, source)
    except DataError as error:
        raise DataError(visible(f"{error}; repair or remove it, or skip it by --skip-unreadable")) from error


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


def _notes(decoded: Decoded, broken: Sequence[str]) -> tuple[str, ...]:
    resized, side = decoded.changes["resized"], decoded.pixels.shape[-1]
    counted = [(n, change) for change, n in sorted(decoded.changes.items()) if change != "resized"]
    if resized:
        others = sum(file.width != file.height for file in decoded.files)
        counted.append((resized, f"resized to {side} × {side}{unequal(others, decoded.precedent.framing)}"))
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
