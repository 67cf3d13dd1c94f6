"""Observations of a model on a few hundred images: scores, gradients at each layer, and a short training."""

__all__ = ["Learned", "Observed", "Stepped", "Untrained", "learned", "observed", "stepped", "untrained"]

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from tenfold.data.batches import Part, inputs, sampler, steps_per_epoch
from tenfold.data.types import Dataset
from tenfold.engine import loop
from tenfold.engine.population import Population, assemble, built, first_params
from tenfold.engine.types import Batch, Loss, Params, State, Value
from tenfold.recipe import Recipe, members
from tenfold.runs.prepare import parts, parts_of

CPU = torch.device("cpu")


class Untrained(NamedTuple):
    """A single model with its first parameters, and the training part that it is tried on.

    rows: positions of some of its images, at equal distances.
    """

    recipe: Recipe
    population: Population
    params: Params
    part: Part
    rows: Tensor

    @property
    def loss(self) -> Loss:
        """The loss of the scores."""
        return self.population.losses[0][0]

    def trained(self, batches: Callable[[int], Batch], steps: int) -> Iterator[tuple[State, Value]]:
        """Yield state and measurements after each of some steps from the first parameters."""
        population = self.population
        start = loop.start(self.params, population.optimizer)
        return loop.train(population.objective, population.optimizer, population.rate, batches, start, steps)


class Observed(NamedTuple):
    """One forward and backward pass.

    scores: (B, C). loss: mean; guessing: that of zero scores; uninformed: that of these scores if the labels had
    nothing to do with them.
    flow: rms of ∂L/∂z by affine layer. outputs: of each activation (B, H), by its layer.
    """

    scores: Tensor
    loss: float
    guessing: float
    uninformed: float
    flow: dict[str, float]
    outputs: dict[str, Tensor]


class Learned(NamedTuple):
    """A few images, stepped on until they were learned: how many are right, their loss, the step, true if it failed."""

    right: int
    images: int
    loss: float
    step: int
    failed: bool


class Stepped(NamedTuple):
    """Some steps of training. params: after them; ratios: median ‖Δw‖/‖w‖ by layer; failed: step, 0 for none."""

    params: Params
    ratios: dict[str, float]
    failed: int


def untrained(recipe: Recipe, dataset: Dataset, count: int) -> Untrained:
    """Return the model of a recipe with its first parameters. count: images that it is looked at on."""
    part = parts(recipe, dataset, {"train": parts_of(recipe, dataset)["train"]}, CPU)["train"]
    model, settings = built(recipe, len(part.factor), len(dataset.class_names)), members(recipe)[:1]
    updates = steps_per_epoch(len(part.rows), recipe.batch_size)
    population = assemble(recipe, settings, model, recipe.epochs * updates, updates, CPU)
    return Untrained(recipe, population, first_params(recipe, settings, model, CPU), part, _spread(part, count))


def observed(model: Untrained, params: Params) -> Observed:
    """Run the model forward and backward on its images."""
    x, y = inputs(model.part, model.part.images[model.rows]), model.part.labels[model.rows]
    links = model.population.model.links({})
    pulls, outputs, h = [], {}, x
    for link in links:
        h, pull = link.layer(h, *(params[name] for name in link.weights))
        pulls.append(pull)
        if not link.weights:
            outputs[link.name.partition(".")[0]] = h[0]
    value, d = model.loss(h, y)
    classes, flow = h.shape[-1], {}
    guessing = float(model.loss(torch.zeros_like(h), y)[0])
    uninformed = sum(float(model.loss(h, (y + k) % classes)[0]) for k in range(classes)) / classes
    for link, pull in zip(reversed(links), reversed(pulls), strict=True):
        if link.weights:
            flow[link.name] = float(d.square().mean().sqrt())
        d = pull(d, need_dx=link is not links[0])[0]
    return Observed(h[0], float(value), guessing, uninformed, dict(reversed(flow.items())), outputs)


def learned(model: Untrained, count: int, steps: int, share: float) -> Learned:
    """Take full batches of a few images, until all are right and cost less than a share of what guessing costs."""
    part = model.part._replace(rows=_spread(model.part, count))
    images, y = len(part.rows), part.labels[part.rows]
    zeros = torch.zeros(1, images, model.population.model.classes, dtype=part.factor.dtype)
    enough = share * float(model.loss(zeros, y)[0])
    batches = sampler(part, images, model.recipe.seed, "shuffle", 0.0, lambda size: {})
    result = Learned(0, images, math.nan, 0, False)
    for state, value in model.trained(batches, steps):
        right, failed = round(float(value.accuracy) * images), int(state.status) < 0
        result = Learned(right, images, float(value.loss), state.step, failed)
        if failed or (right == images and result.loss < enough):
            break
    return result


def stepped(model: Untrained, steps: int, skip: int) -> Stepped:
    """Take some steps on the training part. skip: steps at the start whose size does not count."""
    recipe, population = model.recipe, model.population
    noise = population.model.noise
    batches = sampler(model.part, recipe.batch_size, recipe.seed, recipe.sampling, population.flip, noise)
    failed, before = 0, {name: tensor.clone() for name, tensor in model.params.items()}
    sizes: dict[str, list[float]] = {name: [] for name in before if name.endswith("weight")}
    for state, _ in model.trained(batches, steps):
        if int(state.status) < 0:
            failed = -int(state.status)
            break
        for name, ratios in sizes.items() if state.step > skip else ():
            ratios.append(_ratio(state.params[name], before[name]))
        before = {name: tensor.clone() for name, tensor in state.params.items()}
    median = {name.rpartition(".")[0]: _median(ratios) for name, ratios in sizes.items()}
    return Stepped(before, median, failed)


def _ratio(after: Tensor, before: Tensor) -> float:
    size, moved = float(before.norm()), float((after - before).norm())
    return moved / size if size else math.inf if moved else 0.0


def _median(values: list[float]) -> float:
    return float(torch.tensor(values, dtype=torch.float64).median()) if values else math.nan


def _spread(part: Part, count: int) -> Tensor:
    """Return some rows of a part, at equal distances, so that every class of a sorted data set is among them."""
    return part.rows[torch.linspace(0, len(part.rows) - 1, min(count, len(part.rows))).long()]
