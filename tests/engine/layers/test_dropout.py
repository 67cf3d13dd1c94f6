"""Inverted dropout: one mask for all members, scaled so that the mean stays."""

import pytest
import torch

from tenfold.engine.layers.dropout import dropout


def dropped(x, u, p):
    return torch.where(u >= p, x / (1 - p), 0.0)


CASES = {
    "members": {"x": "PBH", "noise": {"u": "BH"}, "numbers": {"p": 0.3}, "reference": dropped},
    "nothing dropped": {"x": "PBH", "noise": {"u": "BH"}, "numbers": {"p": 0.0}, "reference": dropped},
}


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_dropped_and_the_mean_kept_are_as_asked(rng, p):
    y, _ = dropout(torch.ones(2, 500, 200), torch.from_numpy(rng.random((500, 200))), p)
    spread = (p / (1 - p) / y[0].numel()) ** 0.5
    assert abs(float((y[0] == 0).double().mean()) - p) < 5 * (p * (1 - p) / y[0].numel()) ** 0.5
    assert abs(float(y[0].mean()) - 1) < 5 * spread
    assert torch.equal(y[0], y[1])
