"""Recipe and settings -> what the loop is handed: model, objective, optimizer, learning rate of every update."""

__all__ = ["DTYPES", "Population", "assemble", "built", "column", "first_params", "optimizer_of"]

import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from tenfold.engine.encoder import asked, encoder
from tenfold.engine.objective import Objective, clip, penalize
from tenfold.engine.parallel import current, together
from tenfold.engine.products import route
from tenfold.engine.types import Batch, Buffers, Grads, Loss, Model, Optimizer, Params, Scalar, Value
from tenfold.errors import UsageError
from tenfold.files import as_json
from tenfold.recipe import Recipe, Settings
from tenfold.rooms import beside, declared, find, numbers

DTYPES = {"float32": torch.float32, "bfloat16": torch.float32, "float64": torch.float64}
"""Type of weights and inputs; bfloat16 narrows only what is multiplied."""


class Population(NamedTuple):
    """Members that train together.

    losses: (loss, count) of consecutive members; alone: the loss of each member by itself; penalty(params): its value
    (P,); rate(t): learning rate of update t, or of a moment between two where a schedule is stretched; flip:
    probability of mirroring an image, a number or (P,). recipe, settings: what it was assembled from.
    """

    model: Model
    losses: tuple[tuple[Loss, int], ...]
    alone: tuple[Loss, ...]
    objective: Objective
    penalty: Callable[[Params], Tensor]
    optimizer: Optimizer
    rate: Callable[[float], Scalar]
    flip: Scalar
    recipe: Recipe
    settings: tuple[Settings, ...]


def built(recipe: Recipe, image_shape: Sequence[int], classes: int) -> Model:
    """Build the model that a recipe names. image_shape: (channels, H, W) of what it sees."""
    build = beside("models", recipe.model, "built")
    if recipe.task == "contrast":
        return encoder(recipe, build(recipe, tuple(image_shape), 0))
    return cast(Model, build(recipe, tuple(image_shape), classes))


def first_params(recipe: Recipe, settings: Sequence[Settings], model: Model, device: torch.device) -> Params:
    """Draw the first parameters; a member's depend on its own init_seed and the run's seed alone."""
    member_seeds = [member.get("init_seed", recipe.init_seed) for member in settings]
    scale = column(recipe, settings, "initializer_scale", torch.float64, torch.device("cpu"))
    params = model.init([recipe.seed * 2**32 + seed for seed in member_seeds], recipe.initializer, scale)
    return {name: tensor.to(device, DTYPES[recipe.precision]) for name, tensor in params.items()}


def assemble(
    recipe: Recipe, settings: Sequence[Settings], model: Model, steps: int, per_epoch: int, device: torch.device
) -> Population:
    """Build what the loop is handed. settings: of each member; steps: all updates; per_epoch: updates in an epoch."""
    of_members = partial(column, recipe, dtype=DTYPES[recipe.precision], device=device)
    l1, l2, clip_norm, learning_rate = (
        of_members(settings, name) for name in ("l1", "l2", "clip_norm", "learning_rate")
    )
    if recipe.task == "contrast":
        asked(recipe, settings)  # members share their batches
        if current():
            raise UsageError("task contrast: pairs need the whole batch in one process; start it without torchrun")
    runs = [(word, list(run)) for word, run in groupby(settings, key=lambda member: member["loss"])]
    losses = tuple((_loss(recipe, run, word, device), len(run)) for word, run in runs)
    task = partial(_task, recipe, settings, model, steps, per_epoch, device)
    schedule = _declared("schedules", recipe.schedule, recipe, settings, device)
    return Population(
        model,
        losses,
        tuple(_loss(recipe, [member], member["loss"], device) for member in settings),
        _clipped(together(find("tasks", recipe.task)(model, losses, l1, l2), task), clip_norm),
        partial(_penalty, l1=l1, l2=l2),
        optimizer_of(recipe, settings, device),
        partial(_rate, schedule, learning_rate, steps, per_epoch, round(recipe.warmup * per_epoch)),
        # The draws that it is compared with are made there, in that type.
        column(recipe, settings, "flip", torch.float64, torch.device("cpu")),
        recipe,
        tuple(settings),
    )


def _task(
    recipe: Recipe, settings: Sequence[Settings], model: Model, steps: int, per_epoch: int, device: torch.device
) -> str:
    """Return the arguments of `assemble` for another process, and its product route, as JSON."""
    shapes = {"takes": (*model.takes, 1, 1)[:3], "classes": model.classes}
    counts = {"steps": steps, "per_epoch": per_epoch, "device": device.type, "products": route()}
    return json.dumps(as_json({"recipe": recipe.model_dump(), "settings": list(settings), **shapes, **counts}))


def optimizer_of(recipe: Recipe, settings: Sequence[Settings], device: torch.device) -> Optimizer:
    """Build the optimizer of members with these settings."""
    return cast(Optimizer, _declared("optimizers", recipe.optimizer, recipe, settings, device)())


def column(recipe: Recipe, settings: Sequence[Settings], name: str, dtype: torch.dtype, device: torch.device) -> Scalar:
    """Return a field of the settings as one number where all members share it, else (P,)."""
    values = [float(member.get(name, getattr(recipe, name))) for member in settings]
    return values[0] if len(set(values)) == 1 else torch.tensor(values, dtype=dtype, device=device)


def _declared(
    room: str, word: str, recipe: Recipe, settings: Sequence[Settings], device: torch.device
) -> Callable[..., Any]:
    """Bind the numbers that an entry declares, those that vary as (P,) where members differ."""
    dtype = DTYPES[recipe.precision]
    bound = {
        number.name: column(recipe, settings, number.name, dtype, device)
        if number.varies
        else getattr(recipe, number.name)
        for number in numbers(room, word)
    }
    return partial(find(room, word), **bound) if bound else cast(Callable[..., Any], find(room, word))


def _loss(recipe: Recipe, settings: Sequence[Settings], word: str, device: torch.device) -> Loss:
    return _declared(declared("tasks", recipe.task, "LOSSES", "losses"), word, recipe, settings, device)


def _rate(
    schedule: Callable[..., Scalar], learning_rate: Scalar, steps: int, per_epoch: int, rising: int, t: float
) -> Scalar:
    """Return the learning rate of update t; rising: updates of the warm-up."""
    factor = schedule(t, steps, per_epoch)
    return learning_rate * (factor * min(1.0, (t + 1) / rising) if rising else factor)


def _penalty(params: Params, l1: Scalar, l2: Scalar) -> Tensor:
    """Return the penalty's value alone; its gradient goes nowhere."""
    return penalize(params, {name: torch.zeros_like(tensor) for name, tensor in params.items()}, l1, l2)


def _clipped(objective: Objective, norm: Scalar) -> Objective:
    """Return the same cost, its gradient clipped for the members that ask for it."""
    if isinstance(norm, float) and norm == 0:
        return objective
    bound = torch.where(norm > 0, norm, torch.inf) if isinstance(norm, Tensor) else norm

    def clipped(params: Params, buffers: Buffers, batch: Batch) -> tuple[Value, Grads, Buffers]:
        value, grads, buffers = objective(params, buffers, batch)
        clip(grads, bound)
        return value, grads, buffers

    return clipped
