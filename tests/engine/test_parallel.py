"""Shares of a batch: their losses and gradients add up to those of the whole; messages carry tensors bit for bit."""

import json

import pytest
import torch

from tenfold.engine.losses.softmax import softmax
from tenfold.engine.models.linear import Linear
from tenfold.engine.parallel import _packed, _unpacked, share_of
from tenfold.engine.tasks.classify import classify
from tenfold.engine.types import Batch

GENERATOR = torch.Generator().manual_seed(0)


def drawn(*shape):
    return torch.rand(shape, generator=GENERATOR, dtype=torch.float64)


def batch(kind):
    targets = torch.arange(7) % 3
    if kind == "mixed":
        return Batch(drawn(7, 5), targets, drawn(7, 1), {}, None, targets.flip(0), 0.3)
    return Batch(drawn(14, 5), targets, 1.0, {}, drawn(2, 7) > 0.5)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", ["mixed", "mirrored"])
def test_losses_and_gradients_of_shares_add_up_to_those_of_the_batch(kind, size):
    whole, model = batch(kind), Linear(5, 3)
    params = {name: drawn(2, *shape) for name, shape in model.shapes().items()}
    objective = classify(model, [(softmax, 2)])
    value, grads, _ = objective(params, {}, whole)
    parts = [objective(params, {}, share_of(whole, rank, size)) for rank in range(size)]
    torch.testing.assert_close(sum(part[0].loss for part in parts), value.loss, rtol=1e-13, atol=1e-15)
    for name, grad in grads.items():
        torch.testing.assert_close(sum(part[1][name] for part in parts), grad, rtol=1e-12, atol=1e-14)


def test_a_message_carries_tensors_of_any_type_and_layout():
    tensors = {"a": torch.arange(3) > 1, "b": drawn(3, 5).mT, "c": torch.zeros(0, 4), "d": torch.tensor(3)}
    entries = {name: [str(t.dtype).removeprefix("torch."), list(t.shape)] for name, t in tensors.items()}
    arrived = _unpacked(_packed(tensors), json.dumps({"tensors": entries}))
    assert all(torch.equal(arrived[name], tensor) for name, tensor in tensors.items())
