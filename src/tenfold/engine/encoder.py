"""An encoder as it is trained: a network that ends in an embedding, and what lies between the embedding and the loss.

    h = network(x)        z = h,  or V φ(U h + a) + c where there is a projection head,  then z / ‖z‖ for unit length

The loss sees z; a trained encoder is the network alone and gives h. The head is left behind: it drops what the loss
does not need, which a classifier of other things might (Chen et al. 2020).
"""

__all__ = ["Asked", "Encoder", "asked", "encoder"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, NamedTuple

from torch import Tensor

from tenfold.engine.chain import chain
from tenfold.engine.layers.linear import linear
from tenfold.engine.layers.relu import relu
from tenfold.engine.layers.unit_length import unit_length
from tenfold.engine.objective import MINING
from tenfold.engine.types import Buffers, Grads, Link, Model, Params, Scalar
from tenfold.engine.weights import affine, drawn
from tenfold.errors import UsageError
from tenfold.recipe import Recipe, Settings
from tenfold.rooms import declared


class Asked(NamedTuple):
    """A loss's demands. unit: embeddings of length 1; views: of each image; labeled: classes belong together."""

    unit: bool
    views: int
    labeled: bool


@dataclass(frozen=True)
class Encoder:
    """A network without classes, (P, B, width), and the head that its loss sees it through; projection: 0 for none."""

    network: Model
    width: int
    projection: int = 0
    unit: bool = False
    templates: ClassVar[str] = ""
    filters: ClassVar[str] = ""
    classes: ClassVar[int] = 0

    @property
    def takes(self) -> tuple[int, ...]:
        """Return the shape of one input."""
        return self.network.takes

    def describe(self) -> str:
        """Return its layers in one line."""
        head = f"; projection head {self.width} → {self.width} → {self.projection}" if self.projection else ""
        return f"encoder, {self.network.describe()}, embeddings of {self.width} numbers{head}"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each parameter, without the axis of members."""
        return self.network.shapes() | self._head_shapes()

    def init(self, seeds: Sequence[int], initializer: str, scale: Scalar = 1.0) -> Params:
        """Draw the first parameters, float64. seeds: P numbers."""
        head = drawn(self._head_shapes(), initializer, seeds, scale)
        return self.network.init(seeds, initializer, scale) | head

    def buffers(self, members: int, images: Tensor) -> Buffers:
        """Return the first buffers of the network. images: (N, *takes), standardized, of the training part."""
        return self.network.buffers(members, images)

    def noise(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the uniform draws that a training step takes, those of the mining among them."""
        return {**self.network.noise(batch), MINING: (batch, 2)}

    def links(self, noise: dict[str, Tensor], training: bool = True) -> tuple[Link, ...]:
        """Return the layers in order, those behind the embedding too; those whose noise is absent are left out."""
        return (*self.network.links(_of_network(noise), training), *self._head)

    def forward(
        self, params: Params, buffers: Buffers, x: Tensor, noise: dict[str, Tensor]
    ) -> tuple[Tensor, Callable[..., tuple[Tensor | None, Grads]], Buffers]:
        """Return what the loss sees of inputs (B, *takes), (P, B, D), its pullback, and the next buffers."""
        h, pull_network, after = self.network.forward(self.of_network(params), buffers, x, _of_network(noise))
        z, pull_head = chain(self._head, params, h)

        def pull(dz: Tensor, need_dx: bool = False) -> tuple[Tensor | None, Grads]:
            dh, head_grads = pull_head(dz, need_dx=True)
            dx, grads = pull_network(dh, need_dx=need_dx)
            return dx, grads | head_grads

        return z, pull, after

    def predict(self, params: Params, buffers: Buffers, x: Tensor) -> Tensor:
        """Return the embeddings (P, B, width) of inputs (B, *takes), without noise."""
        return self.network.predict(self.of_network(params), buffers, x)

    def seen(self, params: Params, embeddings: Tensor) -> Tensor:
        """Return what the loss sees of embeddings (P, B, width)."""
        return chain(self._head, params, embeddings)[0]

    def of_network(self, tensors: Params) -> Params:
        """Return the tensors of the network alone, which a trained encoder keeps."""
        return {name: tensor for name, tensor in tensors.items() if name not in self._head_names}

    def _head_shapes(self) -> dict[str, tuple[int, ...]]:
        widths = (self.width, self.projection)
        return affine({f"projection{i}": (widths[i - 1], self.width) for i in (1, 2)}) if self.projection else {}

    @cached_property
    def _head_names(self) -> tuple[str, ...]:
        return tuple(self._head_shapes())

    @cached_property
    def _head(self) -> tuple[Link, ...]:
        first, second = (
            Link(name, linear, (f"{name}.weight", f"{name}.bias")) for name in ("projection1", "projection2")
        )
        projected = (first, Link("projection1.relu", relu), second) if self.projection else ()
        return (*projected, Link("embedding.length", unit_length)) if self.unit else projected


def encoder(recipe: Recipe, network: Model) -> Encoder:
    """Return the encoder that a recipe asks for, around its network."""
    length = recipe.model_dump()["embedding_length"]
    unit = asked(recipe).unit if length == "loss" else length == "unit"
    return Encoder(network, recipe.embedding, recipe.model_dump()["projection"], unit)


def asked(recipe: Recipe, settings: Sequence[Settings] = ()) -> Asked:
    """Return what the loss of a recipe asks for; a UsageError where its losses, or its members', do not ask alike."""
    words = (*(recipe.loss if isinstance(recipe.loss, tuple) else (recipe.loss,)), *(s["loss"] for s in settings))
    first, *rest = [_asked_by(word) for word in words]
    for word, other in zip(words[1:], rest, strict=True):
        if other != first:
            raise UsageError(f"the losses {words[0]} and {word} take different batches: train them apart")
    return first


def _asked_by(word: str) -> Asked:
    unit, views, labeled = (
        declared("embedding_losses", word, name, otherwise)
        for name, otherwise in (("UNIT", False), ("VIEWS", 1), ("LABELED", True))
    )
    return Asked(unit, views, labeled)


def _of_network(noise: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: draws for name, draws in noise.items() if name != MINING}
