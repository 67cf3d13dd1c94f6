"""CIFAR-10, linear softmax, batch 100, one epoch of 50,000 images: Tenfold against what one would write otherwise.

Needs the real data (TENFOLD_DATA, or they are downloaded). Everybody gets the same standardized pixels, the same order
of magnitude of updates and two threads at most; Tenfold keeps its pixels as bytes and standardizes batch by batch.
"""

from pathlib import Path

import torch
from sklearn.linear_model import SGDClassifier
from torch.utils.data import DataLoader, TensorDataset

import tenfold
from sidebyside import Contestant, arguments, compare, report
from tenfold import loop
from tenfold.batches import Part, sampler
from tenfold.population import assemble, built, first_params
from tenfold.recipe import Recipe, members
from tenfold.standardizations import pixel

BATCH, STEPS = 100, 500


def ours(part: Part, population: int, precision: str = "float32") -> Contestant:
    """One epoch of a population over learning rates, through the package's own loop."""
    rates = tuple(float(r) for r in torch.logspace(-4, -1, population)) if population > 1 else 0.01
    recipe = Recipe(data="cifar10", learning_rate=rates, batch_size=BATCH, precision=precision)
    model = built(recipe, part.factor.numel(), 10)
    parts = assemble(recipe, members(recipe), model, STEPS, STEPS, torch.device("cpu"))
    state = loop.start(first_params(recipe, members(recipe), model, torch.device("cpu")), parts.optimizer)
    batches = sampler(part, BATCH, 0, "shuffle", 0.0, model.noise)

    def run() -> None:
        for _ in loop.train(parts.objective, parts.optimizer, parts.rate, batches, state, STEPS):
            pass

    return Contestant(f"tenfold P = {population} {precision}", run, population)


def eager(x: torch.Tensor, y: torch.Tensor) -> None:
    """An expert's loop: float tensors resident, one gather a step."""
    model = torch.nn.Linear(x.shape[1], 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for rows in torch.randperm(len(x)).split(BATCH):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()


def tutorial(x: torch.Tensor, y: torch.Tensor) -> None:
    """As tutorials write it: a DataLoader over the resident tensors."""
    model = torch.nn.Linear(x.shape[1], 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for images, labels in DataLoader(TensorDataset(x, y), BATCH, shuffle=True):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()


def main() -> None:
    options = arguments(5)
    dataset = tenfold.load("cifar10")
    rows = dataset.parts["train"]
    factor, offset = (t.float() for t in pixel(dataset.images, rows, dataset.scale))
    part = Part(dataset.images, dataset.labels, rows, factor, offset)
    x = torch.addcmul(offset, dataset.images[rows].flatten(1).float(), factor)
    y = dataset.labels[rows]
    sgd = SGDClassifier(loss="log_loss", max_iter=1, tol=None, learning_rate="constant", eta0=0.01, n_jobs=2)
    contestants = [
        Contestant("torch eager", lambda: eager(x, y)),
        Contestant("torch DataLoader", lambda: tutorial(x, y)),
        Contestant("scikit-learn SGDClassifier", lambda: sgd.fit(x.numpy(), y.numpy())),
        ours(part, 1),
        ours(part, 64),
        ours(part, 64, "bfloat16"),
    ]
    budgets = [
        ("tenfold P = 64 float32", "torch eager", 1 / 10),
        ("tenfold P = 64 bfloat16", "torch eager", 1 / 16),
        ("tenfold P = 1 float32", "torch eager", 1 / 1.8),
        ("tenfold P = 64 float32", "scikit-learn SGDClassifier", 1 / 80),
    ]
    title = f"CIFAR-10 linear softmax, batch {BATCH}, one epoch, median of {options.rounds} rounds in turn"
    report(title, compare(contestants, options.rounds), budgets, options.json or Path("bench_linear.json"))


main()
