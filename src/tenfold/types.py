"""The nouns that travel between rooms. Letters of shapes: P members, B batch, C classes, D/I/O widths."""

__all__ = [
    "Batch",
    "Buffers",
    "Dataset",
    "Event",
    "Feature",
    "Grads",
    "Layer",
    "Link",
    "Loss",
    "Model",
    "Optimizer",
    "Params",
    "Plot",
    "Pull",
    "Reading",
    "Results",
    "Scalar",
    "Source",
    "State",
    "Sweep",
    "Trained",
    "Value",
]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Scalar = float | Tensor
"""A number for all members, or one for each of them, shape (P,)."""

Params = dict[str, Tensor]
Grads = dict[str, Tensor]
Buffers = dict[str, Tensor]

Pull = Callable[..., tuple[Any, ...]]
"""`dx, *dweights = pull(dy, need_dx=True)`."""

Layer = Callable[..., tuple[Tensor, Pull]]
"""`y, pull = layer(x, *weights)`."""

Loss = Callable[..., tuple[Tensor, Tensor]]
"""`value, dscores = loss(scores, target, weight)`."""


class Link(NamedTuple):
    """One layer of a chain, its own name and the names of its weights among the parameters."""

    name: str
    layer: Layer
    weights: tuple[str, ...] = ()


class Value(NamedTuple):
    """What one step measured on its batch, each (P,): loss, penalty (cost = loss + penalty), share classified right."""

    loss: Tensor
    penalty: Tensor
    accuracy: Tensor


class Batch(NamedTuple):
    """What one step sees: inputs (B, D), targets, weight of each image (B, 1) or 1.0, and noise by name.

    mirrored: None, or (P, B) bool, which members see which mirror image; inputs and noise then have 2B rows, those of
    the images and after them those of their mirror images, which share their noise.
    """

    inputs: Tensor
    targets: Tensor
    weight: Scalar
    noise: dict[str, Tensor]
    mirrored: Tensor | None = None


class Model(Protocol):
    """Shapes of a network; its parameters travel beside it."""

    @property
    def inputs(self) -> int:
        """Width D of an input."""

    @property
    def classes(self) -> int:
        """Number C of classes."""

    def shapes(self) -> dict[str, tuple[int, int]]:
        """Outputs and inputs of each affine layer."""

    def init(self, seeds: Sequence[int], initializer: str, scale: Scalar) -> Params:
        """First parameters, float64, name -> (P, ...); member k's depend on seeds[k] alone."""

    def noise(self, batch: int) -> dict[str, tuple[int, ...]]:
        """Shapes (B, …) of the uniform draws that a training step on a batch takes, by name."""

    def links(self, noise: dict[str, Tensor]) -> tuple[Link, ...]:
        """The layers in order; those whose noise is absent are left out."""

    def forward(
        self, params: Params, buffers: Buffers, x: Tensor, noise: dict[str, Tensor]
    ) -> tuple[Tensor, Any, Buffers]:
        """Scores (P, B, C) of inputs (B, D), `pull(dscores) -> dx, grads`, and the buffers after the step."""

    def predict(self, params: Params, buffers: Buffers, x: Tensor) -> Tensor:
        """Scores (P, B, C) of inputs (B, D), without noise."""


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
    """`init(params) -> memory`; `update(params, grads, memory, learning_rate, step)` changes both in place."""

    init: Callable[[Params], Params]
    update: Callable[[Params, Grads, Params, Scalar, int], None]


class Plot(NamedTuple):
    """A figure in two halves: `select(results) -> data` (what tests read) and `draw(data) -> Figure`."""

    select: Callable[..., Any]
    draw: Callable[[Any], Any]


class Source(NamedTuple):
    """Where a data set comes from and how it is read.

    location: the folder or file of a user's own data, "" for a named set. root: folder of the named sets.
    size: side in pixels that a folder's images are resized to, 0 for their median side (at most 64).
    skip_unreadable: count broken images and go on. download: fetch what is absent.
    """

    location: str
    root: Path
    size: int = 0
    skip_unreadable: bool = False
    download: bool = True


class Reading(NamedTuple):
    """How the files of a folder were found, before they became squares of one size.

    sizes: "500 × 333" (width × height) -> images. modes: "JPEG RGB" (format and Pillow's mode) -> images.
    unreadable: a line for each file that was skipped, its path first. ignored: entries that are no images of a class.
    """

    sizes: dict[str, int]
    modes: dict[str, int]
    unreadable: tuple[str, ...]
    ignored: int


