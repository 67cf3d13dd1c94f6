"""The same losses and networks in torch, for autograd: written from their formulas, not from the students' files."""

__all__ = ["gradients"]

import numpy as np
import torch
from torch.nn import functional

from tests.teach.doctor.students.bases import Base


def hinge(scores, y):
    """max(0, 1 + max over k ≠ y of s_k − s_y), mean over the batch."""
    others = scores.masked_fill(functional.one_hot(y, scores.shape[1]).bool(), -torch.inf)
    return functional.relu(1 + others.amax(1) - scores[torch.arange(len(y)), y]).mean()


def sigmoid(scores, y):
    """Binary cross-entropy, mean over the classes and the batch."""
    return functional.binary_cross_entropy_with_logits(scores, functional.one_hot(y, scores.shape[1]).to(scores))


LOSSES = {
    "softmax": functional.cross_entropy,
    "hinge": hinge,
    "sigmoid": sigmoid,
    "squared_error": lambda out, y: ((out - y) ** 2).sum() / (2 * len(y)),
    "mean_squared_error": functional.mse_loss,
}


def affine(base: Base, x, weight, bias, name):
    """x W + b, or x Wᵀ + b where the weights are laid out by outputs."""
    columns = f"{name}={'H' if name == 'W2' else 'D'}x" in base.spec
    return x @ (weight if columns else weight.T) + bias


def scores(base: Base, arrays, constants):
    if not base.parameters:
        return arrays["x"]
    if not base.activation:
        return affine(base, arrays["x"], arrays["W"], arrays["b"], "W")
    z = affine(base, arrays["x"], arrays["W1"], arrays["b1"], "W1")
    h = functional.leaky_relu(z, constants["slope"]) if "slope" in constants else getattr(torch, base.activation)(z)
    return affine(base, h, arrays["W2"], arrays["b2"], "W2")


def gradients(base: Base, arrays: dict, constants: dict) -> tuple[float, dict[str, np.ndarray]]:
    """Value and autograd's gradients by name, "x" included, in float64."""
    tensors = {name: torch.tensor(array) for name, array in arrays.items()}
    leaves = {name: tensors[name].requires_grad_() for name in base.names[:-1]}
    value = LOSSES[base.loss](scores(base, tensors, constants), tensors["y"])
    if base.penalty:
        weights = [leaf for name, leaf in leaves.items() if name.startswith("W")]
        value = value + base.penalty * constants[base.constants[0]] * sum((w.abs() ** base.norm).sum() for w in weights)
    value.backward()
    return value.item(), {name: leaf.grad.numpy() for name, leaf in leaves.items()}
