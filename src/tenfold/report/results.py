"""The nouns that figures and pages are made of, and how they are read from a run folder."""

__all__ = ["Explanations", "FirstLayer", "Plot", "Results", "Sweep", "Trained", "time_unit"]

from collections.abc import Callable, Mapping
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

    round: that asked for its candidates. members: (P,) their numbers. dropped: (P,) given up by halving. epochs,
    steps: (V,) before each validation. scores: (P, V) by the sweep's metric, NaN where there is none. validations: (P,)
    until a member ended, one that failed included.
    """

    round: int
    members: NDArray[np.int64]
    dropped: NDArray[np.bool_]
    epochs: NDArray[np.float64]
    scores: NDArray[np.float64]
    validations: NDArray[np.int64]
    steps: NDArray[np.int64]


class FirstLayer(NamedTuple):
    """Filters that meet the image first. filters: (n, channels, k, k), at most 64; total: how many there are.

    variances: (n,) of the training images' patches along each, where the filters whiten these; empty where they were
    trained.
    """

    filters: NDArray[np.float32]
    total: int
    variances: NDArray[np.float64]


class Explanations(NamedTuple):
    """Maps of the pixels that n predictions rest on. mistakes: the surest mistakes, else the least certain answers.

    images: (n, H, W) grey or (n, H, W, 3), bytes. plain, smoothed: (n, H, W), gradient × input of the predicted class,
    summed over channels, with the gradient at the image and with its mean over noisy copies. true, predicted,
    confidence: of each image; confidence is NaN where the run kept none.
    """

    mistakes: bool
    images: NDArray[np.uint8]
    plain: NDArray[np.float32]
    smoothed: NDArray[np.float32]
    true: tuple[str, ...]
    predicted: tuple[str, ...]
    confidence: tuple[float, ...]


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
    W) on the unit interval. encoder_loss: encoder -> (epochs, 2), on training and on held-out images. losses: rung ->
    (2, n), steps of its winner and the losses on their mini-batches. time: "epoch", or "iteration" where the recipe
    counts those. apart: the rungs are runs of one member that stand side by side, such as those of a reported table:
    none of them was chosen, and figures mark none as the best. pairs: runs that belong side by side. filters: rung ->
    first layer of its winner, where that is a convolution. explanations: of some images, where the data are at hand.
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
    losses: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    time: str = "epoch"
    apart: bool = False
    pairs: tuple[tuple[str, str], ...] = ()
    filters: dict[str, FirstLayer] = field(default_factory=dict)
    explanations: Explanations | None = None

    @property
    def marked(self) -> str:
        """Return the rung that figures mark as the best, "" where none was chosen."""
        return "" if self.apart else self.best

    def times(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Return the epochs, or the steps where iterations are counted, of rows of the curves."""
        return np.asarray(self.curves["step" if self.time == "iteration" else "epoch"][rows], dtype=np.float64)

    def kept_losses(self, rung: str) -> NDArray[np.float64]:
        """Return times and losses (2, n) of single mini-batches of a rung's winner, as long as it trained."""
        rows = (self.curves["rung"] == rung) & (self.curves["member"] == self.winners.get(rung, 0))
        losses = self.losses.get(rung, np.zeros((2, 0)))
        if not rows.any() or not losses.size:
            return np.zeros((2, 0))
        last = np.flatnonzero(rows)[-1]
        ended = losses[:, losses[0] <= self.curves["step"][last]]
        return np.stack((ended[0] * self.times(rows)[-1] / self.curves["step"][last], ended[1]))


def time_unit(recipe: Mapping[str, Any]) -> str:
    """Return what a recipe counts: "iteration", or "epoch". recipe: fields and their values.

    >>> time_unit({"epochs": 6, "evaluate_every": 100}), time_unit({"epochs": 6})
    ('iteration', 'epoch')
    """
    return "iteration" if recipe.get("iterations") or recipe.get("evaluate_every") else "epoch"
