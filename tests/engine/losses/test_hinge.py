"""The multiclass hinge against its formula."""

import torch

from tenfold.engine.losses.hinge import hinge


def each(z, y):
    rivals = z.masked_fill(torch.nn.functional.one_hot(y, z.shape[-1]).bool(), -torch.inf)
    return torch.relu(1 + rivals.max(-1).values - z[torch.arange(len(y)), y])


CASES = {"each": each, "at_zero": lambda classes: 1.0, "shift_invariant": True, "rows_sum_to_zero": True}


def test_a_margin_of_exactly_one_has_no_gradient():
    value, dz = hinge(torch.tensor([[3.0, 2.0, 0.0]]), torch.tensor([0]))
    assert float(value) == 0
    assert not dz.any()
