"""CIFAR-10, the network of the preset `fast`, batch 500, 20 updates: Tenfold against loops of torch on the same layers.

Ours draws its batches from bytes, with crops and flips, and steps with Muon; theirs have float batches ready-made and
step with plain SGD.
"""

from collections import deque
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

import tenfold
from sidebyside import Budget, main
from tenfold.choices import members, recipe
from tenfold.data.batches import Part, batches_of, inputs, steps_per_epoch
from tenfold.data.standardizations import channel
from tenfold.engine import loop
from tenfold.engine.population import assemble, built, first_params

BATCH, UPDATES, CPU = 500, 20, torch.device("cpu")
WIDTHS = (64, 256, 256)


def part() -> Part:
    dataset = tenfold.load("cifar10")
    rows = dataset.parts["train"]
    factor, offset = (t.float() for t in channel(dataset.images, rows, dataset.scale))
    return Part(dataset.images, dataset.labels, rows, factor, offset)


def ours() -> Callable[[], object]:
    """The preset as `tenfold train` runs it."""
    chosen, own = recipe({"model": "convnet", "flip": 0.5}), part()
    model, settings = built(chosen, own.image_shape, 10), members(chosen)
    per_epoch = steps_per_epoch(len(own.rows), BATCH)
    pieces = assemble(chosen, settings, model, 8 * per_epoch, per_epoch, CPU)
    buffers = model.buffers(1, inputs(own, own.images[:2000], model.takes))
    state = loop.start(first_params(chosen, settings, model, CPU), pieces.optimizer, buffers)
    batches = batches_of(own, chosen, pieces.flip, model)
    return lambda: deque(loop.train(pieces.objective, pieces.optimizer, pieces.rate, batches, state, UPDATES), 0)


class Block(nn.Module):
    """Convolution, maximum, normalization and GELU; then the same without the maximum."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        made = (
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=False),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
        )
        self.first, self.second = made
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs, momentum=0.4) for _ in range(2))

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.gelu(self.norms[0](nn.functional.max_pool2d(self.first(x), 2)))
        return nn.functional.gelu(self.norms[1](self.second(x)))


class Network(nn.Module):
    """The layers of the preset as modules, the first ones without a gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2, bias=False).requires_grad_(False)
        before = (24, *WIDTHS[:-1])
        self.blocks = nn.Sequential(*(Block(a, b) for a, b in zip(before, WIDTHS, strict=True)))
        self.scores = nn.Linear(WIDTHS[-1], 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.scores(self.blocks(nn.functional.gelu(self.whiten(x))).amax((2, 3)))


def eager(narrow: bool) -> Callable[[], object]:
    """A loop as one writes it; narrow: bfloat16 by autocast and channels innermost, the best that can be had so."""
    own = part()
    x, y = inputs(own, own.images[: BATCH * UPDATES], (3, 32, 32)), own.labels[: BATCH * UPDATES]
    layout = torch.channels_last if narrow else torch.contiguous_format
    model = Network().to(memory_format=layout)
    x = x.to(memory_format=layout)
    optimizer = torch.optim.SGD(
        [p for p in model.parameters() if p.requires_grad], lr=0.01, momentum=0.9, nesterov=True
    )

    def updates() -> None:
        for images, labels in zip(x.split(BATCH), y.split(BATCH), strict=True):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=narrow):
                scores = model(images)
            nn.functional.cross_entropy(scores.float(), labels, label_smoothing=0.2).backward()
            optimizer.step()

    return updates


main(
    f"CIFAR-10, preset fast, batch {BATCH}, {UPDATES} updates",
    {
        "tenfold": (ours, 1),
        "torch eager float32": (partial(eager, False), 1),
        "torch autocast channels-last": (partial(eager, True), 1),
    },
    [
        Budget("tenfold", "torch eager float32", 1 / 1.9),
        Budget("tenfold", "torch autocast channels-last", 1.0),
    ],
)
