"""The one file format for tensors: safetensors' layout, with a digest over every byte and an atomic save.

    8 bytes   n, the length of the header, little-endian
    n bytes   JSON, padded with spaces: {"__metadata__": {…}, name: {"dtype", "shape", "data_offsets": [begin, end]}, …}
    the rest  the tensors' bytes, little-endian, contiguous, widest elements first so that each is aligned

Layout: https://huggingface.co/docs/safetensors. Any reader of safetensors opens these files. What is ours sits in
`__metadata__`, whose values the format wants as strings: "header_sha256", taken over the n header bytes with its own
64 digits set to "0", and "tenfold", a JSON text with the format's version, a SHA-256 per tensor and the caller's
metadata. The length is covered too: with another n, the header's digest no longer fits.
"""

__all__ = [
    "as_json",
    "from_json",
    "is_saved",
    "load",
    "read_json",
    "save",
    "write_atomically",
    "write_bytes",
    "write_json",
    "write_text",
]

import contextlib
import errno
import hashlib
import json
import math
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar, cast

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from tenfold.errors import FileError

T = TypeVar("T")
VERSION = 1
HEADER_CAP = 16 * 2**20
VALUES_CAP = 1_000_000  # a header's commas and brackets: bounds the objects that its JSON can become
DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_WORDS = {dtype: word for word, dtype in DTYPES.items()}
_START = b'{"__metadata__":{"header_sha256":"'
_BLANK = b"0" * 64
_NOT_SYNCED = {errno.EINVAL, errno.ENOTSUP, errno.EBADF}


class _Entry(NamedTuple):
    """One tensor as the header describes it, offsets counted from the end of the header."""

    name: str
    dtype: torch.dtype
    shape: tuple[int, ...]
    begin: int
    end: int


