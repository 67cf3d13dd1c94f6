"""Nearest neighbors: an image's class by the votes of the training images nearest to it, by cosine (Wu et al. 2018).

With rows u = x / ‖x‖, kept images r_i of length 1 with classes c_i, and the K largest of s_i = u·r_i as N(x),

    z_c = log(ε + v_c),   v_c = Σ_{i ∈ N(x), c_i = c} e^{κ (s_i − 1)}
    ∂L/∂s_i = ∂L/∂z_{c_i} κ e^{κ (s_i − 1)} / (ε + v_{c_i})  for i ∈ N(x), else 0

Softmax of z is each class's share of the votes. Nothing is trained: the images are kept as they are. Of an image that
is kept, the nearest neighbor is the image itself.
"""

__all__ = ["Knn"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import ClassVar

import torch
from torch import Tensor

from tenfold.engine.chain import through
from tenfold.engine.layers.unit_length import unit_length
from tenfold.engine.types import Buffers, Grads, Link, Params, Pull, Scalar
from tenfold.engine.weights import drawn
from tenfold.recipe import Recipe
from tenfold.rooms import Hyperparameter

NUMBERS = (Hyperparameter("neighbors", 20, "nearest training images that vote", least=1),)
SHARPNESS = 10.0
# A class without a vote has this much of one.
NO_VOTE = 1e-6
IMAGES, LABELS = "kept.weight", "kept.label"


@dataclass(frozen=True)
class Knn:
    """Shapes of the model: D inputs, C classes, K neighbors, and how many images it keeps."""

    inputs: int
    classes: int
    neighbors: int = 20
    images: int = 1
    templates: ClassVar[str] = ""
    filters: ClassVar[str] = ""

    @property
    def takes(self) -> tuple[int, ...]:
        """Return the shape of one input: (D,)."""
        return (self.inputs,)

    def describe(self) -> str:
        """Return how it decides, in one line."""
        return f"the {min(self.neighbors, self.images)} nearest of {self.images:,} images by cosine"

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of the images that are kept, without the axis of members."""
        return {IMAGES: (self.images, self.inputs)}

    def init(self, seeds: Sequence[int], initializer: str = "he", scale: Scalar = 1.0) -> Params:
        """Draw images in place of those to come, float64. seeds: P numbers."""
        return drawn(self.shapes(), initializer, seeds, scale)

    def buffers(self, members: int, images: Tensor) -> Buffers:
        """Return the classes (P, M) of the images to come: one after the other."""
        return {LABELS: (torch.arange(self.images) % self.classes).to(images).expand(members, -1).clone()}

    def noise(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Return the shapes of the uniform draws that one training step takes: none."""
        return {}

    def links(self, noise: dict[str, Tensor], training: bool = True) -> tuple[Link, ...]:
        """Return the layers in order."""
        votes = partial(_votes, neighbors=self.neighbors, classes=self.classes)
        return (Link("length", unit_length), Link("kept", votes, (IMAGES,), (LABELS,)))

    def forward(
        self, params: Params, buffers: Buffers, x: Tensor, noise: dict[str, Tensor]
    ) -> tuple[Tensor, Callable[..., tuple[Tensor | None, Grads]], Buffers]:
        """Return scores (P, B, C) of inputs (B, D), their pullback, and the buffers as they were."""
        return through(self.links(noise), params, buffers, x)

    def predict(self, params: Params, buffers: Buffers, x: Tensor) -> Tensor:
        """Return scores (P, B, C) of inputs (B, D); the classes may lie among the parameters, as in a model file."""
        return through(self.links({}), params, params | buffers, x)[0]


def _votes(u: Tensor, kept: Tensor, labels: Tensor, neighbors: int, classes: int) -> tuple[Tensor, Pull, tuple[Tensor]]:
    """Return z (P, B, C) of rows u (B, D). kept: (P, M, D); labels: (P, M)."""
    s = u @ kept.mT
    near = s.topk(min(neighbors, kept.shape[1]), dim=-1)
    weight = ((near.values - 1) * SHARPNESS).exp()
    named = labels.long().unsqueeze(1).expand(s.shape).gather(-1, near.indices)
    vote = weight.new_full((*s.shape[:-1], classes), NO_VOTE).scatter_add_(-1, named, weight)

    def pull(dz: Tensor, need_dx: bool = True) -> tuple[Tensor | None, Tensor]:
        ds = torch.zeros_like(s).scatter_(-1, near.indices, (dz / vote).gather(-1, named) * weight * SHARPNESS)
        return (ds @ kept).sum(0) if need_dx else None, ds.mT @ u

    return vote.log(), pull, (labels,)


def built(recipe: Recipe, image_shape: tuple[int, int, int], classes: int) -> Knn:
    """Return the model that a recipe asks for, with a single image until it is given those to keep."""
    return Knn(prod(image_shape), classes, int(getattr(recipe, NUMBERS[0].name)))
