"""One affine map from pixels to class scores: with the softmax loss, multinomial logistic regression.

z = W x + b;   row k of W is the template of class k
"""

__all__ = ["Linear"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from math import prod
from typing import ClassVar

from torch import Tensor

from tenfold.engine.chain import chain
from tenfold.engine.layers.linear import linear
from tenfold.engine.types import Buffers, Grads, Link, Params, Scalar
from tenfold.engine.weights import affine, drawn
from tenfold.recipe import Recipe


@dataclass(frozen=True)
class Linear:
    """Shapes of the model: D inputs, C classes; narrow: multiply in bfloat16."""

    inputs: int
    classes: int
    narrow: bool = False
    templates: ClassVar[str] = "scores.weight"
    filters: ClassVar[str] = ""

    @property
    def takes(self) -> tuple[int, ...]:
        """Return the shape of one input: (D,)."""
        return (self.inputs,)

    def describe(self) -> str:
        """Return its layers in one line."""
        return f"affine layers {self.inputs} → {self.classes}"

    def init(self, seeds: Sequence[int], initializer: str = "zero", scale: Scalar = 1.0) -> Params:
        """Draw the first parameters, float64: "scores.weight" (P, C, D) and "scores.bias" (P, C). seeds: P numbers."""
        return drawn(self.shapes(), initializer, seeds, scale)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter, without the axis of members."""
        return affine({"scores": (self.classes, self.inputs)})

    def buffers(self, members: int, images: Tensor) -> Buffers:
        """Return none: the model keeps nothing beside its parameters."""
        return {}

    def noise(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the uniform draws that one training step takes: none."""
        return {}

    def links(self, noise: dict[str, Tensor], training: bool = True) -> tuple[Link, ...]:
        """Return the layers in order."""
        return self._links

    def forward(
        self, params: Params, buffers: Buffers, x: Tensor, noise: dict[str, Tensor]
    ) -> tuple[Tensor, Callable[..., tuple[Tensor | None, Grads]], Buffers]:
        """Return scores (P, B, C) of inputs (B, D), their pullback, and the buffers as they were."""
        return (*chain(self.links(noise), params, x), buffers)

    @cached_property
    def _links(self) -> tuple[Link, ...]:
        layer = partial(linear, narrow=True) if self.narrow else linear
        return (Link("scores", layer, ("scores.weight", "scores.bias")),)

    def predict(self, params: Params, buffers: Buffers, x: Tensor) -> Tensor:
        """Return scores (P, B, C) of inputs (B, D)."""
        return chain(self.links({}), params, x)[0]


def built(recipe: Recipe, image_shape: tuple[int, int, int], classes: int) -> Linear:
    """Return the model that a recipe asks for. image_shape: (channels, H, W)."""
    return Linear(prod(image_shape), classes, recipe.precision == "bfloat16")
