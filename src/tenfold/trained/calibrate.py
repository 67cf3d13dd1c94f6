"""Calibration of a model's confidences: one temperature that corrects them, and how far they are off.

With scores z, labels y and one temperature T > 0 for all images (Guo, Pleiss, Sun and Weinberger 2017),

    p(T) = softmax(z / T)        T* = argmin_T −mean_n Σ_k t_nk log p_nk(T)

which orders the classes as before: accuracy does not change, confidence does. The targets t are not quite 0 and 1
(Platt 1999): (n + 1) / (n + 2) for the label, the rest shared by the other classes, so that n images without a mistake
are no reason for certainty. Confidence here is the probability of the predicted class.
"""

__all__ = [
    "Abstention",
    "Reliability",
    "abstention",
    "accuracy_at",
    "calibration_error",
    "maximum_calibration_error",
    "reliability",
    "temperature",
]

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Temperatures between 1/20 and 20, first looked at in steps of a factor e^0.25: the sigmoid's shares of a sum may have
# more than one minimum, and of equal ones that nearest to T = 1 is taken.
_BOUND = float(np.log(20.0))
_STEPS = sorted(np.linspace(-_BOUND, _BOUND, 25).tolist(), key=abs)
_SPACING = _BOUND / 12
_GOLDEN, _CLOSE = (5**0.5 - 1) / 2, 1e-5


class Reliability(NamedTuple):
    """Confidences in bins of equal width, each open below and closed above; 0 is in the first.

    edges: (bins + 1,). confidence, accuracy: (bins,) means of the images in a bin, NaN where it is empty.
    images: (bins,) how many they are.
    """

    edges: NDArray[np.float64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    images: NDArray[np.int64]


class Abstention(NamedTuple):
    """Accuracy among the answered images, where only those of at least a certain confidence are answered.

    threshold: (k,) the distinct confidences, falling. share: (k,) of images answered, rising to 1. accuracy: (k,) among
    those. All empty without images.
    """

    threshold: NDArray[np.float64]
    share: NDArray[np.float64]
    accuracy: NDArray[np.float64]


def temperature(shares: Callable[[float], NDArray[Any]], labels: NDArray[np.int64]) -> float:
    """Find the temperature between 1/20 and 20 that makes the labels likeliest, by smoothed targets (see the module).

    shares: T -> probabilities (n, C) of the scores divided by T. labels: (n,). Never less likely than T = 1. Returns
    1.0 where there are no images, or where the probabilities at T = 1 are not finite; other temperatures at which they
    are not are passed over. Probabilities that underflow count as the smallest float.

    >>> z = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    >>> softmax = lambda t: np.exp(z / t) / np.exp(z / t).sum(1, keepdims=True)
    >>> round(temperature(softmax, np.array([0, 0, 0, 1])), 2)  # three of four right, but a confidence of 98 %
    5.77
    """
    if not len(labels) or not np.isfinite(shares(1.0)).all():
        return 1.0

    def cost(log_t: float) -> float:
        return _cost(np.asarray(shares(float(np.exp(log_t))), dtype=np.float64), labels)

    coarse = [cost(log_t) for log_t in _STEPS]
    start = int(np.argmin(coarse))
    low, high = max(_STEPS[start] - _SPACING, -_BOUND), min(_STEPS[start] + _SPACING, _BOUND)
    fine = _golden_section(cost, low, high)
    return float(np.exp(fine if cost(fine) < coarse[start] else _STEPS[start]))


def _golden_section(cost: Callable[[float], float], low: float, high: float) -> float:
    """Return the place of a minimum between two ends to 1e-5 (Kiefer 1953); importing SciPy's takes 0.3 s."""
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = cost(left), cost(right)
    while high - low > _CLOSE:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = cost(right)
    return (low + high) / 2


def _cost(p: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """Return the cross-entropy of probabilities (n, C) and smoothed targets, or the largest float if not finite."""
    n, classes = p.shape
    on, off = (n + 1) / (n + 2), 1 / (n + 2) / max(classes - 1, 1)
    logs = np.log(np.maximum(p, np.finfo(np.float64).tiny))
    label = logs[np.arange(n), labels]
    value = -float(np.mean(on * label + off * (logs.sum(1) - label)))
    return value if np.isfinite(value) else float(np.finfo(np.float64).max)


def reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> Reliability:
    """Return mean confidence and accuracy of the images in each bin of confidence.

    confidence: (n,) between 0 and 1, images with NaN are left out. right: (n,).
    """
    finite = np.isfinite(confidence)
    confidence, right = confidence[finite], right[finite]
    edges = np.linspace(0.0, 1.0, bins + 1)
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    images = np.bincount(place, minlength=bins)
    sums = (np.bincount(place, weights=values, minlength=bins) for values in (confidence, right))
    means = [np.divide(total, images, out=np.full(bins, np.nan), where=images > 0) for total in sums]
    return Reliability(edges, means[0], means[1], images)


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> float:
    """Return the expected calibration error: the mean over images of their bin's |accuracy − confidence|.

    confidence: (n,) of the predicted class. right: (n,). NaN without images. Few images make it larger than it is:
    chance alone moves a bin.

    >>> calibration_error(np.array([0.9, 0.9, 0.6]), np.array([True, True, False]))  # (2 × 0.1 + 0.6) / 3
    0.26666...
    """
    curve = reliability(confidence, right, bins)
    total = int(curve.images.sum())
    return float(np.nansum(_gaps(curve) * curve.images) / total) if total else float("nan")


def maximum_calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: int = 15) -> float:
    """Return the largest |accuracy − confidence| of a bin with images in it, however few. NaN without images."""
    curve = reliability(confidence, right, bins)
    return float(np.nanmax(_gaps(curve))) if curve.images.any() else float("nan")


def _gaps(curve: Reliability) -> NDArray[np.float64]:
    return np.abs(curve.accuracy - curve.confidence)


def abstention(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Abstention:
    """Trace accuracy against the share answered, a point per distinct confidence; equal ones are answered together.

    confidence, right: (n,); NaN counts as the least confidence of all. Known as the risk–coverage curve (El-Yaniv and
    Wiener 2010), with accuracy for 1 − risk.
    """
    surety = np.where(np.isnan(confidence), -np.inf, confidence)
    order = np.argsort(-surety, kind="stable")
    surety, hits = surety[order], np.cumsum(right[order])
    last = np.flatnonzero(np.append(surety[1:] != surety[:-1], np.ones(min(len(surety), 1), dtype=np.bool_)))
    return Abstention(surety[last], (last + 1) / max(len(surety), 1), hits[last] / (last + 1))


def accuracy_at(curve: Abstention, share: float) -> float:
    """Return the accuracy among the surest images where this share (0 to 1) of all is answered; NaN without images."""
    if not len(curve.share):
        return float("nan")
    # A share of 0.8 of 10 images means 8, whatever the last bit of 8 / 10.
    place = int(np.searchsorted(curve.share, share - 1e-12))
    return float(curve.accuracy[min(place, len(curve.share) - 1)])
