"""The objective: loss and penalty of every member, and the gradient of their sum."""

import torch

from tenfold.engine.models.mlp import MLP
from tenfold.engine.tasks.classify import classify
from tenfold.engine.types import Batch
from tenfold.rooms import find

CASES = {"words": ("softmax", "softmax", "hinge", "sigmoid"), "l1": (0.0, 0.1, 0.0, 0.02), "l2": (0.3, 0.0, 0.01, 0.02)}


def made(draw):
    model = MLP(6, 3, (5,), "tanh")
    batch = Batch(draw(8, 6), torch.arange(8) % 3, draw(8, 1).abs(), {})
    return model, model.init([1, 2, 3, 4]), batch


def numbers(name):
    return torch.tensor(CASES[name], dtype=torch.float64)


def test_members_of_several_losses_and_penalties_are_each_alone(draw):
    model, params, batch = made(draw)
    losses = [(find("losses", "softmax"), 2), (find("losses", "hinge"), 1), (find("losses", "sigmoid"), 1)]
    value, grads, _ = classify(model, losses, numbers("l1"), numbers("l2"))(params, {}, batch)
    for k, word in enumerate(CASES["words"]):
        own = {name: tensor[k : k + 1] for name, tensor in params.items()}
        alone = classify(model, [(find("losses", word), 1)], CASES["l1"][k], CASES["l2"][k])
        value_k, grads_k, _ = alone(own, {}, batch)
        for together, single in [*zip(value, value_k, strict=True), *((grads[n], grads_k[n]) for n in grads)]:
            torch.testing.assert_close(together[k], single[0], rtol=1e-12, atol=1e-14)


def test_gradient_is_that_of_the_whole_cost(draw):
    model, params, batch = made(draw)
    objective = classify(model, [(find("losses", "softmax"), 4)], numbers("l1"), numbers("l2"))
    value, grads, _ = objective(params, {}, batch)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    weight = batch.weight[:, 0] / 8
    total = torch.zeros((), dtype=torch.float64)
    for k in range(4):
        h = torch.tanh(batch.inputs @ leaves["hidden1.weight"][k].T + leaves["hidden1.bias"][k])
        z = h @ leaves["scores.weight"][k].T + leaves["scores.bias"][k]
        total = total + (torch.nn.functional.cross_entropy(z, batch.targets, reduction="none") * weight).sum()
        for name in ("hidden1.weight", "scores.weight"):
            w = leaves[name][k]
            total = total + CASES["l1"][k] * w.abs().sum() + CASES["l2"][k] * w.square().sum()
    total.backward()
    torch.testing.assert_close((value.loss + value.penalty).sum(), total.detach(), rtol=1e-13, atol=0)
    for name in grads:
        torch.testing.assert_close(grads[name], leaves[name].grad, rtol=1e-12, atol=1e-14)


def test_gradient_is_that_of_what_each_member_sees(draw, rng):
    model, params, batch = made(draw)
    mirrored = torch.from_numpy(rng.random((4, 8)) < torch.tensor([[0.0], [0.3], [0.7], [1.0]]).numpy())
    both = batch._replace(inputs=torch.cat((batch.inputs, batch.inputs.flip(-1))), mirrored=mirrored)
    value, grads, _ = classify(model, [(find("losses", "softmax"), 4)])(params, {}, both)
    leaves = {name: tensor.clone().requires_grad_() for name, tensor in params.items()}
    x = torch.where(mirrored[..., None], batch.inputs.flip(-1), batch.inputs)
    h = torch.tanh(x @ leaves["hidden1.weight"].mT + leaves["hidden1.bias"][:, None])
    z = h @ leaves["scores.weight"].mT + leaves["scores.bias"][:, None]
    each = torch.nn.functional.cross_entropy(z.mT, batch.targets.expand(4, -1), reduction="none")
    loss = (each * batch.weight[:, 0]).mean(-1)
    loss.sum().backward()
    torch.testing.assert_close(value.loss, loss.detach(), rtol=1e-13, atol=0)
    assert torch.equal(value.accuracy, (z.argmax(-1) == batch.targets).double().mean(-1))
    for name in grads:
        torch.testing.assert_close(grads[name], leaves[name].grad, rtol=1e-12, atol=1e-14)


def test_accuracy_is_the_share_classified_right(draw):
    model, params, batch = made(draw)
    value, _, _ = classify(model, [(find("losses", "softmax"), 4)])(params, {}, batch)
    right = (model.predict(params, {}, batch.inputs).argmax(-1) == batch.targets).double().mean(-1)
    assert torch.equal(value.accuracy, right)
    assert not value.penalty.any()
