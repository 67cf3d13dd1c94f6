import errno
import hashlib
import json
import os
import random
import resource

import pytest
import torch
from safetensors import safe_open

from tenfold import files
from tenfold.errors import FileError
from tenfold.files import load, save, write_atomically, write_text

METADATA = {"step": 7, "name": 'a "quoted" é\n', "best": float("-inf"), "nested": [{"k": None}]}


def tensors():
    generator = torch.Generator().manual_seed(0)
    found = {f"t {k}": torch.randn(3, k + 1, generator=generator).mul(9).to(d) for k, d in enumerate(DTYPES)}
    found["scalar"] = torch.tensor(2.5, dtype=torch.float64)
    found["empty"] = torch.empty((0, 5), dtype=torch.int64)
    found["turned"] = torch.arange(6.0).reshape(2, 3).T
    found["one of a column"] = torch.arange(3.0, dtype=torch.float64)[None][:, 0]
    found["header_sha256"] = torch.ones(1, requires_grad=True)
    return found


DTYPES = tuple(files.DTYPES.values())


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.tenfold"
    save(path, tensors(), METADATA)
    return path


def forged(path, header, data=b"", metadata=None, sign=True):
    """A file with any header whose digest is right: what someone could write who knows the format."""
    ours = {"version": 1, "sha256": {name: hashlib.sha256(data).hexdigest() for name in header}, "metadata": {}}
    about = {"header_sha256": "0" * 64, "tenfold": json.dumps(ours | (metadata or {}))}
    raw = header if isinstance(header, bytes) else json.dumps({"__metadata__": about, **header}, separators=(",", ":"))
    raw = raw if isinstance(raw, bytes) else raw.encode()
    if sign:
        raw = raw.replace(b"0" * 64, hashlib.sha256(raw).hexdigest().encode(), 1)
    path.write_bytes(len(raw).to_bytes(8, "little") + raw + data)
    return path


def test_round_trip_keeps_bits_order_and_metadata(saved):
    found, metadata = load(saved)
    assert metadata == METADATA
    assert list(found) == list(tensors())
    for name, tensor in tensors().items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor.detach())
        assert found[name].data_ptr() % 16 == 0
        assert found[name].is_contiguous()


def test_safetensors_opens_the_file(saved):
    with safe_open(saved, framework="pt") as file:
        assert set(file.keys()) == set(tensors())
        for name, tensor in tensors().items():
            assert torch.equal(file.get_tensor(name), tensor.detach())


