"""Tenfold's own losses, layers and models as subjects: "losses/hinge", "layers/linear", "models/mlp".

A layer has no value of its own; it is given the value Σ r ∘ y with fixed random numbers r, whose gradient in y is r.
Autograd follows the very code that is checked, a loss the value that it returns; nothing is declared twice.
"""

__all__ = ["ENTRIES", "entry_subject"]

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tenfold.engine.objective import penalize
from tenfold.engine.types import Loss, Model, Params
from tenfold.errors import UsageError, nearest
from tenfold.recipe import UNLABELED, Recipe
from tenfold.rooms import find, names
from tenfold.seeds import generator
from tenfold.teach.doctor.calling import Bound, subject_of
from tenfold.teach.doctor.declared import LARGEST, Declared
from tenfold.teach.doctor.subject import Sizes, Subject

ENTRIES = {"losses": "loss", "layers": "layer", "models": "model"}
"""Rooms, and an entry of each in one word."""

SIZES = {"B": 5, "C": 4, "I": 7, "O": 4}
LAYERS = {"x": "BI", "w": "OI", "b": "O"}
DRAWS, NUMBERS = ("u",), {"p": 0.3}
HIDDEN = (6, 5)

Shapes = dict[str, Sizes]
Values = dict[str, Any]
"""Tensors by name: x, the parameters, and y where there is one."""

Entry = Callable[[Values], tuple[Tensor, list[Tensor]]]
"""-> a value, and gradients of x and of the parameters."""


def entry_subject(target: str, recipe: Recipe, given: frozenset[str] = frozenset(), float32: bool = False) -> Subject:
    """Return the entry that "room/word" names; recipe: shapes of a model and its loss, as far as its fields are given.

    Raises UsageError for a room or word that is not known, with the nearest.
    """
    room, _, word = target.partition("/")
    if room not in ENTRIES:
        raise UsageError(f"{target!r} is neither a file (my_loss.py:function) nor {_nearest_entry(target)}")
    code = find(room, word)
    # Of a model that reconstructs its targets are arguments here, not the inputs again with a second gradient.
    numeric = word in UNLABELED
    shapes: Shapes = {"x": _sizes("BC")}
    entry: Entry = partial(_loss, code)
    if room == "layers":
        shapes, entry = _layer(code, target)
    elif room == "models":
        model = _model(code, recipe, given)
        loss = find("losses", "squared_error" if numeric else _first(recipe.loss))
        shapes = {"x": _sizes("BI"), **{name: tuple(p.shape[1:]) for name, p in model.init([0], "zero", 1.0).items()}}
        entry = partial(_modeled, model, loss, recipe)
    # Of a model that reconstructs and of a loss, the outputs are as wide as x.
    targets = shapes["x"] if numeric else _sizes("B")
    declared = Declared(shapes, "" if room == "layers" else "y", targets, 0 if numeric else SIZES["C"], {}, ())
    dtype = "float32" if float32 else "float64"
    bound = Bound(entry, Path(target), target, declared, lambda values: ([values], {}), True, dtype, tuple(shapes))
    return subject_of(bound, target, ENTRIES[room])._replace(function=None)


def _nearest_entry(target: str) -> str:
    words = [f"{room}/{word}" for room in ENTRIES for word in names(room)]
    alike = [word for word in words if word.partition("/")[2] == target]
    return f"an entry such as {alike[0]}" if alike else f"an entry of Tenfold: {nearest(target, words)}"


def _sizes(letters: str) -> Sizes:
    return tuple(SIZES[letter] for letter in letters)


def _first(choice: Any) -> Any:
    """Return the first of several choices, or the only one."""
    return choice if isinstance(choice, str | float) else choice[0]


def _loss(loss: Loss, values: Values) -> tuple[Tensor, list[Tensor]]:
    value, dz = loss(values["x"], values["y"])
    return value, [dz]


def _layer(layer: Callable[..., Any], target: str) -> tuple[Shapes, Entry]:
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

    def entry(values: Values) -> tuple[Tensor, list[Tensor]]:
        # A layer's weights have a leading axis of members, here of one.
        output, pull = layer(values["x"], *(values[name][None] for name in weights), **bound)
        r = torch.from_numpy(generator(0, "layer", "r").standard_normal(tuple(output.shape))).to(output.dtype)
        dx, *dweights = pull(r, need_dx=True)
        return (output * r).sum(), [dx, *(grad[0] for grad in dweights)]

    return shapes, entry


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


def _modeled(model: Model, loss: Loss, recipe: Recipe, values: Values) -> tuple[Tensor, list[Tensor]]:
    x = values["x"]
    params = {name: value[None] for name, value in values.items() if name not in ("x", "y")}
    scores, pull, _ = model.forward(params, {}, x, _uniform("noise", model.noise(len(x))))
    value, dscores = loss(scores, values["y"])
    extra = {name: torch.zeros_like(tensor) for name, tensor in params.items()}
    penalty = penalize(params, extra, _first(recipe.l1), _first(recipe.l2))
    dx, grads = pull(dscores, need_dx=True)
    return (value + penalty).sum(), [dx, *((grads[name] + extra[name])[0] for name in params)]
