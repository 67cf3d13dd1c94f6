"""A process that follows another one: it computes the gradient of its share of each batch that it is sent."""

__all__ = ["follow"]

import json
from contextlib import nullcontext

import torch

from tenfold.engine import products
from tenfold.engine.objective import Objective
from tenfold.engine.parallel import END, TASK, Message, Team, share_of, using
from tenfold.engine.population import assemble, built
from tenfold.engine.types import Batch, Params
from tenfold.recipe import Recipe


def follow(group: Team) -> None:
    """Take part in every step of the leading process, until it lets this one go. A LostError where it is gone."""
    objective, route = None, ""
    while (message := group.receive()).kind != END:
        if message.kind == TASK:
            objective, route = _population(group, message.text)
        elif objective:
            with products.using(route) if route else nullcontext():
                _step(group, objective, message)


def _population(group: Team, text: str) -> tuple[Objective, str]:
    """Make the population that the leading process trains; penalties and clipping are left to it."""
    task = json.loads(text)
    recipe = Recipe(**task["recipe"]).model_copy(update={"l1": 0.0, "l2": 0.0, "clip_norm": 0.0})
    settings = [{**member, "l1": 0.0, "l2": 0.0, "clip_norm": 0.0} for member in task["settings"]]
    group.device = torch.device(task["device"])
    model = built(recipe, task["takes"], task["classes"])
    return assemble(recipe, settings, model, task["steps"], task["per_epoch"], group.device).objective, task["products"]


def _step(group: Team, objective: Objective, message: Message) -> None:
    """Compute this process's part of a step."""
    numbers = json.loads(group.layout)["numbers"]
    params, buffers, noise, sent = (_below(message, kind) for kind in ("params", "buffers", "noise", "batch"))
    whole = Batch(**{"weight": 1.0, **numbers, **sent}, noise=noise)
    mine = share_of(whole, group.rank, group.size)
    with using(group), group.stepping():
        value, grads, _ = objective(params, buffers, mine)
    group.added(value, {name: grads[name] for name in params}, len(mine.targets) / len(whole.targets))


def _below(message: Message, kind: str) -> Params:
    return {
        name.removeprefix(f"{kind}/"): tensor for name, tensor in message.tensors.items() if name.startswith(f"{kind}/")
    }
