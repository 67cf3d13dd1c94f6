"""One number a channel, against torch's reductions."""

import torch

from tenfold.engine.layers.global_pool import global_pool


def reduced(x, maximum=True):
    return x.amax((-2, -1)) if maximum else x.mean((-2, -1))


CASES = {
    "maximum": {"x": "PBCUV", "reference": reduced},
    "mean": {"x": "PBCUV", "numbers": {"maximum": False}, "reference": reduced},
}


def test_equal_maxima_share_the_gradient():
    y, pull = global_pool(torch.tensor([[3.0, 3.0], [1.0, 3.0]]).view(1, 1, 1, 2, 2))
    assert y.item() == 3
    dx = pull(torch.full_like(y, 6.0))[0]
    assert dx.view(2, 2).tolist() == [[2.0, 2.0], [0.0, 2.0]]
