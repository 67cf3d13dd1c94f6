import dataclasses
import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from tenfold import cli
from tenfold.cli.tables.audit import print_audit
from tenfold.data import load
from tenfold.data.audit import as_json, audit, groups_of
from tenfold.data.duplicates import group_ids
from tenfold.data.types import Dataset, Reading


def noise(count, shape=(3, 16, 16), seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8)


def dataset(images, labels, parts=None, names=("cat", "dog"), scale=1 / 255):
    parts = {name: torch.as_tensor(rows) for name, rows in (parts or {}).items()}
    return Dataset("s", torch.as_tensor(images), torch.as_tensor(labels), names, scale, parts, photographs=True)


SPLIT = {"train": range(20), "validation": range(20, 30), "test": range(30, 40)}


@pytest.fixture
def sound():
    parts = {name: torch.tensor(rows) for name, rows in SPLIT.items()}
    return dataset(noise(40), torch.arange(40) % 2, parts)


def test_of_sound_data_there_is_nothing_to_warn_of(sound):
    found = audit(sound)
    assert found.counts == {"train": (10, 10), "validation": (5, 5), "test": (5, 5)}
    assert (found.images, found.shape, found.type, found.imbalance) == (40, (3, 16, 16), "uint8", 1)
    assert (found.warnings, found.conflicts, found.spread) == ((), (), {})
    assert found.twins == {"validation": (), "test": ()}
    assert audit(dataclasses.replace(sound, parts={})).counts == {"all": (20, 20)}


def warned(data, word):
    return [warning for warning in audit(data).warnings if word in warning]


def test_small_classes():
    data = dataset(noise(10), [0] * 6 + [1] * 4)
    assert warned(data, "fewer")[0].startswith("1 class has fewer than 5 training images: 'dog'; ")
    assert not warned(dataset(noise(10), [0] * 5 + [1] * 5), "fewer")
    few = dataset(noise(14), list(range(7)) * 2, names=tuple("abcdefg"))
    assert warned(few, "7 classes have fewer than 5 training images: 'a', 'b', 'c', 'd', 'e' and 2 more;")


def test_few_means_few_in_training(sound):
    rows = {"train": torch.arange(8), "test": torch.arange(8, 40)}
    assert warned(dataclasses.replace(sound, parts=rows), "2 classes have fewer than 5 training images")


def test_imbalance():
    assert warned(
        dataset(noise(72), [0] * 66 + [1] * 6), "11 times as many training images as the smallest; --class-weight"
    )
    assert not warned(dataset(noise(66), [0] * 60 + [1] * 6), "times")


def test_a_class_that_is_missing_in_a_part(sound):
    labels = sound.labels.clone()
    labels[30:] = 0
    missing = dataclasses.replace(sound, labels=labels)
    assert warned(missing, "no test images of 'dog': this class is not measured there")
    assert len(audit(missing).warnings) == 1


def test_identical_images(sound):
    same = dataclasses.replace(sound, images=sound.images[:1].repeat(40, 1, 1, 1))
    assert warned(same, "all images are identical")
    images = sound.images.clone()
    images[sound.labels == 1] = sound.images[1]
    (of_class,) = warned(dataclasses.replace(sound, images=images), "all images of")
    assert of_class == "all images of 'dog' are identical: a model learns one picture, not the class"


def test_twins_across_parts(sound):
    images = sound.images.clone()
    images[32], images[35], images[21] = images[4], images[35] // 2 + 60, images[7]
    images[5] = (images[35].float() * 0.8 + 30).byte()  # not the same pixels
    images[36] = images[37]  # within test: no twin
    data = dataclasses.replace(sound, images=images)
    found = audit(data)
    assert found.twins == {"validation": ((21, 7),), "test": ((32, 4), (35, 5))}
    assert found.duplicates.exact == ((4, 32), (7, 21), (36, 37))
    assert found.duplicates.near == ((5, 35),)
    assert found.spread == {
        ("test",): {"exact": 1, "near": 0, "large": 0},
        ("train", "test"): {"exact": 1, "near": 1, "large": 0},
        ("train", "validation"): {"exact": 1, "near": 0, "large": 0},
    }
    assert warned(data, "2 of 10 test images (20.00 %) have a duplicate in the training part")
    assert warned(data, "1 of 10 validation images (10.00 %) has a duplicate")


