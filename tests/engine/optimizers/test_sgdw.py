"""Descent with decoupled decay and rates by group, against torch's descent with a rate for each parameter."""

import pytest
import torch

from tenfold.engine import loop
from tenfold.engine.optimizers.sgdw import sgdw
from tests.engine.cases import relative

CASES = {
    "momentum": {"options": {"momentum": 0.6, "weight_decay": 0.0}},
    "ahead": {"options": {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, "decay": "weight_decay"},
    "each its own": {
        "options": {"momentum": (0.0, 0.5, 0.9), "weight_decay": (0.0, 0.01, 1.0), "bias_factor": (1.0, 2.0, 64.0)},
        "decay": "weight_decay",
    },
}


@pytest.mark.parametrize("nesterov", [False, True])
def test_groups_step_as_torch_with_rates_of_their_own_on_weights_that_have_decayed(nesterov, draw):
    params = {"conv.weight": draw(1, 4, 2, 3, 3), "a.weight": draw(1, 4, 5), "a.bias": draw(1, 4)}
    factors = {"conv.weight": 1.0, "a.weight": 0.5, "a.bias": 3.0}
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    groups = [{"params": [leaf], "lr": 0.1 * factors[name]} for name, leaf in leaves.items()]
    theirs = torch.optim.SGD(groups, lr=0.1, momentum=0.7, nesterov=nesterov)
    optimizer = sgdw(0.7, nesterov, 0.2, 0.5, 3.0)
    memory = loop.start(params, optimizer).memory
    for step in range(20):
        grads = {name: draw(*tensor.shape) for name, tensor in params.items()}
        for name, leaf in leaves.items():
            leaf.grad = grads[name].clone()
            leaf.data.mul_(1 - 0.1 * 0.2)
        optimizer.update(params, grads, memory, 0.1, step)
        theirs.step()
    assert all(relative(params[name], leaves[name].detach()) < 1e-12 for name in params)
