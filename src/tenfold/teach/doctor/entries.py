"""Tenfold's own losses, layers and models as subjects: "losses/hinge", "layers/linear", "models/mlp".

A layer has no value of its own; it is given the value Σ r ∘ y with fixed random numbers r, whose gradient in y is r.
Autograd follows the very code that is checked, a loss the value that it returns; nothing is declared twice.
"""

__all__ = ["ENTRIES", "entry_subject"]

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tenfold.engine.objective import penalize
from tenfold.engine.types import Loss, Model, Params
from tenfold.errors import UsageError, nearest
from tenfold.recipe import UNLABELED, Recipe
from tenfold.rooms import find, names
from tenfold.seeds import generator
from tenfold.teach.doctor.declared import LARGEST
from tenfold.teach.doctor.subject import Array, Evaluation, Problem, Sizes, Subject, draw_problem

ENTRIES = ("losses", "layers", "models")
SIZES = {"B": 5, "C": 4, "I": 7, "O": 4}
LAYERS = {"x": "BI", "w": "OI", "b": "O"}
DRAWS, NUMBERS = ("u",), {"p": 0.3}
HIDDEN = (6, 5)

Shapes = dict[str, Sizes]
Forward = Callable[[Params, Tensor | None], tuple[Tensor, Callable[[], Params]]]
"""x and the parameters by name, and y -> a value, and `pull() -> gradients by block`."""


def entry_subject(target: str, recipe: Recipe, given: frozenset[str] = frozenset(), float32: bool = False) -> Subject:
    """Return the entry that "room/word" names; recipe: shapes of a model and its loss, as far as its fields are given.

    Raises UsageError for a room or word that is not known, with the nearest.
    """
    room, _, word = target.partition("/")
    if room not in ENTRIES:
        raise UsageError(f"{target!r} is neither a file (my_loss.py:function) nor {_nearest_entry(target)}")
    entry = find(room, word)
    # Of a model that reconstructs its targets are arguments here, not the inputs again with a second gradient.
    numeric = word in UNLABELED
    shapes: Shapes = {"x": _sizes("BC")}
    forward: Forward = partial(_loss, entry)
    if room == "layers":
        shapes, forward = _layer(entry, target)
    elif room == "models":
        model = _model(entry, recipe, given)
        loss = find("losses", "squared_error" if numeric else _first(recipe.loss))
        shapes = {"x": _sizes("BI"), **{name: tuple(p.shape[1:]) for name, p in model.init([0], "zero", 1.0).items()}}
        forward = partial(_modeled, model, loss, recipe)
    # Of a model that reconstructs and of a loss, the outputs are as wide as x.
    targets = None if room == "layers" else shapes["x"] if numeric else _sizes("B")
    classes = 0 if numeric or room == "layers" else SIZES["C"]
    params = {block: sizes for block, sizes in shapes.items() if block != "x"}

    def draw(rng: np.random.Generator, integers: bool) -> Problem:
        return draw_problem(rng, integers, shapes["x"], params, targets, classes)

    dtype = torch.float32 if float32 else torch.float64
    evaluate, trace = partial(_evaluate, forward, dtype), partial(_trace, forward)
    kind = {"losses": "loss", "layers": "layer", "models": "model"}[room]
    return Subject(target, evaluate, draw, tuple(shapes), shapes, trace, kind=kind)


def _nearest_entry(target: str) -> str:
    words = [f"{room}/{word}" for room in ENTRIES for word in names(room)]
    alike = [word for word in words if word.partition("/")[2] == target]
    return f"an entry such as {alike[0]}" if alike else f"an entry of Tenfold: {nearest(target, words)}"


def _sizes(letters: str) -> Sizes:
    return tuple(SIZES[letter] for letter in letters)


def _first(choice: Any) -> Any:
    """Return the first of several choices, or the only one."""
    return choice if isinstance(choice, str | float) else choice[0]


def _evaluate(forward: Forward, dtype: torch.dtype, problem: Problem) -> Evaluation:
    value, pull = forward(*_tensors(problem, dtype))
    grads = {name: grad.double().numpy().copy() for name, grad in pull().items()}
    return Evaluation(float(value), grads, str(dtype).removeprefix("torch."))


