"""CIFAR-10, linear softmax, batch 100, one epoch of 50,000 images: Tenfold against what one would write otherwise.

Needs the real data (TENFOLD_DATA, or they are downloaded). The others get float pixels, standardized beforehand and
resident; Tenfold keeps its pixels as bytes and standardizes batch by batch, as in every run.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

import torch

import tenfold
from sidebyside import Budget, main
from tenfold.choices import members
from tenfold.data.batches import Changes, Part, sampler
from tenfold.data.standardizations import pixel
from tenfold.engine import loop
from tenfold.engine.population import assemble, built, first_params
from tenfold.recipe import Recipe

BATCH, STEPS, CPU = 100, 500, torch.device("cpu")


def part() -> Part:
    dataset = tenfold.load("cifar10")
    rows = dataset.parts["train"]
    factor, offset = (t.float() for t in pixel(dataset.images, rows, dataset.scale))
    return Part(dataset.images, dataset.labels, rows, factor, offset)


def floats() -> tuple[torch.Tensor, torch.Tensor]:
    own = part()
    return torch.addcmul(own.offset, own.images[own.rows].flatten(1).float(), own.factor), own.labels[own.rows]


def ours(population: int, precision: str) -> Callable[[], object]:
    """A population over learning rates, through the package's own loop."""
    rates = tuple(float(r) for r in torch.logspace(-4, -1, population)) if population > 1 else 0.01
    recipe = Recipe(data="cifar10", learning_rate=rates, batch_size=BATCH, precision=precision)
    own, settings = part(), members(recipe)
    model = built(recipe, own.image_shape, 10)
    pieces = assemble(recipe, settings, model, STEPS, STEPS, CPU)
    state = loop.start(first_params(recipe, settings, model, CPU), pieces.optimizer)
    batches = sampler(own, BATCH, 0, "shuffle", Changes(), model.takes, model.noise)
    return lambda: deque(loop.train(pieces.objective, pieces.optimizer, pieces.rate, batches, state, STEPS), 0)


def eager() -> Callable[[], object]:
    """An expert's loop: one gather a step, nothing else that is not needed."""
    x, y = floats()

    def epoch() -> None:
        model = torch.nn.Linear(x.shape[1], 10)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()

    return epoch


def tutorial() -> Callable[[], object]:
    """As tutorials write it."""
    from torch.utils.data import DataLoader, TensorDataset

    x, y = floats()

    def epoch() -> None:
        model = torch.nn.Linear(x.shape[1], 10)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        for images, labels in DataLoader(TensorDataset(x, y), BATCH, shuffle=True):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()

    return epoch


def sklearn() -> Callable[[], object]:
    from sklearn.linear_model import SGDClassifier

    x, y = (t.numpy() for t in floats())
    return lambda: SGDClassifier(
        loss="log_loss", max_iter=1, tol=None, learning_rate="constant", eta0=0.01, n_jobs=2
    ).fit(x, y)


if __name__ == "__main__":
    main(
        f"CIFAR-10 linear softmax, batch {BATCH}, one epoch",
        {
            "torch eager": (eager, 1),
            "torch DataLoader": (tutorial, 1),
            "scikit-learn SGDClassifier": (sklearn, 1),
            "tenfold P = 1 float32": (partial(ours, 1, "float32"), 1),
            "tenfold P = 64 float32": (partial(ours, 64, "float32"), 64),
            "tenfold P = 64 bfloat16": (partial(ours, 64, "bfloat16"), 64),
        },
        [
            Budget("tenfold P = 64 float32", "torch eager", 1 / 10),
            Budget("tenfold P = 64 bfloat16", "torch eager", 1 / 16),
            Budget("tenfold P = 1 float32", "torch eager", 1 / 1.8),
            Budget("tenfold P = 64 float32", "scikit-learn SGDClassifier", 1 / 80),
            Budget("tenfold P = 64 float32", "torch DataLoader", 1 / 10),
        ],
    )
