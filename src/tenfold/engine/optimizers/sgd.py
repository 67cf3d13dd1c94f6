"""Stochastic gradient descent with momentum (Polyak 1964) and Nesterov's look-ahead (Sutskever et al. 2013).

    v ← μ v + g        W ← W − η v            (nesterov: W ← W − η (g + μ v))

Without momentum (μ = 0 for all members) no memory is kept and W ← W − η g.
"""

__all__ = ["sgd"]

import torch
from torch import Tensor

from tenfold.engine.arrays import blocks, per_member
from tenfold.engine.types import Grads, Optimizer, Params, Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("momentum", 0.0, "share of the previous step that is kept", least=0, below=1, varies=True),
    Hyperparameter("nesterov", False, "Nesterov's momentum, which looks one step ahead"),
)


def sgd(momentum: Scalar = 0.0, nesterov: bool = False) -> Optimizer:
    """Return the update rule; momentum: a number, or (P,) where members differ."""
    plain = isinstance(momentum, float) and momentum == 0.0

    def update(params: Params, grads: Grads, memory: Params, learning_rate: Scalar, step: int) -> None:
        for name, param in params.items():
            if plain:
                _descend(param, grads[name], per_member(learning_rate, param))
                continue
            tensors = (param, grads[name], memory[f"momentum/{name}"])
            for (w, g, v), (rate, mu) in blocks(tensors, (learning_rate, momentum)):
                _descend(w, _direction(g, v, mu, nesterov), rate)

    return Optimizer(() if plain else ("momentum",), update)


def _direction(g: Tensor, v: Tensor, mu: Scalar, nesterov: bool) -> Tensor:
    """Return the direction of the step: v ← μ v + g, or g + μ v. Each is one pass; g is used up."""
    _add(g, v, mu, v)
    return _add(g, v, mu, g) if nesterov else v


def _add(g: Tensor, v: Tensor, mu: Scalar, out: Tensor) -> Tensor:
    """Add g + μ v, μ a number or one for each member."""
    return torch.add(g, v, alpha=mu, out=out) if isinstance(mu, float) else torch.addcmul(g, v, mu, out=out)


def _descend(param: Tensor, direction: Tensor, rate: Scalar) -> None:
    """Apply W ← W − η d in one pass, η a number or one for each member."""
    if isinstance(rate, float):
        param.sub_(direction, alpha=rate)
    else:
        param.addcmul_(direction, rate, value=-1)
