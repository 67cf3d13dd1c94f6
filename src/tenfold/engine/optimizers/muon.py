"""Muon (Jordan et al. 2024): filters step along an orthogonal matrix, everything else by stochastic gradient descent.

A tensor of one member with rank four holds filters, its matrix G is (O, I·kh·kw). With v ← μ v + g and d = g + μ v,

    filters:   W ← √O W / ‖W‖,  then W ← W − η UVᵀ,  where d = U S Vᵀ
    others:    W ← (1 − η λ) W − η r d,  r = head_factor for matrices, bias_factor for vectors

The decay is not multiplied by r: it would be far too strong for biases, whose rate is large.

UVᵀ comes from three steps of Newton and Schulz on X = d / ‖d‖,  X ← a X + (b A + c A²) X  with A = X Xᵀ, which bring
every singular value near 1 without a decomposition; they are done in bfloat16 where the weights are float32, in the
weights' own format else. ‖W‖ is Frobenius: filters keep their length, so a penalty or decay of theirs means nothing.
"""

__all__ = ["muon"]

import torch
from torch import Tensor

from tenfold.engine.momentum import Group, descend, direction, holds_filters
from tenfold.engine.types import Grads, Optimizer, Params, Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("momentum", 0.0, "share of the previous step that is kept", least=0, below=1, varies=True),
    Hyperparameter("weight_decay", 0.01, "share λ in (1 − η λ) by which all parameters shrink", least=0, varies=True),
    Hyperparameter("head_factor", 1.0, "factor on the learning rate of matrices", above=0, varies=True),
    Hyperparameter("bias_factor", 1.0, "factor on the learning rate of biases and gains", above=0, varies=True),
)
STEPS = 3
A, B, C = 3.4445, -4.7750, 2.0315


def muon(
    momentum: Scalar = 0.0, weight_decay: Scalar = 0.01, head_factor: Scalar = 1.0, bias_factor: Scalar = 1.0
) -> Optimizer:
    """Return the update rule; every number one for all, or (P,) where members differ."""

    group = Group(weight_decay, head_factor, bias_factor)

    def update(params: Params, grads: Grads, memory: Params, learning_rate: Scalar, step: int) -> None:
        for name, param in params.items():
            along = direction(grads[name], memory[f"momentum/{name}"], momentum, nesterov=True)
            if holds_filters(param):
                _rotate(param, along, learning_rate)
            else:
                descend(param, along, learning_rate, group)

    return Optimizer(("momentum",), update)


def _rotate(param: Tensor, directions: Tensor, rate: Scalar) -> None:
    """Step each member's filters along the nearest orthogonal matrix."""
    for k, weight in enumerate(param):
        weight.mul_(len(weight) ** 0.5 / weight.norm().clamp_min(1e-12))
        along = _orthogonal(directions[k].flatten(1)).view_as(weight)
        weight.sub_(along * (rate[k] if isinstance(rate, Tensor) else rate))


def _orthogonal(matrix: Tensor) -> Tensor:
    """Bring the singular values of a matrix (O, I) near 1; zeros stay zeros."""
    x = matrix.bfloat16() if matrix.dtype == torch.float32 else matrix
    x = x / (x.norm() + 1e-7)
    turned = x.size(0) > x.size(1)
    x = x.T if turned else x
    for _ in range(STEPS):
        a = x @ x.T
        x = A * x + (B * a + C * a @ a) @ x
    along: Tensor = (x.T if turned else x).to(matrix.dtype)
    return along
