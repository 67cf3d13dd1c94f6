"""CIFAR-10, binary version: a gzip-compressed tar of six files, or the folder that it unpacks to.

    data_batch_1.bin … data_batch_5.bin, test_batch.bin   10,000 records each
    batches.meta.txt                                      ten lines, the names of the classes

A record is one byte of label, 0 to 9, then 3,072 bytes of pixels: 1,024 red, 1,024 green, 1,024 blue, each row by row.
Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009, and the data set's page.

The archive is streamed, never extracted: names are compared, not used as paths. The tar is read by a few lines of its
own (POSIX ustar: blocks of 512 bytes; name at 0, size in octal at 124, checksum at 148, type at 156, prefix at 345),
because a general reader takes long names and extended headers into memory at whatever size they claim.
"""

__all__ = ["cifar"]

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.typing import NDArray

from tenfold.errors import DataError

FOLDER = "cifar-10-batches-bin"
BATCHES = (*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin")
NAMES = "batches.meta.txt"
RECORDS = 10_000  # in a batch
RECORD = 1 + 3 * 32 * 32
CLASSES = 10
RATIO = 16  # photographs hardly shrink; a smaller archive cannot hold them and is refused unread
MEMBERS_CAP = 64
STRAY_CAP = 2**20  # bytes of a member that is none of ours
BLOCK = 512
REGULAR = (b"0", b"\0")

Stream = IO[bytes] | gzip.GzipFile


def cifar(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[str, ...]]:
    """Read images (60000, 3, 32, 32), labels (60000,) and names of the classes; the last 10,000 are the test set.

    path: cifar-10-binary.tar.gz, or the folder cifar-10-batches-bin. One array for all, so that no second copy of
    184 MB is needed to join the parts; torch allocates it, aligned. Raises DataError that names the file.
    """
    try:
        return _read_folder(path) if path.is_dir() else _read_archive(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: damaged or cut short ({error}); fetch the archive again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _allocate() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    count = RECORDS * len(BATCHES)
    return torch.empty((count, 3, 32, 32), dtype=torch.uint8).numpy(), np.empty(count, dtype=np.uint8)


def _read_folder(folder: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[str, ...]]:
    for batch in BATCHES:
        if not (folder / batch).is_file():
            raise DataError(f"{folder}: {batch} is missing; expected {', '.join((*BATCHES, NAMES))}")
        if (size := (folder / batch).stat().st_size) != RECORDS * RECORD:
            raise DataError(f"{folder / batch}: {size:,} bytes, expected {RECORDS * RECORD:,}")
    images, labels = _allocate()
    for slot, batch in enumerate(BATCHES):
        with (folder / batch).open("rb") as file:
            _fill(folder / batch, file, images, labels, slot)
    if not (folder / NAMES).is_file():
        raise DataError(f"{folder}: {NAMES} is missing; it lists the names of the ten classes")
    with (folder / NAMES).open("rb") as file:
        return images, labels, _class_names(folder / NAMES, file.read(STRAY_CAP))


def _read_archive(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], tuple[str, ...]]:
    with path.open("rb") as file:
        if file.peek(2)[:2] != b"\x1f\x8b":
            raise DataError(f"{path}: not a gzip-compressed archive; expected cifar-10-binary.tar.gz")
        size = os.fstat(file.fileno()).st_size
        if size * RATIO < RECORDS * RECORD * len(BATCHES):
            raise DataError(f"{path}: {size:,} bytes are too few for CIFAR-10; fetch the archive again")
        images, labels = _allocate()
        names: tuple[str, ...] = ()
        members_read: set[str] = set()
        with gzip.GzipFile(fileobj=file) as stream:
            for member, length in _members(path, stream):
                if member in members_read:
                    raise DataError(f"{path}: {member} appears twice in the archive")
                members_read.add(member)
                if member == NAMES:
                    names = _class_names(path, stream.read(length))
                else:
                    _fill(path, stream, images, labels, BATCHES.index(member))
        if missing := sorted({*BATCHES, NAMES} - members_read):
            raise DataError(f"{path}: {', '.join(missing)} missing from the archive; fetch it again")
    return images, labels, names


def _members(path: Path, stream: Stream) -> Iterator[tuple[str, int]]:
    """Yield names (without the folder) and sizes of our members; the caller reads each one's bytes before the next.

    Other members are skipped within their caps. Reads on to the end of the gzip stream, where its checksum is compared.
    """
    for _ in range(MEMBERS_CAP):
        header = _take(path, stream, BLOCK)
        if not header.strip(b"\0"):
            _drain(path, stream)
            return
        name, size, kind = _parse(path, header)
        ours = name.removeprefix(f"{FOLDER}/")
        if kind in REGULAR and name != ours and (ours in BATCHES or ours == NAMES):
            wanted = RECORDS * RECORD if ours in BATCHES else min(size, STRAY_CAP)
            if size != wanted:
                raise DataError(f"{path}: {ours} has {size:,} bytes in the archive, expected {wanted:,}")
            yield ours, size
        elif size > STRAY_CAP:
            raise DataError(f"{path}: holds {size:,} bytes of something that is not part of CIFAR-10's binary version")
        else:
            _take(path, stream, size)
        _take(path, stream, -size % BLOCK)
    raise DataError(f"{path}: more than {MEMBERS_CAP} members; this is not CIFAR-10's archive")


def _parse(path: Path, header: bytes) -> tuple[str, int, bytes]:
    checked = sum(header) - sum(header[148:156]) + 8 * ord(" ")
    if checked != _octal(path, header[148:156]):
        raise DataError(f"{path}: the header of a member is damaged; fetch the archive again")
    name, prefix = (field.split(b"\0")[0].decode("latin-1") for field in (header[:100], header[345:500]))
    # GNU tar keeps other things where ustar has the prefix.
    ustar = header[257:263] == b"ustar\0"
    return (f"{prefix}/{name}" if ustar and prefix else name), _octal(path, header[124:136]), header[156:157]


def _octal(path: Path, field: bytes) -> int:
    digits = field.strip(b" \0")
    if not digits.isdigit() or set(digits) & set(b"89"):
        raise DataError(f"{path}: a number in the header of a member is damaged; fetch the archive again")
    return int(digits, 8)


def _take(path: Path, stream: Stream, count: int) -> bytes:
    content = stream.read(count) if count else b""
    if len(content) != count:
        raise DataError(f"{path}: the archive is cut short; fetch it again")
    return content


def _drain(path: Path, stream: Stream) -> None:
    """Read the zero blocks that tar pads its end with, usually to 10 KiB, so that gzip compares its checksum."""
    if len(stream.read(STRAY_CAP + 1)) > STRAY_CAP:
        raise DataError(f"{path}: goes on after the end of the archive")


def _fill(path: Path, stream: Stream, images: NDArray[np.uint8], labels: NDArray[np.uint8], slot: int) -> None:
    """Read one batch into its place, a thousand records at a time."""
    step = min(1000, RECORDS)
    for start in range(slot * RECORDS, (slot + 1) * RECORDS, step):
        count = min(step, (slot + 1) * RECORDS - start)
        content = np.frombuffer(_take(path, stream, count * RECORD), dtype=np.uint8).reshape(count, RECORD)
        images[start : start + count] = content[:, 1:].reshape(count, 3, 32, 32)
        labels[start : start + count] = content[:, 0]
        if (worst := int(content[:, 0].max())) >= CLASSES:
            raise DataError(f"{path}: {BATCHES[slot]} holds the label {worst}, expected 0 to {CLASSES - 1}")


def _class_names(path: Path, content: bytes) -> tuple[str, ...]:
    names = tuple(line.strip() for line in content.decode("latin-1").splitlines() if line.strip())
    if len(set(names)) != CLASSES or len(names) != CLASSES or not all(name.isprintable() for name in names):
        raise DataError(f"{path}: {NAMES} lists {len(names)} names, expected {CLASSES} different ones")
    return names
