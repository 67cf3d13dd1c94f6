"""Tenfold's own losses, layers and models as subjects: "losses/hinge", "layers/linear", "models/mlp".

A layer has no value of its own; it is given the value Σ r ∘ y with fixed random numbers r, whose gradient in y is r.
Autograd follows the very code that is checked, a loss the value that it returns; nothing is declared twice.
"""

__all__ = ["ENTRIES", "entry_subject"]

import inspect
import math
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tenfold.choices import members
from tenfold.engine.objective import penalize
from tenfold.engine.population import built
from tenfold.engine.types import Loss, Params
from tenfold.errors import UsageError, nearest
from tenfold.recipe import UNLABELED, Recipe
from tenfold.rooms import find, marked, names
from tenfold.seeds import generator
from tenfold.teach.doctor.declared import LARGEST, Declared
from tenfold.teach.doctor.subject import Sizes, Subject
from tenfold.teach.doctor.userfile import Bound, subject_of

ENTRIES = {"losses": "loss", "layers": "layer", "models": "model"}  # rooms, and an entry of each in one word
BATCH, CLASSES, INPUTS, HIDDEN = 5, 4, 7, (6, 5)
ROWS = {"x": (BATCH, INPUTS), "w": (CLASSES, INPUTS), "b": (CLASSES,)}
IMAGES = {"x": (BATCH, 2, 5, 4), "w": (CLASSES, 2, 3, 3), "b": (CLASSES,), "gain": (2,), "bias": (2,)}
DRAWS = {"u": (BATCH, INPUTS), "mean": (1, 2), "variance": (1, 2), "filters": (1, 3, 2, 2, 2)}
NUMBERS, SMALL = {"p": 0.3}, ((1, 1, INPUTS), (2, 5, 4))  # images of models that take rows, and of those for images

Values = dict[str, Any]  # tensors by name: x, the parameters, and y where there is one
Entry = Callable[[Values], tuple[Tensor, list[Tensor]]]  # -> a value, and gradients of x and of the parameters


def entry_subject(target: str, recipe: Recipe, given: frozenset[str] = frozenset(), float32: bool = False) -> Subject:
    """Return the entry that "room/word" names; recipe: shapes of a model and its loss, as far as its fields are given.

    Raises UsageError for a room or word that is not known, with the nearest.
    """
    room, _, word = target.partition("/")
    if room not in ENTRIES:
        words = [f"{room}/{word}" for room in ENTRIES for word in names(room)]
        alike = [f"an entry such as {word}" for word in words if word.partition("/")[2] == target]
        nearby = alike[0] if alike else f"an entry of Tenfold: {nearest(target, words)}"
        raise UsageError(f"{target!r} is neither a file (my_loss.py:function) nor {nearby}")
    code = find(room, word)
    # Of a model that reconstructs its targets are arguments here, not the inputs again with a second gradient.
    numeric = word in UNLABELED
    shapes: dict[str, Sizes] = {"x": (BATCH, CLASSES)}
    entry: Entry = partial(_loss, code)
    if room != "losses":
        shapes, entry = _layer(code, target) if room == "layers" else _model(word, recipe, given)
    # Of a model that reconstructs and of a loss, the outputs are as wide as x.
    targets = shapes["x"] if numeric else (BATCH,)
    declared = Declared(shapes, "" if room == "layers" else "y", targets, 0 if numeric else CLASSES, {}, ())
    dtype = "float32" if float32 else "float64"
    bound = Bound(entry, Path(target), target, declared, lambda values: ([values], {}), True, dtype, tuple(shapes))
    return subject_of(bound, target, ENTRIES[room])._replace(function=None)


def _loss(loss: Loss, values: Values) -> tuple[Tensor, list[Tensor]]:
    value, dz = loss(values["x"], values["y"])
    return value, [dz]


def _layer(layer: Callable[..., Any], target: str) -> tuple[dict[str, Sizes], Entry]:
    """Return sizes of a layer's arguments by name, and its value against fixed numbers."""
    arguments = inspect.signature(layer).parameters
    sizes = IMAGES if (is_image := target.partition("/")[2] in marked("layers", "IMAGES")) else ROWS
    sized = (*sizes, *DRAWS, *NUMBERS)
    if strange := [name for name, one in arguments.items() if one.default is one.empty and name not in sized]:
        raise UsageError(f"{target} takes {strange[0]!r}, for which this check has no sizes; known: {', '.join(sized)}")
    shapes = {"x": sizes["x"], **{name: sizes[name] for name in arguments if name in sizes}}
    draws = _uniform("layer", {name: DRAWS[name] for name in arguments if name in DRAWS})
    bound: dict[str, Any] = {**{name: NUMBERS[name] for name in arguments if name in NUMBERS}, **draws}

    def entry(values: Values) -> tuple[Tensor, list[Tensor]]:
        # A layer's weights have a leading axis of members, here of one.
        x = values["x"][None] if is_image else values["x"]
        output, pull, *_ = layer(x, *(values[name][None] for name in shapes if name != "x"), **bound)
        r = torch.from_numpy(generator(0, "layer", "r").standard_normal(tuple(output.shape))).to(output.dtype)
        dx, *dweights = pull(r, need_dx=True)
        return (output * r).sum(), [dx[0] if is_image else dx, *(grad[0] for grad in dweights)]

    return shapes, entry


def _uniform(word: str, shapes: dict[str, Sizes]) -> Params:
    return {name: torch.from_numpy(generator(0, word, name).random(shape)) for name, shape in shapes.items()}


def _model(word: str, recipe: Recipe, given: Iterable[str]) -> tuple[dict[str, Sizes], Entry]:
    """Return sizes of a small model's arguments by name, and its cost; a model that is too large is refused."""
    hidden = recipe.hidden if "hidden" in given else HIDDEN
    chosen = {**recipe.model_dump(), **members(recipe)[0]}
    small = recipe.model_copy(update={"model": word, "hidden": hidden, "widths": recipe.widths or (2, 3)})
    numeric, image = word in UNLABELED, SMALL[word in marked("models", "IMAGES")]
    model = find("models", word)(INPUTS, hidden, small.activation) if numeric else built(small, image, CLASSES)
    loss = find("losses", "squared_error" if numeric else chosen["loss"])
    # Every number costs a difference, and an array of them memory.
    if (count := sum(map(math.prod, model.shapes().values()))) > LARGEST:
        wide = "-".join(map(str, hidden))[:60]
        raise UsageError(f"--hidden {wide}: some {count:,} weights; a check needs a few, such as --hidden 6-5")

    def entry(values: Values) -> tuple[Tensor, list[Tensor]]:
        x, params = values["x"], {name: values[name][None] for name in model.shapes()}
        buffers = model.buffers(1, torch.from_numpy(generator(0, "images").random((9, *model.takes))).to(x))
        scores, pull, _ = model.forward(params, buffers, x, _uniform("noise", model.noise(len(x))))
        value, dscores = loss(scores, values["y"])
        dx, grads = pull(dscores, need_dx=True)
        extra = {name: torch.zeros_like(tensor) for name, tensor in params.items()}
        penalty = penalize(params, extra, chosen["l1"], chosen["l2"])
        return (value + penalty).sum(), [dx, *((grads[name] + extra[name])[0] for name in params)]

    return {"x": (BATCH, *model.takes), **model.shapes()}, entry
