"""The objective of encoders: loss of what they make of a batch, penalty, and the gradient of their sum."""

from functools import partial

import pytest
import torch

from tenfold.engine.embedding_losses.contrastive import contrastive
from tenfold.engine.embedding_losses.triplet import triplet
from tenfold.engine.encoder import Encoder
from tenfold.engine.models.mlp import MLP
from tenfold.engine.tasks.contrast import contrast
from tenfold.engine.types import Batch

CASES = {"margins": (0.5, 2.0, 1.0, 3.0), "l1": (0.0, 0.1, 0.0, 0.02), "l2": (0.3, 0.0, 0.01, 0.02)}


def made(draw, rng, mirrored):
    model = Encoder(MLP(6, 0, (5,), "tanh", embedding=3), 3)
    batch = Batch(draw(8, 6), torch.arange(8) % 3, 1.0, {"mining": torch.from_numpy(rng.random((8, 2)))})
    if mirrored:
        who, draws = torch.from_numpy(rng.random((4, 8)) < 0.5), batch.noise["mining"]
        both = torch.cat((batch.inputs, batch.inputs.flip(-1)))
        batch = batch._replace(inputs=both, mirrored=who, noise={"mining": torch.cat((draws, draws))})
    return model, model.init([1, 2, 3, 4], "he"), batch


def numbers(name, members=slice(None)):
    return torch.tensor(CASES[name], dtype=torch.float64)[members]


@pytest.mark.parametrize("mirrored", [False, True], ids=["shared", "each its own view"])
def test_gradient_is_that_of_the_whole_cost_and_members_are_each_alone(mirrored, draw, rng):
    model, params, batch = made(draw, rng, mirrored)
    losses = [(partial(triplet, margin=numbers("margins", slice(2))), 2)]
    losses += [(partial(contrastive, margin=numbers("margins", slice(2, 4))), 2)]
    value, grads, _ = contrast(model, losses, numbers("l1"), numbers("l2"))(params, {}, batch)
    assert bool(value.accuracy.isnan().all())
    step = 1e-6
    along = {name: draw(*tensor.shape) for name, tensor in params.items()}
    ahead, behind = (
        contrast(model, losses, numbers("l1"), numbers("l2"))(
            {name: tensor + sign * step * along[name] for name, tensor in params.items()}, {}, batch
        )[0]
        for sign in (1, -1)
    )
    slope = sum((grads[name] * along[name]).flatten(1).sum(1) for name in grads)
    difference = (ahead.loss + ahead.penalty - behind.loss - behind.penalty) / (2 * step)
    torch.testing.assert_close(slope, difference, rtol=1e-6, atol=1e-8)
    for k in range(4):
        own = {name: tensor[k : k + 1] for name, tensor in params.items()}
        loss = partial((triplet, contrastive)[k // 2], margin=CASES["margins"][k])
        seen = batch if not mirrored else batch._replace(mirrored=batch.mirrored[k : k + 1])
        value_k, grads_k, _ = contrast(model, [(loss, 1)], CASES["l1"][k], CASES["l2"][k])(own, {}, seen)
        torch.testing.assert_close(value.loss[k], value_k.loss[0], rtol=1e-12, atol=0)
        for name in grads:
            torch.testing.assert_close(grads[name][k], grads_k[name][0], rtol=1e-12, atol=1e-14)
