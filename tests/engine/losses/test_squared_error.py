"""Squared error against torch's."""

import torch
from torch.nn.functional import mse_loss, one_hot

from tenfold.engine.losses.squared_error import squared_error


def each(z, y):
    return mse_loss(z, y, reduction="none").sum(-1) / 2


CASES = {
    "each": each,
    "target": lambda y, width: 3 * one_hot(y, width),
    "at_zero": lambda width: 4.5,
    "shift_invariant": False,
    "rows_sum_to_zero": False,
}


def test_members_may_have_targets_of_their_own(draw):
    z, y, weight = draw(3, 5, 4), draw(3, 5, 4), draw(5, 1).abs()
    together = squared_error(z, y, weight)
    alone = [torch.stack(pair) for pair in zip(*map(squared_error, z, y, [weight] * 3), strict=True)]
    torch.testing.assert_close(together, tuple(alone), rtol=1e-14, atol=0)
