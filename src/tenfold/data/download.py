"""Files of the named data sets from their official homes and mirrors, through pooch, checked against pinned digests.

A file is streamed to a temporary one in its folder, compared with its digest, and only then renamed: neither a wrong
file nor half of one is ever found in the cache, and a download that was stopped starts cleanly. Pins apply to downloads
only; a file that the user put there is judged by its reader.
"""

__all__ = ["Pinned", "fetch", "obtain"]

import contextlib
import errno
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

import pooch
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from tenfold.data.root import find_file, own_folder
from tenfold.data.types import Source
from tenfold.errors import DataError, FileError

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
        """Nothing: pooch asks for it after every chunk."""


def obtain(source: Source, name: str, pinned: Pinned) -> Path:
    """Path of an official file of the data set `name`: found under the root, else downloaded into it."""
    found = find_file(source.root, name, pinned.file)
    if found:
        return found
    target = own_folder(source.root, name) / pinned.file
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
    """Download from one mirror; "", or why that failed."""
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
        return _plain(error)
    except ValueError as error:
        return _plain(error)
    return ""


def _plain(error: Exception) -> str:
    """An error of requests or pooch in a few words."""
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
    """Pooch tells the log what the progress bar shows."""
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
