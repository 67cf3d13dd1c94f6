"""What becomes of pictures of unequal sides, however they are given, and for how long a model remembers it."""

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.choices import recipe
from tenfold.data import decode as decoding
from tenfold.data.framing import GREY, framed
from tenfold.data.load import load
from tenfold.errors import DataError, UsageError
from tenfold.runs.predict import evaluate_model
from tenfold.runs.prepare import with_defaults

LEFT, MIDDLE, RIGHT = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def striped(turned=False):
    """24 × 8 pixels: red, green and blue squares beside each other, or above each other."""
    pixels = np.repeat(np.array([[LEFT, MIDDLE, RIGHT]], np.uint8), 8, 0).repeat(8, 1)
    return Image.fromarray(pixels.transpose(1, 0, 2).copy() if turned else pixels)


@pytest.fixture
def photographs(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(24):
        path = tmp_path / "data" / "ab"[number % 2] / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        square = Image.fromarray(rng.integers(0, 255, (8, 8, 3), np.uint8))
        (striped(number % 4 > 1) if number < 8 else square).save(path)
    return tmp_path / "data"


@pytest.mark.parametrize("turned", [False, True])
def test_each_framing_keeps_what_it_says(turned):
    def seen(framing):
        return np.asarray(framed(striped(turned), 6, framing)).transpose((1, 0, 2) if turned else (0, 1, 2))

    assert (seen("crop") == MIDDLE).all()
    squashed = seen("squash")
    assert (squashed[:, 0] == LEFT).all()
    assert (squashed[:, -1] == RIGHT).all()
    letterboxed = seen("letterbox")
    assert (letterboxed[[0, 1, 4, 5]] == GREY).all()
    assert (letterboxed[2:4, 0] == LEFT).all()
    assert (letterboxed[2:4, -1] == RIGHT).all()


def test_photographs_are_cropped_and_drawings_are_not(photographs, tmp_path):
    assert load(str(photographs)).framing == "crop"
    assert torch.equal(load(str(photographs)).images, load(str(photographs), framing="crop").images)
    for path in sorted(photographs.rglob("*.png")):
        target = tmp_path / "grey" / path.relative_to(photographs)
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.open(path).convert("L").convert("RGB").save(target)  # taken for photographs until they are decoded
    grey = load(str(tmp_path / "grey"))
    assert (grey.framing, grey.photographs) == ("squash", False)
    assert torch.equal(grey.images, load(str(tmp_path / "grey"), framing="squash").images)


def test_a_word_for_a_framing_is_refused_where_it_means_nothing(photographs):
    with pytest.raises(UsageError, match=r"no fit 'crup'.*crop"):
        load(str(photographs), framing="crup")
    with pytest.raises(UsageError, match="fit is for folders of images"):
        load("digits", framing="crop")


@pytest.mark.parametrize("framing", ["crop", "squash", "letterbox"])
def test_a_model_sees_new_pictures_as_it_saw_its_own(photographs, tmp_path, framing):
    run = tenfold.train(photographs, out=tmp_path / "run", epochs=1, framing=framing)
    wide = str(photographs / "a" / "00.png")
    seen = load(str(photographs), framing=framing).images[:1]
    expected = tenfold.probabilities(run.model, seen)[0].tolist()
    for given in (wide, Image.open(wide).convert("RGB"), np.asarray(Image.open(wide))):
        assert list(run.model.predict(given).probabilities.values()) == pytest.approx(expected, abs=1e-12)
    evaluated = evaluate_model(run.folder, str(photographs), "", "")
    assert evaluated["same_data"]


def test_what_does_not_say_how_it_framed_squashed(photographs, tmp_path):
    """As runs and model files of older versions."""
    run = tenfold.train(photographs, out=tmp_path / "run", epochs=1, framing="squash")
    old = run.model
    del old.cause["data"]["framing"]
    wide = Image.open(photographs / "a" / "00.png")
    squashed = wide.resize((8, 8), Image.Resampling.BILINEAR)
    assert old.predict(wide).probabilities == old.predict(squashed).probabilities


def test_a_new_run_on_a_folder_crops_photographs_and_a_repeated_old_one_squashes(photographs):
    assert with_defaults(recipe({"data": str(photographs)})).framing == "auto"
    assert with_defaults(recipe({"data": str(photographs), "framing": "letterbox"})).framing == "letterbox"
    assert with_defaults(recipe({"data": "digits"})).framing == "squash"


def test_pixels_beyond_memory_lie_in_a_file_and_are_the_same(photographs, tmp_path, monkeypatch):
    (photographs / "a" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    here = load(str(photographs), skip_unreadable=True)
    monkeypatch.setattr(decoding, "IN_MEMORY", 100)
    there = load(str(photographs), skip_unreadable=True, scratch=str(tmp_path))
    assert torch.equal(there.images, here.images)
    assert there.images.is_contiguous()
    assert [path.name for path in tmp_path.iterdir()] == ["data"]  # the file has no name
    with pytest.raises(DataError, match=r"absent: no room for .* of pixels .*--size"):
        load(str(photographs), skip_unreadable=True, scratch=str(tmp_path / "absent"))
