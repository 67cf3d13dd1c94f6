import io
import random
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from tenfold.data.readers.npz import npz
from tenfold.errors import DataError, Interrupted

RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (12, 4, 5), dtype=np.uint8)
Y = np.arange(12) % 3
RAW = X.tobytes()


def written(path, compressed=False, **arrays):
    (np.savez_compressed if compressed else np.savez)(path, **arrays)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data.npz"


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(
    "x",
    [X, X.astype(">f4"), X.astype(np.float16), np.asfortranarray(X), X.reshape(12, 20), X[..., None], X > 9],
    ids=["bytes", "big-endian", "half", "fortran", "flat", "channels", "bool"],
)
def test_round_trip(path, compressed, x):
    found = npz(written(path, compressed, x_train=x, y_train=Y, x_test=x[:3], y_test=Y[:3, None].astype(float))).arrays
    assert np.array_equal(found["x_train"], x)
    assert np.array_equal(found["y_test"], Y[:3])
    assert found["x_train"].dtype == x.dtype.newbyteorder("=")


@pytest.mark.parametrize("labels", [np.array(["é", "b", "ab"] * 4), np.array([b"\xc3\xa9", b"b", b"ab"] * 4)])
def test_strings(path, labels):
    assert npz(written(path, x=X, y=labels)).arrays["y"].tolist() == ["é", "b", "ab"] * 4


def spoiled(value, place=(7, 2, 3)):
    x = X.astype(np.float64)
    x[place] = value
    return x


@pytest.mark.parametrize(
    ("arrays", "why"),
    [
        ({"x": X}, "'y' is missing; the file holds x"),
        ({"x_train": X, "y_train": Y, "x_test": X}, "'y_test' is missing"),
        ({"x": X, "y": Y, "x_train": X}, "both 'x' or 'y' and arrays of parts"),
        ({"x_train": X, "y_train": Y, "x_val": X}, "'y_validation' is missing; .* for each image of 'x_val', or leave"),
        ({"x_train": X, "y_train": Y, "x_vla": X}, "unknown array 'x_vla': did you mean 'x_train'"),
        ({"images": X, "X": X, "y": Y}, "both 'images' and 'X' could be x; keep one"),
        ({"images": X, "labels": Y[:5]}, "'images' has 12 images, 'labels' has 5 labels"),
        ({"X": X.transpose(1, 2, 0), "y": Y}, r"one label for each image; its last dimension fits: numpy\.moveaxis\(X"),
        (
            {"x_train": X, "y_train": np.eye(3)[Y], "x_test": X, "y_test": np.eye(4)[Y]},
            r"one-hot labels differ in width: y_train \(3 columns\), y_test \(4 columns\)",
        ),
        ({"arr_0": X}, r"holds arr_0 \(12, 4, 5\); expected images and as many labels"),
        ({"arr_0": Y, "arr_1": Y, "arr_2": X}, "expected images and as many labels"),
        ({"x": X, "y": Y[:5]}, "'x' has 12 images, 'y' has 5 labels"),
        ({"x": spoiled(np.nan), "y": Y}, r"'x' holds nan at position \(7, 2, 3\)"),
        ({"x": spoiled(-np.inf), "y": Y}, r"'x' holds -inf at position \(7, 2, 3\)"),
        ({"x": X, "y": np.where(Y == 2, np.nan, 0)}, r"'y' holds nan at position \(2,\)"),
        ({"x": X, "y": Y + 0.5}, "'y' holds 0.5 at position 0; a label is a whole number"),
        ({"x": X, "y": np.eye(12) / 2}, r"'y' has the shape \(12, 12\); expected one label per image"),
        ({"x": X, "y": 1 - np.eye(12)}, "or one-hot rows"),
        ({"x": X, "y": Y.astype(object)}, "'y' holds Python objects"),
        ({"x": X.astype(complex), "y": Y}, "dtype complex128"),
        ({"x": X.astype(str), "y": Y}, "expected 2 to 4 dimensions of numbers"),
        ({"x": Y, "y": Y}, r"'x' is int64 \(12,\)"),
        ({"x": X[:0], "y": Y[:0]}, "is empty"),
        ({"x": np.zeros(3, dtype=[("a", "f4")]), "y": Y}, "has dtype"),
        ({"x": X, "y": np.array(3)}, "'y' has the shape"),
    ],
)
def test_wrong_content_is_named(path, arrays, why):
    with pytest.raises(DataError, match=why) as caught:
        npz(written(path, **arrays))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("names", "keys"),
    [
        (("train_images", "train_labels", "test_images", "test_labels"), ("x_train", "y_train", "x_test", "y_test")),
        (("X_train", "y_train", "X_val", "y_val"), ("x_train", "y_train", "x_validation", "y_validation")),
        (("trainX", "trainY", "testX", "testY"), ("x_train", "y_train", "x_test", "y_test")),
        (("train_set_x", "train_set_y"), ("x_train", "y_train")),
        (
            ("images_train", "labels_train", "images_dev", "labels_dev"),
            ("x_train", "y_train", "x_validation", "y_validation"),
        ),
        (("X", "Y"), ("x", "y")),
        (("images", "labels"), ("x", "y")),
        (("data", "target"), ("x", "y")),
        (("x_data", "y_true"), ("x", "y")),
        (("arr_0", "arr_1"), ("x", "y")),
        (("arr_0", "arr_1", "arr_2", "arr_3"), ("x_train", "y_train", "x_test", "y_test")),
    ],
)
def test_common_names_are_read_and_said(path, names, keys):
    content = {name: X + k if key[0] == "x" else Y for k, (name, key) in enumerate(zip(names, keys, strict=True))}
    stored = npz(written(path, **content))
    assert stored.names == dict(zip(keys, names, strict=True))
    assert all(np.array_equal(stored.arrays[key], content[name]) for key, name in stored.names.items())
    said = ", ".join(f"{name} as {key}" for key, name in stored.names.items() if name != key)
    assert stored.notes == (f"read {said}",)


