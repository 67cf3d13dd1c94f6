"""Where the named data sets lie, and how absent files are downloaded: through pooch, checked against pinned digests.

The root is `--data-dir`, else `$TENFOLD_DATA`, else torchvision's layout, else the user's cache. Under the root a data
set has a folder with the official files: `mnist/train-images-idx3-ubyte.gz`. torchvision keeps the same files, packed
or not, in `MNIST/raw` and `FashionMNIST/raw`. Folders are matched by their letters alone: "fashion_mnist" matches
`fashion-mnist` and `FashionMNIST`, and a new data set needs no line here.

A file is streamed to a temporary one in its folder, compared with its digest, and only then renamed: neither a wrong
file nor half of one is ever found in the cache, and a download that was stopped starts cleanly. Pins apply to downloads
only; a file that the user put there is judged by its reader.
"""

__all__ = ["Pinned", "data_root", "download_folder", "fetch", "find_file", "obtain"]

import contextlib
import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import platformdirs
import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from tenfold.data.types import DataSource
from tenfold.errors import DataError, FileError, UsageError

GUESSES = (Path("data"), Path("~/data"))
TIMEOUT = (10.0, 30.0)  # seconds to connect, and without a byte
CHUNK = 2**16


class Pinned(NamedTuple):
    """An official file: name, size in bytes, digest as pooch writes it, and where it is served, best first."""

    file: str
    size: int
    digest: str
    mirrors: tuple[str, ...]


class _Capped(NamedTuple):
    """The open file that a download is written to; refuses more bytes than the official file has."""

    file: Any
    size: int
    progress: Progress

    def write(self, content: bytes) -> None:
        if self.file.tell() + len(content) > self.size:
            raise ValueError(f"more than the {self.size:,} bytes of the official file")
        self.file.write(content)
        self.progress.update(self.progress.task_ids[0], completed=self.file.tell())

    def flush(self) -> None:
        """Do nothing: pooch asks for it after every chunk."""


def data_root(data_dir: str, name: str) -> Path:
    """Return the root folder for the data set `name`; it need not exist yet where the user named it.

    data_dir: what the user asked for, "" for nothing. Raises UsageError where that is a file.
    """
    for origin, chosen in (("--data-dir", data_dir), ("TENFOLD_DATA", os.environ.get("TENFOLD_DATA", ""))):
        if chosen:
            root = Path(chosen).expanduser()
            if root.exists() and not root.is_dir():
                raise UsageError(f"{origin}: {root} is a file; expected the folder that holds the data sets")
            return root
    for guess in (guess.expanduser() for guess in GUESSES):
        if any(next((folder / "raw").glob("*-ubyte*"), None) for folder in _folders(guess, name)):
            return guess
    return platformdirs.user_cache_path("tenfold", appauthor=False) / "data"


def find_file(root: Path, name: str, file: str) -> Path | None:
    """Return a file, or folder, of the data set `name`, packed (.gz) or not; None where the root lacks it."""
    for folder in _folders(root, name):
        for place in (folder / file, folder / "raw" / file):
            for candidate in (place, place.with_name(place.name.removesuffix(".gz"))):
                if candidate.exists():
                    return candidate
    return None


def download_folder(root: Path, name: str) -> Path:
    """Return the folder that files of the data set `name` are downloaded to."""
    return root / name.replace("_", "-")


def _folders(root: Path, name: str) -> Iterator[Path]:
    if root.is_dir():
        yield from sorted(entry for entry in root.iterdir() if _letters(entry.name) == _letters(name))


def _letters(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")


def obtain(source: DataSource, name: str, pinned: Pinned) -> Path:
    """Return the path of an official file of the data set `name`: found under the root, else downloaded into it."""
    path = find_file(source.root, name, pinned.file)
    if path:
        return path
    target = download_folder(source.root, name) / pinned.file
    if not source.download:
        raise DataError(f"{target}: not there, and downloading is switched off; {_by_hand(target, pinned)}")
    fetch(target, pinned)
    return target


def fetch(target: Path, pinned: Pinned) -> None:
    """Download an official file from the first mirror that has it right.

    Raises DataError that says why each mirror failed and what to do; FileError where the disk refuses.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{target.parent}: cannot be created ({error.strerror}); choose another --data-dir") from error
    failures = []
    with _quiet(pooch.get_logger()):
        for url in pinned.mirrors:
            failure = _try(url, target, pinned)
            if not failure:
                return
            failures.append(f"{url} ({failure})")
    raise DataError(f"{target.name} could not be downloaded from {'; '.join(failures)}. {_by_hand(target, pinned)}")


def _by_hand(target: Path, pinned: Pinned) -> str:
    return f"get it on a machine with a network from {pinned.mirrors[0]} and put it at {target}"


def _try(url: str, target: Path, pinned: Pinned) -> str:
    """Download from one mirror; return "", or why that failed."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    console = Console(stderr=True)
    progress = Progress(*columns, console=console, disable=not console.is_terminal, transient=True)
    progress.add_task(pinned.file, total=pinned.size)

    def download(address: str, path: str, owner: object) -> None:
        with Path(path).open("wb") as file:
            get = pooch.HTTPDownloader(timeout=TIMEOUT, chunk_size=CHUNK)
            get(address, cast("Any", _Capped(file, pinned.size, progress)), owner)
            if file.tell() < pinned.size:
                raise ValueError(f"cut short: {file.tell():,} of {pinned.size:,} bytes")

    try:
        with progress:
            pooch.retrieve(url, pinned.digest, target.name, target.parent, downloader=download)
    except OSError as error:
        # What requests raises is an OSError, too, but without an errno of its own.
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            need = f"{pinned.size:,} bytes are needed there; free space, or name another folder by --data-dir"
            raise FileError(f"{target}: cannot be written ({error.strerror}); {need}") from error
        return _in_words(error)
    except ValueError as error:
        return _in_words(error)
    return ""


def _in_words(error: Exception) -> str:
    """Name an error of requests or pooch in a few words."""
    response = getattr(error, "response", None)
    if response is not None:  # a response is false where it is an error, so its truth says nothing
        return f"HTTP {response.status_code}"
    words = " ".join(str(error).split())
    if "does not match the known hash" in words:
        return "its content is not the official file's"
    return words if type(error) is ValueError else _WORDS.get(type(error).__name__, "no connection")


_WORDS = {
    "ConnectTimeout": "no answer in time",
    "ReadTimeout": "no answer in time",
    "ChunkedEncodingError": "the connection broke off",
    "SSLError": "its certificate is not trusted",
}


@contextlib.contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    """Keep pooch from logging what the progress bar shows."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
