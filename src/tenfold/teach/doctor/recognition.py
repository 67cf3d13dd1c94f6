"""A function's formula, read off its values: which network, which loss, which penalty.

Every structure that fits the shapes is tried on a few points: k ℓ(network(x), y) must be the value up to λ R, with one
λ for all points. Numbers drawn at random do not agree to nine digits by chance.
"""

__all__ = ["described", "recognized"]

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import torch
from torch import Tensor

from tenfold.engine.types import Params
from tenfold.rooms import names
from tenfold.teach.doctor.backward import ACTIVATIONS, LABELED, LOGISTIC, Affine, Structure, scored
from tenfold.teach.doctor.subject import Problem

OUTPUTS = ("identity", "relu", "sigmoid", "tanh")
NORMS = {"l2": "‖W‖²", "l2 and biases": "‖W‖² + ‖b‖²", "l1": "‖W‖₁"}  # penalties, tried in this order, and their terms
REGRESSIONS = ("squared_error", "mean_squared_error")
LAYERS = 4
SLOPES = (0.1, 0.2)


class Point(NamedTuple):
    """One point: inputs (B, D), blocks by name, targets (labels, or numbers (B, C)), number C of scores, value."""

    x: Tensor
    params: Params
    targets: Tensor
    width: int
    value: float


def recognized(
    problems: Sequence[Problem], values: Sequence[float], near: float, numbers: Sequence[float] = (), inputs: str = "x"
) -> list[Structure]:
    """Return the structures with the function's value at all points, relatively so near; first those without a penalty.

    numbers: the function's constants, one of which may be the slope of a leaky rectifier. inputs: name of x's block.
    """
    if problems[0].y is None or problems[0].x.ndim != 2:
        return []
    points = [point(problem, value) for problem, value in zip(problems, values, strict=True)]
    networks = _networks(points[0], numbers, inputs)
    matching = [structure for network in networks for structure in _matching(network, points, near)]
    return sorted(matching, key=lambda structure: (len(structure.penalty), structure.loss == LABELED))


def point(problem: Problem, value: float) -> Point:
    """Return a problem as tensors: labels int64, numbers (B, C)."""
    params = {name: torch.from_numpy(array) for name, array in problem.params.items()}
    targets = torch.from_numpy(problem.y)
    targets = targets.long() if problem.classes else targets.double().reshape(len(targets), -1)
    width = problem.classes or targets.shape[1]
    if problem.onehot:
        targets = targets.argmax(1)
    return Point(torch.from_numpy(problem.x), params, targets, width, value)


def described(structure: Structure, images: int) -> str:
    """Return the structure in words, for a batch of so many images.

    >>> described(Structure((Affine("W", "b", True),), "identity", "identity", "softmax", 1.0, "l2", 0.05), 5)
    'a linear classifier with the softmax loss and a penalty of 0.05 on ‖W‖²'
    """
    count, text = len(structure.layers), ""
    kind = "model" if structure.loss in REGRESSIONS else "classifier"
    output = f"{structure.output} at its output" if structure.output != "identity" else ""
    if count == 1:
        text = f"a linear {kind}{f', {output},' if output else ''} with "
    elif count:
        text = f"a network of {count} layers ({', '.join(filter(None, (structure.activation, output)))}) with "
    loss = structure.loss.replace(LABELED, "hinge, the true class among its rivals,").replace("_", " ")
    text += f"the {loss} loss"
    if images > 1 and structure.scale % images == 0:
        text += ", summed over the batch"
        text += f", times {structure.scale / images:g}" if structure.scale > images else ""
    elif structure.scale != 1:
        text += f" times {structure.scale:g}"
    if structure.penalty:
        text += f" and a penalty of {structure.strength:.4g} on {NORMS[structure.penalty]}"
    return text


