"""Heads on frozen embeddings: converged, predicting from images by themselves, and refused on what is no encoder."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

import tenfold
from tenfold.data.features.embedding import embedding
from tenfold.data.load import load
from tenfold.errors import UsageError
from tenfold.runs.predict import evaluate_model
from tenfold.runs.prepare import stored_split
from tenfold.runs.probe import probe_recipe
from tenfold.sessions import begin
from tenfold.trained.model import load_model, scores

pytestmark = pytest.mark.usefixtures("unpublished")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder") / "run"
    choices = {"task": "contrast", "model": "mlp", "hidden": (32,), "embedding": 16, "epochs": 8, "seed": 3}
    return tenfold.train("digits", out=folder, learning_rate=0.01, limit=600, **choices)


def probed(encoder, head, out, **choices):
    recipe, warning = probe_recipe(encoder.folder, head, choices)
    assert not warning
    return begin(recipe, str(out))


def test_the_linear_head_is_at_the_minimum_that_a_peer_finds(encoder, tmp_path):
    run = probed(encoder, "linear", tmp_path / "run", l2=[1e-3, 1e-2])
    split, digits = stored_split(run.folder / "splits.npz", 1797), load("digits")
    assert torch.equal(split["train"], stored_split(encoder.folder / "splits.npz", 1797)["train"])
    model = load_model(run.folder / "model.tenfold")
    seen = embedding.transform(model.learned, digits.images[split["train"]])
    x, y = (seen * model.factor + model.offset).double().numpy(), digits.labels[split["train"]].numpy()
    for member, l2 in enumerate((1e-3, 1e-2)):
        peer = LogisticRegression(C=1 / (2 * l2 * len(y)), tol=1e-10, max_iter=10_000).fit(x, y)
        log_p = peer.predict_log_proba(x)
        cost = -log_p[np.arange(len(y)), y].mean() + l2 * np.square(peer.coef_).sum()
        assert abs(run.result["members"][member]["train"]["cost"] - cost) < 1e-4 * cost


@pytest.mark.parametrize("head", ["linear", "mlp", "knn"])
def test_a_head_predicts_from_images_by_itself(head, encoder, tmp_path):
    fast = {} if head == "knn" else {"iterations": 300}
    run = probed(encoder, head, tmp_path / "run", **fast)
    assert run.result["test"]["accuracy"] > 0.8
    assert len(run.result["test"]["per_class"]) == 10
    again = evaluate_model(run.folder, "digits", "test", "")
    assert again["accuracy"] == run.result["test"]["accuracy"]
    if head == "knn":
        assert run.result["test"]["accuracy"] == encoder.result["test"]["accuracy"]
        assert load_model(run.folder / "model.tenfold").model.images == 540
    z = scores(load_model(run.folder / "model.tenfold"), load("digits").images[:5])
    assert z.shape == (5, 10)
    assert bool(z.isfinite().all())


def test_the_encoder_stays_as_it_is_and_the_probe_needs_it_no_more(encoder, tmp_path):
    run = probed(encoder, "linear", tmp_path / "run", iterations=2, encoder_length="unit")
    model, source = load_model(run.folder / "model.tenfold"), load_model(encoder.folder / "model.tenfold")
    for name, tensor in source.params.items():
        assert torch.equal(model.learned[f"network.{name}"], tensor[0])
    h = embedding.transform(model.learned, load("digits").images[:7])
    torch.testing.assert_close(h.norm(dim=1), torch.ones(7))


def test_what_cannot_be_probed_is_refused_in_one_line(encoder, tmp_path):
    classifier = tenfold.train("digits", out=tmp_path / "run", epochs=1)
    with pytest.raises(UsageError, match="a classifier, not an encoder; probe the run of"):
        probe_recipe(classifier.folder, "linear", {})
    with pytest.raises(UsageError, match="no head 'lineal': did you mean 'linear'"):
        probe_recipe(encoder.folder, "lineal", {})
    with pytest.raises(UsageError, match="holds no encoder"):
        tenfold.train("digits", features="embedding", encoder=str(classifier.folder), out=tmp_path / "a")
    with pytest.raises(UsageError, match="give an --encoder"):
        tenfold.train("digits", features="embedding", out=tmp_path / "b")
    np.savez(tmp_path / "other.npz", x=np.zeros((40, 6, 6), np.uint8), y=np.arange(40) % 2)
    with pytest.raises(UsageError, match="the encoder takes images of 1 × 8 × 8, those of other are 1 × 6 × 6"):
        tenfold.train(tmp_path / "other.npz", features="embedding", encoder=str(encoder.folder), out=tmp_path / "c")
    with pytest.raises(UsageError, match="model knn keeps the training images and is not searched"):
        tenfold.sweep("digits", model="knn", learning_rate=[0.1, 0.2], out=tmp_path / "d")
