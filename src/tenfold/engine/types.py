"""The nouns of the engine. Letters of shapes: P members, B batch, C classes, D/I/O widths."""

__all__ = [
    "Batch",
    "Buffers",
    "Grads",
    "Layer",
    "Link",
    "Loss",
    "Model",
    "Optimizer",
    "Params",
    "Pull",
    "Scalar",
    "State",
    "Value",
]

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol

from torch import Tensor

Scalar = float | Tensor
"""A number for all members, or one for each of them, shape (P,)."""

Params = dict[str, Tensor]

Grads = dict[str, Tensor]

Buffers = dict[str, Tensor]

Pull = Callable[..., tuple[Any, ...]]
"""`dx, *dweights = pull(dy, need_dx=True)`."""

Layer = Callable[..., Any]
"""`y, pull = layer(x, *weights)`; one with buffers: `y, pull, buffers = layer(x, *weights, *buffers)`."""

Loss = Callable[..., tuple[Tensor, Tensor]]
"""`value, dscores = loss(scores, target, weight)`."""


class Link(NamedTuple):
    """One layer of a chain, its own name, and the names of its weights and buffers among those of the model.

    inside: of a block of layers, called like it: yields the name and output of each of them in turn.
    """

    name: str
    layer: Layer
    weights: tuple[str, ...] = ()
    buffers: tuple[str, ...] = ()
    inside: Callable[..., Iterator[tuple[str, Tensor]]] | None = None


class Value(NamedTuple):
    """Numbers of one step on its batch, each (P,): loss, penalty (cost = loss + penalty), share classified right."""

    loss: Tensor
    penalty: Tensor
    accuracy: Tensor


class Batch(NamedTuple):
    """The batch of one step: inputs (B, …) as the model takes them, targets, weights of images (B, 1) or 1.0, noise by
    name.

    mirrored: None, or (P, B) bool, which members see which mirror image; inputs and noise then have 2B rows, those of
    the images and after them those of their mirror images, which share their noise. partners: targets (B,) of the
    images that were mixed in, which count 1 − share.
    """

    inputs: Tensor
    targets: Tensor
    weight: Scalar
    noise: dict[str, Tensor]
    mirrored: Tensor | None = None
    partners: Tensor | None = None
    share: float = 1.0


class Model(Protocol):
    """Shapes of a network; its parameters travel beside it.

    templates: the parameter whose rows (C, D) show a class each, "" where there is none.
    """

    templates: ClassVar[str]

    @property
    def takes(self) -> tuple[int, ...]:
        """Return the shape of one input: (D,), or that of an image (channels, H, W)."""

    @property
    def classes(self) -> int:
        """Return the number C of classes."""

    def describe(self) -> str:
        """Return its layers in one line, for cards and tables."""

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter, without the axis of members: "layer.weight" (O, …), "layer.bias" (O,)."""

    def init(self, seeds: Sequence[int], initializer: str, scale: Scalar) -> Params:
        """Draw the first parameters, float64, name -> (P, ...); member k's depend on seeds[k] alone."""

    def buffers(self, members: int, images: Tensor) -> Buffers:
        """Return the first buffers, (P, …); images: (N, *takes), standardized, of the training part."""

    def noise(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes (B, …) of the uniform draws that a training step on a batch takes, by name."""

    def links(self, noise: dict[str, Tensor]) -> tuple[Link, ...]:
        """Return the layers in order; those whose noise is absent are left out."""

    def forward(
        self, params: Params, buffers: Buffers, x: Tensor, noise: dict[str, Tensor]
    ) -> tuple[Tensor, Any, Buffers]:
        """Return scores (P, B, C) of inputs (B, *takes), `pull(dscores) -> dx, grads`, and the next buffers."""

    def predict(self, params: Params, buffers: Buffers, x: Tensor) -> Tensor:
        """Return scores (P, B, C) of inputs (B, *takes), without noise."""


class State(NamedTuple):
    """Everything that the next step depends on.

    step: updates made so far. params, buffers: name -> (P, ...). memory: the optimizer's, name -> (P, ...).
    status: (P,) int64: 0 active, k > 0 stopped after step k, −k failed in step k.
    """

    step: int
    params: Params
    buffers: Buffers
    memory: Params
    status: Tensor


class Optimizer(NamedTuple):
    """An update rule and what it remembers.

    slots: names of the tensors that it keeps beside each parameter, zero at first, "slot/parameter" in memory.
    `update(params, grads, memory, learning_rate, step)` changes parameters and memory in place.
    """

    slots: tuple[str, ...]
    update: Callable[[Params, Grads, Params, Scalar, int], None]
