"""PNG without profiles, texts and private chunks, any of which can make Pillow refuse a sound picture.

A PNG is 8 bytes of signature and then chunks: a length of 4 bytes, big-endian, a name of 4 letters, the content, a
checksum of 4 bytes. Source: W3C, Portable Network Graphics, second edition, section 5.
"""

__all__ = ["without_metadata"]

import io
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHUNKS_CAP = 2**20
SMALL = 2**20  # bytes
# Pixels, palette, transparency, orientation and the frames of an animation.
_KEPT = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"eXIf", b"acTL", b"fcTL", b"fdAT"})
# Texts in which other programs keep the orientation.
_TEXTS = (b"XML:com.adobe.xmp", b"Raw profile type exif")


def without_metadata(source: Path | bytes) -> Path | io.BytesIO:
    """Return what Pillow is to open: of a PNG its chunks without metadata, all else as it is.

    A small file is read at once: Pillow asks for a few bytes at a time, and files are slower than memory.
    """
    if isinstance(source, bytes):
        return _stream(source)
    with source.open("rb", buffering=0) as file:
        if os.fstat(file.fileno()).st_size < SMALL:
            return _stream(file.readall())
        if file.read(len(SIGNATURE)) != SIGNATURE:
            return source
    with source.open("rb") as buffered:
        return _stripped(buffered)


def _stream(content: bytes) -> io.BytesIO:
    stream = io.BytesIO(content)
    return _stripped(stream) if content.startswith(SIGNATURE) else stream


def _stripped(file: IO[bytes]) -> io.BytesIO:
    """Copy the kept chunks, damaged ones as they are: whoever decodes them says what is wrong."""
    file.seek(len(SIGNATURE))
    kept = io.BytesIO()
    kept.write(SIGNATURE)
    for start in _chunks(file):
        kept.write(start)
    kept.seek(0)
    return kept


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    for _ in range(CHUNKS_CAP):
        head = file.read(8)
        if len(head) < 8:
            yield head
            return
        length, name = struct.unpack(">I4s", head)
        if name in _KEPT:
            yield head + file.read(length + 4)
        elif name in (b"iTXt", b"tEXt", b"zTXt") and length < 2**16:
            text = file.read(length + 4)
            if text.startswith(_TEXTS):
                yield head + text
        else:
            file.seek(length + 4, io.SEEK_CUR)
