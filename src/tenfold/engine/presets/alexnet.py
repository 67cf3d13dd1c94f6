"""A network after Krizhevsky et al. (2012), made for small images.

Five 3 × 3 convolutions of 64, 192, 384, 256 and 256 channels, the first with a stride of 2, each with ReLU and then
normalization behind it; a maximum over 2 × 2 after the first, the second and the last. Before the affine layers come
normalization and dropout, then an embedding of 1,000 numbers with ReLU.

An image of more than 64 pixels a side is taken with a first stride of ⌈side / 32⌉, so that what follows sees about as
much as it sees of one of 64. Where a side has come down to one there is no maximum to take.
"""

__all__ = ["alexnet"]

import math

from tenfold.engine.components import Body, Component, convolution, normalization
from tenfold.engine.layers.flatten import flatten
from tenfold.engine.layers.max_pool import max_pool
from tenfold.engine.layers.relu import relu

WIDTHS = (64, 192, 384, 256, 256)
CHOICES = {
    "embedding": 1000,
    "dropout": 0.5,
    "optimizer": "adamw",
    "learning_rate": 0.001,
    "schedule": "cosine",
    "batch_size": 128,
    "epochs": 20,
    "flip": "photographs",
    "crop": 4,
}


def alexnet(image_shape: tuple[int, int, int], widths: tuple[int, ...], depth: int) -> Body:
    """Return the body, from images (C, H, W) to features. widths: of the convolutions; depth means nothing here."""
    inputs, height, width = image_shape
    stride = 2 if max(height, width) <= 64 else math.ceil(max(height, width) / 32)
    sides = [math.ceil(side / stride) for side in (height, width)]
    widths = widths or WIDTHS
    components: list[Component] = []
    for number, outputs in enumerate(widths, 1):
        components += [convolution(f"conv{number}", inputs, outputs, stride=stride if number == 1 else 1, bias=True)]
        components += [Component(f"conv{number}.relu", relu), normalization(f"norm{number}", outputs)]
        if number in (1, 2, len(widths)) and min(sides) > 1:
            components += [Component(f"pool{number}", max_pool)]
            sides = [side // 2 for side in sides]
        inputs = outputs
    return Body((*components, Component("features", flatten)), inputs * math.prod(sides))
