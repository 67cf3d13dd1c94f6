import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tenfold import rooms
from tenfold.data.download import data_root
from tenfold.data.load import fingerprint, load, validate
from tenfold.data.types import Dataset
from tenfold.errors import DataError, UsageError

ROOT = Path(os.environ.get("TENFOLD_DATA", ""))
FOLDERS = {"mnist": "mnist", "fashion_mnist": "fashion-mnist", "cifar10": "cifar10"}
SHAPES = {
    "digits": ((1797, 1, 8, 8), {}),
    "mnist": ((70000, 1, 28, 28), {"train": 60000, "test": 10000}),
    "fashion_mnist": ((70000, 1, 28, 28), {"train": 60000, "test": 10000}),
    "cifar10": ((60000, 3, 32, 32), {"train": 50000, "test": 10000}),
}


def draw(path, side=8, value=0, mode="L", size=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    color = value if mode in ("L", "P", "I;16") else (value, 255 - value, 7)
    Image.new(mode, size or (side, side), color).save(path)


@pytest.fixture
def pictures(tmp_path):
    root = tmp_path / "pictures"
    for k in range(3):
        draw(root / "cat" / f"{k}.png", value=k)
        draw(root / "dog" / "deep" / f"{k}.PNG", value=100 + k)
    return root


def split(root, parts=("train", "validation", "test"), classes=("a", "b")):
    for i, part in enumerate(parts):
        for j, name in enumerate(classes):
            for k in range(2):
                draw(root / part / name / f"{k}.png", value=100 * i + 10 * j + k)
    return root


# every entry of the room


def test_every_named_set_has_a_case():
    assert set(SHAPES) == set(rooms.names("datasets")) - {"folder", "arrays"}


@pytest.mark.parametrize("name", SHAPES)
def test_named_sets(name):
    if name != "digits" and not (os.environ.get("TENFOLD_DATA") and (ROOT / FOLDERS[name]).is_dir()):
        pytest.skip(f"needs {name} under $TENFOLD_DATA")
    dataset = load(name, download=False)
    shape, parts = SHAPES[name]
    assert dataset.images.shape == shape
    assert dataset.images.dtype == torch.uint8
    assert dataset.images.data_ptr() % 64 == 0
    assert {part: len(positions) for part, positions in dataset.parts.items()} == parts
    assert len(dataset.class_names) == 10
    assert dataset.photographs == (name == "cifar10")
    assert dataset.images.max() * dataset.scale == pytest.approx(1)


def test_digits_are_those_of_scikit_learn():
    dataset = load("digits")
    assert dataset.labels[:10].tolist() == list(range(10))
    assert dataset.images.double().mean() == pytest.approx(4.884164579855314)
    assert fingerprint(dataset) == fingerprint(load("digits"))


# which data a word means


def test_a_name_wins_over_a_folder_of_that_name(tmp_path, monkeypatch, pictures):
    pictures.rename(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    assert len(load("digits").images) == 1797
    assert len(load("./digits").images) == 6


def test_a_folder_may_be_called_like_a_file_of_arrays(pictures):
    assert load(str(pictures.rename(pictures.with_suffix(".npz")))).name == "pictures.npz"


@pytest.mark.parametrize(
    ("data", "options", "why"),
    [
        ("mnits", {}, "did you mean 'mnist'"),
        ("folder", {}, "'folder' is neither a data set nor a folder"),
        ("", {}, "neither a data set nor a folder"),
        ("digits", {"size": 9}, "size is for folders of images"),
        ("digits", {"skip_unreadable": True}, "skip_unreadable is for folders"),
        ("digits", {"size": -1}, "from 1 to 1024"),
        (__file__, {}, r"neither a folder of images nor an \.npz"),
    ],
)
def test_what_is_no_data_is_told(data, options, why):
    with pytest.raises(UsageError, match=why):
        load(data, **options)


def test_order_of_roots(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("TENFOLD_DATA", raising=False)
    assert data_root("", "mnist") == tmp_path / "cache" / "tenfold" / "data"
    raw = tmp_path / "home" / "data" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").touch()
    assert data_root("", "fashion_mnist") == tmp_path / "home" / "data"
    assert data_root("", "mnist") == tmp_path / "cache" / "tenfold" / "data"
    monkeypatch.setenv("TENFOLD_DATA", str(tmp_path / "variable"))
    assert data_root("", "fashion_mnist") == tmp_path / "variable"
    assert data_root("option", "fashion_mnist") == Path("option")
    with pytest.raises(UsageError, match=r"--data-dir: .* is a file"):
        data_root(__file__, "mnist")


# folders of images


def test_folder(pictures):
    dataset = load(str(pictures))
    assert dataset.class_names == ("cat", "dog")
    assert dataset.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert dataset.images[:, 0, 0, 0].tolist() == [0, 1, 2, 100, 101, 102]
    assert dataset.images.shape == (6, 1, 8, 8)
    assert [Path(path).name for path in dataset.paths] == ["0.png", "1.png", "2.png", "0.PNG", "1.PNG", "2.PNG"]
    assert (dataset.parts, dataset.notes, dataset.photographs) == ({}, (), False)


def test_folder_with_parts(tmp_path):
    dataset = load(str(split(tmp_path)))
    assert {part: positions.tolist() for part, positions in dataset.parts.items()} == {
        "train": [0, 1, 2, 3],
        "validation": [4, 5, 6, 7],
        "test": [8, 9, 10, 11],
    }
    assert dataset.labels.tolist() == [0, 0, 1, 1] * 3
    assert load(str(split(tmp_path / "alone", ("train",)))).parts == {}


def test_sizes_and_modes_are_converted_and_said(pictures):
    draw(pictures / "cat" / "9.jpg", side=20, mode="RGB", value=3)
    dataset = load(str(pictures))
    assert dataset.images.shape == (7, 3, 8, 8)
    assert dataset.notes == ("6 images: grey to RGB", "1 image: resized to 8 × 8")
    assert dataset.photographs
    assert load(str(pictures), size=5).images.shape == (7, 3, 5, 5)
    draw(pictures / "cat" / "deep.png", side=900, mode="I;16", value=65535)
    assert "1 image: 16 bits to 8, values 0 to 65,535 scaled to 0 to 255" in load(str(pictures)).notes


def test_what_was_read_is_kept(pictures):
    draw(pictures / "cat" / "9.jpg", size=(20, 10), mode="RGB", value=3)
    (pictures / "dog" / "notes.txt").touch()
    for k in range(5):
        (pictures / "dog" / f"bad{k}.png").write_bytes(b"no image")
    reading = load(str(pictures), skip_unreadable=True).reading
    assert reading.sizes == {"8 × 8": 6, "20 × 10": 1}
    assert reading.modes == {"PNG L": 6, "JPEG RGB": 1}
    assert reading.ignored == 1
    assert len(reading.unreadable) == 5
    assert all(line.startswith(f"{pictures / 'dog' / f'bad{k}.png'}: ") for k, line in enumerate(reading.unreadable))
    assert load("digits").reading is None


def test_the_median_side_is_capped(tmp_path):
    for name in "ab":
        draw(tmp_path / name / "0.png", side=300)
    assert load(str(tmp_path)).images.shape == (2, 1, 64, 64)


def test_ignored_entries_are_counted(pictures):
    (pictures / "cat" / "notes.txt").touch()
    (pictures / "cat" / "._0.png").touch()
    (pictures / ".git").mkdir()
    (pictures / "loose.png").touch()
    (pictures / "dog" / "again").symlink_to(pictures / "dog", target_is_directory=True)
    (pictures / "dog" / "self.png").symlink_to("self.png")
    os.mkfifo(pictures / "dog" / "pipe.png")
    with pytest.raises(DataError, match=r"self\.png: not a readable image"):
        load(str(pictures))
    (pictures / "dog" / "self.png").unlink()
    dataset = load(str(pictures))
    assert len(dataset.images) == 6
    assert dataset.notes == (
        "6 entries ignored: 2 hidden (.git, cat/._0.png); 1 linked again (dog/again); "
        "2 not an image (cat/notes.txt, dog/pipe.png); 1 outside the class folders (loose.png)",
    )


def test_broken_images_stop_or_are_counted(pictures):
    (pictures / "cat" / "bad.png").write_bytes(b"no image")
    Image.effect_noise((8, 8), 50).save(pictures / "dog" / "cut.png")
    whole = (pictures / "dog" / "cut.png").read_bytes()
    (pictures / "dog" / "cut.png").write_bytes(whole[:70])
    with pytest.raises(DataError, match=r"bad\.png: not a readable image .* by --skip-unreadable"):
        load(str(pictures))
    (pictures / "cat" / "bad.png").unlink()
    with pytest.raises(DataError, match=r"cut\.png: cannot be decoded .* by --skip-unreadable"):
        load(str(pictures))
    (pictures / "cat" / "bad.png").write_bytes(b"no image")
    dataset = load(str(pictures), skip_unreadable=True)
    assert len(dataset.images) == len(dataset.paths) == len(dataset.labels) == 6
    assert dataset.images[:, 0, 0, 0].tolist() == [0, 1, 2, 100, 101, 102]
    assert dataset.notes[0].startswith("2 unreadable images skipped: ")


def empty(root):
    (root / "cow").mkdir()


def single(root):
    for path in (root / "cat").iterdir():
        path.unlink()
    (root / "cat").rmdir()


def all_broken(root):
    for path in (root / "cat").iterdir():
        path.write_bytes(b"")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (empty, "cow: no images in this class"),
        (single, "holds only the class folder 'dog'; a classifier needs at least two"),
        (all_broken, "class 'cat' has no images"),
        (lambda root: split(root, ("train", "test")), "'cat' stands beside test.* --parts train=train,test=test, or"),
    ],
)
def test_unusable_folders(pictures, change, why):
    change(pictures)
    with pytest.raises(DataError, match=why):
        load(str(pictures), skip_unreadable=True)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("test", ("a", "b", "c")), "class 'c' is missing in train"),
    ],
)
def test_unusable_parts(tmp_path, more, why):
    split(tmp_path, ("train",))
    split(tmp_path, (more[0],), more[1])
    with pytest.raises(DataError, match=why):
        load(str(tmp_path))


