"""The logistic function, far tails included."""

import torch

from tenfold.engine.layers.sigmoid import sigmoid

CASES = {"members": {"x": "PBH", "reference": torch.sigmoid}, "one": {"x": "BH", "reference": torch.sigmoid}}


def test_tails_are_finite_and_flat():
    y, pull = sigmoid(torch.tensor([-1e4, 1e4]))
    assert y.tolist() == [0.0, 1.0]
    assert pull(torch.ones(2))[0].tolist() == [0.0, 0.0]
