"""The backward pass of a fully connected network, stage by stage, each stage open to a fault.

    h_0 = x,   z_i = h_{i−1} W_iᵀ + b_i,   h_i = φ_i(z_i),   L = k ℓ(h_n, y) + λ R

    scores   ∂L/∂h_n = k ∂ℓ/∂h_n
    local    ∂L/∂z_i = ∂L/∂h_i ∘ φ_i'(z_i)
    weight   ∂L/∂W_i = ∂L/∂z_iᵀ h_{i−1}
    bias     ∂L/∂b_i = Σ_B ∂L/∂z_i
    below    ∂L/∂h_{i−1} = ∂L/∂z_i W_i
    whole    all gradients, the penalty's among them

The right numbers of a stage are handed to mistakes, which return what somebody might have computed instead.
"""

__all__ = [
    "LABELED",
    "LOGISTIC",
    "UNRECOGNIZED",
    "Affine",
    "Blocks",
    "Change",
    "Fault",
    "Mistake",
    "Pass",
    "Structure",
    "altered_whole",
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

Change = Callable[..., Any]
Blocks = Sequence[str]
"""Names of parameters, and of the inputs where a function differentiates them."""


class Affine(NamedTuple):
    """One layer: names of its blocks, "" where there is no bias; inward: W lies as (I, O), else as (O, I)."""

    weight: str
    bias: str
    inward: bool


class Structure(NamedTuple):
    """A function's formula, as far as its value tells it.

    layers: () for a bare loss of its inputs. activation: after each layer but the last; output: after the last; words
    of the room, or "leaky_relu 0.2" with a slope of its own. loss: "" where the function was not recognized. scale: k,
    the loss's factor (N where it is summed over the batch). penalty: "", "l2", "l2 and biases" or "l1"; strength: its
    λ, for "l2" of λ‖W‖². inputs: name of x's block.
    """

    layers: tuple[Affine, ...]
    activation: str
    output: str
    loss: str
    scale: float
    penalty: str = ""
    strength: float = 0.0
    inputs: str = "x"

    def activation_of(self, i: int) -> str:
        """Return the activation behind layer i."""
        return self.output if i == len(self.layers) - 1 else self.activation


UNRECOGNIZED = Structure((), "", "", "", 1.0)


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
        """Return number N of rows."""
        return len(self.scores)

    @property
    def classes(self) -> int:
        """Return number C of scores of a row."""
        return self.scores.shape[-1]

    @property
    def labels(self) -> Tensor:
        """Return labels as rows (N, C) of zeros and a one."""
        return one_hot(self.targets, self.scores)

    @property
    def strength(self) -> float:
        """Strength λ of the penalty, or the one that it would have."""
        return self.structure.strength or self.fitted


class Mistake(NamedTuple):
    """One way in which a fault happens.

    stage: "scores", "local" (`change(pass, layer, right) -> wrong`), "weight", "bias", "below" (the same with ∂L/∂z as
    well) or "whole" (`change(pass, grads) -> grads`). layer: its place, −1 for all of them. says: a tutor's sentence,
    which may hold numbers of a pass. rank: of two faults with the same numbers the one with the lower is likelier.
    """

    stage: str
    change: Change
    says: str | Callable[[Pass], str]
    layer: int = -1
    rank: int = 0


class Fault(NamedTuple):
    """`ways(structure, names) -> Mistakes`: how it can happen in that structure, whose blocks have those names.

    Where the function was not recognized, only mistakes of whole gradients count.
    """

    ways: Callable[[Structure, Blocks], Sequence[Mistake]]


def forward(structure: Structure, x: Tensor, params: Params, targets: Tensor) -> Pass:
    """Run the network at one point. x: (B, D); params: by name, as they lie; targets: labels (B,) or numbers (B, C)."""
    weights, pre, post = propagated(structure, x, params)
    value, dscores = scored(structure.loss, post[-1], targets)
    total = structure.scale * value + structure.strength * penalty_size(structure, params)
    return Pass(structure, params, targets, weights, pre, post, total, post[-1], structure.scale * dscores)


def propagated(
    structure: Structure, x: Tensor, params: Params
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return weights (O, I), sums z_i and outputs h_i of every layer, x the first of these."""
    weights: list[Tensor] = []
    pre: list[Tensor] = []
    post = [x]
    for i, layer in enumerate(structure.layers):
        block = matrix(params[layer.weight])
        weights.append(block.mT if layer.inward else block)
        pre.append(post[-1] @ weights[-1].mT + (params[layer.bias].flatten() if layer.bias else 0))
        post.append(_applied(structure.activation_of(i), pre[-1])[0])
    return tuple(weights), tuple(pre), tuple(post)


def scored(loss: str, scores: Tensor, targets: Tensor) -> tuple[float, Tensor]:
    """Return value and gradient in the scores of a loss of the room, or of one of the two that are no entries of it."""
    if loss == LABELED:
        return _hinge_with_label(scores, targets)
    if loss == LOGISTIC:
        y = targets[:, None].to(scores.dtype)
        return float((softplus(scores) - y * scores).mean()), (scores.sigmoid() - y) / len(scores)
    value, dscores = find("losses", loss)(scores, targets)
    return float(value), dscores


def matrix(block: Tensor) -> Tensor:
    """Return a weight as a matrix: a vector (I,) leads to one output, (I, 1)."""
    return block.unsqueeze(-1) if block.dim() == 1 else block


def backward(run: Pass, ways: Sequence[Mistake] = ()) -> Grads:
    """Return the gradients of every block by name, x's too, with the given mistakes made on the way."""
    grads: Grads = {}
    d = _altered(ways, "scores", -1, run, run.dscores)
    for i in reversed(range(len(run.structure.layers))):
        layer, w, h = run.structure.layers[i], run.weights[i], run.post[i]
        if (activation := run.structure.activation_of(i)) != "identity":
            d = d * _altered(ways, "local", i, run, slope(activation, run.pre[i]))
        dw = _altered(ways, "weight", i, run, d.mT @ h, d)
        grads[layer.weight] = (dw.mT if layer.inward else dw).reshape(run.params[layer.weight].shape)
        if layer.bias:
            grads[layer.bias] = _altered(ways, "bias", i, run, d.sum(0), d).reshape(run.params[layer.bias].shape)
        d = _altered(ways, "below", i, run, d @ w, d)
    grads[run.structure.inputs] = d
    for name in penalized(run.structure):
        grads[name] = grads[name] + penalty_gradient(run, name)
    return altered_whole(ways, run, grads)


def _altered(ways: Sequence[Mistake], stage: str, layer: int, run: Pass, right: Tensor, *more: Tensor) -> Tensor:
    for way in ways:
        if way.stage == stage and way.layer in (-1, layer):
            right = way.change(run, layer, right, *more)
    return right


def altered_whole(ways: Sequence[Mistake], run: Pass, grads: Grads) -> Grads:
    """Return the gradients with those mistakes made that befall whole gradients."""
    for way in ways:
        if way.stage == "whole":
            grads = way.change(run, grads)
    return grads


def penalty_gradient(run: Pass, name: str) -> Tensor:
    """Return what a penalty on a block adds to its gradient: 2 λ W, or λ sign W for l1."""
    block = run.params[name]
    return run.strength * block.sign() if run.structure.penalty == "l1" else 2 * run.strength * block


def penalty_size(structure: Structure, params: Params) -> float:
    """Return R: Σ W², or Σ |W|, over the blocks that the penalty is on."""
    blocks = [params[name] for name in penalized(structure)]
    return sum(float(block.abs().sum() if structure.penalty == "l1" else block.square().sum()) for block in blocks)


def penalized(structure: Structure) -> list[str]:
    """Return the names of the blocks that the penalty is on."""
    weights = [layer.weight for layer in structure.layers] if structure.penalty else []
    with_biases = structure.penalty.endswith("biases")
    return weights + [layer.bias for layer in structure.layers if layer.bias and with_biases]


def slope(word: str, z: Tensor) -> Tensor:
    """Return the derivative of an activation at z."""
    derivative: Tensor = _applied(word, z)[1](torch.ones_like(z))[0]
    return derivative


def _applied(word: str, z: Tensor) -> tuple[Tensor, Pull]:
    """Apply an activation of the room, or "leaky_relu 0.2" with a slope of its own."""
    name, _, given = word.partition(" ")
    if not given:
        output: tuple[Tensor, Pull] = find("layers", name)(z)
        return output
    rise = 1 - (1 - float(given)) * (z <= 0).to(z.dtype)
    return z * rise, lambda dy: (dy * rise,)


def _hinge_with_label(scores: Tensor, targets: Tensor) -> tuple[float, Tensor]:
    """Return max_k (1 + z_k − z_y) over all k and its gradient: 1 where the true class leads, and flat there."""
    best, rival = scores.max(-1)
    violation = 1 + best - scores.gather(-1, targets[:, None])[:, 0]
    return float(violation.mean()), (one_hot(rival, scores) - one_hot(targets, scores)) / len(scores)
