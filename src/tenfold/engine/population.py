"""Recipe and settings -> what the loop is handed: model, objective, optimizer, learning rate of every update."""

__all__ = ["Population", "assemble", "built", "column", "first_params"]

from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from tenfold.engine.clipping import clip
from tenfold.engine.objective import Objective, penalize
from tenfold.engine.tasks.classify import classify
from tenfold.engine.types import Batch, Buffers, Grads, Loss, Model, Optimizer, Params, Scalar, Value
from tenfold.recipe import Recipe
from tenfold.rooms import find

DTYPES = {"float32": torch.float32, "bfloat16": torch.float32, "float64": torch.float64}
"""Type of weights and inputs; bfloat16 narrows only what is multiplied."""


class Population(NamedTuple):
    """Members that train together.

    losses: (loss, count) of consecutive members; penalty(params): its value (P,); rate(t): learning rate of update t;
    flip: probability of mirroring an image, a number or (P,).
    """

    model: Model
    losses: tuple[tuple[Loss, int], ...]
    objective: Objective
    penalty: Callable[[Params], Tensor]
    optimizer: Optimizer
    rate: Callable[[int], Scalar]
    flip: Scalar


def built(recipe: Recipe, inputs: int, classes: int) -> Model:
    """The model that a recipe names, for inputs of width D and C classes."""
    narrow = recipe.precision == "bfloat16"
    if recipe.model == "linear":
        return cast(Model, find("models", "linear")(inputs, classes, narrow))
    mlp = find("models", recipe.model)
    return cast(Model, mlp(inputs, classes, recipe.hidden, recipe.activation, recipe.dropout, narrow))


def first_params(recipe: Recipe, settings: Sequence[dict[str, Any]], model: Model, device: torch.device) -> Params:
    """Initial parameters; a member's depend on its own init_seed and the run's seed alone."""
    own = [member.get("init_seed", recipe.init_seed) for member in settings]
    scale = column(recipe, settings, "initializer_scale", torch.float64, torch.device("cpu"))
    params = model.init([recipe.seed * 2**32 + seed for seed in own], recipe.initializer, scale)
    return {name: tensor.to(device, DTYPES[recipe.precision]) for name, tensor in params.items()}


def assemble(
    recipe: Recipe, settings: Sequence[dict[str, Any]], model: Model, steps: int, per_epoch: int, device: torch.device
) -> Population:
    """The pieces of a population of these members. steps: all updates of the run; per_epoch: updates in an epoch."""
    dtype = DTYPES[recipe.precision]
    own = {name: column(recipe, settings, name, dtype, device) for name in NUMBERS}
    losses = tuple((find("losses", word), len(list(run))) for word, run in groupby(m["loss"] for m in settings))
    objective = _clipped(classify(model, losses, own["l1"], own["l2"]), own["clip_norm"])
    make = find("optimizers", recipe.optimizer)
    if recipe.optimizer == "sgd":
        optimizer = make(own["momentum"], recipe.nesterov)
    else:
        optimizer = make(own["beta1"], own["beta2"])
    penalty = partial(_penalty, l1=own["l1"], l2=own["l2"])
    # The draws that it is compared with are made there, in that type.
    flip = column(recipe, settings, "flip", torch.float64, torch.device("cpu"))
    return Population(model, losses, objective, penalty, optimizer, _rate(recipe, own, steps, per_epoch), flip)


NUMBERS = ("learning_rate", "momentum", "beta1", "beta2", "decay_factor", "l1", "l2", "clip_norm")


def column(
    recipe: Recipe, settings: Sequence[dict[str, Any]], name: str, dtype: torch.dtype, device: torch.device
) -> Scalar:
    """One number where all members share it, else (P,)."""
    values = [float(member.get(name, getattr(recipe, name))) for member in settings]
    return values[0] if len(set(values)) == 1 else torch.tensor(values, dtype=dtype, device=device)


def _rate(recipe: Recipe, own: dict[str, Scalar], steps: int, per_epoch: int) -> Callable[[int], Scalar]:
    schedule = find("schedules", recipe.schedule)
    every = recipe.decay_every * (per_epoch if recipe.decay_unit == "epochs" else 1)
    rising = round(recipe.warmup * per_epoch)

    def rate(t: int) -> Scalar:
        factor: Scalar = schedule(t, steps, own["decay_factor"], every)
        return own["learning_rate"] * (factor * min(1.0, (t + 1) / rising) if rising else factor)

    return rate


def _penalty(params: Params, l1: Scalar, l2: Scalar) -> Tensor:
    """The penalty's value alone; its gradient goes nowhere."""
    return penalize(params, {name: torch.zeros_like(tensor) for name, tensor in params.items()}, l1, l2)


def _clipped(objective: Objective, norm: Scalar) -> Objective:
    """The same cost, its gradient clipped for the members that ask for it."""
    if isinstance(norm, float) and norm == 0:
        return objective
    bound = torch.where(norm > 0, norm, torch.inf) if isinstance(norm, Tensor) else norm

    def clipped(params: Params, buffers: Buffers, batch: Batch) -> tuple[Value, Grads, Buffers]:
        value, grads, buffers = objective(params, buffers, batch)
        clip(grads, bound)
        return value, grads, buffers

    return clipped
