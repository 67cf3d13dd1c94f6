"""Rows of length 1, and what becomes of a row of zeros."""

import torch
from torch.nn.functional import normalize

from tenfold.engine.layers.unit_length import unit_length

CASES = {"members": {"x": "PBH", "reference": lambda x: normalize(x, dim=-1)}}


def test_a_row_of_zeros_stays_and_has_no_gradient():
    y, pull = unit_length(torch.zeros(1, 2, 3))
    assert not y.any()
    assert not pull(torch.ones(1, 2, 3))[0].any()
