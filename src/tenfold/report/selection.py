"""Selection of images for the page: behind every cell of the confusion matrix, surest mistakes, least certain."""

__all__ = ["ConfusionCell", "cells", "confusion_counts", "least_certain", "mistakes"]

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.report.results import Results


class ConfusionCell(NamedTuple):
    """Images of one class predicted as one class. share: of the true class; rows: in the results, surest first."""

    true: int
    predicted: int
    images: int
    share: float
    rows: NDArray[np.int64]


def confusion_counts(results: Results) -> NDArray[np.int64]:
    """Count images (C, C), true class × predicted class, as the best rung predicted them."""
    classes = len(results.class_names)
    pairs = results.labels * classes + results.predicted[results.best]
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def cells(results: Results) -> list[ConfusionCell]:
    """Return all cells that hold an image, by row and column."""
    predicted, totals = results.predicted[results.best], confusion_counts(results).sum(1)
    order = np.lexsort((np.arange(len(predicted)), -_confidence(results), predicted, results.labels))
    keys = np.stack([results.labels[order], predicted[order]])
    starts = np.flatnonzero(np.any(np.diff(keys, axis=1, prepend=-1) != 0, axis=0))
    filled = []
    for rows in np.split(order, starts[1:]) if len(order) else []:
        true, taken = int(results.labels[rows[0]]), int(predicted[rows[0]])
        filled.append(ConfusionCell(true, taken, len(rows), len(rows) / int(totals[true]), rows))
    return filled


def mistakes(results: Results, most: int) -> NDArray[np.int64]:
    """Return rows of the wrong answers that the best rung was surest of."""
    wrong = np.flatnonzero(results.predicted[results.best] != results.labels)
    return wrong[np.argsort(-_confidence(results)[wrong], kind="stable")][:most]


def least_certain(results: Results, most: int) -> NDArray[np.int64]:
    """Return rows that the best rung was least sure of, right or wrong."""
    return np.argsort(_confidence(results), kind="stable")[:most]


def _confidence(results: Results) -> NDArray[np.float64]:
    confidence = results.confidence.get(results.best)
    return np.zeros(len(results.labels)) if confidence is None else np.nan_to_num(confidence)