def test_arrays_by_position_are_told_apart_by_shape(path):
    """In the order of scikit-learn's train_test_split, with labels of one column and one-hot."""
    content = {"arr_0": X, "arr_1": X[:5], "arr_2": Y[:, None], "arr_3": np.eye(3)[Y[:5]]}
    stored = npz(written(path, **content))
    assert stored.names == {"x_train": "arr_0", "y_train": "arr_2", "x_test": "arr_1", "y_test": "arr_3"}
    assert stored.arrays["y_test"].tolist() == Y[:5].tolist()
    assert stored.notes[1] == "one-hot labels read as numbers of columns: arr_3 (3 columns)"
    swapped = npz(written(path, arr_0=Y, arr_1=X.reshape(12, 20)))
    assert swapped.names == {"x": "arr_1", "y": "arr_0"}


@pytest.mark.parametrize("labels", [Y[:, None], Y[None], Y[:, None, None], np.eye(3)[Y], np.eye(3, dtype=bool)[Y]])
def test_labels_of_other_shapes(path, labels):
    assert npz(written(path, x=X, y=labels)).arrays["y"].tolist() == Y.tolist()


def test_what_files_hold_beside_images_is_not_read(path):
    other = {"target_names": np.array(["a", "b", "c"]), "DESCR": np.array("text"), "filenames": np.array([None] * 12)}
    stored = npz(written(path, data=X.reshape(12, 20), images=X, target=Y, **other))
    assert stored.names == {"x": "images", "y": "target"}
    assert stored.notes == ("read images as x, target as y", "not read: target_names, DESCR, filenames, data")


def npy(shape="(12, 4, 5)", descr="'|u1'", content=RAW, version=1, length=None, extra=""):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, {extra}}}\n".encode()
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + content


