"""IDX, the format of MNIST and its relatives, plain or gzip-compressed.

    2 bytes      zero
    1 byte       type of the elements; 0x08 is unsigned byte, the only one read here
    1 byte       number of dimensions d
    4 d bytes    size of each dimension, big-endian
    the rest     the elements, last dimension fastest

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database", section "File formats".
"""

__all__ = ["idx"]

import gzip
import math
import os
import struct
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from tenfold.errors import DataError

# Photographs and drawings shrink 2 to 10 times. A claim past these limits is refused unread, so that a small file
# cannot make the reader take much memory.
PLAIN_BYTES = 32 * 2**20
RATIO = 16
CHUNK = 2**20

Stream = IO[bytes] | gzip.GzipFile


def idx(path: Path) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes; the shape of the array is the one that the header states.

    Raises DataError that names the file: absent, damaged, cut short, too long, another element type.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            packed = file.peek(2)[:2] == b"\x1f\x8b"  # the content decides: users rename files
            if not packed:
                return _read(path, file, size)
            with gzip.GzipFile(fileobj=file) as stream:
                return _read(path, stream, PLAIN_BYTES + RATIO * size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: damaged or cut short ({error}); fetch the file again") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read(path: Path, stream: Stream, limit: int) -> NDArray[np.uint8]:
    shape = _shape(path, stream)
    claimed = math.prod(shape)
    if claimed > limit:
        raise DataError(f"{path}: its header claims {claimed:,} bytes, more than a file of this size can hold")
    content = bytearray()
    # One byte more than claimed: a longer file is noticed, and gzip checks its own checksum at the end.
    while len(content) <= claimed and (chunk := stream.read(min(CHUNK, claimed + 1 - len(content)))):
        content += chunk
    if len(content) != claimed:
        held = "more" if len(content) > claimed else f"only {len(content):,}"
        raise DataError(f"{path}: its header claims {claimed:,} bytes {shape}, the file holds {held}; fetch it again")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)


def _shape(path: Path, stream: Stream) -> tuple[int, ...]:
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise DataError(f"{path}: not an IDX file: it starts with {start.hex(' ') or 'nothing'}, expected 00 00 08")
    kind, dimensions = start[2], start[3]
    if kind != 8:
        raise DataError(f"{path}: its elements have IDX type 0x{kind:02x}; only unsigned bytes (0x08) are read")
    if not 1 <= dimensions <= 4:
        raise DataError(f"{path}: its header claims {dimensions} dimensions, expected 1 to 4")
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataError(f"{path}: cut short within its header; fetch the file again")
    shape = struct.unpack(f">{dimensions}I", sizes)
    if 0 in shape:
        raise DataError(f"{path}: its header claims the shape {shape}, which is empty")
    return shape
