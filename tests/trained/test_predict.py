"""A model asked from Python: whatever a picture comes as, the answer is that of the command."""

import io
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.errors import DataError, UsageError
from tenfold.runs.ask import predict_files


def photograph(path, label, seed, mode="RGB", size=(40, 30), **options):
    """Red or blue, with noise, so that its exact probabilities tell one opening of it from another."""
    pixels = np.random.default_rng(seed).integers(0, 120, (size[1], size[0], 3), dtype=np.uint8)
    pixels[..., 2 * label] += 100
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return path


def trained_on(root, mode="RGB", **choices):
    for label, name in enumerate(("red", "blue")):
        for k in range(12):
            photograph(root / "data" / name / f"{k:02}.png", label, 2 * k + label, mode, size=(9, 8))
    chosen = {"epochs": 3, "learning_rate": 0.01, "audit": False, "size": 8, **choices}
    return tenfold.train(str(root / "data"), out=root / "run", **chosen).folder


@pytest.fixture(scope="module")
def color(tmp_path_factory):
    return trained_on(tmp_path_factory.mktemp("color"))


@pytest.fixture(scope="module")
def grey(tmp_path_factory):
    return trained_on(tmp_path_factory.mktemp("grey"), "L")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return tenfold.train("digits", epochs=3, out=tmp_path_factory.mktemp("digits") / "run").folder


def by_command(run, path):
    return predict_files(run, [path])["predictions"][0]


def agree(answer, row):
    assert answer.predicted == row["predicted"]
    np.testing.assert_allclose(list(answer.probabilities.values()), row["probabilities"], atol=1e-9)


@pytest.mark.parametrize("kind", ["color", "grey"])
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("plain.png", {}),
        ("large.jpg", {"size": (700, 500)}),
        ("grey.png", {"mode": "L"}),
        ("clear.png", {"mode": "RGBA"}),
        ("palette.gif", {"mode": "P"}),
        ("print.jpg", {"mode": "CMYK"}),
        ("line.png", {"mode": "1"}),
        ("turned.jpg", {"exif": True}),
    ],
)
def test_a_path_and_an_image_of_pillow_s_are_opened_as_the_command_does(request, tmp_path, kind, name, options):
    run = request.getfixturevalue(kind)
    if options.pop("exif", False):
        options["exif"] = Image.Exif()
        options["exif"][0x112] = 6
    path = photograph(tmp_path / name, 0, 99, **options)
    model, wanted = tenfold.load_model(run / "model.tenfold"), by_command(run, path)
    agree(model.predict(path), wanted)
    agree(model.predict(str(path)), wanted)
    agree(model.predict(path.read_bytes()), wanted)
    with Image.open(path) as image:
        agree(model.predict(image), wanted)
    if name != "large.jpg":  # whose decoder shrinks it as it reads
        with Image.open(path) as image:
            image.load()
            agree(model.predict(image), wanted)


def test_deep_pictures_keep_their_brightness(color, tmp_path):
    values = np.random.default_rng(0).integers(0, 4000, (8, 8), dtype=np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    model, wanted = tenfold.load_model(color / "model.tenfold"), by_command(color, tmp_path / "deep.png")
    for given in (values, values.astype(np.int64), torch.from_numpy(values.astype(np.int32)), Image.fromarray(values)):
        agree(model.predict(given), wanted)


@pytest.mark.parametrize("kind", ["color", "grey"])
@pytest.mark.parametrize("side", [8, 40])
def test_arrays_in_any_units_and_order(request, tmp_path, kind, side):
    run = request.getfixturevalue(kind)
    path = photograph(tmp_path / "a.png", 1, 98, size=(side, side))
    model, wanted, pixels = tenfold.load_model(run / "model.tenfold"), by_command(run, path), np.array(Image.open(path))
    unit = (pixels / 255).astype(np.float32)
    for given in (pixels, pixels.astype(np.int64), pixels.astype(np.float32), unit, unit.astype(np.float64)):
        answers = [model.predict(given), *model.predict(np.stack([given, given]))]
        answers += [model.predict(torch.from_numpy(given)), *model.predict(given.transpose(2, 0, 1)[None])]
        for answer in answers:
            assert answer.predicted == wanted["predicted"]
            np.testing.assert_allclose(list(answer.probabilities.values()), wanted["probabilities"], atol=1e-6)
    if kind == "color":
        agree(model.predict(pixels.transpose(2, 0, 1)), wanted)


def test_several_pictures_are_a_list(color):
    model, folder = tenfold.load_model(color / "model.tenfold"), color.parent / "data"
    answers = model.predict(folder)
    assert [answer.file for answer in answers] == sorted(str(path) for path in folder.rglob("*.png"))
    assert answers[3:5] == model.predict([answers[3].file, Path(answers[4].file)])
    assert isinstance(model.predict(answers[0].file), tenfold.trained.model.Prediction)
    assert sum(answer.in_training for answer in answers) == len(model.seen)


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (np.random.default_rng(0).normal(size=(8, 8, 3)), "expected bytes from 0 to 255, or numbers from 0 to 1"),
        (np.full((8, 8, 3), 1.02), "rescale"),
        (np.full((8, 8, 3), 300.0), "rescale"),
        (np.full((8, 8, 3), -1), "rescale"),
        (np.eye(8, dtype=np.uint8), "give a mask as bool"),
        (np.full((8, 8, 3), np.nan), "not finite"),
        (np.zeros((3, 9, 3)), "may mean several things"),
        (np.zeros((4, 9, 9)), "may mean several things"),
        (np.zeros((2, 9, 9, 2)), "may mean several things"),
        (np.zeros(8), "no picture"),
        (np.zeros((0, 8, 8, 3)), "holds no pixels"),
        (np.array([["a"]]), "holds no pixels"),
        (3.5, "float is no picture"),
        ([3.5], "float is no picture"),
        (None, "NoneType is no picture"),
        ("nowhere.png", "nowhere.png"),
    ],
)
def test_what_is_no_picture_is_refused(color, given, match):
    with pytest.raises((DataError, UsageError), match=match):
        tenfold.load_model(color / "model.tenfold").predict(given)


