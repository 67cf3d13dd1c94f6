"""Verdicts on reported numbers and on claims, by intervals: never by a glance.

A report prints one run. Ours of S seeds have mean x̄ and deviation s (over S − 1). With t of S − 1 degrees of freedom

    95 % of the mean         x̄ ± t s / √S
    95 % of one more run     x̄ ± √( t² s² (1 + 1/S) + z² x̄ (1 − x̄) / n )

the second with n images that the report drew for itself, where that is known and x a share: z = 1.96. Each part keeps
its own quantile (Zou and Donner 2008): with a common t, two seeds and n = 1,000 would excuse a gap of 20 points. The
interval is exact where one part is 0 and covers a little more than 95 % between. A single seed has no s: the binomial
error of the images that it was measured on takes its place, and that of its mean is Wilson's (1927). Where the seeds of
a run like it are known (deviation s of S seeds), a single seed has their prediction interval, as both began with the
same seed. No interval leaves what is possible: a share ends at 0 and 1, a loss at 0.
"""

__all__ = ["CellVerdict", "Comparison", "Spread", "alike", "allowed", "compare", "judge"]

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

LEVEL = 0.05
Z = float(stats.norm.ppf(1 - LEVEL / 2))
Bounds = tuple[float, float] | None
Spread = tuple[float, int] | None
# A decimal misses what it stands for by about 1e-16 of itself; this much of the reported number decides nothing.
_ROUNDING = 1e-12


class CellVerdict(NamedTuple):
    """The verdict's word on a reported number, and the numbers that it is read off.

    mean: over the seeds that did not fail, NaN where every seed failed. interval: 95 % of the mean; prediction: 95 % of
    one more run; each None where there is nothing to take it from. gap: mean − reported.
    """

    mean: float
    interval: Bounds
    prediction: Bounds
    gap: float
    word: str


class Comparison(NamedTuple):
    """A paired comparison of two runs over seeds.

    difference: first − second, mean over the pairs. interval, p: 95 %, two-sided; None where there is no more than a
    pair. verdict: on "the first is better": "confirmed", "refuted" or "undecided".
    """

    difference: float | None
    interval: Bounds
    p: float | None
    verdict: str


def allowed(tolerance: str, reported: float) -> float:
    """Return how far a mean may lie off, in the unit of `reported`: from "0.5 points", "0.05 absolute" or "2 %" of it.

    >>> allowed("0.5 points", 0.4559), allowed("0.05 absolute", 2.3), allowed("2 %", 2.5)
    (0.005, 0.05, 0.05)
    """
    units = {"points": 0.01, "absolute": 1.0, "%": 0.01 * abs(reported)}
    unit = next(word for word in units if tolerance.endswith(word))
    return float(tolerance.removesuffix(unit)) * units[unit]


def judge(
    cell_value: float,
    half_unit: float,
    tolerance: str,
    measured: ArrayLike,
    n_reported: int | None,
    higher_is_better: bool,
    n_measured: int | None = None,
    spread: Spread = None,
) -> CellVerdict:
    """Judge a reported number: a share, a loss, or NaN. half_unit: half of its last printed digit.

    measured: (S,), one number a seed, NaN where the run failed. n_reported: images that a share was reported on, where
    they are not the very images of ours; n_measured: those of ours. spread: deviation and number of the seeds of a run
    like this one, for a single seed.
    """
    values = np.asarray(measured, dtype=np.float64).reshape(-1)
    finite = values[np.isfinite(values)]
    if not finite.size:
        word = "reproduced (diverges)" if math.isnan(cell_value) else "not reproduced (diverges)"
        return CellVerdict(math.nan, None, None, math.nan, word)
    mean = float(finite.mean())
    most = 1.0 if higher_is_better else math.inf
    interval = _possible(_interval(finite, n_measured), most)
    prediction = _possible(_prediction(finite, n_reported, n_measured, spread), most)
    gap, slack = mean - cell_value, _ROUNDING * abs(cell_value)
    if math.isnan(cell_value):
        # One reported run that diverged is nothing unusual among ours if one of these did.
        word = "within noise" if finite.size < values.size else "not reproduced"
    elif abs(gap) <= half_unit + allowed(tolerance, cell_value) + slack:
        word = "reproduced"
    elif prediction and prediction[0] - slack <= cell_value <= prediction[1] + slack:
        word = "within noise"
    else:
        word = "better" if (gap > 0) == higher_is_better else "not reproduced"
    return CellVerdict(mean, interval, prediction, gap, word)


