"""Adam of Kingma and Ba (2015).

m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
W ← W − η m̂ / (√v̂ + ε)       m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)
"""

__all__ = ["adam"]

from tenfold.arrays import blocks
from tenfold.types import Grads, Optimizer, Params, Scalar


def adam(beta1: Scalar = 0.9, beta2: Scalar = 0.999, epsilon: float = 1e-8) -> Optimizer:
    """Update rule whose numbers may differ between members: beta1 and beta2 a number or (P,)."""

    def init(params: Params) -> Params:
        return {
            f"{kind}/{name}": param.new_zeros(param.shape)
            for kind in ("mean", "square")
            for name, param in params.items()
        }

    def update(params: Params, grads: Grads, memory: Params, learning_rate: Scalar, step: int) -> None:
        eta = learning_rate / (1 - beta1 ** (step + 1))
        root = (1 - beta2 ** (step + 1)) ** 0.5
        for name, param in params.items():
            tensors = (param, grads[name], memory[f"mean/{name}"], memory[f"square/{name}"])
            for (w, g, m, v), (rate, b1, b2, bias) in blocks(tensors, (eta, beta1, beta2, root)):
                m.mul_(b1).add_((1 - b1) * g)
                v.mul_(b2).add_(g.square_().mul_(1 - b2))
                w.sub_(v.sqrt().div_(bias).add_(epsilon).reciprocal_().mul_(m).mul_(rate))

    return Optimizer(init, update)
