import errno
import gzip
import hashlib
import http.server
import struct
import threading
from pathlib import Path

import numpy as np
import pytest

from tenfold.data import download as module
from tenfold.data.datasets import mnist as mnist_file
from tenfold.data.download import Pinned, fetch, obtain
from tenfold.data.types import DataSource
from tenfold.errors import DataError, FileError

CONTENT = bytes(range(256)) * 1000


class Answers(http.server.BaseHTTPRequestHandler):
    """Each path is a way to go wrong."""

    def do_GET(self):
        self.server.asked.append(self.path)
        word = self.path.split("/")[1]
        if word == "absent":
            return self.send_error(404)
        body = {"wrong": CONTENT[::-1], "long": CONTENT + b"x", "short": CONTENT[:-9]}.get(word, CONTENT)
        self.send_response(200)
        if word != "unsized":
            self.send_header("Content-Length", str(len(CONTENT) if word == "cut" else len(body)))
        self.end_headers()
        return self.wfile.write(body[: len(body) // 2] if word == "cut" else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as served:
        served.asked = []
        served.home = f"http://127.0.0.1:{served.server_port}"
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        yield served
        served.shutdown()
        thread.join()


def pinned(server, *words, content=CONTENT):
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return Pinned("file.gz", len(content), digest, tuple(f"{server.home}/{word}/file.gz" for word in words))


@pytest.mark.parametrize(
    "words", [("good",), ("unsized",), ("absent", "good"), ("wrong", "cut", "long", "short", "good")]
)
def test_the_first_mirror_that_is_right(tmp_path, server, words, capsys):
    target = tmp_path / "new" / "set" / "file.gz"
    fetch(target, pinned(server, *words))
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]
    assert server.asked == [f"/{word}/file.gz" for word in words]
    assert capsys.readouterr() == ("", "")  # no bar: this is not a terminal


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("absent", "HTTP 404"),
        ("wrong", "its content is not the official file's"),
        ("long", "more than the 256,000 bytes of the official file"),
        ("short", "cut short: 255,991 of 256,000 bytes"),
        ("cut", "the connection broke off"),
    ],
)
def test_a_wrong_file_never_enters_the_cache(tmp_path, server, word, why):
    target = tmp_path / "file.gz"
    with pytest.raises(DataError) as caught:
        fetch(target, pinned(server, word, word))
    assert str(caught.value).count(why) == 2
    assert f"put it at {target}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_no_server(tmp_path):
    gone = Pinned("file.gz", 9, "sha256:0", ("http://127.0.0.1:9/file.gz",))
    with pytest.raises(
        DataError, match=r"could not be downloaded from http://127\.0\.0\.1:9/file\.gz \(no connection\)"
    ):
        fetch(tmp_path / "file.gz", gone)


def test_a_full_disk_is_no_fault_of_the_mirror(tmp_path, server, monkeypatch):
    def full(self, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module._Capped, "write", full)
    with pytest.raises(FileError, match=r"file\.gz: .*No space left.* 256,000 bytes are needed"):
        fetch(tmp_path / "file.gz", pinned(server, "good", "good"))
    assert len(server.asked) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path, server):
    (tmp_path / "set").touch()
    with pytest.raises(FileError, match="choose another --data-dir"):
        fetch(tmp_path / "set" / "file.gz", pinned(server, "good"))


@pytest.mark.parametrize(
    "place",
    ["set_/file.gz", "set-/file", "Set/raw/file.gz", "SET/raw/file"],
    ids=["own", "unpacked", "raw", "raw plain"],
)
def test_a_file_of_the_user_is_taken_as_it_is(tmp_path, server, place):
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(b"the user's own")
    assert obtain(DataSource("", tmp_path), "set", pinned(server, "good")) == path
    assert server.asked == []


def test_without_download(tmp_path, server):
    with pytest.raises(DataError, match=r"switched off; get it .* and put it at .*my-set/file\.gz"):
        obtain(DataSource("", tmp_path, download=False), "my_set", pinned(server, "good"))
    assert server.asked == []
    assert obtain(DataSource("", tmp_path), "my_set", pinned(server, "good")).read_bytes() == CONTENT
    assert obtain(DataSource("", tmp_path), "my_set", pinned(server)) == tmp_path / "my-set" / "file.gz"


def idx(array):
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def small_mnist(root, names=None, images=(20, 10), labels=(20, 10)):
    rng = np.random.default_rng(0)
    arrays = []
    for i, j in zip(images, labels, strict=True):
        arrays += [rng.integers(0, 256, (i, 4, 4), dtype=np.uint8), (np.arange(j) % 10).astype(np.uint8)]
    (root / "mnist").mkdir(parents=True)
    for pin, array in zip(mnist_file.FILES, arrays, strict=True):
        (root / "mnist" / pin.file).write_bytes(gzip.compress(idx(array)))
    return arrays


def test_mnist_from_the_users_files(tmp_path):
    arrays = small_mnist(tmp_path)
    dataset = mnist_file.mnist(DataSource("", tmp_path, download=False))
    assert np.array_equal(dataset.images[:, 0].numpy(), np.concatenate(arrays[::2]))
    assert np.array_equal(dataset.labels.numpy(), np.concatenate(arrays[1::2]))
    assert dataset.parts["test"].tolist() == list(range(20, 30))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"labels": (20, 9)}, r"t10k-images-idx3-ubyte\.gz: 10 images, but 9 labels"),
        ({"images": (19, 10)}, r"train-images-idx3-ubyte\.gz: 19 images, but 20 labels"),
    ],
)
def test_mnist_that_contradicts_itself(tmp_path, options, why):
    small_mnist(tmp_path, **options)
    with pytest.raises(DataError, match=why):
        mnist_file.mnist(DataSource("", tmp_path, download=False))


def test_mnist_with_files_of_something_else(tmp_path):
    arrays = small_mnist(tmp_path)
    labels = tmp_path / "mnist" / mnist_file.FILES[1].file
    labels.write_bytes(idx(arrays[1] + 1))
    with pytest.raises(DataError, match="holds the label 10, expected 0 to 9"):
        mnist_file.mnist(DataSource("", tmp_path))
    labels.write_bytes(idx(arrays[0]))
    with pytest.raises(DataError, match="expected one label for each of train-images"):
        mnist_file.mnist(DataSource("", tmp_path))


def test_pins_are_https_first():
    for name in ("mnist", "fashion_mnist", "cifar10"):
        module_ = __import__(f"tenfold.data.datasets.{name}", fromlist=[name])
        for pin in getattr(module_, "FILES", None) or (module_.ARCHIVE,):
            assert pin.mirrors[0].startswith("https://")
            assert pin.digest.startswith("sha256:")
            assert all(Path(url).name == pin.file for url in pin.mirrors)
