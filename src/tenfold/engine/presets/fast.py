"""A small network in the manner of the CIFAR-10 speed records (Page 2019, Jordan 2024).

A fixed first layer whitens patches of 2 × 2 pixels. Each block is a 3 × 3 convolution, a maximum over 2 × 2, then
normalization and GELU, and depth − 1 further convolutions with the same behind them. Normalization has no gain: only
its bias is trained. Features are each channel's maximum over what is left of the image.

An image of more than 40 pixels a side is whitened in patches of k × k every k pixels, k = ⌈side / 40⌉, so that blocks
see at most 40 × 40. A block does not pool once a side has come down to one.
"""

__all__ = ["fast"]

import math
from functools import partial

from tenfold.engine.components import Body, Component, convolution, normalization
from tenfold.engine.layers.gelu import gelu
from tenfold.engine.layers.global_pool import global_pool
from tenfold.engine.layers.max_pool import max_pool
from tenfold.engine.layers.whiten import whiten
from tenfold.engine.whitening import filters

LARGEST = 40
DIRECTIONS = 12
# Share of the new in running statistics: few batches make an epoch.
MOMENTUM = 0.4
CHOICES = {
    "optimizer": "muon",
    "learning_rate": 0.24,
    "momentum": 0.6,
    "head_factor": 0.057,
    "bias_factor": 100.0,
    "weight_decay": 0.03,
    "schedule": "linear",
    "loss": "smoothed_softmax",
    "smoothing": 0.2,
    "batch_size": 500,
    "epochs": 8,
    "flip": "photographs",
    "flip_turns": "alternating",
    "crop": 2,
    "test_views": "flip+shift",
    "precision": "fastest",
}


def fast(image_shape: tuple[int, int, int], widths: tuple[int, ...], depth: int) -> Body:
    """Return the body, from images (C, H, W) to features. widths: of the blocks, () for 64-256-256; depth: 0 for 2."""
    channels, height, width = image_shape
    stride = math.ceil(max(height, width) / LARGEST)
    size = max(2, stride)
    most = min(channels * size**2, DIRECTIONS * stride)
    shape = {"filters": (2 * most, channels, size, size)}
    learned = partial(filters, size=size, stride=stride, most=most)
    components = [
        Component("whiten", partial(whiten, stride=stride), {}, shape, learned=learned),
        Component("whiten.gelu", gelu),
    ]
    inputs, side = 2 * most, (min(height, width) - size) // stride + 1
    for number, outputs in enumerate(widths or (64, 256, 256), 1):
        components += _block(f"block{number}", inputs, outputs, depth or 2, side > 1)
        inputs, side = outputs, max(side // 2, 1)
    return Body((*components, Component("features", global_pool)), inputs)


def _block(name: str, inputs: int, outputs: int, depth: int, pooled: bool) -> list[Component]:
    components = [convolution(f"{name}.conv1", inputs, outputs)]
    components += [Component(f"{name}.pool", max_pool)] if pooled else []
    for number in range(1, depth + 1):
        components += [convolution(f"{name}.conv{number}", outputs, outputs)] if number > 1 else []
        components += [normalization(f"{name}.norm{number}", outputs, scaled=False, momentum=MOMENTUM)]
        components += [Component(f"{name}.gelu{number}", gelu)]
    return components
