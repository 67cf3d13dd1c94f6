"""A small convolutional network that only tests know: it takes images, and its weights have rank four.

h = max(0, K * x + c),   z = W h + b;   * is the cross-correlation of every image with every kernel
"""

__all__ = ["TinyConv"]

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch.nn.functional import conv2d
from torch.nn.grad import conv2d_input, conv2d_weight

from tenfold.engine.chain import chain
from tenfold.engine.layers.linear import linear
from tenfold.engine.types import Link
from tenfold.engine.weights import affine, drawn
from tenfold.rooms import Hyperparameter, find

USES = ("activation",)
NUMBERS = (Hyperparameter("kernels", 4, "number of kernels", least=1),)
SIDE = 3


@dataclass(frozen=True)
class TinyConv:
    """Shapes of the model: images (channels, H, W), C classes, kernels of 3 × 3 pixels; φ by its word."""

    image_shape: tuple[int, int, int]
    classes: int
    kernels: int
    activation: str
    templates: ClassVar[str] = ""
    filters: ClassVar[str] = "kernels.weight"

    @property
    def takes(self):
        return self.image_shape

    def describe(self):
        return f"{self.kernels} kernels of {SIDE} × {SIDE}, then one affine layer"

    def shapes(self):
        channels, height, width = self.image_shape
        inside = self.kernels * (height - SIDE + 1) * (width - SIDE + 1)
        kernels = {"kernels.weight": (self.kernels, channels, SIDE, SIDE), "kernels.bias": (self.kernels,)}
        return kernels | affine({"scores": (self.classes, inside)})

    def init(self, seeds, initializer="he", scale=1.0):
        return drawn(self.shapes(), initializer, seeds, scale)

    def buffers(self, members, images):
        return {}

    def noise(self, batch):
        return {}

    def links(self, noise, training=True):
        return self._links

    @cached_property
    def _links(self):
        return (
            Link("kernels", convolution, ("kernels.weight", "kernels.bias")),
            Link(f"kernels.{self.activation}", find("layers", self.activation)),
            Link("rows", rows),
            Link("scores", linear, ("scores.weight", "scores.bias")),
        )

    def forward(self, params, buffers, x, noise):
        return (*chain(self.links(noise), params, x), buffers)

    def predict(self, params, buffers, x):
        return chain(self.links({}), params, x)[0]


def built(recipe, image_shape, classes):
    return TinyConv(image_shape, classes, recipe.kernels, recipe.activation)


def convolution(x, w, b):
    """x: (B, C, H, W), shared by the members; w: (P, O, C, K, K); b: (P, O). Returns (P, B, O, H', W')."""
    y = torch.stack([conv2d(x, kernels, bias) for kernels, bias in zip(w, b, strict=True)])

    def pull(dy, need_dx=True):
        dw = torch.stack([conv2d_weight(x, w.shape[1:], d) for d in dy])
        dx = sum(conv2d_input(x.shape, w[p], d) for p, d in enumerate(dy)) if need_dx else None
        return dx, dw, dy.sum((1, 3, 4))

    return y, pull


def rows(x):
    """x: (P, B, …). Returns (P, B, D)."""
    return x.flatten(2), lambda dy, need_dx=True: (dy.reshape(x.shape),)
