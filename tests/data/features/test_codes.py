"""An autoencoder's codes: the error of a linear one is that of PCA, they come of the training rows and seed alone."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

import tenfold
from tenfold.data.autoencoding import reconstructed
from tenfold.data.features.codes import codes
from tenfold.data.load import load
from tenfold.errors import FileError, UsageError
from tenfold.recipe import Recipe
from tenfold.report.read import read_results
from tenfold.seeds import generator
from tenfold.trained.model import load_model, probabilities, save_model

CPU = torch.device("cpu")
FAST = {"encoder_hidden": (24, 8), "encoder_epochs": 2}


@pytest.fixture(scope="module")
def digits():
    return load("digits")


def fitted(dataset, rows, watch=lambda line: None, **choices):
    return codes.fit(dataset, rows, Recipe(**choices), CPU, watch)


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def encoded(learned, images, activation, scale):
    """Codes by the formula, layer after layer in NumPy."""
    h = images.flatten(1).numpy() * learned["factor"].numpy() + learned["offset"].numpy()
    for i in range(1, 1 + sum(name.startswith("encoder") and name.endswith("weight") for name in learned)):
        h = activation(h @ learned[f"encoder{i}.weight"][0].numpy().T + learned[f"encoder{i}.bias"][0].numpy())
    return h


def test_a_linear_autoencoder_comes_close_to_principal_components_and_never_below(digits):
    rows = torch.arange(1500)
    choices = {"encoder_activation": "identity", "encoder_hidden": (8,), "encoder_learning_rate": 0.01}
    learned = fitted(digits, rows, encoder_epochs=60, **choices)
    x = digits.images[rows].flatten(1).numpy() / 16
    pca = PCA(8).fit(x)
    best = np.mean((pca.inverse_transform(pca.transform(x)) - x) ** 2)
    images, made = reconstructed(learned, digits.images[rows])
    error = float((made - images).double().square().mean())
    assert best * (1 - 1e-6) <= error <= 1.03 * best


def test_they_are_the_activations_of_the_narrowest_layer(digits):
    for word, activation in (("tanh", np.tanh), ("identity", lambda h: h)):
        learned = fitted(digits, torch.arange(400), encoder_activation=word, **FAST)
        z = codes.transform(learned, digits.images)
        assert z.dtype == torch.float32
        assert z.shape == (1797, 8)
        np.testing.assert_allclose(z, encoded(learned, digits.images, activation, digits.scale), rtol=1e-4, atol=1e-5)


def test_they_come_of_the_training_rows_and_the_seed_alone(digits):
    rows = torch.arange(0, 1200, 2)
    first = fitted(digits, rows, **FAST)
    others = torch.ones(1797, dtype=torch.bool).index_fill(0, rows, False)
    images, labels = digits.images.clone(), digits.labels.flip(0)
    images[others] = 16 - images[others]
    assert same(first, fitted(replace(digits, images=images, labels=labels), rows, **FAST))
    assert not same(first, fitted(digits, rows, seed=1, **FAST))
    assert not same(first, fitted(digits, rows + 1, **FAST))


def test_no_image_that_is_held_out_is_learned_from(digits):
    learned = fitted(digits, torch.arange(300), **FAST)
    held = torch.from_numpy(generator(0, "codes").permutation(300)[:30])
    images = digits.images.index_copy(0, held, 16 - digits.images[held])
    changed = fitted(replace(digits, images=images), torch.arange(300), **FAST)
    assert all(torch.equal(changed[name], learned[name]) for name in learned.keys() - {"history"})
    assert torch.equal(changed["history"][:, 0], learned["history"][:, 0])
    assert not torch.equal(changed["history"][:, 1], learned["history"][:, 1])


def test_history_says_how_well_it_went(digits):
    lines = []
    choices = {"encoder_hidden": (48, 16), "encoder_epochs": 12, "encoder_learning_rate": 0.005}
    learned = fitted(digits, torch.arange(1000), lines.append, **choices)
    history = learned["history"]
    assert history.shape == (12, 2)
    assert len(lines) == 12
    assert f"{history[-1, 1]:.5f}" in lines[-1]
    assert bool((history[0] > 2 * history[-1]).all())
    assert 0.7 < float(history[-1, 0] / history[-1, 1]) < 1.3
    held = torch.from_numpy(generator(0, "codes").permutation(1000)[:100])
    pictures = reconstructed(learned, digits.images[held])
    assert pictures.shape == (2, 100, 1, 8, 8)
    torch.testing.assert_close(pictures[0], digits.images[held] / 16)
    torch.testing.assert_close((pictures[1] - pictures[0]).square().mean(), history[-1, 1])


def test_codes_of_an_image_do_not_depend_on_its_neighbors(digits):
    learned = fitted(digits, torch.arange(400), **FAST)
    together = codes.transform(learned, digits.images)
    alone = torch.cat([codes.transform(learned, digits.images[[k]]) for k in (0, 999, 1000, 1796)])
    torch.testing.assert_close(together[[0, 999, 1000, 1796]], alone, rtol=1e-5, atol=1e-6)


def test_an_encoder_that_diverges_says_what_to_lower(digits):
    with pytest.raises(UsageError, match=r"encoder_learning_rate 1e\+20.*diverges in step [0-9]+; choose a smaller"):
        fitted(digits, torch.arange(400), encoder_learning_rate=1e20, encoder_optimizer="sgd", **FAST)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes") / "run"
    return tenfold.train("digits", features="codes", **FAST, learning_rate=0.1, epochs=3, out=folder)


def test_a_model_file_predicts_from_codes_as_its_run_did(run, digits):
    results, trained = read_results(run.folder), load_model(run.folder / "model.tenfold")
    predicted = probabilities(trained, digits.images[torch.from_numpy(results.positions)]).argmax(-1)
    np.testing.assert_array_equal(predicted, results.predicted[results.best])
    assert trained.learned.keys() == fitted(digits, torch.arange(99), **FAST).keys()


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("activation", torch.tensor(list(b"linear"), dtype=torch.uint8)),
        ("activation", torch.tensor(list(b"../relu"), dtype=torch.uint8)),
        ("activation", torch.tensor([255, 254], dtype=torch.uint8)),
        ("encoder1.weight", torch.zeros(1, 24, 63)),
        ("encoder2.bias", torch.zeros(8)),
        ("factor", torch.zeros(63)),
    ],
    ids=str,
)
def test_a_model_file_with_a_broken_encoder_is_refused(name, tensor, run, tmp_path):
    trained = load_model(run.folder / "model.tenfold")
    save_model(tmp_path / "broken.tenfold", replace(trained, learned={**trained.learned, name: tensor}))
    with pytest.raises(FileError, match=r"broken\.tenfold: not a model"):
        load_model(tmp_path / "broken.tenfold")