def _interval(values: NDArray[np.float64], n: int | None) -> Bounds:
    """Return the 95 % interval of the mean. values: (S,)."""
    if len(values) > 1:
        return _around(values.mean(), _quantile(len(values)) * values.std(ddof=1) / math.sqrt(len(values)))
    if n is None:
        return None
    bounds = stats.binomtest(round(values[0] * n), n).proportion_ci(1 - LEVEL, method="wilson")
    return float(bounds.low), float(bounds.high)


def _possible(bounds: Bounds, most: float) -> Bounds:
    """Cut an interval to the numbers that there are: none below 0, none above `most`."""
    return (max(bounds[0], 0.0), min(bounds[1], most)) if bounds else None


def _prediction(values: NDArray[np.float64], n_reported: int | None, n_measured: int | None, spread: Spread) -> Bounds:
    """Return the 95 % interval of one more run. values: (S,)."""
    mean = values.mean()
    parts = [_binomial(mean, n_reported)] if n_reported else []
    if len(values) > 1:
        parts.append(_quantile(len(values)) ** 2 * values.var(ddof=1) * (1 + 1 / len(values)))
    elif spread and spread[1] > 1:
        parts.append((_quantile(spread[1]) * spread[0]) ** 2 * (1 + 1 / spread[1]))
    elif n_measured:
        parts.append(_binomial(mean, n_measured))
    return _around(mean, math.sqrt(sum(parts))) if parts else None


def _binomial(share: float, n: int) -> float:
    """Return the square of z standard errors of a share of n images."""
    return float(Z**2 * share * (1 - share) / n)


def _quantile(seeds: int) -> float:
    return float(stats.t.ppf(1 - LEVEL / 2, seeds - 1))


def _around(center: float, half: float) -> tuple[float, float]:
    return float(center - half), float(center + half)


def compare(first: Sequence[float], second: Sequence[float], higher_is_better: bool = True) -> Comparison:
    """Test "the first is better" over seeds, by Student's (1908) paired t-test.

    first, second: (S,), one number a seed, the same seeds in the same order. A seed in which either failed is no pair.
    Where all pairs differ by the same amount it is certain, and p is 0.

    >>> compare([0.42, 0.43, 0.44], [0.40, 0.41, 0.43]).verdict
    'confirmed'
    """
    apart, why = _pairs(first, second)
    if why:
        return Comparison(float(apart[0]) if len(apart) else None, None, None, f"undecided ({why})")
    mean, error = float(apart.mean()), float(apart.std(ddof=1)) / math.sqrt(len(apart))
    p = float(2 * stats.t.sf(abs(mean) / error, len(apart) - 1)) if error else float(mean == 0)
    right = (mean > 0) == higher_is_better
    verdict = "undecided" if p >= LEVEL else "confirmed" if right else "refuted"
    return Comparison(mean, _around(mean, _quantile(len(apart)) * error), p, verdict)


def alike(first: Sequence[float], second: Sequence[float], margin: float) -> Comparison:
    """Test "both are equally good, up to a margin" over seeds, by the two-sided 95 % interval of the difference.

    Confirmed where all of it lies inside the margin, refuted where all of it lies outside; a large p shows nothing.

    >>> alike([0.42, 0.43, 0.44], [0.42, 0.431, 0.439], 0.005).verdict
    'confirmed'
    """
    comparison = compare(first, second)
    if comparison.interval is None:
        return comparison
    low, high = comparison.interval
    inside, outside = -margin <= low and high <= margin, high < -margin or low > margin
    return comparison._replace(verdict="confirmed" if inside else "refuted" if outside else "undecided")


def _pairs(first: Sequence[float], second: Sequence[float]) -> tuple[NDArray[np.float64], str]:
    """Return the differences over the seeds in which neither failed, and why they are too few, "" for enough."""
    pairs = np.subtract(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    apart = pairs[np.isfinite(pairs)]
    if len(apart) >= 2:
        return apart, ""
    return apart, "one seed" if len(pairs) < 2 and len(apart) else "diverges"
