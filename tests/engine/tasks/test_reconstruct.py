"""The objective of an autoencoder: its loss against its own inputs, its penalty, and the gradient of their sum."""

import pytest
import torch
from torch.nn.functional import mse_loss

from tenfold.engine.losses.mean_squared_error import mean_squared_error
from tenfold.engine.models.autoencoder import Autoencoder
from tenfold.engine.tasks.reconstruct import reconstruct
from tenfold.engine.types import Batch

CASES = {"l1": (0.0, 0.1, 0.0, 0.02), "l2": (0.3, 0.0, 0.01, 0.02)}


def made(draw):
    model = Autoencoder(6, (5, 3), "tanh")
    batch = Batch(draw(8, 6), torch.arange(8) % 3, draw(8, 1).abs(), {})
    return model, model.init([1, 2, 3, 4]), batch


def numbers(name):
    return torch.tensor(CASES[name], dtype=torch.float64)


def reconstruction(leaves, k, x):
    for name in ("encoder1", "encoder2", "decoder1", "decoder2"):
        x = x @ leaves[f"{name}.weight"][k].T + leaves[f"{name}.bias"][k]
        x = x if name == "decoder2" else torch.tanh(x)
    return x


@pytest.mark.parametrize("mirrored", [False, True], ids=["shared", "each its own view"])
def test_gradient_is_that_of_the_whole_cost(mirrored, draw, rng):
    model, params, batch = made(draw)
    seen = batch.inputs.expand(4, -1, -1)
    if mirrored:
        who = torch.from_numpy(rng.random((4, 8)) < 0.5)
        batch = batch._replace(inputs=torch.cat((batch.inputs, batch.inputs.flip(-1))), mirrored=who)
        seen = torch.where(who[..., None], seen.flip(-1), seen)
    value, grads, _ = reconstruct(model, mean_squared_error, numbers("l1"), numbers("l2"))(params, {}, batch)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    costs = []
    for k in range(4):
        each = mse_loss(reconstruction(leaves, k, seen[k]), seen[k], reduction="none").mean(-1)
        weights = [leaves[name][k] for name in leaves if name.endswith("weight")]
        penalty = sum(CASES["l1"][k] * w.abs().sum() + CASES["l2"][k] * w.square().sum() for w in weights)
        costs.append((each * batch.weight[:, 0]).mean() + penalty)
    torch.stack(costs).sum().backward()
    torch.testing.assert_close(value.loss + value.penalty, torch.stack(costs).detach(), rtol=1e-13, atol=0)
    assert set(grads) == set(leaves)
    for name in grads:
        torch.testing.assert_close(grads[name], leaves[name].grad, rtol=1e-12, atol=1e-14)


def test_nothing_is_classified(draw):
    model, params, batch = made(draw)
    value, _, _ = reconstruct(model, mean_squared_error)(params, {}, batch)
    assert bool(value.accuracy.isnan().all())
    assert value.accuracy.shape == value.loss.shape == (4,)
    assert not value.penalty.any()
