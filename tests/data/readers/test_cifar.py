import gzip
import io
import os
import random
import resource
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tenfold.data.readers import cifar as module
from tenfold.data.readers.cifar import cifar
from tenfold.errors import DataError

RECORDS = 4
NAMES = "".join(f"name{k}\n" for k in range(10)) + "\n"
RAW = np.random.default_rng(0).integers(0, 256, (6 * RECORDS, module.RECORD), dtype=np.uint8)
RAW[:, 0] %= 10
REAL = Path(os.environ.get("TENFOLD_DATA", "")) / "cifar10" / "cifar-10-binary.tar.gz"


@pytest.fixture(autouse=True)
def small(request, monkeypatch):
    if "real" not in request.node.name:
        monkeypatch.setattr(module, "RECORDS", RECORDS)


def files():
    batches = {name: RAW[k * RECORDS : (k + 1) * RECORDS].tobytes() for k, name in enumerate(module.BATCHES)}
    return {"readme.html": b"x" * 700, **dict(reversed(batches.items())), module.NAMES: NAMES.encode()}


def archive(path, members, folder=module.FOLDER, style=tarfile.GNU_FORMAT):
    with tarfile.open(path, "w:gz", format=style) as tar:
        for name, content in members:
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("style", [tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT])
def test_archive_in_any_order_and_style(tmp_path, style):
    images, labels, names = cifar(archive(tmp_path / "c.tar.gz", files().items(), style=style))
    assert np.array_equal(images.reshape(len(RAW), -1), RAW[:, 1:])
    assert np.array_equal(labels, RAW[:, 0])
    assert names == tuple(f"name{k}" for k in range(10))
    assert images.shape[1:] == (3, 32, 32)


def test_folder(tmp_path):
    for name, content in files().items():
        (tmp_path / name).write_bytes(content)
    images, labels, _ = cifar(tmp_path)
    assert np.array_equal(images.reshape(len(RAW), -1), RAW[:, 1:])
    assert np.array_equal(labels, RAW[:, 0])
    (tmp_path / "data_batch_3.bin").write_bytes(b"x")
    with pytest.raises(DataError, match=r"data_batch_3\.bin: 1 bytes, expected"):
        cifar(tmp_path)
    (tmp_path / "data_batch_3.bin").unlink()
    with pytest.raises(DataError, match=r"data_batch_3\.bin is missing"):
        cifar(tmp_path)


def without(name):
    return [(key, value) for key, value in files().items() if key != name]


def replaced(name, content):
    return [*without(name), (name, content)]


@pytest.mark.parametrize(
    ("members", "why"),
    [
        (without("test_batch.bin"), r"test_batch\.bin missing"),
        (without("batches.meta.txt"), r"batches\.meta\.txt missing"),
        ([*files().items(), ("test_batch.bin", files()["test_batch.bin"])], "appears twice"),
        (replaced("test_batch.bin", b"x" * 3073), r"test_batch\.bin has 3,073 bytes"),
        (replaced("test_batch.bin", b"\x0a" * 4 * 3073), "holds the label 10, expected 0 to 9"),
        (replaced("batches.meta.txt", b"cat\n" * 10), "10 names, expected 10 different"),
        (replaced("batches.meta.txt", NAMES.replace("name3", "\x1b[2J").encode()), "lists 10 names"),
        (replaced("stray.bin", bytes(2**21)), "not part of CIFAR-10"),
        ([("a", b"")] * 100, "more than 64 members"),
    ],
)
def test_wrong_members_are_named(tmp_path, members, why):
    path = archive(tmp_path / "c.tar.gz", members)
    with path.open("ab") as file:
        file.write(bytes(20_000))  # gzip allows zeros behind its end: large enough not to be refused by its size
    with pytest.raises(DataError, match=why) as caught:
        cifar(path)
    assert str(path) in str(caught.value)


def test_more_behind_the_end_of_the_archive(tmp_path):
    path = archive(tmp_path / "c.tar.gz", files().items())
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()) + bytes(2**24)))
    with pytest.raises(DataError, match="goes on after the end"):
        cifar(path)


def test_members_of_another_folder_are_not_ours(tmp_path):
    for folder in ("../cifar-10-batches-bin", "/cifar-10-batches-bin", "other"):
        with pytest.raises(DataError, match="missing from the archive"):
            cifar(archive(tmp_path / "c.tar.gz", files().items(), folder))
    assert list(tmp_path.iterdir()) == [tmp_path / "c.tar.gz"]


def test_long_names_of_huge_size_take_no_memory(tmp_path):
    """A member of type L whose name would have 8 GB: general readers take it into memory."""
    info = tarfile.TarInfo("x")
    info.size, info.type = 2**33 - 1, b"L"
    path = tmp_path / "c.tar.gz"
    path.write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2**20)) + bytes(20_000))
    with pytest.raises(DataError, match="not part of CIFAR-10"):
        cifar(path)


def reads_or_names(path):
    """Whether the reader took the file, or refused it by its own error with the path in it; any other error passes."""
    try:
        cifar(path)
    except DataError as error:
        return str(path) in str(error)
    return True


def test_mutations_raise_only_typed_errors(tmp_path):
    good = archive(tmp_path / "c.tar.gz", files().items()).read_bytes()
    plain = gzip.decompress(good)
    path, rng = tmp_path / "bad.tar.gz", random.Random(0)
    for round_ in range(400):
        bad = bytearray(good if round_ % 2 else plain)
        blocks = 1 if round_ % 2 else len(bad) // 512
        for _ in range(rng.randint(1, 3)):
            start = 512 * rng.choice([0, rng.randrange(blocks)])
            bad[rng.randrange(start, min(start + 512, len(bad)))] = rng.randrange(256)
        cut = bad[: rng.choice([len(bad), rng.randrange(1, len(bad))])]
        path.write_bytes(cut if round_ % 2 else gzip.compress(cut, 1))
        assert reads_or_names(path)


def test_a_small_archive_is_refused_unread_at_real_size(tmp_path, monkeypatch):
    path = tmp_path / "c.tar.gz"
    path.write_bytes(gzip.compress(bytes(2**25)))
    monkeypatch.setattr(gzip, "GzipFile", None)
    with pytest.raises(DataError, match="too few for CIFAR-10"):
        cifar(path)


@pytest.mark.skipif(
    not os.environ.get("TENFOLD_DATA") or not REAL.is_file(), reason="needs CIFAR-10 under $TENFOLD_DATA"
)
def test_real_archive_takes_one_copy():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    images, labels, names = cifar(REAL)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 250_000
    assert np.bincount(labels[:50_000]).tolist() == [5000] * 10
    assert np.bincount(labels[50_000:]).tolist() == [1000] * 10
    assert names[0] == "airplane"
    # The mean of the training pixels that the literature standardizes with: 125.3, 123.0, 113.9.
    assert images[:50_000].mean((0, 2, 3)) == pytest.approx([125.307, 122.950, 113.865], abs=1e-2)
