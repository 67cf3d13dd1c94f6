"""NumPy's .npz without pickle: a zip of .npy files, each checked before its array is allocated.

A .npy file is "\\x93NUMPY", two bytes of version, the length of the header (2 bytes, little-endian; 4 from version 2),
the header, a Python literal such as {'descr': '<f4', 'fortran_order': False, 'shape': (100, 28, 28), }, the elements.
Source: NumPy Enhancement Proposal 1, numpy.lib.format.

numpy.load is not used: it reads a header of any length before it compares the length with its limit, and believes the
header's shape. Here the shape, the size that the zip claims and the size of the file must agree first.
"""

__all__ = ["Stored", "npz"]

import io
import math
import os
import zipfile
from collections.abc import Mapping, Sequence
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, NamedTuple, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from tenfold.data.arraynames import KEYS, array_name, by_position, is_beside, is_one_hot, positional
from tenfold.errors import DataError, TenfoldError, nearest
from tenfold.text import visible

MEMBERS_CAP = 64
HEADER_CAP = 10_000
PLAIN_BYTES = 32 * 2**20  # all arrays together may take this much, and RATIO times the file
# Deflate packs at most 1032 bytes into one, and only where all are alike. MNIST packs 22 to 1 as 64-bit numbers, 62 to
# 1 as black and white in float32, 97 to 1 in float64.
RATIO = 512
CHUNK = 2**20


class Stored(NamedTuple):
    """Arrays of a file by their names in KEYS, the names that the file gives them, and what is to be said of that."""

    arrays: dict[str, NDArray[Any]]
    names: dict[str, str]
    notes: tuple[str, ...]


def npz(path: Path) -> Stored:
    """Read arrays by their names: `x, y`, or `x_train, y_train[, x_validation, y_validation][, x_test, y_test]`.

    Other names that mean the same are read as these, see `tenfold.data.arraynames`. x: (N, D), (N, H, W), (N, H, W, C)
    or (N, C, H, W) of numbers, finite. y: (N,), from any shape of N labels or from (N, C) one-hot rows in the file, of
    integers (as floats, too) or strings. Raises DataError that names the file, the array and the position of the fault.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            with zipfile.ZipFile(cast("IO[bytes]", _Sipped(file))) as archive:
                content, beside = _read(path, archive, size)
    except TenfoldError:  # a signal, too, which is no fault of the file
        raise
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    except Exception as error:  # zipfile raises struct.error, zlib.error, ValueError and others beside its own
        raise DataError(f"{path}: damaged, or not a file of numpy.savez ({error})") from error
    names = _names(path, content)
    arrays = {key: content.pop(name) for key, name in names.items()}
    _check_keys(path, names)
    one_hot = _unfolded(path, arrays, names)
    for x in [name for name in arrays if name.startswith("x")]:
        y = "y" + x[1:]
        _check_pair(path, arrays, names, x, y)
        arrays[y] = _text(f"{path}: array {names[y]!r}", arrays[y].ravel())
    return Stored(arrays, names, _notes(names, one_hot, [*beside, *content]))


def _unfolded(path: Path, arrays: dict[str, NDArray[Any]], names: Mapping[str, str]) -> list[str]:
    """Replace one-hot rows by the numbers of their columns; return what these arrays are called, and their columns."""
    widths = {y: arrays[y].shape[1] for y in arrays if y[0] == "y" and is_one_hot(arrays[y])}
    widths = {y: width for y, width in widths.items() if len(arrays[y]) == len(arrays["x" + y[1:]])}
    said = [f"{names[y]} ({width} columns)" for y, width in widths.items()]
    if len(set(widths.values())) > 1:
        raise DataError(f"{path}: one-hot labels differ in width: {', '.join(said)}; give each part all classes")
    for y in widths:
        arrays[y] = arrays[y].argmax(axis=1)
    return said


def _notes(names: Mapping[str, str], one_hot: Sequence[str], not_read: Sequence[str]) -> tuple[str, ...]:
    """Say which array was read as what, where the names alone do not."""
    other = [f"{name} as {key}" for key, name in names.items() if name != key]
    said = (("read", other), ("one-hot labels read as numbers of columns:", one_hot), ("not read:", not_read))
    return tuple(f"{word} {', '.join(map(visible, listed))}" for word, listed in said if listed)


def _names(path: Path, arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Return the name in the file of every array by its name in KEYS."""
    if positional(list(arrays)):
        names = {key: name for name, key in by_position(arrays).items()}
        if not names:
            shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
            raise DataError(
                f"{path}: holds {shapes}; expected images and as many labels, or save them by name: x=…, y=…"
            )
        return names
    names = {}
    for name in sorted(arrays, key=lambda name: (name not in KEYS, -arrays[name].ndim)):
        key = array_name(name)
        if key not in names:
            names[key] = name
        elif not _is_other_form(arrays[name], arrays[names[key]]):
            raise DataError(f"{path}: both {names[key]!r} and {name!r} could be {key}; keep one of them")
    return dict(sorted(names.items(), key=lambda item: KEYS.index(item[0])))


def _is_other_form(array: NDArray[Any], chosen: NDArray[Any]) -> bool:
    """Test whether an array may be the rows of the same images, as scikit-learn keeps both."""
    return array.ndim == 2 < chosen.ndim and array.shape == (len(chosen), math.prod(chosen.shape[1:]))


