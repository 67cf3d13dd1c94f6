"""Tenfold's own losses, layers and models as subjects: "losses/hinge", "layers/linear", "models/mlp".

A layer has no value of its own; it is given the value Σ r ∘ y with fixed random numbers r, whose gradient in y is r.
Autograd follows the very code that is checked, a loss the value that it returns; nothing is declared twice.
"""

__all__ = ["ENTRIES", "entry_subject"]

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tenfold.engine.objective import penalize
from tenfold.engine.types import Model
from tenfold.errors import UsageError, nearest
from tenfold.recipe import UNLABELED, Recipe
from tenfold.rooms import find, names
from tenfold.seeds import generator
from tenfold.teach.doctor.declared import LARGEST
from tenfold.teach.doctor.drawing import draw_problem
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Subject

ENTRIES = ("losses", "layers", "models")
SIZES = {"B": 5, "C": 4, "I": 7, "O": 4}
LAYERS = {"x": "BI", "w": "OI", "b": "O"}
DRAWS, NUMBERS = ("u",), {"p": 0.3}
HIDDEN = (6, 5)

Sizes = dict[str, tuple[int, ...]]


class _Passed(NamedTuple):
    """Forward and pullback of a value: `pull() -> gradients by block`."""

    value: Tensor
    pull: Callable[[], dict[str, Tensor]]


Forward = Callable[[dict[str, Tensor], Tensor | None], _Passed]
"""From x and the parameters by name, and y."""


def entry_subject(target: str, recipe: Recipe, given: frozenset[str] = frozenset(), float32: bool = False) -> Subject:
    """The entry that "room/word" names; recipe: the shapes of a model and its loss, as far as its fields are given.

    Raises UsageError for a room or word that is not known, with the nearest.
    """
    room, _, word = target.partition("/")
    if room not in ENTRIES:
        raise UsageError(f"{target!r} is neither a file (my_loss.py:function) nor {_known(target)}")
    entry = find(room, word)
    dtype = torch.float32 if float32 else torch.float64
    if room == "losses":
        return _subject(target, "loss", {"x": _sizes("BC")}, partial(_loss, entry), word in UNLABELED, dtype)
    if room == "layers":
        shapes, forward = _layer(entry, target)
        return _subject(target, "layer", shapes, forward, None, dtype)
    model = _model(entry, word, recipe, given)
    shapes = {"x": _sizes("BI"), **_parameters(model)}
    if word in UNLABELED:
        # Its targets are arguments here, and not the inputs again, which would have a second gradient.
        return _subject(target, "model", shapes, partial(_regressed, model, recipe), True, dtype)
    return _subject(target, "model", shapes, partial(_classified, model, recipe), False, dtype)


def _known(target: str) -> str:
    words = [f"{room}/{word}" for room in ENTRIES for word in names(room)]
    alike = [word for word in words if word.partition("/")[2] == target]
    return f"an entry such as {alike[0]}" if alike else f"an entry of Tenfold: {nearest(target, words)}"


def _sizes(letters: str) -> tuple[int, ...]:
    return tuple(SIZES[letter] for letter in letters)


def _subject(
    name: str, kind: str, shapes: Sizes, forward: Forward, numeric: bool | None, dtype: torch.dtype
) -> Subject:
    """numeric: whether y are numbers, not labels; None where there is no y."""
    params = {block: sizes for block, sizes in shapes.items() if block != "x"}
    # Of a model that reconstructs and of a loss, the outputs are as wide as x.
    targets = None if numeric is None else shapes["x"] if numeric else _sizes("B")
    classes = SIZES["C"] if numeric is False else 0

    def draw(rng: np.random.Generator, integers: bool) -> Problem:
        return draw_problem(rng, integers, shapes["x"], params, targets, classes)

    return Subject(
        name, partial(_evaluate, forward, dtype), draw, tuple(shapes), shapes, partial(_trace, forward), kind=kind
    )


def _evaluate(forward: Forward, dtype: torch.dtype, problem: Problem) -> Evaluation:
    leaves, y = _tensors(problem, dtype)
    passed = forward(leaves, y)
    grads = {name: grad.double().numpy().copy() for name, grad in passed.pull().items()}
    return Evaluation(float(passed.value), grads, str(dtype).removeprefix("torch."))


def _trace(forward: Forward, problem: Problem) -> dict[str, Array]:
    """Autograd's gradients by block."""
    leaves, y = _tensors(problem, torch.float64)
    for leaf in leaves.values():
        leaf.requires_grad_()
    # What is saved is copied: losses make their gradient in place of what their value was made of.
    with torch.autograd.graph.saved_tensors_hooks(torch.clone, lambda saved: saved):
        grads = torch.autograd.grad(forward(leaves, y).value, list(leaves.values()))
    return {name: grad.numpy() for name, grad in zip(leaves, grads, strict=True)}


