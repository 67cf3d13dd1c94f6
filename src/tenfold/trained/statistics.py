"""Comparison of two classifiers on the same images: exact McNemar test, its interval, one plain sentence.

On n images, with b that only the first gets right and c that only the second does, the difference of the accuracies is
(b − c) / n. If neither is better, b of the b + c images are a fair coin's heads: p is twice the smaller tail of the
binomial (McNemar 1947, in its exact form). The other images say nothing about the difference.

The interval inverts the same test: b is binomial with b + c trials of some chance π, which Clopper and Pearson (1934)
bound by tails of 2.5 % on either side, and the difference is (b + c) (2 π − 1) / n. So it leaves out 0 exactly where
p < 0.05. Like the test, it takes the number of images that the two differ on as given.
"""

__all__ = [
    "by_class",
    "chance_lift",
    "difference_interval",
    "guessing",
    "holm",
    "macro_f1_interval",
    "mcnemar",
    "paired",
    "sentence",
    "too_few",
    "wilson",
]

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tenfold.text import count, finite, p_value, signed

LEVEL = 0.05
# What chance may add to the best of many settings before a choice is said to be by too few images.
LIFT = 0.1
_PERCENTILES = (2.5, 97.5)
# Resampled confusion counts in memory at once: 16 MB.
_CELLS = 2_000_000


