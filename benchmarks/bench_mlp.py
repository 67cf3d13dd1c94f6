"""MNIST, MLP 784-256-128-64-32-10, batch 128, one epoch of 60,000 images: Tenfold against torch and scikit-learn."""

import warnings
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import pairwise

import torch

import tenfold
from sidebyside import Budget, main
from tenfold.choices import members
from tenfold.data.batches import Changes, Part, sampler, steps_per_epoch
from tenfold.data.standardizations import unit
from tenfold.engine import loop
from tenfold.engine.population import assemble, built, first_params
from tenfold.recipe import Recipe

BATCH, HIDDEN, CPU = 128, (256, 128, 64, 32), torch.device("cpu")


def part() -> Part:
    dataset = tenfold.load("mnist")
    rows = dataset.parts["train"]
    factor, offset = (t.float() for t in unit(dataset.images, rows, dataset.scale))
    return Part(dataset.images, dataset.labels, rows, factor, offset)


def floats() -> tuple[torch.Tensor, torch.Tensor]:
    own = part()
    return own.images[own.rows].flatten(1).float() / 255, own.labels[own.rows]


def ours(optimizer: str) -> Callable[[], object]:
    """A single member through the package's own loop."""
    recipe = Recipe(model="mlp", hidden=HIDDEN, optimizer=optimizer, learning_rate=0.001, batch_size=BATCH)
    own, settings = part(), members(recipe)
    model = built(recipe, own.image_shape, 10)
    steps = steps_per_epoch(len(own.rows), BATCH)
    pieces = assemble(recipe, settings, model, steps, steps, CPU)
    state = loop.start(first_params(recipe, settings, model, CPU), pieces.optimizer)
    batches = sampler(own, BATCH, 0, "shuffle", Changes(), model.takes, model.noise)
    return lambda: deque(loop.train(pieces.objective, pieces.optimizer, pieces.rate, batches, state, steps), 0)


def eager(make: type[torch.optim.Optimizer]) -> Callable[[], object]:
    """An expert's loop: float tensors resident, one gather a step."""
    x, y = floats()

    def epoch() -> None:
        layers = [torch.nn.Linear(a, b) for a, b in pairwise((x.shape[1], *HIDDEN, 10))]
        model = torch.nn.Sequential(*[module for layer in layers for module in (layer, torch.nn.ReLU())][:-1])
        optimizer = make(model.parameters(), lr=0.001)
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def sklearn(solver: str) -> Callable[[], object]:
    from sklearn.neural_network import MLPClassifier

    warnings.filterwarnings("ignore", module="sklearn")  # one epoch does not converge, and is not meant to
    x, y = (t.numpy() for t in floats())
    return lambda: MLPClassifier(HIDDEN, solver=solver, batch_size=BATCH, max_iter=1, momentum=0.0).fit(x, y)


main(
    f"MNIST MLP 784-{'-'.join(map(str, HIDDEN))}-10, batch {BATCH}, one epoch",
    {
        "torch eager sgd": (partial(eager, torch.optim.SGD), 1),
        "torch eager adam": (partial(eager, torch.optim.Adam), 1),
        "scikit-learn sgd": (partial(sklearn, "sgd"), 1),
        "scikit-learn adam": (partial(sklearn, "adam"), 1),
        "tenfold sgd": (partial(ours, "sgd"), 1),
        "tenfold adam": (partial(ours, "adam"), 1),
    },
    [
        Budget(f"tenfold {kind}", f"{other} {kind}", 1 / 1.3)
        for kind in ("sgd", "adam")
        for other in ("torch eager", "scikit-learn")
    ],
)
