"""The summed hinge against torch's, which divides by the number of classes."""

import torch

from tenfold.engine.losses.weston_watkins import weston_watkins


def each(z, y):
    return z.shape[-1] * torch.nn.functional.multi_margin_loss(z, y, reduction="none")


CASES = {"each": each, "at_zero": lambda classes: classes - 1.0, "shift_invariant": True, "rows_sum_to_zero": True}


def test_every_rival_within_the_margin_counts():
    value, dz = weston_watkins(torch.tensor([[2.0, 1.5, 1.0, -4.0]]), torch.tensor([0]))
    assert float(value) == 0.5
    assert dz.tolist() == [[-1, 1, 0, 0]]
    value, dz = weston_watkins(torch.tensor([[0.0, 0.5, 3.0, -4.0]]), torch.tensor([0]))
    assert float(value) == 5.5
    assert dz.tolist() == [[-2, 1, 1, 0]]
