import gzip
import os
import random
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from tenfold.data.readers.idx import idx
from tenfold.errors import DataError

ROOT = Path(os.environ.get("TENFOLD_DATA", ""))


def content(array, kind=8):
    return bytes([0, 0, kind, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


ARRAY = np.random.default_rng(0).integers(0, 256, (12, 5, 4), dtype=np.uint8)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("array", [ARRAY, ARRAY[:, 0, 0]])
def test_round_trip(tmp_path, pack, array):
    path = tmp_path / "any-name"
    path.write_bytes(pack(content(array)))
    assert np.array_equal(idx(path), array)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "starts with nothing"),
        (b"PNG....", "not an IDX file"),
        (content(ARRAY, kind=13), "IDX type 0x0d"),
        (b"\0\0\x08\x09", "claims 9 dimensions"),
        (b"\0\0\x08\x03\0\0", "cut short within its header"),
        (b"\0\0\x08\x01\0\0\0\0", "is empty"),
        (content(ARRAY)[:-1], "the file holds only 239"),
        (content(ARRAY) + b"\0", "the file holds more"),
        (gzip.compress(content(ARRAY)[:-1]), "the file holds only 239"),
        (gzip.compress(content(ARRAY) + b"\0"), "the file holds more"),
        (gzip.compress(content(ARRAY))[:-9], "damaged or cut short"),
        (gzip.compress(content(ARRAY))[:-8] + b"12345678", "damaged or cut short"),
    ],
)
@pytest.mark.parametrize("name", ["images-idx3-ubyte"])
def test_damage_is_named(tmp_path, raw, why, name):
    path = tmp_path / name
    path.write_bytes(raw)
    with pytest.raises(DataError, match=why) as caught:
        idx(path)
    assert str(path) in str(caught.value)


def test_absent_and_folder(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(DataError, match="cannot be read"):
            idx(path)


@pytest.mark.parametrize("claimed", [(2**32 - 1,) * 4, (2**30,), (500, 1000, 1000), (1000,)])
def test_bombs_take_no_memory(tmp_path, claimed):
    """An honest claim, a lying one and more data than claimed: refused within 64 MB."""
    path = tmp_path / "bomb.gz"
    head = bytes([0, 0, 8, len(claimed)]) + struct.pack(f">{len(claimed)}I", *claimed)
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(head + bytes(2**26))
    tracemalloc.start()
    with pytest.raises(DataError, match="bomb"):
        idx(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6


def reads_or_names(path):
    """Whether the reader took the file, or refused it by its own error with the path in it; any other error passes."""
    try:
        idx(path)
    except DataError as error:
        return str(path) in str(error)
    return True


def test_mutations_raise_only_typed_errors(tmp_path):
    rng = random.Random(0)
    path = tmp_path / "f"
    for pack in (bytes, gzip.compress):
        good = pack(content(ARRAY))
        for _ in range(300):
            bad = bytearray(good)
            for _ in range(rng.randint(1, 3)):
                bad[rng.randrange(len(bad))] = rng.randrange(256)
            path.write_bytes(bad[: rng.choice([len(bad), rng.randrange(len(bad))])])
            assert reads_or_names(path)


@pytest.mark.parametrize(("name", "mean"), [("mnist", 33.318), ("fashion-mnist", 72.940)])
def test_real_files(name, mean):
    path = ROOT / name / "train-images-idx3-ubyte.gz"
    if not path.is_file() or not os.environ.get("TENFOLD_DATA"):
        pytest.skip(f"needs {name} under $TENFOLD_DATA")
    array = idx(path)
    assert array.shape == (60000, 28, 28)
    assert array.mean() == pytest.approx(mean, abs=1e-3)
