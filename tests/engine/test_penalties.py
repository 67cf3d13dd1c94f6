"""Penalties: value and gradient from one formula."""

import pytest
import torch

from tenfold.engine import penalties

CASES = {"l1": lambda w: w.abs().sum(), "l2": lambda w: w.square().sum()}


def weights(draw, shape):
    w = draw(3, *shape)
    w[:, 0, 0] = 0  # the kink of |W|, where torch's derivative is 0
    return w


@pytest.mark.parametrize("shape", [(4, 5), (400, 250), (700, 400)], ids=["small", "groups", "parts"])
@pytest.mark.parametrize("strength", [0.0, 0.1, (0.0, 0.1, 2.0)], ids=["none", "shared", "own"])
@pytest.mark.parametrize("word", penalties.__all__)
def test_value_and_gradient_are_those_of_autograd(draw, word, strength, shape):
    w, before = weights(draw, shape), draw(3, *shape)
    grad, given = before.clone(), w.clone()
    strength = torch.tensor(strength, dtype=torch.float64) if isinstance(strength, tuple) else strength
    value = getattr(penalties, word)(w, strength, grad)
    leaf = w.clone().requires_grad_()
    wanted = torch.stack([CASES[word](leaf[k]) for k in range(3)]) * strength
    wanted.sum().backward()
    torch.testing.assert_close(value, wanted.detach(), rtol=1e-13, atol=1e-13)
    torch.testing.assert_close(grad, before + leaf.grad, rtol=1e-13, atol=1e-13)
    assert torch.equal(w, given)
    assert value.shape == (3,)


@pytest.mark.parametrize("word", penalties.__all__)
def test_gradient_is_the_slope_along_a_random_direction(draw, word):
    w, v, h = draw(1, 4, 5), draw(1, 4, 5), 1e-6
    grad, nowhere = torch.zeros(1, 4, 5, dtype=torch.float64), torch.zeros(1, 4, 5, dtype=torch.float64)
    penalty = getattr(penalties, word)
    penalty(w, 0.7, grad)
    slope = (penalty(w + h * v, 0.7, nowhere) - penalty(w - h * v, 0.7, nowhere)) / (2 * h)
    torch.testing.assert_close((grad * v).sum(), slope[0], rtol=1e-7, atol=1e-7)
