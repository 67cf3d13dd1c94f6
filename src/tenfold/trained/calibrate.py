"""Calibration of a model's confidences: one temperature that corrects them, and how far they are off.

With scores z, labels y and one temperature T > 0 for all images (Guo, Pleiss, Sun and Weinberger 2017),

    p(T) = softmax(z / T)        T* = argmin_T −mean_n Σ_k t_nk log p_nk(T)

which orders the classes as before: accuracy does not change, confidence does. The targets t are not quite 0 and 1
(Platt 1999): (n + 1) / (n + 2) for the label, the rest shared by the other classes, so that n images without a mistake
are no reason for certainty. The cost of softmax is convex in 1 / T, so that T* is finite or, where no temperature is
better than equal probabilities, infinite. Confidence here is the probability of the predicted class.

T* is applied where the images that it was not fitted on say so: fitted on nine tenths of the images, it must raise the
mean log likelihood of the labels of the other tenth, over all tenths, by more than the gain's standard error (the rule
of Breiman, Friedman, Olshen and Stone 1984, chapter 3.4.3, for whatever is chosen by cross-validation).
"""

__all__ = [
    "Abstention",
    "Reliability",
    "Tempering",
    "abstention",
    "accuracy_at",
    "calibration_error",
    "maximum_calibration_error",
    "reliability",
    "temper",
    "temperature",
]

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.seeds import generator
from tenfold.text import count, setting

LogShares = Callable[[float], NDArray[Any]]
"""Temperature -> log probabilities (n, C) of the scores divided by it."""

# log T is first looked at in steps of one, from T = 1/20 to 3,000 and beyond as long as the best is at an end, then in
# quarters beside the best: the sigmoid's shares of a sum may have more than one minimum, and of equal ones that nearest
# to T = 1 is taken. All steps are counted in quarters.
_STEP, _COARSE = 0.25, 4
_FIRST, _LAST, _MORE = -12, 32, 12
_GOLDEN, _CLOSE = (5**0.5 - 1) / 2, 1e-5
_FOLDS = 10


class Tempering(NamedTuple):
    """The temperature that a model is given.

    value: what its scores are divided by. likeliest: what makes the labels likeliest, infinite where nothing is better
    than equal probabilities. gain, error: nats that it gains on an image that it was not fitted on, and the standard
    error of that mean. reason: why value is 1 and not the likeliest, else "".
    """

    value: float
    likeliest: float
    gain: float
    error: float
    reason: str


class _Curve(NamedTuple):
    """Sums of log probabilities along log T = step / 4, by fold: of the label, and of the other classes."""

    classes: int
    steps: list[int]
    label: NDArray[np.float64]
    others: NDArray[np.float64]


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


def temper(log_shares: LogShares, labels: NDArray[np.int64], seed: int = 0) -> Tempering:
    """Fit a temperature, and apply it where cross-validation says that it helps (see the module). labels: (n,)."""
    n = len(labels)
    if n < 2:
        return Tempering(1.0, 1.0, 0.0, 0.0, f"{count(n, 'validation image')} cannot show that a temperature helps")
    plain = log_shares(1.0)
    if not np.isfinite(plain).all():
        return Tempering(1.0, 1.0, 0.0, 0.0, "its scores are not all finite")
    fold = generator(seed, "temperature").permutation(n) % min(_FOLDS, n)
    curve = _curve(log_shares, labels, fold, plain.shape[1])
    best = _likeliest(log_shares, labels, curve)
    if not math.isfinite(best):
        why = "no temperature makes its probabilities better than equal ones"
        return Tempering(1.0, best, 0.0, 0.0, f"{why}, by {count(n, 'validation image')}")
    gains = _held_out(log_shares, labels, fold, curve) - plain[np.arange(n), labels]
    gain, error = float(gains.mean()), float(gains.std(ddof=1) / math.sqrt(n))
    if gain > error:
        return Tempering(best, best, gain, error, "")
    why = f"{setting(best, 3)} is not shown to help by cross-validation on {count(n, 'validation image')}"
    return Tempering(1.0, best, gain, error, why if gain or error else "every temperature is as good")


def temperature(log_shares: LogShares, labels: NDArray[np.int64]) -> float:
    """Find the temperature that makes the labels likeliest, by smoothed targets (see the module).

    labels: (n,). Never less likely than T = 1; infinite where no temperature is better than equal probabilities. 1.0
    where there are no images, or where the log probabilities at T = 1 are not finite; other temperatures at which they
    are not are passed over.

    >>> z = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]])
    >>> log_softmax = lambda t: z / t - np.log(np.exp(z / t).sum(1, keepdims=True))
    >>> round(temperature(log_softmax, np.array([0, 0, 0, 1])), 2)  # three of four right, but a confidence of 98 %
    5.77
    """
    if not len(labels) or not np.isfinite(plain := log_shares(1.0)).all():
        return 1.0
    curve = _curve(log_shares, labels, np.zeros(len(labels), dtype=np.int64), plain.shape[1])
    return _likeliest(log_shares, labels, curve)


