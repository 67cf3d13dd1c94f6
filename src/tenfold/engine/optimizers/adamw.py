"""Adam with decoupled weight decay (Loshchilov and Hutter 2019).

W ← (1 − η λ) W,  then Adam's step:  m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  W ← W − η m̂ / (√v̂ + ε)

Every parameter decays, biases too, as in torch; a penalty (l1, l2) is on weights alone and passes through m and v.
"""

__all__ = ["adamw"]

from tenfold.engine.arrays import per_member
from tenfold.engine.moments import descend
from tenfold.engine.types import Grads, Optimizer, Params, Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("beta1", 0.9, "decay rate of the first moment", least=0, below=1, varies=True),
    Hyperparameter("beta2", 0.999, "decay rate of the second moment", least=0, below=1, varies=True),
    Hyperparameter("weight_decay", 0.01, "share λ in (1 − η λ) by which all parameters shrink", least=0, varies=True),
)


def adamw(beta1: Scalar = 0.9, beta2: Scalar = 0.999, weight_decay: Scalar = 0.01, epsilon: float = 1e-8) -> Optimizer:
    """Return the update rule; beta1, beta2 and weight_decay: a number, or (P,) where members differ."""

    def update(params: Params, grads: Grads, memory: Params, learning_rate: Scalar, step: int) -> None:
        kept = 1 - learning_rate * weight_decay
        for param in params.values():
            param.mul_(per_member(kept, param))
        descend(params, grads, memory, learning_rate, step, beta1, beta2, epsilon)

    return Optimizer(("mean", "square"), update)
