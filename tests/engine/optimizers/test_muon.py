"""Muon against a plain reference: filters one member at a time with a matrix of singular vectors, the rest by torch."""

import pytest
import torch

from tenfold.engine import loop
from tenfold.engine.optimizers.muon import muon
from tests.engine.cases import relative


def case(**options):
    return {
        "options": {"head_factor": 1.0, "bias_factor": 1.0, "momentum": 0.0, **options},
        "decay": "weight_decay",
    }


CASES = {
    "momentum": case(momentum=0.6, weight_decay=0.0),
    "decay": case(momentum=0.9, weight_decay=0.1),
    "each its own": case(momentum=(0.0, 0.5, 0.9), weight_decay=(0.0, 0.01, 1.0)),
}


def test_all_but_filters_step_as_torch_with_rates_of_their_own(draw):
    params = {"a.weight": draw(1, 4, 5), "a.bias": draw(1, 4)}
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    groups = [{"params": [leaves["a.weight"]], "lr": 0.1 * 0.5}, {"params": [leaves["a.bias"]], "lr": 0.1 * 3.0}]
    theirs = torch.optim.SGD(groups, lr=0.1, momentum=0.7, nesterov=True)
    optimizer = muon(0.7, 0.0, 0.5, 3.0)
    memory = loop.start(params, optimizer).memory
    for step in range(20):
        grads = {name: draw(*tensor.shape) for name, tensor in params.items()}
        for name, leaf in leaves.items():
            leaf.grad = grads[name].clone()
        optimizer.update(params, grads, memory, 0.1, step)
        theirs.step()
    assert all(relative(params[name], leaves[name].detach()) < 1e-12 for name in params)


def orthogonal(matrix):
    """Three steps of Newton and Schulz on every singular value by itself."""
    u, s, vh = torch.linalg.svd(matrix / (matrix.norm() + 1e-7), full_matrices=False)
    for _ in range(3):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return u @ torch.diag(s) @ vh


@pytest.mark.parametrize("shape", [(6, 2, 3, 3), (20, 2, 3, 3)], ids=["wide", "tall"])
def test_filters_step_along_the_singular_vectors(shape, draw):
    params = {"conv.weight": draw(2, *shape)}
    wanted, velocity = params["conv.weight"].clone(), torch.zeros(2, *shape, dtype=torch.float64)
    rates = torch.tensor([0.1, 0.02], dtype=torch.float64)
    optimizer = muon(0.6)
    memory = loop.start(params, optimizer).memory
    for step in range(10):
        grad = draw(2, *shape)
        velocity = 0.6 * velocity + grad
        for k in range(2):
            along = orthogonal((grad + 0.6 * velocity)[k].flatten(1)).view(shape)
            wanted[k] = wanted[k] * shape[0] ** 0.5 / wanted[k].norm() - rates[k] * along
        optimizer.update(params, {"conv.weight": grad.clone()}, memory, rates, step)
    assert relative(params["conv.weight"], wanted) < 1e-10


def test_singular_values_of_a_step_are_near_one_and_no_gradient_gives_none(draw):
    params = {"conv.weight": torch.zeros(1, 16, 8, 3, 3)}
    optimizer = muon(0.0)
    memory = loop.start(params, optimizer).memory
    optimizer.update(params, {"conv.weight": draw(1, 16, 8, 3, 3).float()}, memory, 1.0, 0)
    values = torch.linalg.svdvals(params["conv.weight"][0].flatten(1))
    assert 0.5 < values.min() < values.max() < 1.3
    before = params["conv.weight"] * 4 / params["conv.weight"].norm()
    optimizer.update(params, {"conv.weight": torch.zeros(1, 16, 8, 3, 3)}, memory, 1.0, 1)
    torch.testing.assert_close(params["conv.weight"], before)
