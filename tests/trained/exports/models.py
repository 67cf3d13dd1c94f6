"""Models of every kind with drawn weights, for the tests of exports: none of them was trained."""

from dataclasses import asdict, replace
from math import prod

import numpy as np
import torch

from tenfold.engine.models.autoencoder import Autoencoder
from tenfold.engine.models.convnet import ConvNet
from tenfold.engine.models.linear import Linear
from tenfold.engine.models.mlp import MLP
from tenfold.rooms import marked
from tenfold.trained.agreement import made_images
from tenfold.trained.ensemble import Ensemble, EnsemblePart
from tenfold.trained.model import TrainedModel, scores
from tenfold.trained.program import program

SHAPE = (3, 12, 12)
PIXELS = 3 * 12 * 12
CLASSES = ("cat", '=1+1 "q"', "\u202e中")


def made(
    model,
    loss="softmax",
    views="none",
    flip=0.0,
    shape=SHAPE,
    temperature=1.0,
    features="pixels",
    learned=(),
):
    draws = torch.Generator().manual_seed(0)
    params = {name: torch.randn(1, *s, generator=draws) for name, s in model.shapes().items()}
    params = {name: t * (2 / prod(t.shape[2:])) ** 0.5 if t.ndim > 2 else 0.5 + t.abs() for name, t in params.items()}
    for name, first in model.buffers(1, torch.zeros(50, *model.takes)).items():
        params[name] = torch.rand(first.shape, generator=draws) + (0.5 if name.endswith("variance") else -0.5)
    width = torch.Size(model.takes).numel()
    factor, offset = 0.01 + 0.02 * torch.rand(width, generator=draws), -2 * torch.rand(width, generator=draws)
    cause = {
        "recipe": {"test_views": views},
        "settings": {"flip": flip},
        "data": {"background": "black"},
    }
    word = {"MLP": "mlp"}.get(type(model).__name__, type(model).__name__.lower())
    trained = TrainedModel(
        *(word, model, params, factor, offset, shape, 1 / 255, CLASSES, loss, cause, temperature, features),
        dict(learned),
    )
    return telling(trained)


def telling(trained):
    """The model with scores of mean 0 and deviation 1 on made images: no class is sure, and none is equal to all."""
    images = np.concatenate(list(made_images(trained, program(trained)))).astype(np.float64)
    z = scores(trained, torch.from_numpy(images))
    mean, deviation = z.mean(0).float(), z.std(0).mean().float()
    params = trained.params
    params["scores.weight"] = params["scores.weight"] / deviation
    params["scores.bias"] = (params["scores.bias"] - mean) / deviation
    return trained


def patches():
    draws = torch.Generator().manual_seed(1)
    learned = {name: torch.randn(5, 108, generator=draws) for name in ("centroids",)}
    learned |= {"mean": torch.randn(108, generator=draws) / 9, "whitening": torch.randn(108, 108, generator=draws) / 9}
    learned |= {"center": torch.rand(5, generator=draws), "decorrelation": torch.randn(5, 5, generator=draws)}
    learned["factor"] = torch.tensor(1.0, dtype=torch.float64)
    return made(Linear(20, 3), features="patches", learned=learned)


def codes():
    model = Autoencoder(PIXELS, (9, 6), "tanh")
    learned = {name: tensor.float() for name, tensor in model.init([3], "he").items()}
    learned |= {"factor": torch.full((PIXELS,), 1 / 255), "offset": torch.full((PIXELS,), -0.5)}
    learned["activation"] = torch.tensor(list(b"tanh"), dtype=torch.uint8)
    return made(Linear(6, 3), features="codes", learned=learned)


def ensemble():
    """A mean of two networks of unlike losses and temperatures, one of which looks at several views."""
    parts = made(MLP(PIXELS, 3, (7,)), "sigmoid"), made(ConvNet(SHAPE, 3, "resnet", (4,), 1))
    choices = zip(parts, (0.3, 0.7), (2.0, 1.0), (0.0, 0.5), strict=True)
    described = []
    for k, (one, weight, temperature, flip) in enumerate(choices):
        cause = {"recipe": {"test_views": "flip"}, "settings": {"flip": flip}}
        described.append(EnsemblePart(str(k), weight, one.room_name, asdict(one.model), one.loss, temperature, cause))
    params = {f"{k}.{name}": t for k, one in enumerate(parts) for name, t in one.params.items()}
    model = Ensemble(PIXELS, 3, tuple(described))
    return replace(parts[0], room_name="ensemble", model=model, params=params, loss="softmax", temperature=1.3)


MODELS = {
    "linear": lambda: made(Linear(PIXELS, 3), temperature=1.7),
    "sigmoid loss": lambda: made(Linear(PIXELS, 3), "sigmoid", temperature=0.6),
    "hinge loss, moved": lambda: made(Linear(PIXELS, 3), "hinge", "flip+shift"),
    **{
        f"mlp {word}": lambda word=word: made(MLP(PIXELS, 3, (9, 5), word, 0.3))
        for word in marked("layers", "ACTIVATION")
    },
    "mlp bfloat16": lambda: made(MLP(PIXELS, 3, (9,), narrow=True)),
    "patches": patches,
    "codes": codes,
    "fast": lambda: made(ConvNet(SHAPE, 3, "fast", (6, 4), 2), views="flip+shift", flip=0.5),
    "fast bfloat16": lambda: made(ConvNet(SHAPE, 3, "fast", (6,), 1, narrow=True), views="flip", flip=0.5),
    "fast, large": lambda: made(ConvNet((1, 90, 90), 3, "fast", (4,), 1), shape=(1, 90, 90)),
    "resnet": lambda: made(ConvNet(SHAPE, 3, "resnet", (4, 6), 2)),
    "alexnet": lambda: made(ConvNet(SHAPE, 3, "alexnet", (4, 5, 5, 4, 4), embedding=8, dropout=0.5)),
    "ensemble": ensemble,
}
