from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from tenfold.data.features import patches as entry
from tenfold.data.features.patches import patches
from tenfold.data.load import load
from tenfold.data.types import Dataset
from tenfold.errors import UsageError


def fitted(dataset, count, rows=None, seed=0):
    rows = torch.arange(len(dataset.labels)) if rows is None else rows
    recipe = SimpleNamespace(feature_count=count, seed=seed)
    return patches.fit(dataset, rows, recipe, torch.device("cpu"), lambda line: None)


def made(images, scale=1 / 255):
    return Dataset("made", images, torch.arange(len(images)) % 2, ("a", "b"), scale)


def normalized(image, scale):
    """Every patch of an image (C, H, W), row by row, without brightness and contrast: (rows, columns, D)."""
    windows = np.lib.stride_tricks.sliding_window_view(255 * scale * image.numpy().astype(float), (6, 6), (1, 2))
    x = windows.transpose(1, 2, 0, 3, 4).reshape(*windows.shape[1:3], -1)
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, ddof=1, keepdims=True) + 10)


def sums_by_definition(learned, image, scale):
    """The sums of one image's quadrants, (4, K), patch after patch and centroid after centroid."""
    x, (centroids, mean, whitening) = (
        normalized(image, scale),
        (learned[name].numpy().astype(float) for name in ("centroids", "mean", "whitening")),
    )
    halves = [-(-side // 2) for side in x.shape[:2]]
    sums = np.zeros((2, 2, len(centroids)))
    for i, j in np.ndindex(*x.shape[:2]):
        w = (x[i, j] - mean) @ whitening
        z = np.array([np.sqrt(((w - c) ** 2).sum()) for c in centroids])
        sums[int(i >= halves[0]), int(j >= halves[1])] += np.maximum(0, z.mean() - z)
    return sums.reshape(4, -1)


def by_definition(learned, image, scale):
    center, decorrelation = (learned[name].numpy().astype(float) for name in ("center", "decorrelation"))
    return ((sums_by_definition(learned, image, scale) - center) @ decorrelation).ravel()


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 9, 12), (3, 6, 7)], ids=str)
@pytest.mark.parametrize("kind", [torch.uint8, torch.float32], ids=["bytes", "floats"])
def test_features_are_the_definition(shape, kind, rng):
    images = torch.from_numpy(rng.integers(0, 256, (40, *shape))).to(torch.uint8)
    dataset = made(images) if kind == torch.uint8 else made(images / 255, 1.0)
    learned = fitted(dataset, 11)
    found = patches.transform(learned, dataset.images)
    assert found.dtype == torch.float32
    assert found.shape == (40, 4 * 11)
    for k in (0, 39):
        wanted = by_definition(learned, dataset.images[k], dataset.scale)
        np.testing.assert_allclose(found[k], wanted, rtol=1e-3, atol=1e-3)


def test_the_sums_of_a_quadrant_are_whitened_but_for_noise(digits):
    learned = fitted(digits, 12, torch.arange(200))
    sums = np.concatenate([sums_by_definition(learned, image, digits.scale) for image in digits.images[:200]])
    found = patches.transform(learned, digits.images[:200]).view(-1, 12).numpy()
    values, vectors = np.linalg.eigh(np.cov(sums.T))
    kept = values / (values + 1e-3 * values.mean())
    np.testing.assert_allclose(found.mean(0), 0, atol=1e-3)
    np.testing.assert_allclose(np.cov(found.T), vectors * kept @ vectors.T, atol=1e-3)


def test_features_of_an_image_do_not_depend_on_its_neighbors_or_on_slices(digits, monkeypatch):
    learned = fitted(digits, 30)
    whole = patches.transform(learned, digits.images[:50])
    monkeypatch.setattr(entry, "SLICE", 1)
    torch.testing.assert_close(patches.transform(learned, digits.images[:50]), whole, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(patches.transform(learned, digits.images[7:8])[0], whole[7], rtol=1e-4, atol=1e-4)


def test_whitening_whitens(digits):
    x = np.concatenate([normalized(image, digits.scale).reshape(-1, 36) for image in digits.images])
    learned = fitted(digits, 5)
    w = (x - learned["mean"].numpy()) @ learned["whitening"].numpy()
    values, vectors = np.linalg.eigh(np.cov(x.T))
    np.testing.assert_allclose(w.mean(0), 0, atol=1e-5)
    # Every direction has the deviation 1 but for those that hold as little as the 0.1 that is added.
    np.testing.assert_allclose(np.cov(w.T), vectors * (values / (values + 0.1)) @ vectors.T, atol=1e-4)
    np.testing.assert_allclose(learned["whitening"], learned["whitening"].T, atol=1e-6)


def test_centroids_are_those_of_scikit_learn(digits):
    learned = fitted(digits, 40)
    x = entry._normalized(entry._drawn(digits.images, torch.arange(len(digits.labels)), 0), 255 * digits.scale)
    w = ((x - learned["mean"]) @ learned["whitening"]).numpy()
    oracle = KMeans(40, init=w[:40], n_init=1, max_iter=entry.ROUNDS, tol=0, algorithm="lloyd").fit(w)
    np.testing.assert_allclose(learned["centroids"], oracle.cluster_centers_, atol=1e-3)


def test_patches_that_repeat_leave_no_centroid_without_one(rng):
    images = torch.zeros(60, 1, 8, 8, dtype=torch.uint8)
    images[:4] = torch.from_numpy(rng.integers(0, 256, (4, 1, 8, 8)))
    learned = fitted(made(images), 20)
    assert len(learned["centroids"].unique(dim=0)) == 20


def test_only_the_training_rows_matter(digits):
    rows = torch.arange(1, 1797, 2)
    before = fitted(digits, 10, rows)
    other = digits.images.clone()
    other[::2] = 16 - other[::2]
    after = fitted(made(other, digits.scale), 10, rows)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    other[1] = 16 - other[1]
    changed = fitted(made(other, digits.scale), 10, rows)
    assert not torch.equal(before["centroids"], changed["centroids"])
    assert not torch.equal(before["centroids"], fitted(digits, 10, rows, seed=1)["centroids"])


def test_what_cannot_be_learned_is_refused(rng):
    images = torch.from_numpy(rng.integers(0, 256, (3, 1, 5, 9))).to(torch.uint8)
    with pytest.raises(UsageError, match="images need 6 pixels a side, those of made have 5"):
        fitted(made(images), 1)
    images = torch.from_numpy(rng.integers(0, 256, (3, 1, 6, 9))).to(torch.uint8)
    assert len(fitted(made(images), 12)["centroids"]) == 12
    with pytest.raises(UsageError, match="feature_count 13: the training images have 12 patches"):
        fitted(made(images), 13)