def _tensors(problem: Problem, dtype: torch.dtype) -> tuple[dict[str, Tensor], Tensor | None]:
    arrays = {"x": problem.x, **problem.params}
    y = None if problem.y is None else torch.tensor(problem.y)
    narrow = y if y is None or problem.classes else y.to(dtype)
    return {name: torch.tensor(array, dtype=dtype) for name, array in arrays.items()}, narrow


def _loss(loss: Callable[..., Any], leaves: Mapping[str, Tensor], y: Tensor | None) -> _Passed:
    value, dz = loss(leaves["x"], y)
    return _Passed(value, lambda: {"x": dz})


def _layer(layer: Callable[..., Any], target: str) -> tuple[Sizes, Forward]:
    """Sizes of what a layer takes, by the names of its arguments, and its value against fixed numbers."""
    arguments = inspect.signature(layer).parameters.values()
    known = {*LAYERS, *DRAWS, *NUMBERS}
    strange = [one.name for one in arguments if one.default is one.empty and one.name not in known]
    if strange:
        raise UsageError(f"{target} takes {strange[0]!r}, for which this check has no sizes; known: {', '.join(known)}")
    weights = [one.name for one in arguments if one.name in LAYERS and one.name != "x"]
    shapes = {"x": _sizes("BI"), **{name: _sizes(LAYERS[name]) for name in weights}}
    bound: dict[str, Any] = {one.name: NUMBERS[one.name] for one in arguments if one.name in NUMBERS}
    for name in [one.name for one in arguments if one.name in DRAWS]:
        bound[name] = torch.from_numpy(generator(0, "layer", name).random(_sizes("BI")))

    def forward(leaves: Mapping[str, Tensor], y: Tensor | None) -> _Passed:
        # A layer's weights have a leading axis of members, here of one.
        output, pull = layer(leaves["x"], *(leaves[name][None] for name in weights), **bound)
        r = torch.from_numpy(generator(0, "layer", "r").standard_normal(tuple(output.shape))).to(output.dtype)

        def pulled() -> dict[str, Tensor]:
            dx, *dweights = pull(r, need_dx=True)
            return {"x": dx, **{name: grad[0] for name, grad in zip(weights, dweights, strict=True)}}

        return _Passed((output * r).sum(), pulled)

    return shapes, forward


def _model(entry: Callable[..., Any], word: str, recipe: Recipe, given: frozenset[str]) -> Model:
    """A small model of that kind, with what the recipe says of it."""
    hidden = recipe.hidden if "hidden" in given else HIDDEN
    values = {
        "inputs": SIZES["I"],
        "classes": SIZES["C"],
        "hidden": hidden,
        "activation": recipe.activation,
        "dropout": recipe.dropout,
    }
    wanted = inspect.signature(entry).parameters
    if "hidden" in wanted:
        _check_size(hidden)
    model: Model = entry(**{name: value for name, value in values.items() if name in wanted})
    return model


def _check_size(hidden: tuple[int, ...]) -> None:
    """Refused before it is built: every number costs a difference, and an array of them memory."""
    widths = (SIZES["I"], *hidden, SIZES["I"])
    count = sum(before * after for before, after in pairwise(widths))
    if count > LARGEST:
        wide = "-".join(map(str, hidden))[:60]
        raise UsageError(f"--hidden {wide}: some {count:,} weights; a check needs a few, such as --hidden 6-5")


def _parameters(model: Model) -> Sizes:
    return {name: tuple(tensor.shape[1:]) for name, tensor in model.init([0], "zero", 1.0).items()}


def _classified(model: Model, recipe: Recipe, leaves: Mapping[str, Tensor], y: Tensor | None) -> _Passed:
    loss = recipe.loss if isinstance(recipe.loss, str) else recipe.loss[0]
    return _modeled(model, partial(find("losses", loss), y=y), recipe, leaves)


def _regressed(model: Model, recipe: Recipe, leaves: Mapping[str, Tensor], y: Tensor | None) -> _Passed:
    return _modeled(model, partial(find("losses", "squared_error"), y=y), recipe, leaves)


def _modeled(
    model: Model, loss: Callable[..., tuple[Tensor, Tensor]], recipe: Recipe, leaves: Mapping[str, Tensor]
) -> _Passed:
    x = leaves["x"]
    params = {name: leaf[None] for name, leaf in leaves.items() if name != "x"}
    noise = {
        name: torch.from_numpy(generator(0, "noise", name).random(shape)) for name, shape in model.noise(len(x)).items()
    }
    scores, pull, _ = model.forward(params, {}, x, noise)
    value, dscores = loss(scores)
    zeros = {name: torch.zeros_like(tensor) for name, tensor in params.items()}
    l1, l2 = (strength if isinstance(strength, float) else strength[0] for strength in (recipe.l1, recipe.l2))
    penalty = penalize(params, zeros, l1, l2)

    def pulled() -> dict[str, Tensor]:
        dx, grads = pull(dscores, need_dx=True)
        return {"x": dx, **{name: (grads[name] + zeros[name])[0] for name in params}}

    return _Passed((value + penalty).sum(), pulled)