def test_every_flipped_bit_is_detected(saved):
    content = bytearray(saved.read_bytes())
    rng = random.Random(0)
    data = 8 + int.from_bytes(content[:8], "little")
    places = [*range(64), *(rng.randrange(64, 8 * len(content)) for _ in range(1500))]
    for place in places:
        content[place // 8] ^= 1 << place % 8
        saved.write_bytes(content)
        with pytest.raises(FileError, match=r"model\.tenfold") as caught:
            load(saved)
        assert ("tensor '" in str(caught.value)) == (place // 8 >= data)
        content[place // 8] ^= 1 << place % 8


def test_every_truncation_and_addition_is_detected(saved):
    content = saved.read_bytes()
    for length in [0, 1, 7, 8, 9, *random.Random(1).sample(range(len(content)), 200)]:
        saved.write_bytes(content[:length])
        with pytest.raises(FileError, match=r"model\.tenfold"):
            load(saved)
    saved.write_bytes(content + b"\0")
    with pytest.raises(FileError, match="longer than its header says"):
        load(saved)


def entry(dtype="U8", shape=(2,), offsets=(0, 2)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        (entry(dtype="C64"), "dtype 'C64'"),
        (entry(shape=(2**40, 2**40), offsets=(0, 2**80)), "not lists of counts"),
        (entry(shape=(2**31, 2**31, 2), offsets=(0, 2**63 - 1)), "too large for any memory"),
        (entry(shape=(0, 2**62, 2**62), offsets=(0, 0)), "too large for any memory"),
        (entry(shape=(-2, -1)), "not lists of counts"),
        (entry(shape=(True, 2)), "not lists of counts"),
        (entry(shape=(3,)), "has 2 bytes, its shape"),
        (entry(shape=(1,) * 33), "not lists of counts"),
        (entry(offsets=(1, 3)), "starts at byte 1, expected 0"),
        (entry(shape=(2**35,), offsets=(0, 2**35)), "cut short"),
        (entry(shape=(1,), offsets=(0, 1)), "longer than its header says"),
        (entry(dtype="BOOL"), "neither true nor false"),
        ({"dtype": "U8"}, "not described by"),
        (7, "not described by"),
    ],
)
def test_forged_entries_are_refused(tmp_path, fields, why):
    with pytest.raises(FileError, match=why):
        load(forged(tmp_path / "f", {"a": fields}, b"\x02\x03"))


def test_forged_headers_are_refused(tmp_path):
    start = b'{"__metadata__":{"header_sha256":"' + b"0" * 64 + b'","tenfold":'
    deep = start + b"[" * 10**5 + b"]" * 10**5 + b"}}"
    cases = {
        "nested too deeply": deep,
        "not valid JSON": start + b'"x"',
        "a name appears twice": start + b'"{}"},"a":1,"a":2}',
        "more than 1,000,000 values": start + b'"x"},"a":[' + b"{}," * 10**6 + b"0]}",
        "format version None": start + b'"{}"}}',
    }
    for why, raw in cases.items():
        path = forged(tmp_path / "f", raw)
        with pytest.raises(FileError, match=why):
            load(path)
    (tmp_path / "f").write_bytes((2**62).to_bytes(8, "little") + b"{}")
    with pytest.raises(FileError, match="header would take"):
        load(tmp_path / "f")


def test_overlap_version_and_digest_names(tmp_path):
    two = {"a": entry(), "b": entry()}
    with pytest.raises(FileError, match="starts at byte 0, expected 2"):
        load(forged(tmp_path / "f", two, b"\0\0"))
    with pytest.raises(FileError, match="format version 2, this release reads 1"):
        load(forged(tmp_path / "f", {"a": entry()}, b"\0\0", {"version": 2}))
    with pytest.raises(FileError, match="does not name the tensors"):
        load(forged(tmp_path / "f", {"a": entry()}, b"\0\0", {"sha256": {"b": ""}}))
    with pytest.raises(FileError, match="not written by this program"):
        load(forged(tmp_path / "f", b'{"a":1}', sign=False))
    with pytest.raises(FileError, match="no such file"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("tensor", "metadata", "why"),
    [
        (torch.zeros(1, dtype=torch.complex64), {}, "cannot be saved; dtypes"),
        (torch.zeros(1), {"k": object()}, "cannot be written as JSON"),
        (torch.zeros(1), {"k": "x" * 2**24}, "put arrays among the tensors"),
    ],
)
def test_what_cannot_be_saved_leaves_nothing(tmp_path, tensor, metadata, why):
    with pytest.raises(FileError, match=why):
        save(tmp_path / "f", {"a": tensor}, metadata)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_failed_save_keeps_the_old_file(saved, monkeypatch, call, code):
    before = saved.read_bytes()

    def fail(*_):
        raise OSError(code, os.strerror(code))

    if call == "open":
        monkeypatch.setattr("pathlib.Path.open", fail)
    else:
        monkeypatch.setattr(os, call, fail)
    with pytest.raises(FileError) as caught:
        save(saved, {"a": torch.zeros(1000)}, {})
    monkeypatch.undo()
    assert str(saved) in str(caught.value)
    if code == errno.ENOSPC:
        assert "disk is full" in str(caught.value)
        assert "4," in str(caught.value)  # 4,000 bytes and a header
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_a_folder_that_fails_to_sync_is_told_and_leaves_a_whole_file(saved, monkeypatch):
    calls = []

    def second(handle):
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", second)
    with pytest.raises(FileError, match="Input/output error"):
        save(saved, {"a": torch.zeros(3)}, {})
    assert load(saved)[0]["a"].shape == (3,)
    assert list(saved.parent.iterdir()) == [saved]


def test_a_write_that_the_system_cuts_short_keeps_the_old_file(saved):
    """A real failure of write, at a real limit, within the bytes of a tensor."""
    before = saved.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
    try:
        with pytest.raises(FileError, match="File too large"):
            save(saved, {"a": torch.zeros(2**16)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


def test_an_error_of_the_caller_passes_and_leaves_no_litter(tmp_path):
    def fill(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "f", fill)
    assert list(tmp_path.iterdir()) == []


def test_text_is_written_whole_under_the_longest_name(tmp_path):
    path = tmp_path / ("n" * 255)
    write_text(path, "é")
    assert path.read_bytes() == "é".encode()
    with pytest.raises(FileError, match="check that the folder exists"):
        write_text(tmp_path / "absent" / "f", "x")


def test_saving_makes_no_second_copy(tmp_path):
    """100 MB of tensors: the peak of the process grows by less than half of that."""
    big = {str(k): torch.ones(2**20) for k in range(25)}
    save(tmp_path / "warm", {"a": torch.ones(1)}, {})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    save(tmp_path / "f", big, {})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_a_device_is_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileError, match="device or a pipe"):
        files.write_text(tmp_path / "pipe", "text")
    assert (tmp_path / "pipe").is_fifo()
