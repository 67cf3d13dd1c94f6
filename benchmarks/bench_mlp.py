"""MNIST, MLP 784-256-128-64-32-10, batch 128, one epoch of 60,000 images: Tenfold against torch and scikit-learn."""

from itertools import pairwise
from pathlib import Path

import torch
from sklearn.neural_network import MLPClassifier

import tenfold
from sidebyside import Contestant, arguments, compare, report
from tenfold import loop
from tenfold.batches import Part, sampler, steps_per_epoch
from tenfold.population import assemble, built, first_params
from tenfold.recipe import Recipe, members
from tenfold.standardizations import unit

BATCH, HIDDEN = 128, (256, 128, 64, 32)


def ours(part: Part, optimizer: str) -> Contestant:
    """One epoch of a single member through the package's own loop."""
    recipe = Recipe(model="mlp", hidden=HIDDEN, optimizer=optimizer, learning_rate=0.001, batch_size=BATCH)
    model = built(recipe, part.factor.numel(), 10)
    steps = steps_per_epoch(len(part.rows), BATCH)
    parts = assemble(recipe, members(recipe), model, steps, steps, torch.device("cpu"))
    state = loop.start(first_params(recipe, members(recipe), model, torch.device("cpu")), parts.optimizer)
    batches = sampler(part, BATCH, 0, "shuffle", 0.0, model.noise)

    def run() -> None:
        for _ in loop.train(parts.objective, parts.optimizer, parts.rate, batches, state, steps):
            pass

    return Contestant(f"tenfold {optimizer}", run)


def eager(x: torch.Tensor, y: torch.Tensor, make: type[torch.optim.Optimizer]) -> None:
    """An expert's loop: float tensors resident, one gather a step."""
    widths = (x.shape[1], *HIDDEN, 10)
    layers = [torch.nn.Linear(a, b) for a, b in pairwise(widths)]
    model = torch.nn.Sequential(*[part for layer in layers for part in (layer, torch.nn.ReLU())][:-1])
    optimizer = make(model.parameters(), lr=0.001)
    for rows in torch.randperm(len(x)).split(BATCH):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
        optimizer.step()


def sklearn(x: torch.Tensor, y: torch.Tensor, solver: str) -> None:
    MLPClassifier(HIDDEN, solver=solver, batch_size=BATCH, max_iter=1, momentum=0.0).fit(x.numpy(), y.numpy())


def main() -> None:
    import warnings

    warnings.filterwarnings("ignore", module="sklearn")  # one epoch does not converge, and is not meant to
    options = arguments(5)
    dataset = tenfold.load("mnist")
    rows = dataset.parts["train"]
    factor, offset = (t.float() for t in unit(dataset.images, rows, dataset.scale))
    part = Part(dataset.images, dataset.labels, rows, factor, offset)
    x = dataset.images[rows].flatten(1).float() / 255
    y = dataset.labels[rows]
    contestants = [
        Contestant("torch eager sgd", lambda: eager(x, y, torch.optim.SGD)),
        Contestant("torch eager adam", lambda: eager(x, y, torch.optim.Adam)),
        Contestant("scikit-learn MLPClassifier sgd", lambda: sklearn(x, y, "sgd")),
        Contestant("scikit-learn MLPClassifier adam", lambda: sklearn(x, y, "adam")),
        ours(part, "sgd"),
        ours(part, "adam"),
    ]
    budgets = [
        (f"tenfold {kind}", f"{other} {kind}", 1 / 1.3)
        for kind in ("sgd", "adam")
        for other in ("torch eager", "scikit-learn MLPClassifier")
    ]
    title = f"MNIST MLP 784-256-128-64-32-10, batch {BATCH}, one epoch, median of {options.rounds} rounds in turn"
    report(title, compare(contestants, options.rounds), budgets, options.json or Path("bench_mlp.json"))


main()
