"""Lookahead against its definition, written out around descent as torch takes it."""

import torch

from tenfold.engine import loop
from tenfold.engine.optimizers.lookahead import lookahead
from tests.engine.cases import relative

CASES = {
    "usual": {"options": {"momentum": 0.9, "weight_decay": 0.0}},
    "each its own": {"options": {"momentum": (0.0, 0.5, 0.9), "weight_decay": 0.0, "sync_every": 2}},
    "no way back": {
        "options": {"momentum": 0.9, "weight_decay": 0.0, "sync_share": 1.0},
        "torch": lambda params, rate: torch.optim.SGD(params, lr=rate, momentum=0.9),
    },
}


def test_slow_weights_meet_the_fast_ones_after_every_few_steps(draw):
    params = {"a.weight": draw(1, 4, 5), "a.bias": draw(1, 4)}
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    slow = {name: tensor.clone() for name, tensor in params.items()}
    theirs = torch.optim.SGD(leaves.values(), lr=0.1, momentum=0.7, nesterov=True)
    optimizer = lookahead(0.7, True, 0.0, sync_every=3, sync_share=0.4)
    memory = loop.start(params, optimizer).memory
    for step in range(11):  # three meetings, and two steps after the last
        grads = {name: draw(*tensor.shape) for name, tensor in params.items()}
        for name, leaf in leaves.items():
            leaf.grad = grads[name].clone()
        optimizer.update(params, grads, memory, 0.1, step)
        theirs.step()
        for name, leaf in leaves.items() if step in (2, 5, 8) else ():
            slow[name] += 0.4 * (leaf.detach() - slow[name])
            leaf.data.copy_(slow[name])
    assert all(relative(params[name], leaves[name].detach()) < 1e-12 for name in params)
    assert all(relative(memory[f"slow/{name}"], slow[name]) < 1e-12 for name in params)