def _networks(first: Point, numbers: Sequence[float], inputs: str) -> Iterator[Structure]:
    """Yield the networks that the shapes allow, without a loss."""
    slopes = sorted({slope for slope in (*SLOPES, *numbers) if 0 < slope < 1})
    leaky = [f"leaky_relu {slope!r}" for slope in slopes]
    for layers in _chains(first):
        hidden = (*ACTIVATIONS, *leaky) if len(layers) > 1 else ("identity",)
        for activation, output in product(hidden, OUTPUTS if layers else ("identity",)):
            yield Structure(layers, activation, output, "", 1.0, inputs=inputs)


def _chains(first: Point) -> Iterator[tuple[Affine, ...]]:
    """Yield chains of layers through the blocks, in their order."""
    for weights, biases in _roles(first.params):
        for inward in product((True, False), repeat=len(weights)):
            shapes = [first.params[name].reshape(len(first.params[name]), -1).shape for name in weights]
            sides = [shape[:: 1 if lies else -1] for shape, lies in zip(shapes, inward, strict=True)]
            before, after = [first.x.shape[1], *(o for _, o in sides)], [*(i for i, _ in sides), first.width]
            sizes = [first.params[name].numel() for name in biases]
            # Two classes may have one score between them.
            fits = before == after or (weights and first.width == 2 and before == [*after[:-1], 1])
            if fits and sizes in ([], before[1:]):
                named = biases or [""] * len(weights)
                yield tuple(Affine(*layer) for layer in zip(weights, named, inward, strict=True))


def _roles(params: Params) -> list[tuple[list[str], list[str]]]:
    """Split the blocks into weights and biases: rows of one are likely biases, but a layer may have one input."""
    wide = [name for name, block in params.items() if block.dim() == 2]
    roles = [[name for name in wide if params[name].shape[0] > 1], wide]
    roles += [[name] for name, block in params.items() if block.dim() == 1 and not wide]
    splits = [(weights, [name for name in params if name not in weights]) for weights in roles]
    return [split for k, split in enumerate(splits) if split not in splits[:k] and len(split[0]) <= LAYERS]


def _matching(network: Structure, points: Sequence[Point], near: float) -> Iterator[Structure]:
    """Yield the network with each loss that its values tell."""
    scores = [network.propagated(p.x, p.params)[2][-1] for p in points]
    labeled, images, classes = points[0].targets.dim() == 1, len(points[0].x), points[0].width
    several = [word for word in (*names("losses"), LABELED) if (word in REGRESSIONS) != labeled]
    # What people put in front of a loss: sums over the batch, over classes, a half or none.
    factors = {"sigmoid": (1, classes), "squared_error": (1, 2), "mean_squared_error": (1, 0.5)}
    for loss in [LOGISTIC] if labeled and scores[0].shape[-1] == 1 else several:
        values = [scored(loss, z, p.targets)[0] for z, p in zip(scores, points, strict=True)]
        for scale in sorted({float(a * b) for a in factors.get(loss, (1,)) for b in (1, images)}):
            rests = [p.value - scale * value for p, value in zip(points, values, strict=True)]
            yield from _fitted(network._replace(loss=loss, scale=scale), rests, points, near)


def _fitted(candidate: Structure, rests: Sequence[float], points: Sequence[Point], near: float) -> Iterator[Structure]:
    """Yield the candidate with the penalty that leaves nothing of the rests, where there is one."""
    allowed = [near * max(abs(p.value), 1e-6) for p in points]
    for word in ("", *(NORMS if candidate.layers else ())):
        fitted = candidate._replace(penalty=word)
        sizes = [fitted.penalty_of(p.params) for p in points]
        strength = sum(r * s for r, s in zip(rests, sizes, strict=True)) / max(sum(s * s for s in sizes), 1e-300)
        left = [abs(rest - strength * size) for rest, size in zip(rests, sizes, strict=True)]
        if (strength > 0 or not word) and all(gap <= most for gap, most in zip(left, allowed, strict=True)):
            yield fitted._replace(strength=strength)
            return
