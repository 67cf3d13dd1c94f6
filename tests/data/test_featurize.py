"""A run whose model sees features: learned once, kept with the run and the model, the same after a stop."""

import csv
import subprocess
import sys

import numpy as np
import pytest
import torch

import tenfold
from tenfold import files
from tenfold.choices import recipe
from tenfold.data import featurize
from tenfold.data.features import patches as entry
from tenfold.data.types import Feature
from tenfold.engine.models.linear import Linear
from tenfold.errors import FileError, Interrupted, UsageError
from tenfold.report.read import read_results
from tenfold.runs import stage
from tenfold.runs.predict import evaluate_model
from tenfold.search import units
from tenfold.trained.model import TrainedModel, load_model, probabilities, save_model

SEES = {"features": "patches", "feature_count": 20, "standardize": "pixel"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return tenfold.train(
        "digits", **SEES, learning_rate=[0.01, 0.1], epochs=3, out=tmp_path_factory.mktemp("seeing") / "run"
    )


@pytest.fixture
def never_fitted(monkeypatch):
    """Features that can be made, but not learned."""

    def fit(dataset, rows, recipe, device, watch):
        raise AssertionError("learned again")

    monkeypatch.setattr(entry, "patches", Feature(fit, entry.patches.transform))
    featurize.find.cache_clear()
    yield
    featurize.find.cache_clear()


def bits(result):
    return [member["weights_sha256"] for member in result["members"]]


FRESH = """
import sys, torch
from pathlib import Path
from types import SimpleNamespace
from tenfold import files
from tenfold.data.features.patches import patches
from tenfold.data.load import load
torch.set_num_threads(1)
recipe, rows = SimpleNamespace(feature_count=20, seed=0), torch.tensor(eval(sys.argv[1]))
files.save(Path(sys.argv[2]), patches.fit(load("digits"), rows, recipe, torch.device("cpu"), print), {})
"""


def test_a_fresh_process_learns_the_same_bits(run, tmp_path):
    with np.load(run.folder / "splits.npz") as split:
        rows = str(split["train"].tolist())
    subprocess.run([sys.executable, "-c", FRESH, rows, tmp_path / "features.tenfold"], check=True)
    here, there = (files.load(folder / "features.tenfold")[0] for folder in (run.folder, tmp_path))
    assert here.keys() == there.keys()
    assert all(torch.equal(here[name], there[name]) for name in here)


def test_a_run_goes_on_with_what_it_learned(run, tmp_path, monkeypatch, request):
    plain = stage._validate

    def stopped(run, stage, population, batches, at):
        if at.validations == 1:
            raise Interrupted("stopped", 130)
        return plain(run, stage, population, batches, at)

    monkeypatch.setattr(stage, "_validate", stopped)
    with pytest.raises(Interrupted):
        tenfold.train("digits", **SEES, learning_rate=[0.01, 0.1], epochs=3, out=tmp_path / "run")
    monkeypatch.setattr(stage, "_validate", plain)
    request.getfixturevalue("never_fitted")
    resumed = tenfold.resume(tmp_path / "run")
    assert bits(resumed.result) == bits(run.result)
    assert (resumed.folder / "predictions.csv").read_bytes() == (run.folder / "predictions.csv").read_bytes()


def test_features_of_another_kind_are_refused(tmp_path):
    files.save(tmp_path / "features.tenfold", {}, {"kind": featurize.KIND, "features": "codes"})
    digits = tenfold.load("digits")
    arguments = (recipe(SEES), digits, {"train": torch.arange(9)}, tmp_path, torch.device("cpu"), print, True)
    with pytest.raises(FileError, match=r"features\.tenfold: does not hold the features patches"):
        featurize.featurize(*arguments)


def test_the_model_file_predicts_as_the_run_did(run):
    trained, digits = load_model(run.folder / "model.tenfold"), tenfold.load("digits")
    with (run.folder / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    positions = [int(row["position"]) for row in rows]
    shares = probabilities(trained, digits.images[positions])
    rung = run.result["best_rung"]
    assert shares.argmax(1).tolist() == [int(row[f"predicted {rung}"]) for row in rows]
    np.testing.assert_allclose(shares.amax(1), [float(row[f"confidence {rung}"]) for row in rows], atol=2e-6)
    assert evaluate_model(run.folder, "digits", "", "")["accuracy"] == run.result["test"]["accuracy"] > 0.8


def test_a_model_file_that_lacks_what_was_learned_is_refused(run, tmp_path):
    tensors, described = files.load(run.folder / "model.tenfold")
    path = tmp_path / "model.tenfold"
    for wrong in (
        {name: tensor for name, tensor in tensors.items() if name != "feature.centroids"},
        tensors | {"feature.centroids": tensors["feature.centroids"][:19]},
        tensors | {"feature.whitening": tensors["feature.whitening"][:9]},
    ):
        files.save(path, wrong, described)
        with pytest.raises(FileError, match=r"model\.tenfold: not a model"):
            load_model(path)
    for name, value in (("features", "pixels"), ("features", "rough"), ("image_shape", [1, 1774, 1774])):
        files.save(path, tensors, described | {name: value})
        with pytest.raises(FileError, match=r"model\.tenfold: not a model"):
            load_model(path)
    files.save(path, tensors, described)
    assert load_model(path).features == "patches"


def test_files_of_before_there_were_features_are_read(tmp_path, draw):
    params = {"scores.weight": draw(1, 2, 36), "scores.bias": draw(1, 2)}
    scaled = (draw(36), draw(36), (1, 6, 6), 1.0, ("a", "b"), "softmax", {})
    path, images = tmp_path / "old.tenfold", draw(5, 1, 6, 6)
    save_model(path, TrainedModel("linear", Linear(36, 2), params, *scaled))
    now = probabilities(load_model(path), images)
    tensors, described = files.load(path)
    assert set(tensors) == {"scores.weight", "scores.bias", "input.factor", "input.offset"}
    del described["features"]
    files.save(path, tensors, described)
    assert torch.equal(probabilities(load_model(path), images), now)


def test_there_are_no_templates_where_the_model_does_not_see_pixels(run):
    assert read_results(run.folder).templates == {}
    assert not (run.folder / "figures" / "templates.svg").exists()
    assert (run.folder / "figures" / "confusion.svg").exists()


def test_folds_of_a_sweep_share_features_that_are_learned_once(monkeypatch, tmp_path):
    learned = []

    def fit(dataset, rows, recipe, device, watch):
        learned.append(rows)
        return plain.fit(dataset, rows, recipe, device, watch)

    def parts(recipe, dataset, positions, device):
        shapes.append(tuple(dataset.images.shape[1:]))
        return make(recipe, dataset, positions, device)

    plain, make, shapes = entry.patches, units.parts, []
    monkeypatch.setattr(entry, "patches", Feature(fit, plain.transform))
    monkeypatch.setattr(units, "parts", parts)
    featurize.find.cache_clear()
    run = tenfold.sweep("digits", **SEES, learning_rate=[0.01, 0.1], epochs=2, folds=2, out=tmp_path / "run")
    featurize.find.cache_clear()
    assert len(learned) == 1
    assert shapes == [(1, 1, 80)] * 2
    with np.load(run.folder / "splits.npz") as split:
        assert learned[0].tolist() == split["train"].tolist()
    assert run.model.features == "patches"
    assert evaluate_model(run.folder, "digits", "", "")["accuracy"] == run.result["test"]["accuracy"] > 0.8


@pytest.mark.parametrize("flip", [0.5, "photographs", [0.0, 0.5]])
def test_mirroring_features_is_refused(flip):
    with pytest.raises(UsageError, match="flip: mirrors pixels; it does not go with the features patches"):
        tenfold.train("digits", **SEES, flip=flip)
    if flip != "photographs":
        with pytest.raises(UsageError, match="flip: mirrors pixels; it does not go with the features patches"):
            tenfold.sweep("digits", **SEES, flip=flip, learning_rate=[0.01, 0.1])
