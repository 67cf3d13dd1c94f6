"""The backward pass of a fully connected network, stage by stage, each stage open to a fault.

    h_0 = x,   z_i = h_{i−1} W_iᵀ + b_i,   h_i = φ_i(z_i),   L = k ℓ(h_n, y) + λ R

    scores   ∂L/∂h_n = k ∂ℓ/∂h_n
    local    ∂L/∂z_i = ∂L/∂h_i ∘ φ_i'(z_i)
    weight   ∂L/∂W_i = ∂L/∂z_iᵀ h_{i−1}
    bias     ∂L/∂b_i = Σ_B ∂L/∂z_i
    below    ∂L/∂h_{i−1} = ∂L/∂z_i W_i
    whole    all gradients, the penalty's among them

What is right at a stage is handed to the ways of a fault, which return what somebody might have computed instead.
"""

__all__ = [
    "LABELED",
    "LOGISTIC",
    "Affine",
    "Fault",
    "Pass",
    "Structure",
    "Way",
    "backward",
    "forward",
    "matrix",
    "penalized",
    "penalty_gradient",
    "penalty_size",
    "propagated",
    "scored",
    "slope",
]

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tenfold.engine.arrays import one_hot
from tenfold.engine.types import Grads, Params, Pull
from tenfold.rooms import find

LABELED = "hinge_with_label"
"""The hinge whose maximum runs over the true class too: no loss of the room, but one that people write."""
LOGISTIC = "logistic"
"""Binary cross-entropy of one score a row, for labels 0 and 1: log(1 + e^z) − y z, with the gradient σ(z) − y."""


class Affine(NamedTuple):
    """One layer: names of its blocks, "" where there is no bias; inward: W lies as (I, O), else as (O, I)."""

    weight: str
    bias: str
    inward: bool


class Structure(NamedTuple):
    """What a function computes, as far as its value tells.

    layers: () for a bare loss of its inputs. activation: after each layer but the last; output: after the last; words
    of the room, or "leaky_relu 0.2" with a slope of its own. scale: k, the loss's factor (N where it is summed over the
    batch). penalty: "", "l2", "l2 and biases" or "l1"; strength: its λ, for "l2" of λ‖W‖². inputs: name of x's block.
    """

    layers: tuple[Affine, ...]
    activation: str
    output: str
    loss: str
    scale: float
    penalty: str = ""
    strength: float = 0.0
    inputs: str = "x"


class Pass(NamedTuple):
    """One forward pass. params: as the function takes them; weights (O, I), biases (O,); pre, post: z_i, h_i (B, O).

    post begins with x. fitted: the strength that a penalty would have where none is recognized. claimed: the gradients
    that the function itself returned, at this point and then at the others.
    """

    structure: Structure
    params: Params
    targets: Tensor
    weights: tuple[Tensor, ...]
    pre: tuple[Tensor, ...]
    post: tuple[Tensor, ...]
    value: float
    scores: Tensor
    dscores: Tensor
    fitted: float = 0.0
    claimed: tuple[Grads, ...] = ()

    @property
    def images(self) -> int:
        """Number N of rows."""
        return len(self.scores)

    @property
    def classes(self) -> int:
        """Number C of scores of a row."""
        return self.scores.shape[-1]


class Way(NamedTuple):
    """One way in which a fault happens.

    stage: "scores", "local", "weight", "bias", "below" (`change(pass, layer, right) -> wrong`) or "whole"
    (`change(pass, grads) -> grads`). layer: at which one, −1 at all of them. says: the sentence of a tutor, which may
    hold numbers of a pass. rank: of two faults that give the same numbers the one with the lower rank is likelier.
    """

    stage: str
    change: Callable[..., Any]
    says: str | Callable[[Pass], str]
    layer: int = -1
    rank: int = 0


class Fault(NamedTuple):
    """`ways(structure, names) -> Ways`: how it can happen in that structure, whose blocks have those names.

    structure is None where the function was not recognized; only what happens to whole gradients is known there.
    """

    ways: Callable[[Structure | None, Sequence[str]], Sequence[Way]]


def forward(structure: Structure, x: Tensor, params: Params, targets: Tensor) -> Pass:
    """The network at one point. x: (B, D); params: by name, as they lie; targets: labels (B,) or numbers (B, C)."""
    weights, pre, post = propagated(structure, x, params)
    value, dscores = scored(structure.loss, post[-1], targets)
    total = structure.scale * value + structure.strength * penalty_size(structure, params)
    return Pass(structure, params, targets, weights, pre, post, total, post[-1], structure.scale * dscores)


