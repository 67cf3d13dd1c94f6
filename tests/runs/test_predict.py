"""Trained models at work, where the data are not quite those that they were trained on."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import tenfold
from tenfold.errors import DataError
from tenfold.runs.ask import predict_files
from tenfold.runs.predict import evaluate_model, opened_model
from tenfold.trained.model import save_model, weights_sha256


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


def draw(place, values):
    place.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(place)
    return place


@pytest.fixture(scope="module", params=[{}, {"features": "patches", "feature_count": 8}, {"kind": "sweep"}], ids=str)
def photographs(request, tmp_path_factory):
    """A run on a folder of pictures; its training files, and the others."""
    root = tmp_path_factory.mktemp("photographs")
    for k in range(60):
        low = 120 * (k % 2)
        values = np.random.default_rng(k).integers(low, low + 100, (12, 12, 3), np.uint8)
        draw(root / "data" / ("dark", "light")[k % 2] / f"{k:02}.png", values)
    chosen = {"epochs": 2, "learning_rate": 0.01, "audit": False, **request.param}
    train = tenfold.train
    if chosen.pop("kind", ""):
        train, chosen["learning_rate"] = tenfold.sweep, [0.01, 0.02]
    run = train(str(root / "data"), out=root / "run", **chosen).folder
    paths, parts = tenfold.load(str(root / "data")).paths, np.load(run / "splits.npz")
    seen = {*parts["train"].tolist(), *(parts["validation"].tolist() if train is tenfold.sweep else ())}
    return run, [Path(paths[k]) for k in sorted(seen)], [Path(paths[k]) for k in range(60) if k not in seen]


def test_predict_knows_pictures_of_the_training_by_their_content(photographs, tmp_path):
    run, seen, others = photographs
    for n, path in enumerate((seen[0], others[0], seen[1])):
        shutil.copy(path, tmp_path / f"renamed-{n}.png")
    Image.open(seen[2]).save(tmp_path / "saved-again.bmp")
    found = predict_files(run, [tmp_path])
    assert [row["in_training"] for row in found["predictions"]] == [True, False, True, True]
    told = "3 of 4 images were in the model's training, by their content: renamed-0.png, renamed-2.png, saved-again.bmp"
    assert told in found["notes"]
    assert predict_files(run, others[:3])["notes"] == []
    pixels = np.array(Image.open(seen[3]))
    model = tenfold.load_model(run / "model.tenfold")
    assert model.predict(pixels).in_training
    assert model.predict(pixels / 255).in_training
    assert not model.predict(pixels ^ 1).in_training


def test_evaluate_says_how_many_pictures_were_in_training(photographs, tmp_path):
    run, seen, others = photographs
    for path in (*seen[:6], *others[:4]):
        place = tmp_path / "copy" / path.parent.name / f"x{path.name}"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    found = evaluate_model(run, str(tmp_path / "copy"), "", "")
    assert found["in_training"] == 6
    assert any("6 of 10 images were in the model's training, by their content" in note for note in found["notes"])
    right = [row["predicted"] in row["file"] for row in predict_files(run, others[:4])["predictions"]]
    assert any(f"accuracy on the others: {25 * sum(right)}.00 %" in note for note in found["notes"])
    tested = evaluate_model(run, str(seen[0].parents[1]), "test", "")
    assert (tested["same_data"], tested["in_training"], tested["notes"]) == (True, 0, [])
    assert evaluate_model(run, str(seen[0].parents[1]), "all", "")["in_training"] == len(seen)


def test_arrays_of_training_pictures_are_known_as_files_and_files_as_arrays(grey, tmp_path):
    with np.load(grey.parent / "data.npz") as data:
        x, y = data["x"], data["y"]
    kept = np.load(grey / "splits.npz")["train"]
    draw(tmp_path / "a.png", x[kept[0]])
    assert predict_files(grey, [tmp_path / "a.png"])["predictions"][0]["in_training"]
    for k, values in enumerate((x, x / 255, np.repeat(x[..., None], 3, 3), x.astype(np.float32))):
        found = evaluate_model(grey, arrays(tmp_path / f"{k}.npz", values[kept[:9]], y[kept[:9]]), "", "")
        assert found["in_training"] == 9, k


def test_an_older_model_file_tells_of_its_own_data_alone(grey, tmp_path):
    trained = opened_model(grey)
    save_model(tmp_path / "old.tenfold", replace(trained, seen=trained.seen[:0]))
    old = tmp_path / "old.tenfold"
    draw(tmp_path / "a.png", np.zeros((6, 6), np.uint8))
    assert predict_files(old, [tmp_path / "a.png"])["predictions"][0]["in_training"] is None
    assert tenfold.load_model(old).predict(tmp_path / "a.png").in_training is None
    data = str(grey.parent / "data.npz")
    assert evaluate_model(old, data, "all", "")["in_training"] == len(np.load(grey / "splits.npz")["train"])
    other = arrays(tmp_path / "o.npz", np.full((4, 6, 6), 200, np.uint8), np.array(["light", "dark"] * 2))
    found = evaluate_model(old, other, "", "")
    assert found["in_training"] is None
    assert any("older than its list of training images" in note for note in found["notes"])


def test_what_recognizes_pictures_costs_eight_bytes_each_and_is_no_weight(grey, tmp_path):
    trained, bare = opened_model(grey), tmp_path / "bare.tenfold"
    save_model(bare, replace(trained, seen=trained.seen[:0]))
    more = (grey / "model.tenfold").stat().st_size - bare.stat().st_size
    assert 8 * len(trained.seen) <= more < 8 * len(trained.seen) + 400
    assert weights_sha256(trained.params, 0) == weights_sha256(tenfold.load_model(bare).params, 0)
    assert set(trained.params) == {"scores.weight", "scores.bias"}


def test_floats_of_bytes_are_evaluated_as_bytes_and_others_refused(grey, tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (10, 6, 6), dtype=np.uint8)
    names = np.array(["dark", "light"] * 5)
    wanted = evaluate_model(grey, arrays(tmp_path / "b.npz", pixels, names), "", "")["per_class"]
    floats = arrays(tmp_path / "f.npz", pixels.astype(np.float32) + np.float32(0.001) * (pixels == 9), names)
    assert evaluate_model(grey, floats, "", "")["per_class"] == wanted
    for k, values in enumerate((pixels / 127.5 - 1, pixels * 4.0)):
        with pytest.raises(DataError, match=rf"{k}: pixels have values from .* expected bytes"):
            evaluate_model(grey, arrays(tmp_path / f"{k}.npz", values.astype(np.float32), names), "", "")
