"""Maximum over windows against torch's, ties included."""

import torch
from torch.nn import functional

from tenfold.engine.layers.max_pool import max_pool


def pooled(x, window=2):
    return functional.max_pool2d(x.flatten(0, 1), window).unflatten(0, x.shape[:2])


CASES = {
    "two": {"x": "PBCUV", "reference": pooled},
    "three": {"x": "PBCUV", "numbers": {"window": 3}, "reference": pooled},
}


def test_the_first_of_equal_numbers_gets_the_gradient():
    x = torch.tensor([[1.0, 1, 0], [1, 1, 5], [7, 7, 7]]).view(1, 1, 1, 3, 3)
    y, pull = max_pool(x)
    assert y.tolist() == [[[[[1.0]]]]]
    assert pull(torch.ones_like(y))[0][0, 0, 0].tolist() == [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
