"""Trained models at work, where the data are not quite those that they were trained on."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.errors import DataError
from tenfold.runs.predict import evaluate_model, opened_model, predict_files
from tenfold.trained.model import save_model


def arrays(path, x, y):
    np.savez(path, x=x, y=y)
    return str(path)


@pytest.fixture(scope="module")
def grey(tmp_path_factory):
    """A run on grey images of 6 × 6 pixels whose brightness tells the class."""
    root = tmp_path_factory.mktemp("grey")
    y = np.arange(60) % 2
    x = np.random.default_rng(0).integers(0, 100, (60, 6, 6)) + 120 * y[:, None, None]
    data = arrays(root / "data.npz", x.astype(np.uint8), np.array(["dark", "light"])[y])
    return tenfold.train(data, epochs=5, learning_rate=0.1, out=root / "run").folder


def test_color_becomes_grey_as_the_reader_of_files_does_it(grey, tmp_path, rng):
    pixels = rng.integers(0, 256, (8, 6, 6, 3), dtype=np.uint8)
    data = arrays(tmp_path / "color.npz", pixels, np.array(["dark", "light"])[np.arange(8) % 2])
    plain = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in pixels])
    converted = arrays(tmp_path / "grey.npz", plain, np.array(["dark", "light"])[np.arange(8) % 2])
    found, wanted = (evaluate_model(grey, path, "all", "") for path in (data, converted))
    assert found["per_class"] == wanted["per_class"]
    assert found["notes"] == ["all images: 3 channels to 1, as the model takes them"]
    assert wanted["notes"] == []


def test_classes_are_matched_by_name(grey, tmp_path):
    light = np.full((6, 6, 6), 200, np.uint8)
    names = np.array(["light"] * 5 + ["dark"])
    found = evaluate_model(grey, arrays(tmp_path / "d.npz", light, names), "", "")
    assert found["part"] == "all"
    assert found["accuracy"] == pytest.approx(5 / 6)
    assert [row["n"] for row in found["per_class"]] == [1, 5]
    strange = arrays(tmp_path / "s.npz", light, np.array(["light"] * 5 + ["blue"]))
    with pytest.raises(DataError, match="'blue' that the model does not know"):
        evaluate_model(grey, strange, "", "")


def test_floats_of_the_unit_interval_meet_a_model_of_bytes(grey, tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (10, 6, 6), dtype=np.uint8)
    names = np.array(["dark", "light"] * 5)
    found = evaluate_model(grey, arrays(tmp_path / "f.npz", (pixels / 255).astype(np.float32), names), "", "")
    assert found["per_class"] == evaluate_model(grey, arrays(tmp_path / "b.npz", pixels, names), "", "")["per_class"]


def test_a_model_without_finite_scores_says_so(grey, tmp_path):
    trained = opened_model(grey)
    trained.params["scores.weight"].fill_(torch.nan)
    save_model(tmp_path / "nan.tenfold", trained)
    Image.new("L", (6, 6)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match="not finite"):
        predict_files(tmp_path / "nan.tenfold", [tmp_path / "a.png"])


def test_links_are_followed_and_pipes_are_not_opened(grey, tmp_path):
    (tmp_path / "far").mkdir()
    Image.new("L", (6, 6), 220).save(tmp_path / "far" / "a.png")
    place = tmp_path / "place"
    place.mkdir()
    (place / "linked").symlink_to(tmp_path / "far")
    (place / "loop").symlink_to(place)
    if hasattr(os, "mkfifo"):
        os.mkfifo(place / "pipe.png")
    found = predict_files(grey, [place])
    assert [Path(row["file"]).name for row in found["predictions"]] == ["a.png"]
    assert found["predictions"][0]["predicted"] == "light"
    assert "entries ignored" in found["notes"][0]
