"""Parameters of a population: weight k of member p is a function of that member's own seed and the weight's name."""

__all__ = ["affine"]

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch

from tenfold.engine.arrays import per_member
from tenfold.engine.types import Params, Scalar
from tenfold.seeds import generator


def affine(
    shapes: Mapping[str, tuple[int, int]],
    initialize: Callable[..., np.ndarray],
    seeds: Sequence[int],
    scale: Scalar = 1.0,
) -> Params:
    """Weights and zero biases of affine layers, float64.

    shapes: layer name -> (O, I). seeds: one for each member. scale: factor on the drawn weights, one or (P,).
    Returns "name.weight" (P, O, I) and "name.bias" (P, O).
    """
    params: Params = {}
    for name, (outputs, inputs) in shapes.items():
        drawn = torch.empty(len(seeds), outputs, inputs, dtype=torch.float64)
        for member, seed in enumerate(seeds):
            drawn[member] = torch.from_numpy(initialize(generator(seed, "weights", name), outputs, inputs))
        params[f"{name}.weight"] = drawn.mul_(per_member(scale, drawn))
        params[f"{name}.bias"] = torch.zeros(len(seeds), outputs, dtype=torch.float64)
    return params