def test_masks_and_black_pictures_are_pictures(color, tmp_path):
    model = tenfold.load_model(color / "model.tenfold")
    Image.fromarray(np.eye(8, dtype=bool)).save(tmp_path / "mask.png")
    agree(model.predict(np.eye(8, dtype=bool)), by_command(color, tmp_path / "mask.png"))
    assert model.predict(np.zeros((8, 8), np.uint8)) == model.predict(np.zeros((8, 8)))


def test_units_of_a_data_set_s_own(digits):
    """Digits go from 0 to 16."""
    model, images = tenfold.load_model(digits / "model.tenfold"), tenfold.load("digits").images[:20]
    wanted = [answer.probabilities for answer in model.predict(images)]
    shares = tenfold.probabilities(model, images)
    np.testing.assert_allclose([list(row.values()) for row in wanted], shares, atol=1e-6)
    for given in (images / 16, images.double(), (images / 16 * 255).double()):
        got = [list(answer.probabilities.values()) for answer in model.predict(given)]
        np.testing.assert_allclose(got, shares, atol=1e-5)


def test_probabilities_of_pixels_in_other_units_are_refused(digits, color):
    """Floats from 0 to 1 for bytes gave a wrong class with 0.985."""
    model, images = tenfold.load_model(digits / "model.tenfold"), tenfold.load("digits").images[:5]
    for given in (images / 16, images / 8.0 - 1, (images.int() * 16).to(torch.uint8)):
        with pytest.raises(DataError, match=r"the model's data from 0 to 16: rescale them, or ask model\.predict"):
            tenfold.probabilities(model, given)
    assert tenfold.probabilities(model, images * 0).shape == (5, 10)
    with pytest.raises(DataError, match="from 0 to 255"):
        tenfold.probabilities(tenfold.load_model(color / "model.tenfold"), torch.rand(2, 3, 8, 8))


@pytest.mark.parametrize(("low", "factor"), [(0, 1.0), (0, 255.0), (-1, 2.0)])
def test_a_model_of_floating_point_pictures_remembers_their_range(tmp_path, low, factor):
    y = np.arange(60) % 2
    unit = (np.random.default_rng(0).integers(0, 100, (60, 6, 6)) + 150 * y[:, None, None]) / 255
    data = tmp_path / "data.npz"
    np.savez(data, x=(low + factor * unit + 1e-4 * (factor > 1)).astype(np.float32), y=y)
    run = tenfold.train(str(data), epochs=5, learning_rate=0.01, out=tmp_path / "run").folder
    model = tenfold.load_model(run / "model.tenfold")
    Image.fromarray((255 * unit[0]).round().astype(np.uint8)).save(tmp_path / "a.png")
    if low:
        with pytest.raises(UsageError, match="no pixels"):
            model.predict(tmp_path / "a.png")
        return
    wanted = tenfold.probabilities(model, torch.from_numpy(factor * unit[:1, None]).float())[0]
    for given in (tmp_path / "a.png", (255 * unit[0]).round().astype(np.uint8), unit[0]):
        np.testing.assert_allclose(list(model.predict(given).probabilities.values()), wanted, atol=1e-3)


def test_the_package_lists_its_public_names():
    assert set(tenfold.__all__) <= set(dir(tenfold))
    assert {name for name in dir(tenfold) if not name.startswith("_")} == set(tenfold.__all__)
    assert re.search(r"\bload_model\b", " ".join(dir(tenfold)))


def test_bytes_that_are_no_picture_are_one_plain_line(color):
    written = io.BytesIO()
    Image.new("RGB", (5, 5)).save(written, "PNG")
    for content in (b"", b"no", written.getvalue()[:40]):
        with pytest.raises(DataError, match="the image"):
            tenfold.load_model(color / "model.tenfold").predict(content)
