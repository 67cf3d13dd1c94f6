"""Convolutional network: the components of a preset, an embedding if one is asked for, and an affine layer behind them.

    h = components(x)        e = φ(V h + c), where there is an embedding        z = W e + b

Without classes it is an encoder, and V h + c is what it gives.

Members take turns through the whole network, so that each has the very bits that it would have alone. With narrow
products the images are kept in bfloat16, channels innermost, from the first component to the features; weights,
statistics, their gradients and everything behind the features stay wide.
"""

__all__ = ["ConvNet"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from tenfold.engine.chain import through
from tenfold.engine.components import Component, buffer_shapes, dense, dropped, link, shapes_of
from tenfold.engine.layers.relu import relu
from tenfold.engine.types import Buffers, Grads, Link, Params, Pull, Scalar
from tenfold.engine.weights import count, drawn
from tenfold.errors import UsageError
from tenfold.recipe import Recipe
from tenfold.rooms import find

IMAGES = True
SMALLEST = 4
USES = ("preset", "widths", "depth", "embedding", "dropout")


@dataclass(frozen=True)
class ConvNet:
    """Shapes of the model: images (channels, H, W), C classes; preset: its word; widths, depth: () and 0 for its own.

    embedding: width of a layer before the scores, 0 for none; with 0 classes, that of the outputs. dropout: share of
    features dropped in training.
    """

    image_shape: tuple[int, int, int]
    classes: int
    preset: str = "fast"
    widths: tuple[int, ...] = ()
    depth: int = 0
    embedding: int = 0
    dropout: float = 0.0
    narrow: bool = False
    templates: ClassVar[str] = ""

    @property
    def takes(self) -> tuple[int, int, int]:
        """Return the shape of one input: (channels, H, W)."""
        return self.image_shape

    @property
    def filters(self) -> str:
        """Return the name of the filters (O, channels, k, k) that meet the image."""
        tensors = [pair for part in self._components for pair in (shapes_of([part]) | buffer_shapes([part])).items()]
        return next(name for name, shape in tensors if len(shape) == 4)

    def describe(self) -> str:
        """Return its layers in one line."""
        shapes = self.shapes()
        wide = [shape[0] for name, shape in shapes.items() if len(shape) == 4]
        return f"{self.preset}: convolutions of {', '.join(map(str, wide))} channels, {count(shapes):,} parameters"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter, without the axis of members."""
        return shapes_of(self._components)

    def init(self, seeds: Sequence[int], initializer: str = "he", scale: Scalar = 1.0) -> Params:
        """Draw the first parameters, float64; gains are 1 and the scores' weights 0. seeds: P numbers."""
        params = drawn(self.shapes(), initializer, seeds, scale)
        if self.classes:
            params["scores.weight"].zero_()
        return params

    def buffers(self, members: int, images: Tensor) -> Buffers:
        """Return the first buffers, (P, …) in the format of the images: running statistics, whitening filters.

        images: (N, *takes), standardized, of the training part.
        """
        return {
            name: t for component in self._components for name, t in component.first_buffers(members, images).items()
        }

    def noise(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes (B, D) of the uniform draws that a training step takes."""
        return {component.name: (batch, component.noise) for component in self._components if component.noise}

    def links(self, noise: dict[str, Tensor], training: bool = True) -> tuple[Link, ...]:
        """Return the layers in order, as they train or as they predict; those whose noise is absent are left out."""
        return tuple(made for component in self._components if (made := link(component, training, noise)))

    def forward(
        self, params: Params, buffers: Buffers, x: Tensor, noise: dict[str, Tensor]
    ) -> tuple[Tensor, Callable[..., tuple[Tensor | None, Grads]], Buffers]:
        """Return scores (P, B, C) of inputs (B, *takes), their pullback, and the buffers after this batch."""
        return self._in_turn(self.links(noise), params, buffers, x)

    def predict(self, params: Params, buffers: Buffers, x: Tensor) -> Tensor:
        """Return scores (P, B, C) of inputs (B, *takes) by the running statistics, nothing dropped.

        Running statistics may lie among the parameters, as in a model file.
        """
        return self._in_turn(self.links({}, training=False), params, params | buffers, x)[0]

    @cached_property
    def _components(self) -> tuple[Component, ...]:
        body = find("presets", self.preset)(self.image_shape, self.widths, self.depth)
        width, components = body.features, [*body.components]
        if self.narrow:
            components = [Component("narrow", _narrowed), *components, Component("wide", _widened)]
        if self.dropout:
            components.append(dropped("features.dropout", width, self.dropout))
        if self.embedding:
            components.append(dense("embedding", width, self.embedding))
        if not self.classes:
            return tuple(components)
        activated = [Component("embedding.relu", relu)] if self.embedding else []
        return (*components, *activated, dense("scores", self.embedding or width, self.classes))

    def _in_turn(
        self, links: Sequence[Link], params: Params, buffers: Buffers, x: Tensor
    ) -> tuple[Tensor, Callable[..., tuple[Tensor | None, Grads]], Buffers]:
        members = len(next(iter(params.values())))
        done = [through(links, _member(params, k), _member(buffers, k), x) for k in range(members)]

        def pull(dscores: Tensor, need_dx: bool = False) -> tuple[Tensor | None, Grads]:
            parts = [done[k][1](dscores[k : k + 1], need_dx=need_dx) for k in range(members)]
            dx = torch.stack([part for part, _ in parts if part is not None]).sum(0) if need_dx else None
            return dx, {name: torch.cat([grads[name] for _, grads in parts]) for name in params}

        after = {name: torch.cat([part[2][name] for part in done]) for name in buffers}
        return torch.cat([scores for scores, _, _ in done]), pull, after


def built(recipe: Recipe, image_shape: tuple[int, int, int], classes: int) -> ConvNet:
    """Return the model that a recipe asks for, or raise UsageError for images (channels, H, W) that are too small."""
    if min(image_shape[1:]) < SMALLEST:
        height, width = image_shape[1:]
        raise UsageError(
            f"model convnet: images of {height} × {width} are too small; it needs {SMALLEST} pixels a side"
        )
    return ConvNet(
        image_shape,
        classes,
        recipe.preset,
        recipe.widths,
        recipe.depth,
        recipe.embedding,
        recipe.dropout,
        recipe.precision == "bfloat16",
    )


def _member(tensors: dict[str, Tensor], k: int) -> dict[str, Tensor]:
    return {name: tensor[k : k + 1] for name, tensor in tensors.items()}


def _narrowed(x: Tensor) -> tuple[Tensor, Pull]:
    """Turn images (B, C, H, W) into bfloat16, channels innermost."""
    y = x.to(torch.bfloat16, memory_format=torch.channels_last)
    return y, lambda dy, need_dx=True: (dy.to(x.dtype) if need_dx else None,)


def _widened(x: Tensor) -> tuple[Tensor, Pull]:
    """Turn features (P, B, D) into float32."""
    return x.float(), lambda dy, need_dx=True: (dy.to(x.dtype),)
