"""Parameters of a population: weight k of member p is a function of that member's own seed and the weight's name."""

__all__ = ["affine", "count", "drawn"]

import math
from collections.abc import Mapping, Sequence

import torch

from tenfold.engine.arrays import per_member
from tenfold.engine.types import Params, Scalar
from tenfold.rooms import find
from tenfold.seeds import generator


def affine(layers: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of affine layers' parameters. layers: name -> (O, I).

    >>> affine({"scores": (10, 64)})
    {'scores.weight': (10, 64), 'scores.bias': (10,)}
    """
    pairs = ((name, outputs, inputs) for name, (outputs, inputs) in layers.items())
    return {key: shape for name, o, i in pairs for key, shape in ((f"{name}.weight", (o, i)), (f"{name}.bias", (o,)))}


def count(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return the number of parameters of one member.

    >>> count({"scores.weight": (10, 64), "scores.bias": (10,)})
    650
    """
    return sum(map(math.prod, shapes.values()))


def drawn(shapes: Mapping[str, tuple[int, ...]], initializer: str, seeds: Sequence[int], scale: Scalar = 1.0) -> Params:
    """Draw the weights of every member; gains are one, biases zero. Returns name -> (P, …), float64.

    shapes: "layer.weight" -> (O, …), of which all but O are the inputs of one output, "layer.gain" and "layer.bias"
    -> (O,).
    seeds: one for each member. scale: factor on the drawn weights, one or (P,).
    """
    initialize = find("initializers", initializer)
    params: Params = {}
    for name, shape in shapes.items():
        layer, _, kind = name.rpartition(".")
        params[name] = torch.full((len(seeds), *shape), float(kind == "gain"), dtype=torch.float64)
        for member, seed in enumerate(seeds) if kind == "weight" else ():
            weights = initialize(generator(seed, "weights", layer), shape[0], math.prod(shape[1:]))
            params[name][member] = torch.from_numpy(weights).view(shape)
        if kind == "weight":
            params[name].mul_(per_member(scale, params[name]))
    return params
