"""Components of networks of images: a layer, bound, with the shapes of its weights and buffers."""

__all__ = [
    "Body",
    "Component",
    "buffer_shapes",
    "convolution",
    "dense",
    "dropped",
    "link",
    "normalization",
    "shapes_of",
]

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold.engine.layers.batch_norm import batch_norm
from tenfold.engine.layers.conv2d import conv2d
from tenfold.engine.layers.dropout import dropout
from tenfold.engine.layers.linear import linear
from tenfold.engine.types import Buffers, Link, Pull

Shapes = Mapping[str, tuple[int, ...]]


class Component(NamedTuple):
    """A layer of a network.

    weights, buffers: name -> shape of one member's, in the order in which the layer takes them. has_modes: the layer
    takes `training`. noise: width of the uniform draws that it takes as `u`, 0 for none. learned: makes its only buffer
    from images (N, C, H, W); without it, a variance is 1 at first and all else 0. inside: as that of Link.
    """

    name: str
    layer: Callable[..., Any]
    weights: Shapes = {}  # noqa: RUF012 - a NamedTuple's default is never written to
    buffers: Shapes = {}  # noqa: RUF012
    has_modes: bool = False
    noise: int = 0
    learned: Callable[[Tensor], Tensor] | None = None
    inside: Callable[..., Iterator[tuple[str, Tensor]]] | None = None

    def first_buffers(self, members: int, images: Tensor) -> Buffers:
        """Return the first buffers, (P, …) in the format of the images."""
        made = {}
        for name, shape in self.buffers.items():
            kept = self.learned(images) if self.learned else torch.full(shape, float(name.endswith("variance")))
            made[f"{self.name}.{name}"] = kept.to(images).expand(members, *shape).clone()
        return made


class Body(NamedTuple):
    """The components of a network from the image to a row of features, and how many features there are."""

    components: tuple[Component, ...]
    features: int


def convolution(name: str, channels: int, width: int, size: int = 3, stride: int = 1, bias: bool = False) -> Component:
    """Return a convolution whose output has the size of its input, divided by the stride."""
    shift: dict[str, tuple[int, ...]] = {"bias": (width,)} if bias else {}
    weights = {"weight": (width, channels, size, size)} | shift
    return Component(name, partial(conv2d, stride=stride, padding=size // 2), weights)


def normalization(name: str, width: int, scaled: bool = True, momentum: float = 0.1) -> Component:
    """Return a batch normalization. scaled: its gain is trained, else 1. momentum: share of the new statistics."""
    layer = partial(batch_norm if scaled else _unscaled, momentum=momentum)
    weights = {"gain": (width,)} if scaled else {}
    return Component(
        name, layer, weights | {"bias": (width,)}, {"mean": (width,), "variance": (width,)}, has_modes=True
    )


def dense(name: str, inputs: int, outputs: int) -> Component:
    """Return an affine map."""
    return Component(name, linear, {"weight": (outputs, inputs), "bias": (outputs,)})


def dropped(name: str, width: int, share: float) -> Component:
    """Return dropout of a row of features."""
    return Component(name, partial(dropout, p=share), noise=width)


def link(component: Component, training: bool, noise: Mapping[str, Tensor]) -> Link | None:
    """Return the layer as a network takes it; None for one that only has a part in training, without its noise."""
    if component.noise and component.name not in noise:
        return None
    modes = {"training": training} if component.has_modes else {}
    draws = {"u": noise[component.name]} if component.noise else {}
    layer = partial(component.layer, **modes, **draws) if modes or draws else component.layer
    weights, buffers = (_named(component.name, names) for names in (component.weights, component.buffers))
    return Link(component.name, layer, weights, buffers, component.inside)


def shapes_of(components: Iterable[Component]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every weight, without the axis of members."""
    return {f"{component.name}.{name}": shape for component in components for name, shape in component.weights.items()}


def buffer_shapes(components: Iterable[Component]) -> dict[str, tuple[int, ...]]:
    """Return the shape of every buffer, without the axis of members."""
    return {f"{component.name}.{name}": shape for component in components for name, shape in component.buffers.items()}


def _named(component: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{component}.{name}" for name in names)


def _unscaled(
    x: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, training: bool, momentum: float
) -> tuple[Tensor, Pull, tuple[Tensor, Tensor]]:
    """Normalize with a gain of 1, which gets no gradient."""
    y, pull_all, after = batch_norm(x, torch.ones_like(bias), bias, mean, variance, training, momentum)

    def pull(dy: Tensor, need_dx: bool = True) -> tuple[Tensor | None, Tensor]:
        dx, _, dbias = pull_all(dy, need_dx)
        return dx, dbias

    return y, pull, after