def test_classes_one_level_down_are_pointed_at(tmp_path):
    split(tmp_path, ("unpacked",))
    with pytest.raises(DataError, match=r"one level down; give .*unpacked instead"):
        load(str(tmp_path))


@pytest.mark.parametrize("part", ["test", "validation"])
def test_images_without_class_folders_have_no_labels(tmp_path, part):
    split(tmp_path, ("train",))
    for k in range(3):
        draw(tmp_path / part / f"{k}.png")
    why = rf"{part}: 3 images without class folders, so the {part} labels are missing; sort them into {part}/<class>/"
    with pytest.raises(DataError, match=why) as error:
        load(str(tmp_path))
    assert "\n" not in str(error.value)


def test_no_folders_and_hostile_names(tmp_path):
    with pytest.raises(DataError, match="no folders in it"):
        load(str(tmp_path))
    draw(tmp_path / "\x1b[2J<b>" / "0.png")
    draw(tmp_path / os.fsdecode(b"\xff") / "0.png")
    assert load(str(tmp_path)).class_names == ("\\x1b[2J<b>", "\\udcff")


# arrays


def arrays(path, **content):
    np.savez(path, **content)
    return load(str(path))


X = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), dtype=np.uint8)
Y = np.array([3, 1, 1, 3, 7, 7])


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        (X, X.transpose(0, 3, 1, 2)),
        (X.transpose(0, 3, 1, 2), X.transpose(0, 3, 1, 2)),
        (X[..., 0], X[:, None, :, :, 0]),
        (X.reshape(6, -1), X.reshape(6, 1, 1, -1)),
        (X.astype(np.int64), X.transpose(0, 3, 1, 2)),
        (X.astype(np.float64) - 0.5, X.transpose(0, 3, 1, 2).astype(np.float32) - 0.5),
        (X[..., 0] > 99, (X[:, None, :, :, 0] > 99).astype(np.float32)),
    ],
)
def test_layouts_of_arrays(tmp_path, x, expected):
    dataset = arrays(tmp_path / "a.npz", x=x, y=Y)
    assert np.array_equal(dataset.images.numpy(), expected)
    assert dataset.images.numpy().dtype == expected.dtype
    assert dataset.scale == (1 / 255 if expected.dtype == np.uint8 else 1)
    assert dataset.class_names == ("1", "3", "7")
    assert dataset.labels.tolist() == [1, 0, 0, 1, 2, 2]


