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
    "ACTIVATIONS", "LABELED", "LOGISTIC", "Affine", "Blocks", "Change", "Fault", "Mistake", "Pass", "Structure",
    "altered", "backward", "forward", "scored", "slope",
]  # fmt: skip

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

import torch
from torch import Tensor
from torch.nn.functional import softplus

from tenfold.engine.arrays import one_hot
from tenfold.engine.types import Grads, Params, Pull
from tenfold.rooms import find, marked

ACTIVATIONS = tuple(dict.fromkeys(("identity", "relu", *marked("layers", "ACTIVATION"))))
"""Those of the room; of several that fit, the first is meant."""
# No losses of the room, but such as people write: the hinge whose maximum runs over the true class too; binary
# cross-entropy of one score a row, for labels 0 and 1: log(1 + e^z) − y z, with the gradient σ(z) − y.
LABELED = "hinge_with_label"
LOGISTIC = "logistic"

Change = Callable[..., Any]
Numbers = TypeVar("Numbers", Tensor, Grads)
Blocks = Sequence[str]  # names of parameters, and of the inputs where a function differentiates them


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
    λ, for "l2" of λ‖W‖², or the one that it would have. inputs: name of x's block.
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

    def hidden(self) -> list[tuple[int, str]]:
        """Return position and activation of the layers that have one behind them."""
        words = [(i, self.activation_of(i)) for i in range(len(self.layers))]
        return [(i, word) for i, word in words if word != "identity"]

    def penalized(self) -> list[str]:
        """Return the names of the blocks that the penalty is on."""
        weights = [layer.weight for layer in self.layers] if self.penalty else []
        return weights + [layer.bias for layer in self.layers if layer.bias and self.penalty.endswith("biases")]

    def penalty_of(self, params: Params) -> float:
        """Return R: Σ W², or Σ |W|, over the blocks that the penalty is on."""
        blocks = [params[name] for name in self.penalized()]
        return sum(float(block.abs().sum() if self.penalty == "l1" else block.square().sum()) for block in blocks)

    def propagated(self, x: Tensor, params: Params) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Return weights (O, I), sums z_i and outputs h_i of every layer, x the first of these."""
        weights, pre, post = [], [], [x]
        for i, layer in enumerate(self.layers):
            # A vector (I,) leads to one output.
            block = params[layer.weight].reshape(len(params[layer.weight]), -1)
            weights.append(block.mT if layer.inward else block)
            pre.append(post[-1] @ weights[-1].mT + (params[layer.bias].flatten() if layer.bias else 0))
            post.append(_applied(self.activation_of(i), pre[-1])[0])
        return weights, pre, post


class Pass(NamedTuple):
    """One forward pass. params: as the function takes them; weights (O, I), biases (O,); pre, post: z_i, h_i (B, O).

    post begins with x. claimed: the gradients that the function itself returned, at this point and then at the others.
    """

    structure: Structure
    params: Params
    targets: Tensor
    weights: Sequence[Tensor]
    pre: Sequence[Tensor]
    post: Sequence[Tensor]
    value: float
    scores: Tensor
    dscores: Tensor
    claimed: tuple[Grads, ...] = ()

    @property
    def images(self) -> int:
        """Return number N of rows."""
        return len(self.scores)

    @property
    def labels(self) -> Tensor:
        """Return labels as rows (N, C) of zeros and a one."""
        return one_hot(self.targets, self.scores)

    def penalty_gradient(self, name: str) -> Tensor:
        """Return what a penalty on a block adds to its gradient: 2 λ W, or λ sign W for l1."""
        strength, block = self.structure.strength, self.params[name]
        return strength * block.sign() if self.structure.penalty == "l1" else 2 * strength * block


class Mistake(NamedTuple):
    """One way in which a fault happens.

    stage: "scores", "local", "whole" (`change(pass, layer, right) -> wrong`, of all gradients in the latter), "weight",
    "bias" or "below" (the same with ∂L/∂z as well). layer: its place, −1 for all of them. says: a tutor's sentence,
    which may hold numbers of a pass. rank: of two faults with the same numbers the one with the lower is likelier.
    """

    stage: str
    change: Change
    says: str | Callable[[Pass], str]
    layer: int = -1
    rank: int = 0


class Fault(NamedTuple):
    """`ways(structure, names) -> Mistakes`: in a structure with those blocks; of an unknown one only "whole" count."""

    ways: Callable[[Structure, Blocks], Sequence[Mistake]]


def forward(structure: Structure, x: Tensor, params: Params, targets: Tensor) -> Pass:
    """Run the network at one point. x: (B, D); params: by name, as they lie; targets: labels (B,) or numbers (B, C)."""
    weights, pre, post = structure.propagated(x, params)
    value, dscores = scored(structure.loss, post[-1], targets)
    total = structure.scale * value + structure.strength * structure.penalty_of(params)
    return Pass(structure, params, targets, weights, pre, post, total, post[-1], structure.scale * dscores)


def scored(loss: str, scores: Tensor, targets: Tensor) -> tuple[float, Tensor]:
    """Return value and gradient in the scores of a loss of the room, or of one of the two that are no entries of it."""
    if loss == LABELED:
        # max_k (1 + z_k − z_y) over all k: 1 where the true class leads, and flat there.
        best, rival = scores.max(-1)
        violation = 1 + best - scores.gather(-1, targets[:, None])[:, 0]
        return float(violation.mean()), (one_hot(rival, scores) - one_hot(targets, scores)) / len(scores)
    if loss == LOGISTIC:
        y = targets[:, None].to(scores.dtype)
        return float((softplus(scores) - y * scores).mean()), (scores.sigmoid() - y) / len(scores)
    value, dscores = find("losses", loss)(scores, targets)
    return float(value), dscores


def backward(run: Pass, ways: Sequence[Mistake] = ()) -> Grads:
    """Return the gradients of every block by name, x's too, with the given mistakes made on the way."""
    grads: Grads = {}
    d = altered(ways, "scores", -1, run, run.dscores)
    for i in reversed(range(len(run.structure.layers))):
        layer, w, h = run.structure.layers[i], run.weights[i], run.post[i]
        if (activation := run.structure.activation_of(i)) != "identity":
            d = d * altered(ways, "local", i, run, slope(activation, run.pre[i]))
        dw = altered(ways, "weight", i, run, d.mT @ h, d)
        grads[layer.weight] = (dw.mT if layer.inward else dw).reshape(run.params[layer.weight].shape)
        if layer.bias:
            grads[layer.bias] = altered(ways, "bias", i, run, d.sum(0), d).reshape(run.params[layer.bias].shape)
        d = altered(ways, "below", i, run, d @ w, d)
    grads[run.structure.inputs] = d
    for name in run.structure.penalized():
        grads[name] = grads[name] + run.penalty_gradient(name)
    return altered(ways, "whole", -1, run, grads)


def altered(ways: Sequence[Mistake], stage: str, layer: int, run: Pass, right: Numbers, *more: Tensor) -> Numbers:
    """Return the numbers of a stage with those of the mistakes made that befall it."""
    for way in ways:
        if way.stage == stage and way.layer in (-1, layer):
            right = way.change(run, layer, right, *more)
    return right


def slope(word: str, z: Tensor) -> Tensor:
    """Return the derivative of an activation at z."""
    return cast(Tensor, _applied(word, z)[1](torch.ones_like(z))[0])


def _applied(word: str, z: Tensor) -> tuple[Tensor, Pull]:
    """Apply an activation of the room, or "leaky_relu 0.2" with a slope of its own."""
    name, _, given = word.partition(" ")
    if not given:
        return cast(tuple[Tensor, Pull], find("layers", name)(z))
    rise = 1 - (1 - float(given)) * (z <= 0).to(z.dtype)
    return z * rise, lambda dy: (dy * rise,)
