"""The ladder that `fit` climbs: its rungs, what each changes in a recipe, and the share of time that each may take."""

__all__ = ["DEFAULTS", "LADDER", "POPULATIONS", "Rung", "batch_for", "varied", "within_memory"]

import math
from typing import NamedTuple

from tenfold.recipe import Recipe, Settings


class Rung(NamedTuple):
    """One step of the ladder.

    share: of the time that is left when it starts. epochs: at most, more where they are short. thin: from this fraction
    of its schedule so many members stay (successive halving, Jamieson and Talwalkar 2016). choices: what it changes.
    widths: networks, the widest first; the first of which enough passes fit into the time is trained.
    """

    name: str
    share: float
    epochs: int
    thin: dict[float, int]
    choices: Settings
    widths: tuple[tuple[int, ...], ...] = ()


DEFAULTS = {"kind": "fit", "flip": "photographs", "audit": True, "ensemble": True}
"""Choices that `fit` makes where a recipe makes others."""

COMMON = {"schedule": "cosine", "momentum": 0.9, "patience": 12}
LINEAR = {**COMMON, "initializer": "zero", "l2": (0.0, 1e-3, 1e-2, 1e-1)}
MLP = {
    **COMMON,
    "model": "mlp",
    "batch_size": 128,
    "nesterov": True,
    "learning_rate": (0.003, 0.01, 0.03, 0.1),
    "l2": (0.0, 1e-4, 3e-4, 1e-3),
}
HALVING = {0.1: 8, 0.2: 4, 0.5: 2}
LADDER = (
    Rung("linear-softmax", 0.035, 100, {}, {**LINEAR, "loss": "softmax", "learning_rate": (1e-4, 3e-4, 1e-3, 3e-3)}),
    Rung("linear-hinge", 0.035, 100, {}, {**LINEAR, "loss": "hinge", "learning_rate": (3e-5, 1e-4, 3e-4, 1e-3)}),
    Rung("linear-sigmoid", 0.035, 100, {}, {**LINEAR, "loss": "sigmoid", "learning_rate": (1e-3, 3e-3, 1e-2, 3e-2)}),
    Rung("mlp-256", 0.11, 40, HALVING, {**MLP, "hidden": (256,)}),
    Rung("convnet", 1.0, 60, {}, {"model": "convnet"}, ((64, 256, 256), (32, 128, 128), (16, 64, 64))),
)

# Updates in an epoch of a network, as far as batches of some size allow.
UPDATES, BATCHES = 90, (32, 500)

# Bytes that the weights of a rung's members take together: gradients, momentum, the best so far and what is written to
# disk are as large, about eight copies in all.
COPY, FLOAT = 64 * 2**20, 4

# How many networks are trained where time allows, and what their learning rates and decays are multiplied by.
POPULATIONS: dict[int, dict[str, tuple[float, ...]]] = {
    1: {},
    2: {"learning_rate": (1.0, 0.5)},
    4: {"learning_rate": (1.0, 0.5), "weight_decay": (1.0, 3.0)},
}


def varied(recipe: Recipe, number: int) -> Settings:
    """Return the choices that make a recipe of one network one of several.

    >>> varied(Recipe(learning_rate=0.24), 2)
    {'learning_rate': (0.24, 0.12)}
    """
    factors = POPULATIONS[number]
    return {name: tuple(factor * getattr(recipe, name) for factor in by) for name, by in factors.items()}


def within_memory(recipe: Recipe, parameters: int) -> Settings:
    """Return the choices that leave a population as many members as memory has room for, one at the least.

    parameters: of one member. Every second decay is left out first, then every second rate, the smaller ones.

    >>> recipe = Recipe(learning_rate=(0.003, 0.01, 0.03, 0.1), l2=(0.0, 1e-4, 3e-4, 1e-3))
    >>> within_memory(recipe, 256 * 3 * 64 * 64)
    {'learning_rate': (0.01, 0.1), 'l2': (0.0001, 0.001)}
    """
    values = {name: value for name in ("l2", "learning_rate") if isinstance(value := getattr(recipe, name), tuple)}
    room = max(1, COPY // (FLOAT * parameters))
    while math.prod(map(len, values.values())) > room:
        longest = max(values, key=lambda name: len(values[name]))
        values[longest] = values[longest][1::2]
    chosen = {name: value if len(value) > 1 else value[0] for name, value in values.items()}
    return {name: chosen[name] for name in ("learning_rate", "l2") if name in chosen}


def batch_for(images: int) -> int:
    """Return the size of a network's batches, none of which is left with a single image: normalization takes none.

    >>> batch_for(45_000), batch_for(9_001), batch_for(1_057)
    (500, 101, 34)
    """
    batch = min(max(images // UPDATES, BATCHES[0]), BATCHES[1])
    while images % batch == 1:
        batch += 1
    return batch
