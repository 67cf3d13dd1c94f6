"""Adam of Kingma and Ba (2015).

m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
W ← W − η m̂ / (√v̂ + ε)       m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
"""

__all__ = ["adam"]

from tenfold.engine.moments import descend
from tenfold.engine.types import Grads, Optimizer, Params, Scalar
from tenfold.rooms import Hyperparameter

NUMBERS = (
    Hyperparameter("beta1", 0.9, "decay rate of the first moment", least=0, below=1, varies=True),
    Hyperparameter("beta2", 0.999, "decay rate of the second moment", least=0, below=1, varies=True),
)


def adam(beta1: Scalar = 0.9, beta2: Scalar = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """Return the update rule; beta1 and beta2: a number, or (P,) where members differ."""

    def update(params: Params, grads: Grads, memory: Params, learning_rate: Scalar, step: int) -> None:
        descend(params, grads, memory, learning_rate, step, beta1, beta2, epsilon)

    return Optimizer(("mean", "square"), update)