def test_a_twin_is_the_identical_one_if_there_is_one(sound):
    images = sound.images.clone()
    images[2] = (images[9].float() * 0.8 + 30).byte()
    images[31] = images[9]
    assert audit(dataclasses.replace(sound, images=images)).twins["test"] == ((31, 9),)


def test_a_large_group_has_twins_too():
    images = noise(130)
    images[60:120] = images[0]
    data = dataset(images, [0, 1] * 65, {"train": range(100), "test": range(100, 130)})
    found = audit(data)
    assert (found.duplicates.exact, [len(group) for group in found.duplicates.large]) == ((), [61])
    assert found.spread == {("train", "test"): {"exact": 0, "near": 0, "large": 1}}
    assert found.twins["test"] == tuple((k, 0) for k in range(100, 120))
    assert groups_of(as_json(found)) == ()
    assert warned(data, "1 picture has different labels in identical copies, the first 'cat', 'dog'")


def test_one_picture_under_two_labels(sound):
    images = sound.images.clone()
    images[3], images[12], images[16] = images[2], images[4], images[4]
    found = audit(dataclasses.replace(sound, images=images))
    assert found.conflicts == ((2, 3),)
    assert next(w for w in found.warnings if "different labels" in w).startswith("1 picture has different labels")
    images[5] = images[4]
    assert audit(dataclasses.replace(sound, images=images)).conflicts == ((2, 3), (4, 5, 12, 16))


def test_mean_images():
    images = np.zeros((6, 3, 2, 4), np.uint8)
    images[:, 0] = np.array([10, 20, 30, 200, 100, 0])[:, None, None]
    images[:, 2, 1, 3] = 9
    means = audit(dataset(images, [0, 0, 0, 1, 1, 1])).means
    assert (means.shape, means.dtype) == ((2, 2, 4, 3), np.uint8)
    assert means[0, 0, 0].tolist() == [20, 0, 0]
    assert means[1, 1, 3].tolist() == [100, 0, 9]
    digits = audit(load.load("digits")).means
    assert digits.shape == (10, 8, 8, 1)
    assert 200 < digits.max() <= 255


@pytest.mark.parametrize(("offset", "scale"), [(0, 1), (-3, 1e-6), (1e3, 1e5)])
def test_float_images(offset, scale):
    images = np.random.default_rng(0).standard_normal((20, 1, 1, 64)).astype(np.float32) * scale + offset * scale
    images[19] = images[2]
    data = dataset(images, [0, 1] * 10, scale=1.0)
    found = audit(data)
    assert found.type == "float32"
    assert found.duplicates.exact == ((2, 19),)
    assert not as_json(found)["near_searched"]
    low, high = images.min(), images.max()
    expected = (images[0::2].mean(0, dtype=np.float64) - low) / (high - low) * 255
    assert np.abs(found.means[0, :, :, 0] - expected[0]).max() <= 0.51
    constant = dataset(np.ones((4, 1, 1, 3), np.float32), [0, 1, 0, 1], scale=1.0)
    assert warned(constant, "all images are identical")


def test_json_is_plain_and_brings_the_groups_back(sound):
    images = sound.images.clone()
    images[32], images[6], images[11] = images[4], images[4], images[10]
    images[5] = (images[4].float() * 0.8 + 30).byte()
    found = audit(
        dataclasses.replace(sound, images=images, reading=Reading({"9 × 8": 40}, {"PNG L": 40}, ("x: no",), 2))
    )
    text = json.dumps(as_json(found), allow_nan=False)
    back = json.loads(text)
    assert back["exact"] == [[4, 6, 32], [10, 11]]
    assert back["near"] == [[4, 5, 6, 32]]
    assert (back["sizes"], back["modes"], back["unreadable"], back["ignored"]) == (
        {"9 × 8": 40},
        {"PNG L": 40},
        ["x: no"],
        2,
    )
    assert groups_of(back) == ((4, 5, 6, 32), (10, 11))
    both = (*found.duplicates.exact, *found.duplicates.near)
    assert np.array_equal(group_ids(40, groups_of(back)), group_ids(40, both))
    assert back["twins"] == {"validation": [], "test": [[32, 4]]}


