"""The three networks as torch's functions compute them, one member after the other."""

from functools import partial

import pytest
import torch
from torch.nn import functional

from tenfold.engine.losses.softmax import softmax
from tenfold.engine.models.convnet import ConvNet
from tenfold.rooms import names

MOMENTUM = {"fast": 0.4, "alexnet": 0.1, "resnet": 0.1}


class Weights:
    """The tensors of one member by the names of its layers."""

    def __init__(self, tensors, k, training, momentum):
        self.tensors = {name: tensor[k] for name, tensor in tensors.items()}
        self.training, self.momentum = training, momentum

    def norm(self, x, name):
        mean, variance = (self.tensors[f"{name}.{word}"].clone() for word in ("mean", "variance"))
        gain = self.tensors.get(f"{name}.gain")
        return functional.batch_norm(
            x, mean, variance, gain, self.tensors[f"{name}.bias"], self.training, self.momentum
        )

    def conv(self, x, name, **numbers):
        return functional.conv2d(x, self.tensors[f"{name}.weight"], self.tensors.get(f"{name}.bias"), **numbers)

    def dense(self, x, name):
        return functional.linear(x, self.tensors[f"{name}.weight"], self.tensors[f"{name}.bias"])


def fast(w, x, depth):
    x = functional.gelu(functional.conv2d(x, w.tensors["whiten.filters"]))
    for block in (1, 2):
        x = w.conv(x, f"block{block}.conv1", padding=1)
        x = functional.max_pool2d(x, 2) if min(x.shape[2:]) > 1 else x
        for number in range(1, depth + 1):
            x = w.conv(x, f"block{block}.conv{number}", padding=1) if number > 1 else x
            x = functional.gelu(w.norm(x, f"block{block}.norm{number}"))
    return x.amax((2, 3))


def alexnet(w, x, depth):
    for number in (1, 2, 3):
        x = w.conv(x, f"conv{number}", padding=1, stride=2 if number == 1 else 1)
        x = w.norm(functional.relu(x), f"norm{number}")
        x = functional.max_pool2d(x, 2) if min(x.shape[2:]) > 1 else x
    return x.flatten(1)


def resnet(w, x, depth):
    x = functional.relu(w.norm(w.conv(x, "stem", padding=1), "stem.norm"))
    for stage in (1, 2):
        for block in range(1, depth + 1):
            name, stride = f"stage{stage}.block{block}", 2 if stage > 1 and block == 1 else 1
            y = functional.relu(w.norm(w.conv(x, f"{name}.conv1", padding=1, stride=stride), f"{name}.norm1"))
            y = w.norm(w.conv(y, f"{name}.conv2", padding=1), f"{name}.norm2")
            if f"{name}.aside.weight" in w.tensors:
                x = w.norm(w.conv(x, f"{name}.aside", stride=stride), f"{name}.aside.norm")
            x = functional.relu(x + y)
    return x.mean((2, 3))


NETWORKS = {"fast": fast, "alexnet": alexnet, "resnet": resnet}


def network(tensors, x, noise, preset, depth, dropout, training):
    scores = []
    for k in range(len(next(iter(tensors.values())))):
        w = Weights(tensors, k, training, MOMENTUM[preset])
        h = NETWORKS[preset](w, x, depth)
        if "features.dropout" in noise:
            h = h * (noise["features.dropout"] >= dropout) / (1 - dropout)
        if "embedding.weight" in tensors:
            h = w.dense(h, "embedding")
        if "scores.weight" in tensors:
            h = w.dense(functional.relu(h) if "embedding.weight" in tensors else h, "scores")
        scores.append(h)
    return torch.stack(scores)


def case(preset, shape, widths, depth=2, embedding=0, dropout=0.0, classes=4):
    shapes = {"image_shape": shape, "classes": classes, "preset": preset, "widths": widths, "depth": depth}
    scores = partial(network, preset=preset, depth=depth, dropout=dropout)
    return {
        "shapes": shapes | {"embedding": embedding, "dropout": dropout},
        "reference": partial(scores, training=True),
        "prediction": partial(scores, training=False),
    }


CASES = {
    "fast": case("fast", (3, 9, 8), (5, 6)),
    "fast, one grey pixel left": case("fast", (1, 4, 4), (5, 6), depth=1),
    "alexnet": case("alexnet", (3, 12, 9), (4, 5, 6), embedding=7, dropout=0.4),
    "resnet": case("resnet", (2, 8, 7), (4, 6)),
    "encoder": case("alexnet", (3, 12, 9), (4, 5, 6), embedding=7, dropout=0.4, classes=0),
}


def test_every_preset_is_compared():
    assert set(names("presets")) == set(NETWORKS) == {made["shapes"]["preset"] for made in CASES.values()}


@pytest.mark.parametrize("preset", NETWORKS)
@pytest.mark.parametrize("side", [8, 9, 32, 64, 96, 224])
@pytest.mark.parametrize("channels", [1, 4])
def test_it_takes_images_of_any_side_and_any_number_of_channels(preset, side, channels):
    model = ConvNet((channels, side, side), 3, preset, (4, 4, 4), narrow=True)
    params = {name: tensor.float() for name, tensor in model.init([0]).items()}
    x = torch.ones(2, channels, side, side)
    buffers = model.buffers(1, x)
    scores, pull, after = model.forward(params, buffers, x, {})
    assert scores.shape == (1, 2, 3)
    assert scores.dtype == torch.float32
    dx, grads = pull(torch.ones_like(scores), need_dx=True)
    assert dx.shape == x.shape
    assert {name: grad.dtype for name, grad in grads.items()} == dict.fromkeys(params, torch.float32)
    assert set(after) == set(buffers)


@pytest.mark.parametrize("preset", NETWORKS)
def test_narrow_products_give_nearly_the_wide_gradients(preset, draw):
    made = [ConvNet((3, 16, 16), 4, preset, (8, 8, 8), narrow=narrow) for narrow in (False, True)]
    params = {name: (t + 0.2 * draw(*t.shape) * ("scores" in name)).float() for name, t in made[0].init([1]).items()}
    x, labels = draw(20, 3, 16, 16).float(), torch.arange(20) % 4
    buffers = made[0].buffers(1, x)
    (z, pull, _), (z_narrow, pull_narrow, _) = (model.forward(params, buffers, x, {}) for model in made)
    assert (z - z_narrow).norm() < 0.05 * z.norm()
    dz = softmax(z, labels)[1]
    wide, narrow = pull(dz)[1], pull_narrow(dz)[1]
    for name in (name for name in params if name.endswith("weight")):
        # A rounding that changes the side of a ReLU or the place of a maximum changes all behind it.
        along = torch.nn.functional.cosine_similarity(narrow[name].flatten(), wide[name].flatten(), dim=0)
        assert along > 0.75, name