class _Sipped:
    """A file that gives at most CHUNK bytes at once: zipfile would read a directory of any size that is claimed."""

    def __init__(self, file: BufferedReader) -> None:
        self.seek, self.tell, self.seekable, self._file = file.seek, file.tell, file.seekable, file

    def read(self, count: int = -1) -> bytes:
        """Read at most CHUNK bytes from where the file stands."""
        return self._file.read(CHUNK if count < 0 else min(count, CHUNK))


def _read(path: Path, archive: zipfile.ZipFile, size: int) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Return the arrays by their names in the file, and the names of those that hold neither images nor labels."""
    members, budget = archive.infolist(), PLAIN_BYTES + RATIO * size
    unnamed = positional([member.filename.removesuffix(".npy") for member in members])
    if len(members) > MEMBERS_CAP:
        raise DataError(f"{path}: holds {len(members)} arrays, at most {MEMBERS_CAP} are read; save only x and y")
    arrays: dict[str, NDArray[Any]] = {}
    beside = []
    for member in members:
        name = member.filename.removesuffix(".npy")
        if is_beside(name):
            beside.append(name)
            continue
        if not unnamed and not array_name(name):
            raise DataError(f"{path}: unknown array {name!r}: {nearest(name, KEYS)}")
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
    return arrays, beside


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


def _text(where: str, labels: NDArray[Any]) -> NDArray[Any]:
    """Return labels, strings in the form that numpy calls U: what is no character must not reach Python."""
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "backslashreplace")
    if labels.dtype.kind == "U":
        codes = labels.view(np.uint32)
        if (codes > 0x10FFFF).any() or ((codes >= 0xD800) & (codes < 0xE000)).any():
            raise DataError(f"{where} holds strings with invalid characters")
    return labels


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


def _check_keys(path: Path, names: Mapping[str, str]) -> None:
    """Refuse all but the two layouts, each x with its y. names: name in KEYS -> name in the file."""
    whole = names.keys() & {"x", "y"}
    if whole and len(names) > len(whole):
        pair = "'x' or 'y'" if whole <= set(names.values()) else " or ".join(repr(names[key]) for key in sorted(whole))
        raise DataError(f"{path}: holds both {pair} and arrays of parts; keep one of the two layouts")
    pairs = [*(whole and ("x", "y")), *(("y" if key[0] == "x" else "x") + key[1:] for key in names)]
    held = ", ".join(sorted(names.values())) or "nothing"
    if not names:
        raise DataError(f"{path}: array 'x' is missing; the file holds {held}")
    if missing := [key for key in pairs if key not in names]:
        raise DataError(f"{path}: array {missing[0]!r} is missing; the file holds {held}{_remedy(missing[0], names)}")


def _remedy(missing: str, names: Mapping[str, str]) -> str:
    """Return the remedy for labels that are missing of images that are there."""
    images = names.get("x" + missing[1:])
    if missing[0] == "x" or not images:
        return ""
    leave = f", or leave {images!r} out" if missing in ("y_validation", "y_test") else ""
    return f"; add a label for each image of {images!r}{leave}"


def _check_pair(path: Path, arrays: Mapping[str, NDArray[Any]], names: Mapping[str, str], x: str, y: str) -> None:
    values, labels = arrays[x], arrays[y]
    if values.dtype.kind not in "biuf" or not 2 <= values.ndim <= 4:
        what = f"array {names[x]!r} is {values.dtype} {values.shape}"
        raise DataError(f"{path}: {what}; expected 2 to 4 dimensions of numbers")
    if labels.ndim != 1 and labels.size != len(values):
        raise DataError(
            f"{path}: array {names[y]!r} has the shape {labels.shape}; expected one label per image, ({len(values)},), "
            "or one-hot rows"
        )
    if len(values) != labels.size:
        last = (
            f"; its last dimension fits: numpy.moveaxis({names[x]}, -1, 0)" if values.shape[-1] == labels.size else ""
        )
        raise DataError(
            f"{path}: {names[x]!r} has {len(values):,} images, {names[y]!r} has {labels.size:,} labels; give one label "
            f"for each image{last}"
        )
    _check_finite(path, names[x], values)
    _check_finite(path, names[y], labels)
    if labels.dtype.kind == "f" and (bad := np.flatnonzero(labels.ravel() % 1)).size:
        value = labels.ravel()[bad[0]]
        raise DataError(
            f"{path}: array {names[y]!r} holds {value} at position {bad[0]}; a label is a whole number or a string"
        )


def _check_finite(path: Path, name: str, values: NDArray[Any]) -> None:
    """Check in slices: a mask as large as the array would double its memory."""
    if values.dtype.kind != "f":
        return
    step = max(1, CHUNK // max(1, math.prod(values.shape[1:])))
    for start in range(0, len(values), step):
        finite = np.isfinite(values[start : start + step])
        if not finite.all():
            first = np.argwhere(~finite)[0]
            place = (int(first[0]) + start, *(int(k) for k in first[1:]))
            raise DataError(f"{path}: array {name!r} holds {values[place]} at position {place}; remove or replace it")
