"""The step of Adam and its relatives: along the running mean of gradients over the root of their running square.

m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
W ← W − η m̂ / (√v̂ + ε)       m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
"""

__all__ = ["descend"]

from torch import Tensor

from tenfold.engine.arrays import blocks
from tenfold.engine.types import Grads, Params, Scalar


def descend(
    params: Params,
    grads: Grads,
    memory: Params,
    learning_rate: Scalar,
    step: int,
    beta1: Scalar,
    beta2: Scalar,
    epsilon: float,
) -> None:
    """Change params and memory ("mean/…", "square/…") in place, all (P, ...); gradients are used up. step: from 0."""
    root = (1 - beta2 ** (step + 1)) ** 0.5
    rate = learning_rate * root / (1 - beta1 ** (step + 1))
    scalars = (rate, 1 - beta1, 1 - beta2, epsilon * root)
    for name, param in params.items():
        tensors = (param, grads[name], memory[f"mean/{name}"], memory[f"square/{name}"])
        for (w, g, m, v), (eta, share1, share2, small) in blocks(tensors, scalars):
            m.lerp_(g, share1)
            v.lerp_(g.square_(), share2)
            _descend(w, m, v.sqrt().add_(small), eta)


def _descend(w: Tensor, m: Tensor, scale: Tensor, eta: Scalar) -> None:
    """Apply W ← W − η m / scale, η a number or one for each member."""
    if isinstance(eta, float):
        w.addcdiv_(m, scale, value=-eta)
    else:
        w.addcmul_(scale.reciprocal_().mul_(m), eta, value=-1)
