"""A trained model as a list of plain operations on arrays, from pixels to probabilities: what every export writes.

The operations are read off the model's own layers, not traced. Arrays are float32 and have no axis of members. All is
multiplied in float32, for models too that were trained in bfloat16 or float64.

    reshape · scale · standardize            inputs: pixels × factor + offset
    linear · conv2d · batch_norm · max_pool · global_max · global_mean · flatten · add · activations by their words
    views · mean_of_views                    test-time augmentation
    patches                                  features by K-means
    log_sigmoid · softmax · mix · log        scores to probabilities, and their mean in an ensemble
"""

__all__ = ["Operation", "Program", "identifier", "program", "widened"]

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.autoencoding import autoencoder_of
from tenfold.data.given import Form
from tenfold.data.types import drawn_shape
from tenfold.engine.components import Component, link
from tenfold.engine.types import Link
from tenfold.errors import UsageError
from tenfold.rooms import marked
from tenfold.trained.answer import form_of
from tenfold.trained.ensemble import Ensemble, EnsemblePart
from tenfold.trained.model import TrainedModel, members_of, test_views
from tenfold.trained.views import views

INPUT = "images"
BYTE = 255.0
EPSILON = 1e-5  # that batch normalization adds to a variance
Tensors = Mapping[str, Tensor]
Settings = Mapping[str, Any]