def good(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def packed(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize(
    ("member", "why"),
    [
        (npy(shape="(2**35,)"), "damaged header"),
        (npy(shape="(34359738368,)", content=b""), "claims the shape"),
        (npy(shape="(4294967296, 4294967296, 4294967296)"), "claims the shape"),
        (npy(shape="(-12, -20)"), "claims the shape"),
        (npy(shape="(12, 4, 6)"), "claims the shape"),
        (npy(shape="(18446744073709551616, 0)", content=b""), "claims the shape"),
        (npy(descr="'|O'"), "holds Python objects"),
        (npy(descr="'|V1'"), "has dtype"),
        (npy(descr="'nonsense'"), "damaged header"),
        (npy(extra="'x': 1"), "damaged header"),
        (npy(extra="'x': " + "[" * 4000), "damaged header"),
        (npy(version=2, length=2**32 - 1), "header of 4,294,967,295 bytes"),
        (npy(version=1, length=60_000), "header of 60,000 bytes"),
        (npy(version=9), "version 1 or 2"),
        (b"", "not in NumPy's format"),
    ],
)
def test_forged_headers_take_no_memory(path, member, why):
    packed(path, [("x.npy", member), ("y.npy", good(Y))])
    tracemalloc.start()
    with pytest.raises(DataError, match=why):
        npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8e6


def test_forged_archives_are_refused(path):
    huge = npy(shape=f"({2**27},)", content=bytes(2**27))
    with pytest.raises(DataError, match="claim 512 times the 130,818 bytes of the file"):
        npz(packed(path, [("x.npy", huge), ("y.npy", good(Y))], zipfile.ZIP_DEFLATED))
    with pytest.raises(DataError, match="packed in a way"):
        npz(packed(path, [("x.npy", npy())], zipfile.ZIP_LZMA))
    with pytest.raises(DataError, match="70 arrays"):
        npz(packed(path, [(f"{k}.npy", b"") for k in range(70)]))
    with pytest.raises(DataError, match=r"unknown array '\.\./x'"):
        npz(packed(path, [("../x.npy", npy())]))
    with pytest.warns(UserWarning, match="Duplicate"):
        packed(path, [("x.npy", npy()), ("x.npy", npy())])
    with pytest.raises(DataError, match="'x' appears twice"):
        npz(path)
    path.write_bytes(b"not a zip")
    with pytest.raises(DataError, match=r"not a file of numpy\.savez"):
        npz(path)
    with pytest.raises(DataError, match="cannot be read"):
        npz(path.parent)


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64, np.bool_, np.uint8])
@pytest.mark.parametrize("levels", [2, 256])
def test_images_that_pack_well_are_read(path, dtype, levels):
    """Handwriting is mostly paper: as 64-bit numbers it packs 22 to 1, in black and white 100 to 1."""
    rng = np.random.default_rng(0)
    x = np.zeros((8000, 28, 28), dtype)
    rows = rng.integers(4, 20, (8000, 2))
    for image, (row, column) in zip(x, rows, strict=True):
        image[row : row + 3, column : column + 4] = rng.integers(1, levels, (3, 4))
    written(path, True, x=x, y=np.arange(8000) % 3)
    assert x.nbytes < 40e6 or x.nbytes > 20 * path.stat().st_size
    assert np.array_equal(npz(path).arrays["x"], x)


def test_a_directory_of_many_members_takes_little_memory(path):
    """300,000 members of no bytes, 14 MB, which zipfile alone would turn into some 300 MB of objects."""
    member = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *[0] * 11, 1, *[0] * 6) + b"x"
    size = 300_000 * len(member)
    path.write_bytes(member * 300_000 + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, size, 0, 0))
    tracemalloc.start()
    with pytest.raises(DataError, match="damaged, or not a file"):
        npz(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6


def test_strings_of_no_characters_are_refused(path):
    labels = np.frombuffer(struct.pack("<12I", *[0x110000] * 12), dtype="<U1")
    with pytest.raises(DataError, match="invalid characters"):
        npz(written(path, x=X, y=labels))


def reads_or_names(path):
    """Whether the reader took the file, or refused it by its own error with the path in it; any other error passes."""
    try:
        npz(path)
    except DataError as error:
        return str(path) in str(error)
    return True


@pytest.mark.parametrize("compressed", [False, True])
def test_mutations_raise_only_typed_errors(path, compressed):
    raw = written(path, compressed, x=X, y=Y).read_bytes()
    rng = random.Random(0)
    for _ in range(400):
        bad = bytearray(raw)
        for _ in range(rng.randint(1, 4)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        path.write_bytes(bad[: rng.choice([len(bad), len(bad), rng.randrange(1, len(bad))])])
        assert reads_or_names(path)


def test_mutated_headers_raise_only_typed_errors(path):
    """Inside a zip whose checksums are right, so that the parser of headers itself is reached."""
    rng = random.Random(1)
    for _ in range(400):
        bad = bytearray(npy())
        for _ in range(rng.randint(1, 3)):
            bad[rng.randrange(80)] = rng.choice([rng.randrange(256), *b"(){}[],'0123456789-<>OUSfiub"])
        packed(path, [("x.npy", bytes(bad)), ("y.npy", good(Y))])
        assert reads_or_names(path)


@pytest.mark.parametrize("step", ["zipfile.ZipFile", "npy.read_array_header_1_0"])
def test_a_signal_is_no_fault_of_the_file(path, monkeypatch, step):
    np.savez(path, x=np.zeros((4, 2)), y=np.arange(4))

    def stopped(*_, **__):
        raise Interrupted("interrupted", 143)

    monkeypatch.setattr(f"tenfold.data.archive.{step}", stopped)
    with pytest.raises(Interrupted):
        npz(path)