def test_images_that_hold_next_to_nothing_are_a_warning(sound):
    images = sound.images.clone()
    images[7], images[9] = 3, 255
    images[9, :, 0, 0] = 240
    warned = [warning for warning in audit(dataclasses.replace(sound, images=images)).warnings if "blank" in warning]
    assert len(warned) == 1
    assert warned[0].startswith("2 of 40 images are nearly blank")
    assert "image 7" in warned[0]
    assert not any("blank" in warning for warning in audit(sound).warnings)


def test_the_report_is_narrow_and_inert(sound, capsys):
    names = ("\x1b[2J<b>\u202eevil" + "x" * 90, "🦌" * 30)
    images = sound.images.clone()
    images[32] = images[4]
    reading = Reading(
        {f"{k} × {k}": 1 for k in range(40)}, {"PNG L": 40}, ("/data/\x07\x1b[31mbad.png: not readable",) * 30, 3
    )
    data = dataclasses.replace(sound, class_names=names, images=images, reading=reading)
    print_audit({**as_json(audit(data)), "page": "runs/\x1b[5mpage.html", "notes": ["a note"]})
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert not {"\u202e", "\x07"} & set(out)  # click itself drops colors in a pipe
    lines = out.splitlines()
    assert lines[-1] == "page: runs/[5mpage.html"
    assert all(len(line) <= 80 for line in lines if "\U0001f98c" not in line)
    assert "ignored     3 entries" in lines
    assert "30 unreadable files" in lines
    assert sum("bad.png: not readable" in line for line in lines) == 20
    assert "… and 10 more files" in lines
    assert any(line.startswith("across train and test") and line.split()[-3:] == ["1", "0", "0"] for line in lines)
    assert "warning: 1 of 10 test images (10.00 %)" in out
    assert "35 of 35 other kinds" in " ".join(out.split())


def test_command(tmp_path, monkeypatch):
    pages = pytest.importorskip("tenfold.report.pages")
    written = []
    monkeypatch.setattr(pages, "write_audit_page", lambda *arguments: written.append(arguments))
    monkeypatch.chdir(tmp_path)
    for part in ("train", "test"):
        for k, name in enumerate("ab"):
            (tmp_path / "My pets!" / part / name).mkdir(parents=True)
            for i, image in enumerate(noise(6, (20, 20), seed=k)):
                Image.fromarray(image).save(tmp_path / "My pets!" / part / name / f"{i}.png")
    (tmp_path / "My pets!" / "train" / "a" / "bad.png").write_bytes(b"no image")

    told = CliRunner().invoke(cli.tenfold, ["audit", "My pets!", "--no-images"], catch_exceptions=False)
    page = told.output.splitlines()[-1].removeprefix("page: ")
    assert page.startswith("runs/")
    assert page.endswith("-audit-my-pets.html")
    assert "My pets!/train/a/bad.png: not a readable image" in told.output
    assert (str(written[0][0]), written[0][1]["unreadable"], written[0][3]) == (
        page,
        written[0][1]["unreadable"],
        False,
    )
    as_json = CliRunner().invoke(
        cli.tenfold, ["audit", "My pets!", "--out", "p.html", "--json"], catch_exceptions=False
    )
    result = json.loads(as_json.output.splitlines()[-1])
    assert (result["page"], len(result["unreadable"]), result["modes"]) == ("p.html", 1, {"PNG L": 24})
    assert written[1][3] is True
    assert len(result["twins"]["test"]) == 12
