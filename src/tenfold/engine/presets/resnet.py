"""A small residual network (He et al. 2016): y = relu(F(x) + S(x)).

A 3 × 3 convolution with normalization and ReLU, then stages of blocks. In a block, F is convolution, normalization,
ReLU, convolution, normalization; S is the identity, or where the size changes a 1 × 1 convolution with normalization.
Every stage but the first halves the sides by a stride of 2. Features are each channel's mean over the image.

An image of more than 40 pixels a side is taken with a first stride of ⌈side / 40⌉.
"""

__all__ = ["resnet"]

import math
from functools import partial

from tenfold.engine.components import Body, Component, convolution, normalization
from tenfold.engine.layers.global_pool import global_pool
from tenfold.engine.layers.relu import relu
from tenfold.engine.residual import residual

WIDTHS = (32, 64, 128)
LARGEST = 40
CHOICES = {
    "optimizer": "sgd",
    "momentum": 0.9,
    "nesterov": True,
    "learning_rate": 0.1,
    "l2": 0.00025,
    "schedule": "cosine",
    "warmup": 1.0,
    "batch_size": 128,
    "epochs": 30,
    "flip": "photographs",
    "crop": 4,
    "precision": "fastest",
}


def resnet(image_shape: tuple[int, int, int], widths: tuple[int, ...], depth: int) -> Body:
    """Return the body, from images (C, H, W) to features. widths: of the stages; depth: blocks in each, 0 for 2."""
    channels, height, width = image_shape
    widths = widths or WIDTHS
    components = [
        convolution("stem", channels, widths[0], stride=math.ceil(max(height, width) / LARGEST)),
        normalization("stem.norm", widths[0]),
        Component("stem.relu", relu),
    ]
    inputs = widths[0]
    for stage, outputs in enumerate(widths, 1):
        for block in range(1, (depth or 2) + 1):
            components.append(
                _block(f"stage{stage}.block{block}", inputs, outputs, 2 if stage > 1 and block == 1 else 1)
            )
            inputs = outputs
    return Body((*components, Component("features", partial(global_pool, maximum=False))), inputs)


def _block(name: str, inputs: int, outputs: int, stride: int) -> Component:
    body = (
        convolution("conv1", inputs, outputs, stride=stride),
        normalization("norm1", outputs),
        Component("relu", relu),
        convolution("conv2", outputs, outputs),
        normalization("norm2", outputs),
    )
    same = stride == 1 and inputs == outputs
    aside = () if same else (convolution("aside", inputs, outputs, 1, stride), normalization("aside.norm", outputs))
    return residual(name, body, aside)
