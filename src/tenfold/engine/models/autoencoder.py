"""Fully connected autoencoder: layers narrow down to a code, and the same widths in reverse lead back to the inputs.

h_0 = x,   h_i = φ(W_i h_{i−1} + b_i),   code = h_n,   x̂ = W_{2n} h_{2n−1} + b_{2n}

With φ the identity it is a linear map of rank a, the code's width, whose squared error cannot be below that of the a
first principal components (Baldi and Hornik 1989).
"""

__all__ = ["Autoencoder"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import ClassVar

from torch import Tensor

from tenfold.engine.chain import chain
from tenfold.engine.layers.linear import linear
from tenfold.engine.types import Buffers, Grads, Link, Params, Scalar
from tenfold.engine.weights import affine, drawn
from tenfold.rooms import find

UNLABELED = True


@dataclass(frozen=True)
class Autoencoder:
    """Shapes of the model: D inputs; hidden: widths of the encoder, the last that of the code; φ by its word."""

    inputs: int
    hidden: tuple[int, ...]
    activation: str = "relu"
    templates: ClassVar[str] = ""
    filters: ClassVar[str] = ""

    @property
    def takes(self) -> tuple[int, ...]:
        """Return the shape of one input: (D,)."""
        return (self.inputs,)

    def describe(self) -> str:
        """Return its layers in one line."""
        widths = (self.inputs, *self.hidden, *self.hidden[-2::-1], self.inputs)
        return f"affine layers {', '.join(f'{before} → {after}' for before, after in pairwise(widths))}"

    def init(self, seeds: Sequence[int], initializer: str = "he", scale: Scalar = 1.0) -> Params:
        """Draw the first parameters, float64: "encoder1.weight" (P, H, D) … "decoder1.bias" …."""
        return drawn(self.shapes(), initializer, seeds, scale)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter, without the axis of members."""
        widths = (self.inputs, *self.hidden, *self.hidden[-2::-1], self.inputs)
        return affine({name: (widths[i + 1], widths[i]) for i, name in enumerate(self._names())})

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
        """Return reconstructions (P, B, D) of inputs (B, D), their pullback, and the buffers as they were."""
        return (*chain(self.links(noise), params, x), buffers)

    def predict(self, params: Params, buffers: Buffers, x: Tensor) -> Tensor:
        """Return reconstructions (P, B, D) of inputs (B, D)."""
        return chain(self.links({}), params, x)[0]

    def encode(self, params: Params, x: Tensor) -> Tensor:
        """Return codes (P, B, a) of inputs (B, D), after their activation."""
        return chain(self._links[: 2 * len(self.hidden)], params, x)[0]

    @cached_property
    def _links(self) -> tuple[Link, ...]:
        links: list[Link] = []
        for name in self._names():
            links.append(Link(name, linear, (f"{name}.weight", f"{name}.bias")))
            links.append(Link(f"{name}.{self.activation}", find("layers", self.activation)))
        return tuple(links[:-1])

    def _names(self) -> tuple[str, ...]:
        return tuple(f"{half}{i}" for half in ("encoder", "decoder") for i in range(1, len(self.hidden) + 1))
