"""The nouns that figures and pages are made of, and how they are read from a run folder."""

__all__ = ["Plot", "Results", "Sweep", "Trained"]

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Plot(NamedTuple):
    """A figure in two halves: `select(results) -> data` (what tests read) and `draw(data) -> Figure`."""

    select: Callable[..., Any]
    draw: Callable[[Any], Any]


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
    """A sweep: its settings and their scores; K candidates, by the number in which they were asked for.

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
    """Results of a finished or stopped run for figures and reports: numbers only, no tensors.

    curves: columns of metrics.csv by name: rung (str), step, epoch, member, train_loss, train_cost, train_accuracy,
    validation_loss, validation_cost, validation_accuracy, validation_macro_f1; a row for each member at each
    evaluation, NaN where empty. settings: rung -> those of each of its members. winners: rung -> its best member by
    validation. best: the rung chosen by validation. part: whose images the following are of, "test", or "validation"
    where a stopped run has not looked at those. positions, labels: (n,) in the data set; digests: (n,) of their files,
    "" where there are none. predicted: rung -> (n,) labels
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
    digests: NDArray[np.str_] = field(default_factory=lambda: np.zeros(0, dtype=np.str_))
