"""Factor and offset of the inputs, against numpy and scikit-learn, statistics of the training part only."""

import numpy as np
import pytest
import torch
from sklearn.preprocessing import StandardScaler

from tenfold.data import standardizations

SCALE = 1 / 255


def by_pixel(x, train):
    return StandardScaler().fit(x[train].reshape(len(train), -1)).transform(x.reshape(len(x), -1))


def by_channel(x, train):
    mean, deviation = x[train].mean((0, 2, 3), keepdims=True), x[train].std((0, 2, 3), keepdims=True)
    return (x - mean) / np.where(deviation > 0, deviation, 1)


CASES = {
    "pixel": by_pixel,
    "channel": by_channel,
    "unit": lambda x, train: x * SCALE,
    "mean_image": lambda x, train: x - x[train].mean(0),
    "none": lambda x, train: x,
}


def images(rng, kind):
    if kind == "bytes":
        made = rng.integers(0, 256, (700, 3, 4, 5)).astype(np.uint8)
        made[:, 0, 0, 0] = 0  # dimensions that never vary: black, and some other value
        made[:, 1, 1, 1] = 201
        return made
    made = rng.standard_normal((700, 3, 4, 5)).astype(np.float32) * 3 + 1
    made[:, 0, 0, 0] = 0.1
    return made


@pytest.mark.parametrize("kind", ["bytes", "floats"])
@pytest.mark.parametrize("word", standardizations.__all__)
def test_inputs_are_those_of_the_reference(rng, word, kind):
    made, train = images(rng, kind), np.sort(rng.permutation(700)[:600])
    given = made.copy()
    factor, offset = getattr(standardizations, word)(torch.from_numpy(made), torch.from_numpy(train), SCALE)
    assert factor.dtype == offset.dtype == torch.float64
    assert factor.shape == offset.shape == (60,)
    ours = made.reshape(700, -1).astype(np.float64) * factor.numpy() + offset.numpy()
    wanted = CASES[word](made.astype(np.float64), train).reshape(700, -1)
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=1e-9)
    assert np.array_equal(made, given)


@pytest.mark.parametrize("word", standardizations.__all__)
def test_only_the_training_part_counts(rng, word):
    made = torch.from_numpy(images(rng, "bytes"))
    other = made.clone()
    other[600:] = 255 - other[600:]
    fits = [getattr(standardizations, word)(x, torch.arange(600), SCALE) for x in (made, other)]
    assert all(torch.equal(a, b) for a, b in zip(*fits, strict=True))


@pytest.mark.parametrize("word", ["pixel", "channel", "mean_image"])
def test_training_part_has_mean_zero_and_where_scaled_deviation_one(rng, word):
    made = torch.from_numpy(rng.integers(0, 256, (600, 2, 3, 3)).astype(np.uint8))
    factor, offset = getattr(standardizations, word)(made, torch.arange(600), SCALE)
    x = (made.flatten(1).double() * factor + offset).view(600, 2, 9)
    assert float(x.mean((0, 2)).abs().max()) < 1e-9
    if word != "mean_image":
        torch.testing.assert_close(x.std((0, 2), correction=0), torch.ones(2, dtype=torch.float64), rtol=0, atol=1e-9)
