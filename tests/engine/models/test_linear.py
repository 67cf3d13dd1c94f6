"""One affine map."""

import torch

from tenfold.engine.models.linear import Linear


def scores(params, x, noise):
    return torch.stack([x @ w.T + b for w, b in zip(params["scores.weight"], params["scores.bias"], strict=True)])


CASES = {
    "ten classes": {"shapes": {"inputs": 7, "classes": 10}, "reference": scores},
    "two classes": {"shapes": {"inputs": 3, "classes": 2}, "reference": scores},
}


def test_it_starts_at_zero_where_nothing_else_is_asked():
    assert all(not tensor.any() for tensor in Linear(4, 3).init([0, 1]).values())