def mcnemar(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> dict[str, Any]:
    """Count the images that both, only the first, only the second, and neither get right; add the exact two-sided p.

    first_right, second_right: (n,), the same images in the same order. p is 1 where they never differ.

    >>> mcnemar(np.array([True] * 6 + [False]), np.array([False] * 7))
    {'n': 7, 'both': 0, 'first_only': 6, 'second_only': 0, 'neither': 1, 'p': 0.03125}
    """
    first_only = int((first_right & ~second_right).sum())
    second_only = int((second_right & ~first_right).sum())
    both, n = int((first_right & second_right).sum()), len(first_right)
    differ = first_only + second_only
    return {
        "n": n,
        "both": both,
        "first_only": first_only,
        "second_only": second_only,
        "neither": n - both - differ,
        "p": min(1.0, 2 * float(special.bdtr(min(first_only, second_only), differ, 0.5))) if differ else 1.0,
    }


def wilson(right: int, n: int) -> tuple[float, float] | None:
    """Return Wilson's (1927) 95 % interval of a share, right of n; None where n is 0.

    (2 n p + z² ± z √(4 n p (1 − p) + z²)) / (2 (n + z²)) with p = right / n and the normal's quantile z.

    >>> [round(end, 4) for end in wilson(8, 10)]
    [0.4902, 0.9433]
    """
    if not n:
        return None
    p, z = right / n, float(special.ndtri(0.975))
    whole = 2 * (n + z**2)
    center, reach = (2 * n * p + z**2) / whole, z / whole * math.sqrt(4 * n * p * (1 - p) + z**2)
    return (center - reach if right else 0.0), (center + reach if right < n else 1.0)


def chance_lift(settings: int, share: float, n: int) -> float:
    """Return by how much the best of many equally good settings is expected to look too good on n images, a share.

    √(p̃ (1 − p̃) / ñ) √(2 ln K), the bound on the mean of the largest of K subgaussian errors (Boucheron, Lugosi and
    Massart 2013, theorem 2.5), with p̃ = (n p + 2) / ñ and ñ = n + 4 (Agresti and Coull 1998), so that no mistake among
    a few images is not taken for certainty. Settings that are right on the same images are lifted by less.

    >>> round(chance_lift(80, 5 / 6, 6), 3), round(chance_lift(80, 0.5, 5000), 3)
    (0.429, 0.021)
    """
    p = (n * share + 2) / (n + 4)
    return math.sqrt(p * (1 - p) / (n + 4) * 2 * math.log(settings))


def too_few(settings: int, share: float | None, n: int) -> list[str]:
    """Warn where n validation images choose between so many settings that chance may lift the best by 10 points."""
    lift = chance_lift(settings, share, n) if finite(share) and n else 0.0
    if lift <= LIFT:
        return []
    return [
        f"{count(n, 'validation image')} chose between {settings:,} settings: were all equally good, the best of them "
        f"would be expected to look better by up to {100 * lift:.0f} points; more validation images make it surer"
    ]


def guessing(labels: NDArray[np.int64], predicted: NDArray[np.int64]) -> tuple[float, float]:
    """Return the share of right answers if the same answers were dealt to the images at random, and p of the hits.

    labels, predicted: (n,). Whoever answers without looking at the images, a constant answer included, deals so. With
    n_k images of class k and m_k answers of it, S = Σ n_k m_k, the hits of a random order have mean S / n and variance
    (S − Σ n_k m_k (n_k + m_k) / n + S² / n²) / (n − 1) (Hoeffding 1951); p is one-sided, by the normal distribution
    with half a hit of continuity, and 1 where no order differs from another.

    >>> guessing(np.array([0, 0, 1, 1]), np.array([0, 0, 0, 0]))
    (0.5, 1.0)
    """
    n, size = len(labels), int(max(labels.max(), predicted.max())) + 1
    there, answers = (np.bincount(numbers, minlength=size).astype(np.float64) for numbers in (labels, predicted))
    pairs = there * answers
    mean = pairs.sum() / n
    variance = (pairs.sum() - (pairs * (there + answers)).sum() / n + mean**2) / max(n - 1, 1)
    if variance < 1e-9:
        return float(mean / n), 1.0
    hits = int((labels == predicted).sum())
    return float(mean / n), float(special.ndtr((mean + 0.5 - hits) / math.sqrt(variance)))


def difference_interval(first_only: int, second_only: int, n: int) -> tuple[float, float] | None:
    """Return the 95 % interval of the first's accuracy less the second's by the exact test (see the module).

    first_only, second_only: images that one of them alone gets right, of n. None where the two are never apart: the
    test has nothing to go by, which does not say that they are equal.

    >>> [round(end, 3) for end in difference_interval(6, 0, 7)], difference_interval(0, 0, 7)
    ([0.07, 0.857], None)
    """
    differ = first_only + second_only
    if not differ:
        return None
    low = float(special.betaincinv(first_only, second_only + 1, LEVEL / 2)) if first_only else 0.0
    high = float(special.betaincinv(first_only + 1, second_only, 1 - LEVEL / 2)) if second_only else 1.0
    return differ * (2 * low - 1) / n, differ * (2 * high - 1) / n


def macro_f1_interval(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int, seed: int = 0, resamples: int = 2000
) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap of the macro-averaged F1, by drawing counts of the confusion matrix.

    labels, predicted: (n,), numbers below classes. Formula as in `evaluate.measure`: each resample averages over the
    classes that occur or are predicted in it. NaN without images.
    """
    n, generator = len(labels), np.random.default_rng(seed)
    if not n:
        return float("nan"), float("nan")
    chances = np.bincount(labels * classes + predicted, minlength=classes * classes) / n
    at_once = max(1, _CELLS // classes**2)
    values = [
        _macro_f1(generator.multinomial(n, chances, size=min(at_once, resamples - done)), classes)
        for done in range(0, resamples, at_once)
    ]
    return _percentiles(np.concatenate(values))


def _macro_f1(counts: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return macro F1 (resamples,). counts: (resamples, C · C), true × predicted."""
    matrix = counts.reshape(-1, classes, classes)
    hits = np.diagonal(matrix, axis1=1, axis2=2)
    # F1 = 2 hits / (images of the class + images predicted as it)
    total = matrix.sum(1) + matrix.sum(2)
    return np.asarray((2 * hits / np.maximum(total, 1)).sum(-1) / (total > 0).sum(-1))


def _percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(values, _PERCENTILES)
    return float(low), float(high)


def paired(first_right: NDArray[np.bool_], second_right: NDArray[np.bool_]) -> dict[str, Any]:
    """Extend `mcnemar` by both accuracies, their difference (first less second) and its `difference_interval`.

    first_right, second_right: (n,), n > 0.
    """
    counts = mcnemar(first_right, second_right)
    n, bounds = counts["n"], difference_interval(counts["first_only"], counts["second_only"], counts["n"])
    return {
        **counts,
        "first_accuracy": (counts["both"] + counts["first_only"]) / n,
        "second_accuracy": (counts["both"] + counts["second_only"]) / n,
        "difference": (counts["first_only"] - counts["second_only"]) / n,
        "interval": list(bounds) if bounds else None,
    }


def sentence(first: str, second: str, pair: Mapping[str, Any]) -> str:
    """Say the result of `paired` in one sentence: who beats whom where p < 0.05, else that no difference is shown.

    >>> result = paired(np.arange(200) < 150, np.arange(200) < 140)
    >>> sentence("mlp", "linear", result)
    'mlp beats linear by 5.0 points (95 % interval 1.9 to 5.0, 200 images, exact McNemar p = 0.002).'
    """
    n, gap = pair["n"], 100 * pair["difference"]
    none = f"No difference shown between {first} and {second}"
    if not pair["first_only"] + pair["second_only"]:
        return f"{none}: they are right on exactly the same images (n = {n:,})."
    low, high = sorted(math.copysign(1, gap) * 100 * bound for bound in pair["interval"])
    digits = 1 if n < 1000 else 2
    ahead, behind = (first, second) if gap >= 0 else (second, first)
    size, low, high = (signed(value, digits) for value in (abs(gap), low, high))
    chance = f"p = {p_value(pair['p'])}".replace("= <", "<")
    evidence = f"(95 % interval {low} to {high}, {count(n, 'image')}, exact McNemar {chance})"
    if pair["p"] < LEVEL:
        return f"{ahead} beats {behind} by {size} points {evidence}."
    state = f"{ahead} is ahead by {size} points" if gap else "they are right equally often"
    return f"{none}: {state} {evidence}."


def by_class(
    labels: NDArray[np.int64],
    first_right: NDArray[np.bool_],
    second_right: NDArray[np.bool_],
    class_names: Sequence[str],
) -> list[dict[str, Any]]:
    """Return images, accuracies, difference (first less second) and exact McNemar p of every class.

    labels, first_right, second_right: (n,). p_holm: p adjusted for looking at so many classes at once (`holm`). A class
    without images has None for all but n.
    """
    rows = []
    for label, name in enumerate(class_names):
        of_class = labels == label
        counts = mcnemar(first_right[of_class], second_right[of_class])
        n = counts["n"]
        accuracies = [(counts["both"] + counts[only]) / n if n else None for only in ("first_only", "second_only")]
        rows.append(
            {
                "class": name,
                "n": n,
                "first_accuracy": accuracies[0],
                "second_accuracy": accuracies[1],
                "difference": (counts["first_only"] - counts["second_only"]) / n if n else None,
                "p": counts["p"] if n else None,
            }
        )
    adjusted = iter(holm([row["p"] for row in rows if row["n"]]))
    return [row | {"p_holm": next(adjusted) if row["n"] else None} for row in rows]


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p values by Holm's (1979) step-down method: the chance of a single false alarm stays below the level.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p, kind="stable")
    raised = np.asarray(p, dtype=np.float64)[order] * np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return [float(value) for value in adjusted]
