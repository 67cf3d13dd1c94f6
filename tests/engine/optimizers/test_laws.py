"""The laws of optimizers, over every case that an entry declares."""

import pytest
import torch

from tenfold.engine import loop
from tests.engine.cases import over, relative


def descend(optimizer, params, grads, rate):
    params = {name: tensor.clone() for name, tensor in params.items()}
    memory = loop.start(params, optimizer).memory
    for step, grad in enumerate(grads):
        optimizer.update(params, {name: tensor.clone() for name, tensor in grad.items()}, memory, rate, step)
    return params


# A member's weights, and steps: one piece of the cache, several members to a piece, several pieces to a member.
PIECES = {"one piece": ((4, 5), 50), "groups of members": ((400, 250), 3), "parts of a member": ((700, 400), 3)}
pieces = pytest.mark.parametrize(("shape", "steps"), PIECES.values(), ids=PIECES)


def walk(draw, shape=(4, 5), steps=5):
    """Parameters of three members and the gradients of some steps, some of them zero in places."""
    params = {"a.weight": draw(3, *shape), "a.bias": draw(3, 4)}
    return params, [{name: draw(*p.shape) * (draw(*p.shape) > -1) for name, p in params.items()} for _ in range(steps)]


@pieces
@pytest.mark.parametrize(("make", "case"), over("optimizers", lambda case: "torch" in case))
def test_optimizer_is_that_of_torch(make, case, shape, steps, draw):
    params, grads = walk(draw, shape, steps)
    ours = descend(make(**case["options"]), params, grads, 0.03)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    theirs = case["torch"](list(leaves.values()), 0.03)
    for grad in grads:
        for name, leaf in leaves.items():
            leaf.grad = grad[name].clone()
        theirs.step()
    assert all(relative(ours[name], leaves[name].detach()) < 1e-12 for name in params)


def built(make, options, member=None):
    """An optimizer of several members, or of one of them; a tuple is a number for each."""
    pick = lambda v: torch.tensor(v, dtype=torch.float64) if member is None else v[member]  # noqa: E731
    return make(**{name: pick(value) if isinstance(value, tuple) else value for name, value in options.items()})


@pieces
@pytest.mark.parametrize(("make", "case"), over("optimizers"))
def test_optimizer_of_a_population_is_its_members(make, case, shape, steps, draw):
    params, grads = walk(draw, shape, steps)
    rates = torch.tensor([0.1, 0.01, 0.001], dtype=torch.float64)
    together = descend(built(make, case["options"]), params, grads, rates)
    for k in range(3):
        own = [{name: t[k : k + 1] for name, t in group.items()} for group in (params, *grads)]
        alone = descend(built(make, case["options"], k), own[0], own[1:], float(rates[k]))
        assert all(relative(together[name][k], alone[name][0]) < 1e-12 for name in params)


@pytest.mark.parametrize(("make", "case"), over("optimizers"))
def test_optimizer_takes_no_step_without_a_gradient_but_its_decay(make, case, draw):
    params, grads = walk(draw)
    still = [{name: torch.zeros_like(tensor) for name, tensor in grad.items()} for grad in grads]
    after = descend(built(make, case["options"]), params, still, 0.1)
    decay = torch.as_tensor(case["options"].get(case.get("decay"), 0.0), dtype=torch.float64).expand(3)
    for name, before in params.items():
        wanted = before * ((1 - 0.1 * decay) ** len(grads)).view(-1, *[1] * (before.dim() - 1))
        torch.testing.assert_close(after[name], wanted, rtol=1e-14 if "decay" in case else 0, atol=0)
