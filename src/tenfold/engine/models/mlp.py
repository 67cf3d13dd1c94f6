"""Multilayer perceptron: affine maps with an activation after each but the last.

h_0 = x,   h_i = φ(W_i h_{i−1} + b_i),   z = W h_n + b

An embedding is one more layer before the scores; without classes it is the last, an affine map as they are.
"""

__all__ = ["MLP"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from math import prod
from typing import ClassVar

from torch import Tensor

from tenfold.engine.chain import chain
from tenfold.engine.layers.dropout import dropout
from tenfold.engine.layers.linear import linear
from tenfold.engine.types import Buffers, Grads, Link, Params, Scalar
from tenfold.engine.weights import affine, drawn
from tenfold.recipe import Recipe
from tenfold.rooms import find

USES = ("hidden", "activation", "dropout", "embedding")


@dataclass(frozen=True)
class MLP:
    """Shapes of the model: D inputs, hidden widths, C classes; dropout: share of hidden units dropped in training.

    embedding: width of a layer before the scores, 0 for none; with 0 classes, that of the outputs.
    """

    inputs: int
    classes: int
    hidden: tuple[int, ...]
    activation: str = "relu"
    dropout: float = 0.0
    narrow: bool = False
    embedding: int = 0
    templates: ClassVar[str] = ""
    filters: ClassVar[str] = ""

    @property
    def takes(self) -> tuple[int, ...]:
        """Return the shape of one input: (D,)."""
        return (self.inputs,)

    def describe(self) -> str:
        """Return its layers in one line."""
        widths = (self.inputs, *self._widths)
        return f"affine layers {', '.join(f'{before} → {after}' for before, after in pairwise(widths))}"

    def init(self, seeds: Sequence[int], initializer: str = "he", scale: Scalar = 1.0) -> Params:
        """Draw the first parameters, float64: "hidden1.weight" (P, H, D) … "scores.bias" (P, C). seeds: P numbers."""
        return drawn(self.shapes(), initializer, seeds, scale)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter, without the axis of members."""
        widths = (self.inputs, *self._widths)
        return affine({name: (widths[i + 1], widths[i]) for i, name in enumerate(self._names())})

    def buffers(self, members: int, images: Tensor) -> Buffers:
        """Return none: the model keeps nothing beside its parameters."""
        return {}

    def noise(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes (B, H) of the uniform draws that a training step takes, by name of the layer they drop."""
        names = zip(self._names(), self.hidden, strict=False) if self.dropout else ()
        return {f"{name}.dropout": (batch, width) for name, width in names}

    def links(self, noise: dict[str, Tensor], training: bool = True) -> tuple[Link, ...]:
        """Return the layers in order; those with no noise among them are left out."""
        if not noise:
            return self._quiet
        links: list[Link] = []
        for link in self._quiet:
            links.append(link)
            # Units are dropped after their activation, which is named after their layer.
            drawn = f"{link.name.partition('.')[0]}.dropout"
            if "." in link.name and drawn in noise:
                links.append(Link(drawn, partial(dropout, u=noise[drawn], p=self.dropout)))
        return tuple(links)

    def forward(
        self, params: Params, buffers: Buffers, x: Tensor, noise: dict[str, Tensor]
    ) -> tuple[Tensor, Callable[..., tuple[Tensor | None, Grads]], Buffers]:
        """Return scores (P, B, C) of inputs (B, D), their pullback, and the buffers as they were."""
        return (*chain(self.links(noise), params, x), buffers)

    def predict(self, params: Params, buffers: Buffers, x: Tensor) -> Tensor:
        """Return scores (P, B, C) of inputs (B, D), nothing dropped."""
        return chain(self.links({}), params, x)[0]

    @cached_property
    def _quiet(self) -> tuple[Link, ...]:
        """Return the layers without dropout, which are the same in every step."""
        links: list[Link] = []
        names = self._names()
        for name in names:
            affine_layer = partial(linear, narrow=True) if self.narrow else linear
            links.append(Link(name, affine_layer, (f"{name}.weight", f"{name}.bias")))
            if name != names[-1]:
                links.append(Link(f"{name}.{self.activation}", find("layers", self.activation)))
        return tuple(links)

    def _names(self) -> tuple[str, ...]:
        last = ("embedding",) * bool(self.embedding) + ("scores",) * bool(self.classes)
        return (*(f"hidden{i}" for i in range(1, len(self.hidden) + 1)), *last)

    @property
    def _widths(self) -> tuple[int, ...]:
        return tuple(width for width in (*self.hidden, self.embedding, self.classes) if width)


def built(recipe: Recipe, image_shape: tuple[int, int, int], classes: int) -> MLP:
    """Return the model that a recipe asks for. image_shape: (channels, H, W)."""
    narrow = recipe.precision == "bfloat16"
    return MLP(prod(image_shape), classes, recipe.hidden, recipe.activation, recipe.dropout, narrow, recipe.embedding)
