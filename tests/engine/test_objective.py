"""Clipping of gradients, each member by its own norm."""

import math

import pytest
import torch

from tenfold.engine.objective import clip
from tests.engine.cases import relative


@pytest.mark.parametrize("bound", [0.5, 3.0, 1e6, (0.5, 3.0, math.inf)], ids=str)
def test_clipping_is_that_of_torch_for_each_member(bound, draw):
    grads = {"w": draw(3, 4, 5), "b": draw(3, 4)}
    own = bound if isinstance(bound, tuple) else (bound,) * 3
    leaves = [[torch.zeros_like(grad[k]).requires_grad_() for grad in grads.values()] for k in range(3)]
    for k, member in enumerate(leaves):
        for leaf, grad in zip(member, grads.values(), strict=True):
            leaf.grad = grad[k].clone()
        torch.nn.utils.clip_grad_norm_(member, own[k])
    factor = clip(grads, torch.tensor(bound, dtype=torch.float64) if isinstance(bound, tuple) else bound)
    assert factor.shape == (3,)
    for position, grad in enumerate(grads.values()):
        assert relative(grad, torch.stack([member[position].grad for member in leaves])) < 1e-14


def test_who_is_not_clipped_keeps_a_gradient_whose_norm_overflows():
    grads = {"weight": torch.full((2, 3), 1e30)}
    factor = clip(grads, torch.tensor([math.inf, 1.0]))
    assert factor.tolist() == [1.0, 0.0]
    assert grads["weight"].tolist() == torch.tensor([[1e30] * 3, [0.0] * 3]).tolist()