def _likeliest(log_shares: LogShares, labels: NDArray[np.int64], curve: _Curve) -> float:
    """Return the best temperature between the neighbors of the curve's best one; infinite at its upper end."""
    n, classes = len(labels), curve.classes
    costs = _costs(curve, n)
    start = _best(curve.steps, costs)
    if start == curve.steps[-1]:
        return math.inf

    def cost(log_t: float) -> float:
        one = _sums(log_shares(math.exp(log_t)), labels, np.zeros(n, dtype=np.int64))
        return float(_smoothed(*one, n, classes)[0])

    fine = _golden_section(cost, _STEP * (start - 1), _STEP * (start + 1))
    return math.exp(fine if cost(fine) < costs[curve.steps.index(start)] else _STEP * start)


def _curve(log_shares: LogShares, labels: NDArray[np.int64], fold: NDArray[np.int64], classes: int) -> _Curve:
    """Follow the cost along log T until its least is at no end, or that end is as good as T = ∞; finer at its least."""
    low, high = _FIRST, _LAST
    sums: dict[int, tuple[NDArray[np.float64], NDArray[np.float64]]] = {}

    def along(steps: range) -> tuple[_Curve, NDArray[np.float64], int]:
        sums.update({k: _sums(log_shares(math.exp(_STEP * k)), labels, fold) for k in steps if k not in sums})
        places = sorted(sums)
        curve = _Curve(classes, places, *np.moveaxis(np.array([sums[k] for k in places]), 1, 0))
        costs = _costs(curve, len(labels))
        return curve, costs, _best(places, costs)

    while True:
        curve, costs, best = along(range(low, high + 1, _COARSE))
        if low < best < high:
            return along(range(best - _COARSE, best + _COARSE + 1))[0]
        if best == high and np.abs(costs[-2:] - math.log(classes)).max() < _CLOSE**2:
            return curve
        low, high = (low - _MORE, high) if best == low else (low, high + _MORE)


def _sums(
    logs: NDArray[Any], labels: NDArray[np.int64], fold: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sums of log probabilities of each fold's labels, and of the classes beside them; −∞ if not finite."""
    label = logs[np.arange(len(labels)), labels].astype(np.float64)
    of_label, of_others = (np.bincount(fold, weights=part) for part in (label, logs.sum(1) - label))
    finite = np.isfinite(of_label) & np.isfinite(of_others)
    return np.where(finite, of_label, -np.inf), np.where(finite, of_others, -np.inf)


def _costs(curve: _Curve, n: int) -> NDArray[np.float64]:
    """Return the cost of all n images along the curve."""
    return _smoothed(curve.label.sum(1), curve.others.sum(1), n, curve.classes)


def _smoothed(
    label: NDArray[np.float64], others: NDArray[np.float64], n: int | NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Return the mean cross-entropy of smoothed targets of n images from sums of log probabilities."""
    on, off = (n + 1) / (n + 2), 1 / (n + 2) / max(classes - 1, 1)
    return -(on * label + off * others) / n


def _best(steps: Sequence[int], costs: NDArray[np.float64]) -> int:
    """Return the step of the least cost; of equal ones that nearest to T = 1."""
    return min(zip(costs.tolist(), map(abs, steps), steps, strict=True))[2]


def _held_out(
    log_shares: LogShares, labels: NDArray[np.int64], fold: NDArray[np.int64], curve: _Curve
) -> NDArray[np.float64]:
    """Return the log likelihood (n,) of each image's label with the temperature that the other folds are fitted by."""
    n, rows = np.bincount(fold), np.arange(len(labels))
    rest = (curve.label.sum(1, keepdims=True) - curve.label, curve.others.sum(1, keepdims=True) - curve.others)
    costs = _smoothed(*rest, len(labels) - n, curve.classes)
    likelihood = np.zeros(len(labels))
    for k in range(len(n)):
        held = fold == k
        fitted = math.exp(_STEP * _vertex(curve.steps, costs[:, k]))
        likelihood[held] = log_shares(fitted)[rows, labels][held]
    return likelihood


def _vertex(steps: Sequence[int], costs: NDArray[np.float64]) -> float:
    """Return the place of the minimum of the parabola through the least cost and its neighbors."""
    place = steps.index(_best(steps, costs))
    if place in (0, len(steps) - 1) or not np.isfinite(costs[place - 1 : place + 2]).all():
        return steps[place]
    left, right = steps[place] - steps[place - 1], steps[place + 1] - steps[place]
    fall, rise = (costs[place - 1] - costs[place]) * right, (costs[place + 1] - costs[place]) * left
    bend = fall + rise
    return steps[place] + float((fall * right - rise * left) / bend / 2 if bend > 0 else 0.0)


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