class Operation(NamedTuple):
    """One step: output = kind(inputs, arrays, settings).

    name: of its output; inputs: names of earlier outputs. arrays: names among those of the program, whose last part
    says what they are. settings: numbers and words by name.
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    arrays: tuple[str, ...]
    settings: Settings


class Program(NamedTuple):
    """The operations of a model in order; the last one gives the probabilities (N, classes).

    form: how the model takes pictures. shape: (C, H, W) of one input. Inputs are pixels from 0 to 255, or numbers as
    they are in the model's data where those are no pixels. describe: its layers in one line.
    """

    form: Form
    shape: tuple[int, int, int]
    operations: tuple[Operation, ...]
    arrays: dict[str, NDArray[np.float32]]
    class_names: tuple[str, ...]
    describe: str

    @property
    def numbers(self) -> str:
        """Say what the numbers of an input are."""
        return "pixels from 0 to 255" if self.form.units.are_pixels else "numbers as in the model's data"

    @property
    def takes_pictures(self) -> bool:
        """Say whether image files can be brought to its inputs."""
        try:
            return bool(self.form.mode)
        except UsageError:
            return False


def program(trained: TrainedModel) -> Program:
    """Return the operations of a model; a UsageError where some of it cannot be exported."""
    form, draft = form_of(trained), _Draft()
    shape = drawn_shape(trained.image_shape) if form.units.are_pixels else trained.image_shape
    x = INPUT
    if form.units.are_pixels and form.units.top != BYTE:
        x = draft.add("scale", "pixels", (x,), {}, {"factor": form.units.top / BYTE})
    if shape != trained.image_shape:
        x = draft.add("reshape", "rows", (x,), {}, {"shape": trained.image_shape})
    x = _featured(draft, trained, x)
    _answered(draft, trained, x, "")
    return Program(form, shape, tuple(draft.operations), draft.arrays, trained.class_names, trained.model.describe())


def widened(trained: TrainedModel) -> TrainedModel:
    """Return the model with all products in float32, where it has some in bfloat16."""
    model = trained.model
    if isinstance(model, Ensemble):
        return replace(trained, model=replace(model, parts=tuple(map(_wide_part, model.parts))))
    return replace(trained, model=replace(model, narrow=False)) if getattr(model, "narrow", False) else trained


def identifier(name: str) -> str:
    """Return a name of the program as one of a variable.

    >>> identifier("block1.conv2"), identifier("images")
    ('block1_conv2', 'images')
    """
    return re.sub(r"\W", "_", name)


def _wide_part(part: EnsemblePart) -> EnsemblePart:
    return replace(part, shapes={**part.shapes, "narrow": False}) if "narrow" in part.shapes else part


@dataclass
class _Draft:
    """A program as it grows."""

    operations: list[Operation] = field(default_factory=list)
    arrays: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def add(self, kind: str, name: str, inputs: tuple[str, ...], tensors: Tensors, settings: Settings) -> str:
        """Add an operation, and its tensors by what they are; return its name."""
        named = {f"{name}.{role}": np.ascontiguousarray(t.float().numpy()) for role, t in tensors.items()}
        self.arrays |= named
        self.operations.append(Operation(kind, name, inputs, tuple(named), settings))
        return name


def _featured(draft: _Draft, trained: TrainedModel, x: str) -> str:
    """Add what the model sees of an image, (N, D)."""
    if trained.features == "patches":
        roles = ("centroids", "mean", "whitening", "center", "decorrelation")
        factor = float(trained.learned["factor"])
        tensors = {role: trained.learned[role] for role in roles}
        return draft.add("patches", "quadrants", (x,), tensors, {"factor": factor, "shape": trained.image_shape})
    x = draft.add("flatten", "flat", (x,), {}, {})
    if trained.features == "pixels":
        return x
    if trained.features != "codes":
        raise UsageError(f"features {trained.features}: cannot be exported; export a model of pixels, patches or codes")
    learned, model = trained.learned, autoencoder_of(trained.learned)
    x = draft.add("standardize", "centered", (x,), {role: learned[role] for role in ("factor", "offset")}, {})
    encoder = model.links({})[: 2 * len(model.hidden)]
    return _chained(draft, encoder, {name: learned[name][0] for part in encoder for name in part.weights}, x, "")


def _answered(draft: _Draft, trained: TrainedModel, x: str, prefix: str) -> str:
    """Add a model, or the members of an ensemble and their mean, from features (N, D) to probabilities."""
    if not isinstance(trained.model, Ensemble):
        return _probabilities(draft, trained, _scored(draft, trained, x, prefix), prefix)
    members = members_of(trained)
    answers = tuple(_answered(draft, member, x, f"part{k + 1}.") for k, member in enumerate(members))
    weights = tuple(part.weight for part in trained.model.parts)
    mean = draft.add("mix", "mean", answers, {}, {"weights": weights})
    return _probabilities(draft, trained, draft.add("log", "logs", (mean,), {}, {}), "")


def _scored(draft: _Draft, trained: TrainedModel, x: str, prefix: str) -> str:
    """Add standardization, views and layers, to the scores."""
    model, (word, mirrors) = widened(trained).model, test_views(trained)
    x = draft.add("standardize", f"{prefix}inputs", (x,), {"factor": trained.factor, "offset": trained.offset}, {})
    weights = [weight for weight, _ in views(torch.zeros(1, 1, 3, 3), word, mirrors)]
    if len(weights) > 1:
        x = draft.add("reshape", f"{prefix}pictures", (x,), {}, {"shape": trained.image_shape})
        seen = {"shifted": word == "flip+shift", "mirrored": mirrors, "shape": trained.image_shape}
        x = draft.add("views", f"{prefix}seen", (x,), {}, seen)
    if model.takes != (trained.image_shape if len(weights) > 1 else (len(trained.factor),)):
        x = draft.add("reshape", f"{prefix}shaped", (x,), {}, {"shape": model.takes})
    x = _chained(draft, model.links({}), {name: t[0] for name, t in trained.params.items()}, x, prefix)
    if len(weights) == 1:
        return x
    classes = len(trained.class_names)
    return draft.add("mean_of_views", f"{prefix}mean", (x,), {}, {"weights": tuple(weights), "classes": classes})


def _probabilities(draft: _Draft, trained: TrainedModel, z: str, prefix: str) -> str:
    """Add calibration and what makes probabilities of scores."""
    if trained.temperature != 1:
        z = draft.add("scale", f"{prefix}tempered", (z,), {}, {"factor": 1 / trained.temperature})
    if trained.loss in marked("losses", "PER_CLASS"):
        z = draft.add("log_sigmoid", f"{prefix}log_chances", (z,), {}, {})
    return draft.add("softmax", f"{prefix}probabilities", (z,), {}, {})


def _chained(draft: _Draft, links: Sequence[Link], params: Tensors, x: str, prefix: str) -> str:
    """Add layers in order. params: name -> tensor without the axis of members."""
    for layer in links:
        function, settings = _unwrapped(layer.layer)
        tensors = {key: params[key] for key in (*layer.weights, *layer.buffers)}
        word, name = function.__name__, f"{prefix}{layer.name}"
        if word == "block":
            x = _block(draft, settings, {key.removeprefix(f"{layer.name}."): t for key, t in tensors.items()}, x, name)
            continue
        if word not in _LAYERS:
            raise UsageError(f"layer {word}: cannot be exported")
        kind, roles, settings = _LAYERS[word]({key.rpartition(".")[2]: t for key, t in tensors.items()}, settings)
        x = draft.add(kind, name, (x,), roles, settings)
    return x


def _block(draft: _Draft, settings: Settings, params: Tensors, x: str, name: str) -> str:
    """Add a residual block: relu(body(x) + aside(x))."""
    body = _chained(draft, _inside(settings["body"]), params, x, f"{name}.")
    aside = _chained(draft, _inside(settings["aside"]), params, x, f"{name}.")
    return draft.add("relu", f"{name}.out", (draft.add("add", f"{name}.sum", (body, aside), {}, {}),), {}, {})


def _inside(components: Sequence[Component]) -> list[Link]:
    return [made for component in components if (made := link(component, False, {}))]


def _unwrapped(layer: Callable[..., Any]) -> tuple[Callable[..., Any], Settings]:
    """Return the function of a layer, and what was bound to it."""
    bound: dict[str, Any] = {}
    while isinstance(layer, partial):
        bound = {**layer.keywords, **bound}
        layer = layer.func
    return layer, bound


_Plain = tuple[str, Tensors, Settings]


def _linear(roles: Tensors, bound: Settings) -> _Plain:
    return "linear", roles, {}


def _conv2d(roles: Tensors, bound: Settings) -> _Plain:
    return "conv2d", roles, {"stride": bound.get("stride", 1), "padding": bound.get("padding", 0)}


def _whiten(roles: Tensors, bound: Settings) -> _Plain:
    return "conv2d", {"weight": roles["filters"]}, {"stride": bound.get("stride", 1), "padding": 0}


def _batch_norm(roles: Tensors, bound: Settings) -> _Plain:
    ordered = {"gain": torch.ones_like(roles["bias"]), **roles}
    epsilon = bound.get("epsilon", EPSILON)
    return "batch_norm", {role: ordered[role] for role in ("gain", "bias", "mean", "variance")}, {"epsilon": epsilon}


def _max_pool(roles: Tensors, bound: Settings) -> _Plain:
    return "max_pool", {}, {"window": bound.get("window", 2)}


def _global_pool(roles: Tensors, bound: Settings) -> _Plain:
    return "global_max" if bound.get("maximum", True) else "global_mean", {}, {}


def _itself(word: str) -> Callable[[Tensors, Settings], _Plain]:
    """Return what makes of a layer without weights the operation of the same name."""
    return lambda roles, bound: (word, {}, {})


_LAYERS: dict[str, Callable[[Tensors, Settings], _Plain]] = {
    **{word: _itself(word) for word in ("flatten", *marked("layers", "ACTIVATION"))},
    "linear": _linear,
    "conv2d": _conv2d,
    "whiten": _whiten,
    "batch_norm": _batch_norm,
    "unscaled": _batch_norm,
    "max_pool": _max_pool,
    "global_pool": _global_pool,
}
"""Name of a layer's function -> what it is as an operation, by its tensors and what was bound to it."""
