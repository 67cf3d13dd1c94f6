"""What a model shows on a few hundred images of a data set: scores, gradients at each layer, and a short training."""

__all__ = ["Learned", "Seen", "Stepped", "Trial", "learned", "seen", "stepped", "trial"]

import math
from typing import NamedTuple

import torch
from torch import Tensor

from tenfold.choices import members
from tenfold.data.batches import Part, inputs, sampler, steps_per_epoch
from tenfold.data.types import Dataset
from tenfold.engine import loop
from tenfold.engine.population import Population, assemble, built, first_params
from tenfold.engine.types import Loss, Params
from tenfold.recipe import Recipe
from tenfold.runs.prepare import parts, parts_of

CPU = torch.device("cpu")


class Trial(NamedTuple):
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


class Seen(NamedTuple):
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
    """A few images, stepped on until they were known: how many are right, their loss, the step, whether it failed."""

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


def trial(recipe: Recipe, dataset: Dataset, count: int) -> Trial:
    """The model of a recipe, untrained. count: images that it is looked at on."""
    part = parts(recipe, dataset, {"train": parts_of(recipe, dataset)["train"]}, CPU)["train"]
    model, settings = built(recipe, part.image_shape, len(dataset.class_names)), members(recipe)[:1]
    updates = steps_per_epoch(len(part.rows), recipe.batch_size)
    population = assemble(recipe, settings, model, recipe.epochs * updates, updates, CPU)
    return Trial(recipe, population, first_params(recipe, settings, model, CPU), part, _spread(part, count))


def seen(trial: Trial, params: Params) -> Seen:
    """What the model makes of the trial's images."""
    x, y = (
        inputs(trial.part, trial.part.images[trial.rows], trial.population.model.takes),
        trial.part.labels[trial.rows],
    )
    links = trial.population.model.links({})
    pulls, outputs, h = [], {}, x
    for link in links:
        h, pull = link.layer(h, *(params[name] for name in link.weights))
        pulls.append(pull)
        if not link.weights:
            outputs[link.name.partition(".")[0]] = h[0]
    value, d = trial.loss(h, y)
    classes, flow = h.shape[-1], {}
    guessing = float(trial.loss(torch.zeros_like(h), y)[0])
    uninformed = sum(float(trial.loss(h, (y + k) % classes)[0]) for k in range(classes)) / classes
    for link, pull in zip(reversed(links), reversed(pulls), strict=True):
        if link.weights:
            flow[link.name] = float(d.square().mean().sqrt())
        d = pull(d, need_dx=link is not links[0])[0]
    return Seen(h[0], float(value), guessing, uninformed, dict(reversed(flow.items())), outputs)


def learned(trial: Trial, count: int, steps: int, share: float) -> Learned:
    """Full batches of a few images, until all are right and cost less than a share of what guessing costs."""
    part = trial.part._replace(rows=_spread(trial.part, count))
    images, y = len(part.rows), part.labels[part.rows]
    zeros = torch.zeros(1, images, trial.population.model.classes, dtype=part.factor.dtype)
    enough = share * float(trial.loss(zeros, y)[0])
    batches = sampler(part, images, trial.recipe.seed, "shuffle", 0.0, trial.population.model.takes, lambda size: {})
    right, loss, step = 0, math.nan, 0
    population = trial.population
    start = loop.start(trial.params, population.optimizer)
    for state, value in loop.train(population.objective, population.optimizer, population.rate, batches, start, steps):
        right, loss, step = round(float(value.accuracy) * images), float(value.loss), state.step
        if int(state.status) < 0:
            return Learned(right, images, loss, step, True)
        if right == images and loss < enough:
            break
    return Learned(right, images, loss, step, False)


def stepped(trial: Trial, steps: int, skip: int) -> Stepped:
    """Some steps on the training part. skip: steps at the start whose size does not count."""
    recipe, population = trial.recipe, trial.population
    model = population.model
    batches = sampler(
        trial.part, recipe.batch_size, recipe.seed, recipe.sampling, population.flip, model.takes, model.noise
    )
    start, failed = loop.start(trial.params, population.optimizer), 0
    before = {name: tensor.clone() for name, tensor in trial.params.items()}
    sizes: dict[str, list[float]] = {name: [] for name in before if name.endswith("weight")}
    for state, _ in loop.train(population.objective, population.optimizer, population.rate, batches, start, steps):
        if int(state.status) < 0:
            failed = -int(state.status)
            break
        for name, ratios in sizes.items() if state.step > skip else ():
            ratios.append(_ratio(state.params[name], before[name]))
        before = {name: tensor.clone() for name, tensor in state.params.items()}
    median = {name.rpartition(".")[0]: _median(ratios) for name, ratios in sizes.items()}
    return Stepped(before, median, failed)


def _ratio(after: Tensor, before: Tensor) -> float:
    size = float(before.norm())
    moved = float((after - before).norm())
    return moved / size if size else math.inf if moved else 0.0


def _median(values: list[float]) -> float:
    return float(torch.tensor(values, dtype=torch.float64).median()) if values else math.nan


def _spread(part: Part, count: int) -> Tensor:
    """Some rows of a part, at equal distances, so that every class of a sorted data set is among them."""
    return part.rows[torch.linspace(0, len(part.rows) - 1, min(count, len(part.rows))).long()]
