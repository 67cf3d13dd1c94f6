"""Metrics of a population or of predictions: a part of the data is read in slices, intervals are at 95 %."""

__all__ = ["Scores", "evaluate", "measure", "score_labels"]

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.batches import Part, inputs
from tenfold.engine.types import Loss, Model, Params
from tenfold.trained.metrics import ClassScores, Metrics
from tenfold.trained.statistics import macro_f1_interval, wilson

# Images at once: few enough for the activations of a population to stay small, many enough for the products.
SLICE = 500


class Scores(NamedTuple):
    """Metrics of the members on a part, each (P,) float64; recall: of every class, (P, C).

    absent: classes that a member's macro averages leave out.
    """

    loss: Tensor
    accuracy: Tensor
    macro_f1: Tensor
    macro_precision: Tensor
    macro_recall: Tensor
    recall: Tensor
    absent: Tensor


def evaluate(model: Model, params: Params, part: Part, losses: Sequence[tuple[Loss, int]]) -> Scores:
    """Compute exact mean loss, accuracy and macro averages over a part. losses: (loss, count) of consecutive members.

    F1 of a class = 2 tp / (2 tp + fp + fn). Macro averages are over the classes that occur or are predicted, as in
    scikit-learn; precision is 0 for one that is never predicted, recall 0 for one that does not occur.
    """
    members = len(next(iter(params.values())))
    loss = torch.zeros(members, dtype=torch.float64)
    called, recalled = torch.zeros(2, members, model.classes, dtype=torch.float64)
    for z, y in _slices(model, params, part):
        blocks = torch.split(z, [count for _, count in losses])
        values = [score(block, y)[0] for (score, _), block in zip(losses, blocks, strict=True)]
        loss += torch.cat(values).double().cpu() * len(y)
        predicted = z.max(-1).indices.cpu()
        hits = (predicted == y.cpu()).double()
        called.scatter_add_(1, predicted, torch.ones_like(hits))
        recalled.scatter_add_(1, predicted, hits)
    return _scores(loss / len(part.rows), called, recalled, part.labels[part.rows].cpu())


def score_labels(loss: Tensor, predicted: Tensor, labels: Tensor, classes: int) -> Scores:
    """Return the metrics of predicted labels (P, n) beside a loss (P,). labels: (n,)."""
    called, recalled = torch.zeros(2, len(predicted), classes, dtype=torch.float64)
    hits = (predicted == labels).double()
    called.scatter_add_(1, predicted, torch.ones_like(hits))
    recalled.scatter_add_(1, predicted, hits)
    return _scores(loss, called, recalled, labels)


def _scores(loss: Tensor, called: Tensor, recalled: Tensor, labels: Tensor) -> Scores:
    """Return metrics from the numbers (P, C) of images that each class was given to, and rightly. labels: (n,)."""
    classes = called.shape[1]
    there = torch.bincount(labels, minlength=classes)
    f1 = 2 * recalled / (called + there).clamp(min=1)
    precision, recall = recalled / called.clamp(min=1), recalled / there.clamp(min=1)
    n, counted = len(labels), (called + there).gt(0).sum(-1)
    macro_f1, macro_precision, macro_recall = (score.sum(-1) / counted for score in (f1, precision, recall))
    absent, accuracy = (classes - counted).double(), recalled.sum(-1) / n
    return Scores(loss, accuracy, macro_f1, macro_precision, macro_recall, recall, absent)


def measure(labels: NDArray[np.int64], predicted: NDArray[np.int64], names: Sequence[str]) -> Metrics:
    """Measure accuracy, macro and per-class precision, recall and F1, with 95 % intervals. labels, predicted: (n,).

    Macro averages are over the classes that occur or are predicted, as in scikit-learn; the others have no scores.
    """
    hits = labels == predicted
    right, right_of = int(hits.sum()), np.bincount(labels[hits], minlength=len(names))
    n, taken = (np.bincount(numbers, minlength=len(names)) for numbers in (labels, predicted))
    there = n + taken > 0
    precision, recall = right_of / np.maximum(taken, 1), right_of / np.maximum(n, 1)
    f1 = 2 * right_of / np.maximum(n + taken, 1)
    intervals = map(wilson, right_of.tolist(), n.tolist())
    columns = (n.tolist(), _of(there, precision), _of(there, recall), intervals, _of(there, f1))
    return Metrics(
        accuracy=right / len(labels),
        interval=wilson(right, len(labels)),
        macro_precision=float(np.mean(precision[there])),
        macro_recall=float(np.mean(recall[there])),
        macro_f1=float(np.mean(f1[there])),
        macro_f1_interval=macro_f1_interval(labels, predicted, len(names)),
        n=len(labels),
        per_class=tuple(ClassScores(name, *scores) for name, *scores in zip(names, *columns, strict=True)),
        absent=int(len(names) - there.sum()),
    )


def _of(there: NDArray[np.bool_], values: NDArray[np.float64]) -> list[float | None]:
    """Return the values of the classes that are there, None for the others."""
    return [value if present else None for value, present in zip(values.tolist(), there.tolist(), strict=True)]


def _slices(model: Model, params: Params, part: Part) -> Iterator[tuple[Tensor, Tensor]]:
    for rows in torch.split(part.rows, SLICE):
        yield model.predict(params, {}, inputs(part, part.images[rows], model.takes)), part.labels[rows]
