"""The pictures below a folder, and every other entry with the reason why it is left out.

A picture is a file whose name ends like one, whether or not its format can be read: what cannot be read is reported,
not overlooked. Any other file is a picture if its content begins like one. Hidden entries and those that operating
systems and tools leave behind are none, whatever they hold.
"""

__all__ = [
    "ENDINGS",
    "LeftOut",
    "Listing",
    "beside_folders",
    "holds_pictures",
    "images_below",
    "left_out_note",
    "loose_pictures",
    "subfolders",
]

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tenfold.data.pictureformats import RAW
from tenfold.errors import DataError
from tenfold.text import count, visible

_READ = "png jpg jpeg jpe jfif pjpeg bmp dib gif webp tif tiff ppm pgm pbm pnm avif avifs heic heif hif heics heifs"
_OTHER = "jp2 j2k jpf jpx jxl jxr svg svgz psd xcf ico tga dds exr hdr pcx eps dcm apng mpo"
ENDINGS = frozenset(f".{word}" for word in f"{_READ} {_OTHER}".split()) | RAW
"""Endings of the names of pictures, those that no reader here knows among them."""

_SIGNATURE = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|RIFF....WEBP|II\*\0|MM\0\*|BM....\0\0\0\0|P[1-6]\s+[\d#]"
    rb"|....ftyp(?:avif|avis|heic|heix|heim|heis|hevc|hevx|mif1|msf1)",
    re.DOTALL,
)
_LEFT_BEHIND = "__macosx @eadir .ipynb_checkpoints thumbs.db ehthumbs.db desktop.ini .ds_store $recycle.bin #recycle"
_SYSTEM = frozenset(_LEFT_BEHIND.split())
_NAMED = 3  # entries that a note names for each reason


class LeftOut(NamedTuple):
    """An entry that was not read, and why: words that follow a number of entries."""

    path: Path
    reason: str


class Listing(NamedTuple):
    """Paths of the pictures below a folder, in the order of their paths; the entries that were left out.

    by_content: how many of the pictures have a name that does not say so.
    """

    paths: list[Path]
    left_out: list[LeftOut]
    by_content: int = 0


def images_below(root: Path) -> Listing:
    """List the pictures at any depth below a folder; each real folder is entered once, so that a loop of links ends."""
    paths: list[Path] = []
    left_out: list[LeftOut] = []
    unnamed = 0
    for entry in _below(root):
        if isinstance(entry, LeftOut):
            left_out.append(entry)
        elif _is_picture(entry):
            paths.append(Path(entry.path))
            unnamed += not _ends_like_one(entry)
        else:
            left_out.append(LeftOut(Path(entry.path), "not an image"))
    return Listing(sorted(paths, key=lambda path: path.as_posix()), left_out, unnamed)


def holds_pictures(root: Path) -> bool:
    """Test whether a folder has a picture at any depth."""
    return any(not isinstance(entry, LeftOut) and _is_picture(entry) for entry in _below(root))


def _below(root: Path) -> Iterator[os.DirEntry[str] | LeftOut]:
    """Yield every file below a folder, and what is left out by its name or since it was met before."""
    seen: set[tuple[int, int]] = set()
    waiting = [root]
    while waiting:
        current = waiting.pop()
        status = current.stat()
        if (status.st_dev, status.st_ino) in seen:
            yield LeftOut(current, "linked again")
            continue
        seen.add((status.st_dev, status.st_ino))
        for entry in _entries(current):
            if reason := _debris(entry.name):
                yield LeftOut(Path(entry.path), reason)
            elif _is_folder(entry):
                waiting.append(Path(entry.path))
            else:
                yield entry


def subfolders(root: Path) -> list[str]:
    """Return the names of the folders in a folder, sorted, without hidden ones, debris and the runs of Tenfold."""
    folders = (entry for entry in _entries(root) if not _debris(entry.name) and _is_folder(entry))
    return sorted(entry.name for entry in folders if not _is_run(Path(entry.path)))


def beside_folders(root: Path) -> Iterator[LeftOut]:
    """Yield every entry of a folder that is no folder of pictures: it lies outside the class folders."""
    for entry in _entries(root):
        if reason := _debris(entry.name):
            yield LeftOut(root / entry.name, reason)
        elif not _is_folder(entry):
            yield LeftOut(root / entry.name, "outside the class folders")
        elif _is_run(Path(entry.path)):
            yield LeftOut(root / entry.name, "of Tenfold's runs")


def loose_pictures(root: Path) -> list[Path]:
    """Return the pictures that lie in a folder itself, sorted."""
    files = (entry for entry in _entries(root) if not _debris(entry.name) and not _is_folder(entry))
    return sorted(Path(entry.path) for entry in files if _is_picture(entry))


def left_out_note(root: Path, entries: Sequence[LeftOut]) -> str:
    """Say how many entries below a folder were left out, why, and which: the first few of each reason by name."""
    reasons = dict.fromkeys(entry.reason for entry in entries)
    groups = [(reason, [entry.path for entry in entries if entry.reason == reason]) for reason in sorted(reasons)]
    said = "; ".join(f"{count(len(paths))} {reason} ({_listed(root, paths)})" for reason, paths in groups)
    return f"{count(len(entries), 'entry', 'entries')} ignored: {said}"


def _listed(root: Path, paths: Iterable[Path]) -> str:
    names = sorted(visible(path.relative_to(root).as_posix()) for path in paths)
    return ", ".join([*names[:_NAMED], *["…"] * (len(names) > _NAMED)])


def _entries(root: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(root) as entries:
            return list(entries)
    except OSError as error:
        raise DataError(f"{root}: cannot be listed ({error.strerror or error})") from error


def _debris(name: str) -> str:
    """Return why an entry is none of the user's pictures by its name alone; "" where it may be one."""
    if name.lower() in _SYSTEM:
        return "of the system"
    return "hidden" if name.startswith(".") else ""


def _is_run(folder: Path) -> bool:
    """Test for a run of this program, or the folder `runs` that it makes: figures are no data."""
    inside = folder.glob("*/recipe.toml") if folder.name == "runs" else iter(())
    return (folder / "recipe.toml").is_file() or next(inside, None) is not None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Follow a link; one that leads nowhere, or to itself, is no folder."""
    return Path(entry.path).is_dir() if entry.is_symlink() else entry.is_dir()


def _is_picture(entry: os.DirEntry[str]) -> bool:
    """Judge by the ending. A link that leads nowhere counts, so that it is reported; a pipe does not: it could hang."""
    if _ends_like_one(entry):
        return Path(entry.path).is_file() or not Path(entry.path).exists() if entry.is_symlink() else entry.is_file()
    return Path(entry.path).is_file() and _begins_like_one(Path(entry.path))


def _ends_like_one(entry: os.DirEntry[str]) -> bool:
    return Path(entry.name).suffix.lower() in ENDINGS


def _begins_like_one(path: Path) -> bool:
    """Judge by the content of a file whose name ends in something else, or in nothing."""
    try:
        with path.open("rb") as file:
            return _SIGNATURE.match(file.read(16)) is not None
    except OSError:
        return False
