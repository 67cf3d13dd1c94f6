"""The hyperbolic tangent, far tails included."""

import torch

from tenfold.engine.layers.tanh import tanh

CASES = {"members": {"x": "PBH", "reference": torch.tanh}, "one": {"x": "BH", "reference": torch.tanh}}


def test_tails_are_finite_and_flat():
    y, pull = tanh(torch.tensor([-1e4, 1e4]))
    assert y.tolist() == [-1.0, 1.0]
    assert pull(torch.ones(2))[0].tolist() == [0.0, 0.0]
