"""Gradient check of softmax regression: the hand-derived gradient against autograd, in float64.

The relative error of an entry is

|a − n| / max(1e-8, |a| + |n|), the largest of a tensor.
"""

__all__ = ["disagreement"]

import torch
from torch import Tensor

from tenfold.engine.losses.softmax import softmax
from tenfold.engine.models.linear import Linear
from tenfold.seeds import generator

TINY, SMALL = 1e-8, 0.01


def disagreement(seed: int, inputs: int = 10, images: int = 3, classes: int = 10) -> dict[str, float]:
    """Return the largest relative errors of "weight" and "bias" on random inputs, labels and small weights."""
    stream = generator(seed, "gradient check")
    x = torch.from_numpy(stream.standard_normal((images, inputs)))
    y = torch.from_numpy(stream.integers(classes, size=images))
    params = {
        "scores.weight": SMALL * torch.from_numpy(stream.standard_normal((1, classes, inputs))),
        "scores.bias": SMALL * torch.from_numpy(stream.standard_normal((1, classes))),
    }
    scores, pull, _ = Linear(inputs, classes).forward(params, {}, x, {})
    _, gradients = pull(softmax(scores, y)[1])
    leaves = {name: tensor[0].clone().requires_grad_() for name, tensor in params.items()}
    z = x @ leaves["scores.weight"].T + leaves["scores.bias"]
    torch.nn.functional.cross_entropy(z, y).backward()  # type: ignore[no-untyped-call]
    return {
        name.rpartition(".")[2]: _relative(gradients[name][0], leaf.grad)
        for name, leaf in leaves.items()
        if leaf.grad is not None
    }


def _relative(a: Tensor, n: Tensor) -> float:
    return float(((a - n).abs() / (a.abs() + n.abs()).clamp(min=TINY)).max())
