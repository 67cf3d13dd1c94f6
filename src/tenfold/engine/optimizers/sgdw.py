"""Stochastic gradient descent with momentum, decoupled weight decay and a learning rate for each group of parameters.

    v ← μ v + g        d = v, or g + μ v (nesterov)        W ← (1 − η λ) W − η r d

r is 1 for filters, head_factor for matrices and bias_factor for vectors. The decay of Loshchilov and Hutter (2019) acts
on the parameters themselves and is not multiplied by r: it would be far too strong for biases whose rate is large.
"""

__all__ = ["sgdw"]

from tenfold.engine.momentum import Group, descend, direction
from tenfold.engine.types import Grads, Optimizer, Params, Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("momentum", 0.0, "share of the previous step that is kept", least=0, below=1, varies=True),
    Hyperparameter("nesterov", False, "Nesterov's momentum, which looks one step ahead"),
    Hyperparameter("weight_decay", 0.01, "share λ in (1 − η λ) by which all parameters shrink", least=0, varies=True),
    Hyperparameter("head_factor", 1.0, "factor on the learning rate of matrices", above=0, varies=True),
    Hyperparameter("bias_factor", 1.0, "factor on the learning rate of biases and gains", above=0, varies=True),
)


def sgdw(
    momentum: Scalar = 0.0,
    nesterov: bool = False,
    weight_decay: Scalar = 0.01,
    head_factor: Scalar = 1.0,
    bias_factor: Scalar = 1.0,
) -> Optimizer:
    """Return the update rule; every number one for all, or (P,) where members differ."""

    group = Group(weight_decay, head_factor, bias_factor)

    def update(params: Params, grads: Grads, memory: Params, learning_rate: Scalar, step: int) -> None:
        for name, param in params.items():
            along = direction(grads[name], memory[f"momentum/{name}"], momentum, nesterov)
            descend(param, along, learning_rate, group)

    return Optimizer(("momentum",), update)
