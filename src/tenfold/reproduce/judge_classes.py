"""Verdicts on what a report says of classes: which are recalled least or most, which below or above the average.

Each is a paired test over seeds, so that a single seed decides nothing.
"""

__all__ = ["judged_classes"]

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tenfold.reproduce.claim import Claim
from tenfold.reproduce.judge import Comparison, compare
from tenfold.reproduce.measurements import Measurements
from tenfold.reproduce.records import TrialRecord


def judged_classes(measurements: Measurements, claim: Claim) -> tuple[list[Comparison], str]:
    """Test a claim on classes run by run. Returns the comparisons, all of which it needs, and the evidence in words."""
    comparisons, evidence = [], []
    for run in claim.of:
        recalls = _recalls(measurements.records[run])
        comparisons += _compared(recalls, claim)
        evidence.append(f"{run}: {_evidence(recalls, claim)}")
    return comparisons, "; ".join(evidence)


def _recalls(records: Sequence[TrialRecord]) -> NDArray[np.float64]:
    """Return the recalls on test images, (S, C); a seed that diverged is NaN."""
    rows = [test["recall"] if (test := record.moments["last"]["test"]) else None for record in records]
    classes = max((len(row) for row in rows if isinstance(row, Sequence)), default=1)
    return np.array([row if isinstance(row, Sequence) else [np.nan] * classes for row in rows], dtype=np.float64)


def _compared(recalls: NDArray[np.float64], claim: Claim) -> list[Comparison]:
    """Compare every named class with the mean of all, or the last of the named with the first of the others."""
    if claim.above or claim.below:
        mean = recalls.mean(1).tolist()
        return [
            compare(recalls[:, min(k, recalls.shape[1] - 1)].tolist(), mean, bool(claim.above)) for k in claim.classes
        ]
    others = [k for k in range(recalls.shape[1]) if k not in claim.classes]
    named, rest = recalls[:, [k for k in claim.classes if k < recalls.shape[1]]], recalls[:, others]
    if not named.size or not rest.size:
        return [compare([np.nan], [np.nan])]
    if claim.lowest:
        return [compare(rest.min(1).tolist(), named.max(1).tolist())]
    return [compare(named.min(1).tolist(), rest.max(1).tolist())]


def _evidence(recalls: NDArray[np.float64], claim: Claim) -> str:
    """Say the mean recalls that matter, in percent."""
    sound = recalls[np.isfinite(recalls).all(1)]
    if not sound.size:
        return "diverges"
    means = 100 * sound.mean(0)
    if claim.above or claim.below:
        shown = ", ".join(f"{k} ({means[k]:.1f} %)" for k in claim.classes)
        return f"mean of all classes {means.mean():.1f} %, {shown}"
    order = np.argsort(means if claim.lowest else -means, kind="stable")
    shown = ", ".join(f"{k} ({means[k]:.1f} %)" for k in order[: len(claim.classes) + 1].tolist())
    return f"{'lowest' if claim.lowest else 'highest'} are {shown}"