def test_parts_and_words_of_arrays(tmp_path):
    words = np.array(["b", "a", "a", "b", "c", "c"])
    dataset = arrays(tmp_path / "a.npz", x_train=X, y_train=words, x_test=X[:2], y_test=words[:2])
    assert dataset.class_names == ("a", "b", "c")
    assert dataset.labels.tolist() == [1, 0, 0, 1, 2, 2, 1, 0]
    assert {part: positions.tolist() for part, positions in dataset.parts.items()} == {
        "train": [0, 1, 2, 3, 4, 5],
        "test": [6, 7],
    }


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (
            {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y + 1},
            "'y_test' has '4' at position 0, no training label",
        ),
        ({"x_train": X, "y_train": Y, "x_test": X, "y_test": Y.astype(str)}, "strings in one part"),
        (
            {"x_train": X, "y_train": Y, "x_test": X},
            "'y_test' is missing; .*; add a label for each image of 'x_test', or leave 'x_test' out",
        ),
        ({"x": X}, "'y' is missing; the file holds x; add a label for each image of 'x'$"),
        ({"y": Y}, "'x' is missing; the file holds y$"),
        ({"x_test": X, "y_test": Y}, "'x_train' is missing"),
        ({"x_train": X, "y_train": Y, "x_test": X[:, :2], "y_test": Y}, "different shapes"),
        ({"x": X[:, :3, :, :], "y": Y}, "both the second and the last"),
        ({"x": X.repeat(3, -1), "y": Y}, "neither the second nor the last"),
        ({"x": np.full((6, 2), 1e300), "y": Y}, "do not fit 32-bit numbers"),
        ({"x": X, "y": Y * 0}, "1 class; a classifier needs at least two"),
    ],
)
def test_unusable_arrays(tmp_path, content, why):
    with pytest.raises(DataError, match=why):
        arrays(tmp_path / "a.npz", **content)