def save(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Write tensors and a JSON-able metadata under a name, whole or not at all.

    A tensor's bytes go from its own memory to the file; only one that is not contiguous or not on the CPU is copied,
    one at a time. NaN and infinities in metadata survive, spelled as Python's json spells them.
    Raises FileError: a dtype outside DTYPES, metadata that is not JSON, a header past its cap, a failed write.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in _WORDS or name == "__metadata__":
            raise FileError(f"{path}: tensor {name!r} of {tensor.dtype} cannot be saved; dtypes: {', '.join(DTYPES)}")
    header = _header(path, tensors, metadata)
    order = _order(tensors)

    def fill(file: BinaryIO) -> None:
        file.write(len(header).to_bytes(8, "little"))
        file.write(header)
        for name in order:
            file.write(_bytes(tensors[name]))

    write_atomically(path, fill, 8 + len(header) + sum(t.nbytes for t in tensors.values()))


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return tensors, in the order in which they were saved, and metadata of a file written by `save`.

    Each tensor owns memory that torch allocated. Every length, shape and offset is checked before anything is
    allocated, and every byte against its digest. Raises FileError that names the file, and the tensor that is damaged.
    """
    try:
        if not path.is_file():
            raise FileError(f"{path}: no such file")
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            entries, digests, metadata = _read_header(path, file, size)
            tensors = {
                entry.name: _read_tensor(path, file, entry, digests[entry.name]) for entry in _by_offset(entries)
            }
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from error
    return {entry.name: tensors[entry.name] for entry in entries}, metadata


def is_saved(path: Path) -> bool:
    """Test whether a file begins like one that `save` wrote."""
    try:
        with path.open("rb") as file:
            return file.read(8 + len(_START))[8:] == _START
    except OSError:
        return False


def write_atomically(path: Path, fill: Callable[[BinaryIO], None], size: int = 0) -> None:
    """Let `fill` write a new file that takes the place of `path` only when all of it is on the disk.

    Temporary file in the same folder, fsync, rename, fsync of the folder: whoever looks at `path`, at any moment and
    after a power failure, finds the old file or the new one, whole. On failure the temporary file is removed.
    size: bytes that fill is going to write, for the message when the disk is full; 0 if unknown.
    Raises FileError that names the path and says what failed.
    """
    # A short name of its own: path's name may already be as long as the file system allows.
    temporary = path.parent / f".tenfold-{secrets.token_hex(8)}.tmp"
    if path.exists() and not path.is_file() and not path.is_dir():
        raise FileError(f"{path}: is a device or a pipe, not a file; choose another path")
    try:
        try:
            with temporary.open("xb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except BaseException:
            # The cause of the first failure must stay the one that is reported.
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise FileError(_why_not_written(path, error, size)) from error


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, whole or not at all; see `write_atomically`."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, whole or not at all; see `write_atomically`."""

    def fill(file: BinaryIO) -> None:
        file.write(content)

    write_atomically(path, fill, len(content))


def _why_not_written(path: Path, error: OSError, size: int) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        need = f"{size:,} bytes are needed" if size else "the number of bytes needed is not known beforehand"
        return f"{path}: cannot be written, the disk is full; {need}: free some space or choose another folder"
    return f"{path}: cannot be written ({error.strerror or error}); check that the folder exists and may be written to"


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; a file system that cannot sync folders says so by an errno that is no failure."""
    if os.name == "nt":  # Windows opens no folders, and its rename needs no such step
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NOT_SYNCED:
            raise
    finally:
        os.close(handle)


def _order(tensors: Mapping[str, Tensor]) -> list[str]:
    return sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))


def _bytes(tensor: Tensor) -> memoryview:
    """Return a tensor's bytes, seen in place where it lies contiguous on the CPU."""
    # One element is contiguous whatever its stride; as_strided gives it the one that a view as bytes wants.
    flat = tensor.detach().cpu().contiguous().as_strided((tensor.numel(),), (1,))
    return flat.view(torch.uint8).numpy().data


def _header(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> bytes:
    ends: dict[str, int] = {}
    end = 0
    for name in _order(tensors):
        end += tensors[name].nbytes
        ends[name] = end
    entries = {
        name: {"dtype": _WORDS[t.dtype], "shape": list(t.shape), "data_offsets": [ends[name] - t.nbytes, ends[name]]}
        for name, t in tensors.items()
    }
    digests = {name: hashlib.sha256(_bytes(t)).hexdigest() for name, t in tensors.items()}
    try:
        ours = json.dumps({"version": VERSION, "sha256": digests, "metadata": dict(metadata)})
        about = {"header_sha256": _BLANK.decode(), "tenfold": ours}
        text = json.dumps({"__metadata__": about, **entries}, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FileError(f"{path}: the metadata cannot be written as JSON ({error})") from error
    text += b" " * (-len(text) % 8)
    if len(text) > HEADER_CAP or _values(text) > VALUES_CAP or _values(ours.encode()) > VALUES_CAP:
        raise FileError(f"{path}: {len(text):,} bytes of metadata do not fit a header; put arrays among the tensors")
    digest = hashlib.sha256(text).hexdigest().encode()
    return _START + digest + text[len(_START) + 64 :]


def _values(text: bytes) -> int:
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _read_header(path: Path, file: BufferedReader, size: int) -> tuple[list[_Entry], dict[str, str], dict[str, Any]]:
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(HEADER_CAP, size - 8):
        raise FileError(f"{path}: not a tensor file, or cut short: its header would take {length:,} of {size:,} bytes")
    raw = file.read(length)
    _check_header_digest(path, raw)
    content = _parse(path, raw)
    ours = _parse(path, str(content.pop("__metadata__").get("tenfold")).encode("utf-8", "surrogatepass"))
    if ours.get("version") != VERSION:
        version = ours.get("version")
        raise FileError(
            f"{path}: written in format version {version!r}, this release reads {VERSION}; use a matching one"
        )
    entries = [_entry(path, name, fields) for name, fields in content.items()]
    _check_cover(path, entries, size - 8 - length)
    digests, metadata = ours.get("sha256"), ours.get("metadata")
    if not isinstance(digests, dict) or set(digests) != set(content) or not isinstance(metadata, dict):
        raise FileError(f"{path}: the header's list of digests does not name the tensors of the file")
    return entries, digests, metadata


def _check_header_digest(path: Path, raw: bytes) -> None:
    """Before the JSON is parsed: what a flipped bit made of it need not be understood."""
    if not raw.startswith(_START):
        raise FileError(f"{path}: the header is damaged, or the file was not written by this program")
    start = len(_START)
    zeroed = hashlib.sha256(raw[:start])
    zeroed.update(_BLANK)
    zeroed.update(raw[start + 64 :])
    if zeroed.hexdigest().encode() != raw[start : start + 64]:
        raise FileError(f"{path}: the header is damaged (its SHA-256 does not match); restore the file from a copy")


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    if _values(raw) > VALUES_CAP:
        raise FileError(f"{path}: the header holds more than {VALUES_CAP:,} values")
    try:
        content = json.loads(raw, object_pairs_hook=_unique)
    except RecursionError:
        raise FileError(f"{path}: the header is nested too deeply") from None
    except ValueError as error:
        raise FileError(f"{path}: the header is not valid JSON ({error})") from error
    if not isinstance(content, dict) or not isinstance(content.get("__metadata__", {}), dict):
        raise FileError(f"{path}: the header is not a JSON object with __metadata__")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a name appears twice")
    return content


def _entry(path: Path, name: str, fields: object) -> _Entry:
    where = f"{path}: tensor {name!r}"
    if not isinstance(fields, dict) or set(fields) != {"dtype", "shape", "data_offsets"}:
        raise FileError(f"{where} is not described by dtype, shape and data_offsets")
    word, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(word, str) or word not in DTYPES:
        raise FileError(f"{where} has dtype {word!r}; known: {', '.join(DTYPES)}")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2 or len(shape) > 32:
        raise FileError(f"{where} has a shape or offsets that are not lists of counts")
    width = DTYPES[word].itemsize
    # torch multiplies max(size, 1) into strides, so that product must fit 64 bits even where a size is zero.
    if math.prod(max(count, 1) for count in shape) * width >= 2**63:
        raise FileError(f"{where} has a shape too large for any memory: {shape}")
    need = math.prod(shape) * width
    if offsets[1] - offsets[0] != need:
        raise FileError(f"{where} has {offsets[1] - offsets[0]:,} bytes, its shape {shape} needs {need:,}")
    return _Entry(name, DTYPES[word], tuple(shape), offsets[0], offsets[1])


def _counts(values: object) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)


def _by_offset(entries: list[_Entry]) -> list[_Entry]:
    return sorted(entries, key=lambda entry: (entry.begin, entry.end))


def _check_cover(path: Path, entries: list[_Entry], size: int) -> None:
    """Check that the tensors lie one after another and fill the file: no gap, no overlap, nothing behind the last."""
    end = 0
    for entry in _by_offset(entries):
        if entry.begin != end:
            raise FileError(f"{path}: tensor {entry.name!r} starts at byte {entry.begin:,}, expected {end:,}")
        end = entry.end
    if end != size:
        cause = "cut short" if size < end else "longer than its header says"
        raise FileError(f"{path}: {cause}: {size:,} bytes of tensors, the header describes {end:,}")


def _read_tensor(path: Path, file: BufferedReader, entry: _Entry, digest: str) -> Tensor:
    tensor = torch.empty(entry.shape, dtype=entry.dtype)
    view = _bytes(tensor)
    done = 0
    while done < len(view):
        count = file.readinto(view[done:])
        if not count:
            raise FileError(f"{path}: tensor {entry.name!r} is cut short")
        done += count
    if hashlib.sha256(view).hexdigest() != digest:
        raise FileError(
            f"{path}: tensor {entry.name!r} is damaged (its SHA-256 does not match); restore it from a copy"
        )
    # A byte that is neither 0 nor 1 in a bool tensor is undefined behavior in torch's kernels.
    if entry.dtype == torch.bool and tensor.numel() and int(tensor.view(torch.uint8).max()) > 1:
        raise FileError(f"{path}: tensor {entry.name!r} holds bytes that are neither true nor false")
    return tensor


def write_json(path: Path, content: Any) -> None:
    """Write atomically; a number that is not finite becomes null, a byte of a path that is no UTF-8 an escape."""
    plain = json.dumps(as_json(content), indent=1, ensure_ascii=False) + "\n"
    write_text(path, plain.encode("utf-8", "backslashreplace").decode())


def read_json(path: Path, *needed: str) -> Any:
    """Read a file that this package wrote; a FileError names it where it can't be, or lacks what is needed of it."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{path}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path}: damaged, it is not JSON ({error}); restore it from a copy") from None
    missing = [name for name in needed if not isinstance(content, dict) or name not in content]
    if missing:
        raise FileError(f"{path}: damaged, it does not say {missing[0]!r}; restore it from a copy")
    return content


def as_json(content: Any) -> Any:
    """Return plain JSON of dataclasses, mappings and sequences; a number that is not finite becomes None.

    A field "class_" is the key "class"; "key" in the metadata of a field names another key, and "sparse" there leaves a
    None out.

    >>> as_json({"accuracy": float("nan"), "shape": (1, 8)})
    {'accuracy': None, 'shape': [1, 8]}
    """
    if is_dataclass(content):
        pairs = ((field, getattr(content, field.name)) for field in fields(content))
        return {
            field.metadata.get("key", field.name.rstrip("_")): as_json(value)
            for field, value in pairs
            if value is not None or not field.metadata.get("sparse")
        }
    if isinstance(content, float):
        return content if math.isfinite(content) else None
    if isinstance(content, Mapping):
        return {str(key): as_json(value) for key, value in content.items()}
    return [as_json(item) for item in content] if isinstance(content, list | tuple) else content


def from_json(kind: type[T], content: Any, path: Path) -> T:
    """Return the dataclass that `as_json` made the content of; a FileError names path and the key that does not fit."""
    try:
        return cast(T, _adapter(cast(Any, kind)).validate_python(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise FileError(f"{path}: damaged ({where}: {first['msg']}); restore it from a copy") from None


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
