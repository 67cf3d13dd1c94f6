"""An encoder in training: what its loss sees, and that the trained one is the network alone."""

import pytest
import torch
from torch.nn.functional import linear, normalize, relu

from tenfold.choices import recipe
from tenfold.engine.encoder import Encoder, asked
from tenfold.engine.models.mlp import MLP
from tenfold.errors import UsageError
from tests.engine.cases import relative


def made(projection, unit):
    network = MLP(7, 0, (6,), "tanh", 0.3, embedding=4)
    model = Encoder(network, 4, projection, unit)
    return model, model.init([1, 2, 3], "he")


@pytest.mark.parametrize("unit", [False, True], ids=["raw", "unit"])
@pytest.mark.parametrize("projection", [0, 5])
def test_what_the_loss_sees_and_its_pullback_are_reference_and_autograd(projection, unit, draw, rng):
    model, params = made(projection, unit)
    params = {name: draw(*tensor.shape) for name, tensor in params.items()}
    x, noise = draw(9, 7), {n: torch.from_numpy(rng.random(s)) for n, s in model.noise(9).items()}
    assert set(noise) == {"mining", "hidden1.dropout"}
    z, pull, _ = model.forward(params, {}, x, noise)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    w = [{name: tensor[k] for name, tensor in leaves.items()} for k in range(3)]
    rows = []
    for of in w:
        h = torch.tanh(linear(x, of["hidden1.weight"], of["hidden1.bias"]))
        h = h * (noise["hidden1.dropout"] >= 0.3) / 0.7
        h = linear(h, of["embedding.weight"], of["embedding.bias"])
        if projection:
            h = relu(linear(h, of["projection1.weight"], of["projection1.bias"]))
            h = linear(h, of["projection2.weight"], of["projection2.bias"])
        rows.append(normalize(h, dim=-1) if unit else h)
    reference, dz = torch.stack(rows), draw(3, 9, projection or 4)
    dx, grads = pull(dz, need_dx=True)
    assert dx.shape == x.shape
    assert relative(z, reference.detach()) < 1e-12
    assert list(grads) == list(params) or set(grads) == set(params)
    for name, wanted in zip(leaves, torch.autograd.grad(reference, leaves.values(), dz), strict=True):
        assert relative(grads[name], wanted) < 1e-12


def test_the_embedding_is_the_networks_and_its_tensors_are_those_that_are_kept(draw):
    model, params = made(5, True)
    x = draw(9, 7)
    kept = model.of_network(params)
    assert set(kept) == set(model.network.shapes())
    embeddings = model.predict(params, {}, x)
    assert torch.equal(embeddings, model.network.predict(kept, {}, x))
    assert embeddings.shape == (3, 9, 4)
    torch.testing.assert_close(model.seen(params, embeddings), model.forward(params, {}, x, {})[0])


def test_losses_that_take_different_batches_do_not_train_together():
    choices = {"task": "contrast", "model": "mlp"}
    assert asked(recipe({**choices, "loss": ["triplet", "contrastive"]})) == (False, 1, True)
    assert asked(recipe({**choices, "loss": "nt_xent"})) == (True, 2, False)
    with pytest.raises(UsageError, match="the losses triplet and supcon take different batches: train them apart"):
        asked(recipe({**choices, "loss": "triplet"}), [{"loss": "supcon"}])