# what is checked of every data set


@pytest.fixture
def sound():
    parts = {"train": torch.arange(4), "test": torch.arange(4, 6)}
    return Dataset("s", torch.zeros(6, 1, 2, 2), torch.tensor([0, 1] * 3), ("a", "b"), 1.0, parts)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"images": torch.zeros(6, 4)}, "expected contiguous"),
        ({"images": torch.zeros(6, 1, 2, 2).double()}, "expected contiguous"),
        ({"labels": torch.zeros(5, dtype=torch.int64)}, "6 images, but 5 labels"),
        ({"paths": ("x",)}, "but 1 paths"),
        ({"labels": torch.tensor([0, 1, 2, 0, 1, 0])}, "a label is 2"),
        ({"labels": torch.tensor([0, 1, -1, 0, 1, 0])}, "a label is -1"),
        ({"labels": torch.zeros(6, dtype=torch.int64)}, "class 'b' has no images"),
        ({"labels": torch.tensor([0, 0, 0, 0, 1, 1])}, "class 'b' has no training images"),
        ({"class_names": ("a",)}, "at least two"),
        ({"class_names": ("a", "a")}, "the same name"),
        ({"parts": {"train": torch.arange(4), "test": torch.arange(3, 6)}}, "in two parts"),
        ({"parts": {"train": torch.arange(7)}}, "points outside"),
        ({"parts": {"test": torch.arange(6)}}, "expected train"),
        ({"parts": {"train": torch.arange(6), "test": torch.arange(0)}}, "the test part has no images"),
    ],
)
def test_contradictions_are_named(sound, change, why):
    assert validate(sound) is sound
    with pytest.raises(DataError, match=why):
        validate(dataclasses.replace(sound, **change))


def test_the_fingerprint_is_of_the_content(sound):
    changes = (
        {"images": torch.ones(6, 1, 2, 2)},
        {"images": torch.zeros(6, 2, 2, 1)},
        {"labels": torch.tensor([1, 0] * 3)},
        {"class_names": ("a", "c")},
        {"scale": 0.5},
        {"parts": {}},
    )
    prints = {fingerprint(dataclasses.replace(sound, **change)) for change in changes}
    assert len(prints | {fingerprint(sound)}) == 7
    assert fingerprint(dataclasses.replace(sound, name="x", notes=("n",), paths=("p",))) == fingerprint(sound)


def test_the_fingerprint_is_the_same_in_another_process():
    code = "from tenfold.data.load import *; print(fingerprint(load('digits')))"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == fingerprint(load("digits"))