def _trace(forward: Forward, problem: Problem) -> dict[str, Array]:
    """Return autograd's gradients by block."""
    leaves, y = _tensors(problem, torch.float64)
    for leaf in leaves.values():
        leaf.requires_grad_()
    # What is saved is copied: losses make their gradient in place of what their value was made of.
    with torch.autograd.graph.saved_tensors_hooks(torch.clone, lambda saved: saved):
        grads = torch.autograd.grad(forward(leaves, y)[0], list(leaves.values()))
    return {name: grad.numpy() for name, grad in zip(leaves, grads, strict=True)}


def _tensors(problem: Problem, dtype: torch.dtype) -> tuple[Params, Tensor | None]:
    arrays = {"x": problem.x, **problem.params}
    y = None if problem.y is None else torch.tensor(problem.y, dtype=None if problem.classes else dtype)
    return {name: torch.tensor(array, dtype=dtype) for name, array in arrays.items()}, y


def _loss(loss: Loss, leaves: Params, y: Tensor | None) -> tuple[Tensor, Callable[[], Params]]:
    value, dz = loss(leaves["x"], y)
    return value, lambda: {"x": dz}


def _layer(layer: Callable[..., Any], target: str) -> tuple[Shapes, Forward]:
    """Return sizes of a layer's arguments by name, and its value against fixed numbers."""
    arguments = inspect.signature(layer).parameters
    sized = (*LAYERS, *DRAWS, *NUMBERS)
    strange = [name for name, one in arguments.items() if one.default is one.empty and name not in sized]
    if strange:
        raise UsageError(f"{target} takes {strange[0]!r}, for which this check has no sizes; known: {', '.join(sized)}")
    weights = [name for name in arguments if name in LAYERS and name != "x"]
    shapes = {"x": _sizes("BI"), **{name: _sizes(LAYERS[name]) for name in weights}}
    draws = _uniform("layer", {name: _sizes("BI") for name in arguments if name in DRAWS})
    bound: dict[str, Any] = {**{name: NUMBERS[name] for name in arguments if name in NUMBERS}, **draws}

    def forward(leaves: Params, y: Tensor | None) -> tuple[Tensor, Callable[[], Params]]:
        # A layer's weights have a leading axis of members, here of one.
        output, pull = layer(leaves["x"], *(leaves[name][None] for name in weights), **bound)
        r = torch.from_numpy(generator(0, "layer", "r").standard_normal(tuple(output.shape))).to(output.dtype)

        def pulled() -> Params:
            dx, *dweights = pull(r, need_dx=True)
            return {"x": dx, **{name: grad[0] for name, grad in zip(weights, dweights, strict=True)}}

        return (output * r).sum(), pulled

    return shapes, forward


def _uniform(word: str, shapes: Shapes) -> Params:
    """Draw fixed uniform numbers by name."""
    return {name: torch.from_numpy(generator(0, word, name).random(shape)) for name, shape in shapes.items()}


def _model(entry: Callable[..., Any], recipe: Recipe, given: Iterable[str]) -> Model:
    """Return a small model of that kind, with what the recipe says of it; one that is too large is refused unbuilt."""
    hidden = recipe.hidden if "hidden" in given else HIDDEN
    fields = {"hidden": hidden, "activation": recipe.activation, "dropout": recipe.dropout}
    values = {"inputs": SIZES["I"], "classes": SIZES["C"], **fields}
    wanted = inspect.signature(entry).parameters
    # Every number costs a difference, and an array of them memory.
    count = sum(before * after for before, after in pairwise((SIZES["I"], *hidden, SIZES["I"])))
    if "hidden" in wanted and count > LARGEST:
        wide = "-".join(map(str, hidden))[:60]
        raise UsageError(f"--hidden {wide}: some {count:,} weights; a check needs a few, such as --hidden 6-5")
    model: Model = entry(**{name: value for name, value in values.items() if name in wanted})
    return model


def _modeled(
    model: Model, loss: Loss, recipe: Recipe, leaves: Params, y: Tensor | None
) -> tuple[Tensor, Callable[[], Params]]:
    x = leaves["x"]
    params = {name: leaf[None] for name, leaf in leaves.items() if name != "x"}
    scores, pull, _ = model.forward(params, {}, x, _uniform("noise", model.noise(len(x))))
    value, dscores = loss(scores, y)
    extra = {name: torch.zeros_like(tensor) for name, tensor in params.items()}
    penalty = penalize(params, extra, _first(recipe.l1), _first(recipe.l2))

    def pulled() -> Params:
        dx, grads = pull(dscores, need_dx=True)
        return {"x": dx, **{name: (grads[name] + extra[name])[0] for name in params}}

    return (value + penalty).sum(), pulled
