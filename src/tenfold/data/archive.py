"""NumPy's .npz without pickle: a zip of .npy files, each checked before its array is allocated.

A .npy file is "\\x93NUMPY", two bytes of version, the length of the header (2 bytes, little-endian; 4 from version 2),
the header, a Python literal such as {'descr': '<f4', 'fortran_order': False, 'shape': (100, 28, 28), }, the elements.
Source: NumPy Enhancement Proposal 1, numpy.lib.format.

This is the package's only reader of archives. numpy.load is not used: it reads a header of any length before it
compares the length with its limit, believes the header's shape, and ends with errors of many kinds. Here the shape, the
size that the zip claims and the size of the file must agree first, and every error names the file.
"""

__all__ = ["CHUNK", "arrays_in"]

import io
import math
import os
import zipfile
from collections.abc import Callable, Sequence
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tenfold.errors import DataError, TenfoldError

MEMBERS_CAP = 64
HEADER_CAP = 10_000
PLAIN_BYTES = 32 * 2**20  # all arrays together may take this much, and RATIO times the file
# Deflate packs at most 1032 bytes into one, and only where all are alike. MNIST packs 22 to 1 as 64-bit numbers, 62 to
# 1 as black and white in float32, 97 to 1 in float64.
RATIO = 512
CHUNK = 2**20


def arrays_in(path: Path, choose: Callable[[Sequence[str]], Sequence[str]] = list) -> dict[str, NDArray[Any]]:
    """Read the arrays of an .npz file, numbers and strings, by their names in it.

    choose: given the names of all arrays, returns those to be read. Raises DataError that names the file and the array.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            with zipfile.ZipFile(cast("IO[bytes]", _Sipped(file))) as archive:
                return _read(path, archive, size, choose)
    except TenfoldError:  # a signal, too, which is no fault of the file
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # zipfile raises struct.error, zlib.error, ValueError and others beside its own
        raise DataError(f"{path}: damaged, or not a file of numpy.savez ({error})") from error


class _Sipped:
    """A file that gives at most CHUNK bytes at once: zipfile would read a directory of any size that is claimed."""

    def __init__(self, file: BufferedReader) -> None:
        self.seek, self.tell, self.seekable, self._file = file.seek, file.tell, file.seekable, file

    def read(self, count: int = -1) -> bytes:
        """Read at most CHUNK bytes from where the file stands."""
        return self._file.read(CHUNK if count < 0 else min(count, CHUNK))


def _read(
    path: Path, archive: zipfile.ZipFile, size: int, choose: Callable[[Sequence[str]], Sequence[str]]
) -> dict[str, NDArray[Any]]:
    members, budget = archive.infolist(), PLAIN_BYTES + RATIO * size
    if len(members) > MEMBERS_CAP:
        raise DataError(f"{path}: holds {len(members)} arrays, at most {MEMBERS_CAP} are read; save only x and y")
    chosen = set(choose([member.filename.removesuffix(".npy") for member in members]))
    arrays: dict[str, NDArray[Any]] = {}
    for member in members:
        name = member.filename.removesuffix(".npy")
        if name not in chosen:
            continue
        if name in arrays:
            raise DataError(f"{path}: array {name!r} appears twice")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(f"{path}: array {name!r} is packed in a way that numpy does not write; save it with savez")
        budget -= member.file_size
        if budget < 0:
            raise DataError(
                f"{path}: its arrays claim {RATIO} times the {size:,} bytes of the file, which images do not; "
                "if they are right, save them with numpy.savez, without compression"
            )
        with archive.open(member) as stream:
            arrays[name] = _array(f"{path}: array {name!r}", stream, member.file_size)
    return arrays


def _array(where: str, stream: IO[bytes], size: int) -> NDArray[Any]:
    shape, fortran, dtype, start = _header(where, stream)
    if dtype.hasobject:
        raise DataError(f"{where} holds Python objects, which would have to be unpickled; save numbers or strings")
    if dtype.kind not in "biufUS":
        raise DataError(f"{where} has dtype {dtype}; expected numbers, or strings for labels")
    count = math.prod(shape)
    if any(not 0 <= side < 2**48 for side in shape) or count * dtype.itemsize != size - start:
        raise DataError(f"{where} claims the shape {shape} of {dtype}, which is not what its {size:,} bytes hold")
    if count == 0 or dtype.itemsize == 0:
        raise DataError(f"{where} is empty: shape {shape}")
    content = bytearray()
    while len(content) < size - start and (chunk := stream.read(min(CHUNK, size - start - len(content)))):
        content += chunk
    # Reading on past the last byte makes zipfile compare its checksum.
    if len(content) < size - start or stream.read(1):
        raise DataError(f"{where} does not have the length that the archive claims; save it again")
    flat = np.frombuffer(content, dtype=dtype).astype(dtype.newbyteorder("="), copy=False)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def _header(where: str, stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    start = stream.read(8)
    if len(start) < 8 or start[:6] != npy.MAGIC_PREFIX or start[6] not in (1, 2):
        raise DataError(f"{where} is not in NumPy's format, version 1 or 2")
    version = start[6]
    digits = stream.read(2 if version == 1 else 4)
    length = int.from_bytes(digits, "little")
    if length > HEADER_CAP:
        raise DataError(f"{where} has a header of {length:,} bytes, at most {HEADER_CAP:,} are read")
    text = io.BytesIO(digits + stream.read(length))
    parse = npy.read_array_header_1_0 if version == 1 else npy.read_array_header_2_0
    try:
        shape, fortran, dtype = parse(text, max_header_size=HEADER_CAP)
    except TenfoldError:
        raise
    except Exception as error:  # numpy evaluates a literal and builds a dtype: every kind of error comes out of that
        raise DataError(f"{where} has a damaged header ({' '.join(str(error).split())[:200]})") from error
    return shape, fortran, dtype, len(start) + len(digits) + length