def propagated(
    structure: Structure, x: Tensor, params: Params
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Weights (O, I), sums z_i and outputs h_i of every layer, x the first of these."""
    weights: list[Tensor] = []
    pre: list[Tensor] = []
    post = [x]
    for i, layer in enumerate(structure.layers):
        block = matrix(params[layer.weight])
        weights.append(block.mT if layer.inward else block)
        pre.append(post[-1] @ weights[-1].mT + (params[layer.bias].flatten() if layer.bias else 0))
        post.append(_applied(_activation(structure, i), pre[-1])[0])
    return tuple(weights), tuple(pre), tuple(post)


def scored(loss: str, scores: Tensor, targets: Tensor) -> tuple[float, Tensor]:
    """Value and gradient in the scores of a loss of the room, or of one of the two that are no entries of it."""
    if loss == LABELED:
        return _hinge_with_label(scores, targets)
    if loss == LOGISTIC:
        y = targets[:, None].to(scores.dtype)
        return float((softplus(scores) - y * scores).mean()), (scores.sigmoid() - y) / len(scores)
    value, dscores = find("losses", loss)(scores, targets)
    return float(value), dscores


def matrix(block: Tensor) -> Tensor:
    """A weight as a matrix: a vector (I,) leads to one output, (I, 1)."""
    return block.unsqueeze(-1) if block.dim() == 1 else block


def backward(known: Pass, ways: Sequence[Way] = ()) -> Grads:
    """Gradients of every block by name, x's too, with the given ways of going wrong."""
    grads: Grads = {}
    d = _at(ways, "scores", -1, known, known.dscores)
    for i in reversed(range(len(known.structure.layers))):
        layer, w, h = known.structure.layers[i], known.weights[i], known.post[i]
        d = d * _at(ways, "local", i, known, slope(_activation(known.structure, i), known.pre[i]))
        dw = _at(ways, "weight", i, known, d.mT @ h, d)
        grads[layer.weight] = (dw.mT if layer.inward else dw).reshape(known.params[layer.weight].shape)
        if layer.bias:
            grads[layer.bias] = _at(ways, "bias", i, known, d.sum(0), d).reshape(known.params[layer.bias].shape)
        d = _at(ways, "below", i, known, d @ w, d)
    grads[known.structure.inputs] = d
    for name in penalized(known.structure):
        grads[name] = grads[name] + penalty_gradient(known, name)
    for way in ways:
        if way.stage == "whole":
            grads = way.change(known, grads)
    return grads


def penalty_gradient(known: Pass, name: str) -> Tensor:
    """What the penalty adds to the gradient of a block if it is on it: 2 λ W, or λ sign W for l1."""
    strength, block = known.structure.strength or known.fitted, known.params[name]
    return strength * block.sign() if known.structure.penalty == "l1" else 2 * strength * block


def penalty_size(structure: Structure, params: Params) -> float:
    """R: Σ W², or Σ |W|, over the blocks that the penalty is on."""
    blocks = [params[name] for name in penalized(structure)]
    return sum(float(block.abs().sum() if structure.penalty == "l1" else block.square().sum()) for block in blocks)


def penalized(structure: Structure) -> list[str]:
    """Blocks that the penalty is on."""
    weights = [layer.weight for layer in structure.layers] if structure.penalty else []
    with_biases = structure.penalty.endswith("biases")
    return weights + [layer.bias for layer in structure.layers if layer.bias and with_biases]


def _activation(structure: Structure, i: int) -> str:
    return structure.output if i == len(structure.layers) - 1 else structure.activation


def slope(word: str, z: Tensor) -> Tensor:
    """Derivative of an activation at z."""
    derivative: Tensor = _applied(word, z)[1](torch.ones_like(z))[0]
    return derivative


def _applied(word: str, z: Tensor) -> tuple[Tensor, Pull]:
    """An activation of the room, or "leaky_relu 0.2" with a slope of its own."""
    name, _, given = word.partition(" ")
    if not given:
        found: tuple[Tensor, Pull] = find("layers", name)(z)
        return found
    rise = 1 - (1 - float(given)) * (z <= 0).to(z.dtype)
    return z * rise, lambda dy: (dy * rise,)


def _at(ways: Sequence[Way], stage: str, layer: int, known: Pass, right: Tensor, *more: Tensor) -> Tensor:
    for way in ways:
        if way.stage == stage and way.layer in (-1, layer):
            right = way.change(known, layer, right, *more)
    return right


def _hinge_with_label(scores: Tensor, targets: Tensor) -> tuple[float, Tensor]:
    """max_k (1 + z_k − z_y) over all k: 1 where the true class leads, and flat there."""
    best, rival = scores.max(-1)
    violation = 1 + best - scores.gather(-1, targets[:, None])[:, 0]
    return float(violation.mean()), (one_hot(rival, scores) - one_hot(targets, scores)) / len(scores)