@dataclass(frozen=True)
class Dataset:
    """Images with labels, as they came: nothing scaled, nothing split but what the source itself splits.

    images: (N, C, H, W) uint8, or float32 where the source was float. labels: (N,) int64.
    scale: factor that brings a pixel to the unit interval (1/255, digits 1/16, floats 1).
    parts: the source's own parts, "train", "validation" and "test" -> positions (int64); empty where it has none.
    photographs: natural images, for which a mirror image is as likely. paths: file of each image, or ().
    notes: what was converted, skipped or ignored while reading, with counts. reading: of a folder's files, else None.
    """

    name: str
    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]
    scale: float
    parts: dict[str, Tensor] = field(default_factory=dict)
    photographs: bool = False
    paths: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    reading: Reading | None = None


class Feature(NamedTuple):
    """What a model sees of an image.

    `fit(dataset, rows, recipe, device, watch) -> learned`: from the training part's positions rows alone, the same
    for the same recipe.seed; tensors by name, small numbers among them. watch: told lines of text.
    `transform(learned, images) -> (N, D)` float32, from images (N, C, H, W) in the data's pixel units, in slices.
    """

    fit: Callable[[Dataset, Tensor, Any, torch.device, Callable[[str], None]], dict[str, Tensor]]
    transform: Callable[[Mapping[str, Tensor], Tensor], Tensor]


class Event(NamedTuple):
    """What a run tells whoever watches it, a few times a second.

    rung: name of what is being trained, "" before. done, total: epochs (fractions too) of this rung.
    images_per_second: images × members stepped per second. best: best validation accuracy so far (0 to 1, NaN before
    the first), reached by best_rung. seconds_left: estimate for this rung, NaN where unknown.
    message: a line worth keeping on the screen, else "".
    """

    rung: str
    done: float
    total: float
    images_per_second: float
    best: float
    best_rung: str
    seconds_left: float
    message: str = ""


class Trained(NamedTuple):
    """One population of a sweep, as it trained: P members, validated V times.

    round: that asked for its candidates. members: (P,) their numbers. dropped: (P,) given up by halving. epochs: (V,)
    of each validation. scores: (P, V) by the sweep's metric, NaN where there is none. validations: (P,) until a member
    ended, one that failed included.
    """

    round: int
    members: NDArray[np.int64]
    dropped: NDArray[np.bool_]
    epochs: NDArray[np.float64]
    scores: NDArray[np.float64]
    validations: NDArray[np.int64]


@dataclass(frozen=True)
class Sweep:
    """What a sweep tried and what it came to; K candidates, by the number in which they were asked for.

    metric: "accuracy" or "macro_f1". axes: what was varied -> "log", "linear" or "words", the scale that it is shown
    on. settings: of each candidate. scores: (K,) mean over its runs on validation images, NaN where one of them failed;
    intervals: (K, 2), 95 %, NaN with a single run; runs: of each candidate, folds × seeds. ranked: numbers from best to
    worst. simplest: the number of the one-standard-error choice. populations: in the order in which they were trained.
    """

    metric: str
    axes: dict[str, str]
    settings: tuple[dict[str, Any], ...]
    scores: NDArray[np.float64]
    intervals: NDArray[np.float64]
    runs: int
    ranked: tuple[int, ...]
    simplest: int
    populations: tuple[Trained, ...]


@dataclass(frozen=True)
class Results:
    """What figures and reports read of a finished or stopped run: numbers only, no tensors.

    curves: columns of metrics.csv by name: rung (str), step, epoch, member, train_loss, train_cost, train_accuracy,
    validation_loss, validation_cost, validation_accuracy, validation_macro_f1; a row for each member at each
    evaluation, NaN where empty. settings: rung -> those of each of its members. winners: rung -> its best member by
    validation. best: the rung chosen by validation. part: whose images the following are of, "test", or "validation"
    where a stopped run has not looked at those. positions, labels: (n,) in the data set. predicted: rung -> (n,) labels
    that its winner gave them. confidence, uncalibrated: rung -> (n,) the winner's probability of that label, with and
    without its temperature. templates: linear rungs -> their winner's weights (C, channels, H, W). sweep: the search
    that came before the model, if any. reconstructions: encoder -> images and what became of them, (2, n, channels, H,
    W) on the unit interval. encoder_loss: encoder -> (epochs, 2), on training and on held-out images.
    """

    name: str
    class_names: tuple[str, ...]
    curves: dict[str, NDArray[Any]]
    settings: dict[str, tuple[dict[str, Any], ...]]
    winners: dict[str, int]
    best: str
    part: str
    positions: NDArray[np.int64]
    labels: NDArray[np.int64]
    predicted: dict[str, NDArray[np.int64]]
    confidence: dict[str, NDArray[np.float64]]
    uncalibrated: dict[str, NDArray[np.float64]]
    templates: dict[str, NDArray[np.float32]]
    sweep: Sweep | None = None
    reconstructions: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    encoder_loss: dict[str, NDArray[np.float64]] = field(default_factory=dict)
