"""Verdicts on the claims of a report: a paired test over seeds, divergence, or the order of the classes' recalls.

A verdict is "confirmed", "refuted" or "undecided", with the measured numbers in words.
"""

__all__ = ["judged_claim"]

import math
from collections.abc import Sequence

import numpy as np

from tenfold.reproduce.judge import Comparison, compare
from tenfold.reproduce.measurements import Measurements, measured
from tenfold.reproduce.records import ClaimResult, TrialRecord, finite
from tenfold.reproduce.table import Claim, Measure, ReportedTable
from tenfold.reproduce.values import LOWER

# The word that stands for several comparisons is that of the weakest.
RANK = {"confirmed": 0, "refuted": 2}


def judged_claim(measurements: Measurements, table: ReportedTable, claim: Claim) -> ClaimResult:
    """Judge a claim, of whichever kind it is."""
    if claim.fails:
        return _failing(claim.text, measurements.records[claim.fails])
    if claim.of:
        return _ranked(measurements, claim)
    assert claim.better
    assert claim.than
    return _better(measurements, table, claim, claim.better, (claim.than, *claim.beside))


def _better(
    measurements: Measurements, table: ReportedTable, claim: Claim, better: Measure, others: Sequence[Measure]
) -> ClaimResult:
    """Compare one measure with each of the others; the weakest comparison decides."""
    first = measured(measurements, table, better)
    higher = better.metric not in LOWER
    comparisons = [_compared(first, measured(measurements, table, other), higher) for other in others]
    weakest = max(comparisons, key=lambda one: (RANK.get(one.verdict, 1), one.p if one.p is not None else 1.0))
    evidence = "; ".join(
        f"{better.id} − {other.id}: {_difference(one.difference)}"
        for other, one in zip(others, comparisons, strict=True)
    )
    difference, p = finite(weakest.difference), finite(weakest.p)
    return ClaimResult(claim.text, difference, weakest.interval, p, weakest.verdict, evidence)


def _compared(first: Sequence[float], other: Sequence[float], higher: bool) -> Comparison:
    """Test over the seeds that both have; a run that diverges in every seed loses to one that never does."""
    both = min(len(first), len(other))
    first, other = first[:both], other[:both]
    if all(map(math.isfinite, first)) and not any(map(math.isfinite, other)):
        return Comparison(None, None, None, "confirmed")
    return compare(first, other, higher)


def _difference(value: float | None) -> str:
    return "not measured" if value is None else f"{value:+.4f}"


def _failing(text: str, records: Sequence[TrialRecord]) -> ClaimResult:
    """Judge that a run diverges: confirmed where every seed does, refuted where none does."""
    failed = [record.failed for record in records if record.failed]
    verdict = "confirmed" if len(failed) == len(records) else "undecided" if failed else "refuted"
    places = dict.fromkeys(f"step {place.step}, {place.layer}, {place.tensor}" for place in failed)
    return _untested(text, verdict, "; ".join([f"{len(failed)} of {len(records)} seeds", *places]))


def _ranked(measurements: Measurements, claim: Claim) -> ClaimResult:
    """Judge run by run whether the named classes are those with the lowest (highest) mean recall."""
    labels, low = (claim.lowest, True) if claim.lowest else (claim.highest, False)
    right, evidence = [], []
    for run in claim.of:
        tests = [record.moments["last"]["test"] for record in measurements.records[run]]
        recalls = [test["recall"] for test in tests if test]
        if not recalls:
            evidence.append(f"{run}: diverges")
            continue
        means = np.mean(np.array(recalls, dtype=np.float64), axis=0)
        order = np.argsort(means if low else -means, kind="stable")
        right.append(set(order[: len(labels)].tolist()) == set(labels))
        shown = ", ".join(f"{k} ({100 * means[k]:.1f} %)" for k in order[: len(labels) + 1].tolist())
        evidence.append(f"{run}: {'lowest' if low else 'highest'} are {shown}")
    everywhere = len(right) == len(claim.of)
    verdict = "confirmed" if everywhere and all(right) else "undecided" if any(right) or not everywhere else "refuted"
    return _untested(claim.text, verdict, "; ".join(evidence))


def _untested(text: str, verdict: str, evidence: str) -> ClaimResult:
    """Make the result of a claim that no paired test judges."""
    return ClaimResult(text, None, None, None, verdict, evidence)
