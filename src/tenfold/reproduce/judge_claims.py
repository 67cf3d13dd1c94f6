"""Verdicts on the claims of a report: paired tests over seeds, equality within a margin, divergence, classes, origins.

A verdict is "confirmed", "refuted", "undecided" or "left out", with the measured numbers in words.
"""

__all__ = ["judged_claim"]

import math
from collections.abc import Sequence

import numpy as np

from tenfold.reproduce.claim import Claim
from tenfold.reproduce.judge import Comparison, alike, allowed, compare
from tenfold.reproduce.judge_classes import judged_classes
from tenfold.reproduce.measure import Measure
from tenfold.reproduce.measurements import Measurements, curve_of, measured
from tenfold.reproduce.records import ClaimResult, TrialRecord, finite
from tenfold.reproduce.table import ReportedCell, ReportedTable, TableRequest, twins_of
from tenfold.reproduce.values import LOWER

# The word that stands for several comparisons is that of the weakest.
RANK = {"confirmed": 0, "refuted": 2}


def judged_claim(measurements: Measurements, request: TableRequest, claim: Claim) -> ClaimResult:
    """Judge a claim, of whichever kind it is; leave it out where the scale makes its runs one."""
    table = request.table
    if twins := twins_of(table, claim, request.scale):
        evidence = f"at {request.scale} scale {twins[0]} and {twins[1]} are the same number"
        return _untested(claim.text, "left out", evidence)
    if claim.fails:
        return _failing(claim.text, measurements.records[claim.fails])
    if claim.of:
        return _weakest(claim.text, *judged_classes(measurements, claim))
    if claim.cells:
        return _read_elsewhere(measurements, table, claim)
    return _compared(measurements, table, claim)


def _compared(measurements: Measurements, table: ReportedTable, claim: Claim) -> ClaimResult:
    """Compare one measure with each of the others; the weakest comparison decides."""
    comparisons, evidence = [], []
    for first, other in claim.compared:
        a, b = (_numbers(measurements, table, claim, measure) for measure in (first, other))
        one = _equal(a, b, claim.margin) if claim.equal else _better(a, b, first.metric not in LOWER)
        comparisons.append(one)
        evidence.append(f"{first.id} − {other.id}: {_difference(one)}")
    moment = f"mean of the curves after {claim.after} iterations; " if claim.after else ""
    margin = f"; margin {claim.margin}" if claim.equal else ""
    return _weakest(claim.text, comparisons, moment + "; ".join(evidence) + margin)


def _numbers(measurements: Measurements, table: ReportedTable, claim: Claim, measure: Measure) -> Sequence[float]:
    """Return one number for each seed: a measure's, or the mean of its curve where the claim is about curves."""
    if not claim.after:
        return measured(measurements, table, measure)
    records = measurements.records[measure.run]
    curves = [curve_of(record, measure.part, measure.metric, claim.after) for record in records]
    return [float(np.nanmean(curve)) if np.isfinite(curve).any() else math.nan for curve in curves]


def _better(first: Sequence[float], other: Sequence[float], higher: bool) -> Comparison:
    """Test over the seeds that both have; a run that diverges in every seed loses to one that never does."""
    both = min(len(first), len(other))
    first, other = first[:both], other[:both]
    if all(map(math.isfinite, first)) and not any(map(math.isfinite, other)):
        return Comparison(None, None, None, "confirmed")
    return compare(first, other, higher)


def _equal(first: Sequence[float], other: Sequence[float], margin: str) -> Comparison:
    """Test over the seeds that both have whether they differ by no more than a margin; "%" is of the second."""
    both = min(len(first), len(other))
    return alike(first[:both], other[:both], allowed(margin, float(np.nanmean(other[:both] or [math.nan]))))


def _read_elsewhere(measurements: Measurements, table: ReportedTable, claim: Claim) -> ClaimResult:
    """Test whether the reported numbers lie nearer to those of another run than to those of their own."""
    printed = [cell for cell in table.cells if cell.id in claim.cells]
    there, here = (_distances(measurements, table, cells) for cells in (table.read(claim), printed))
    comparison = _better(there, here, higher=False)
    means = " and ".join(f"{np.mean(distances):.4f}" for distances in (there, here))
    evidence = f"mean distance from {len(printed)} reported numbers, read so and as they are: {means}"
    return _weakest(claim.text, [comparison], evidence)


def _distances(measurements: Measurements, table: ReportedTable, cells: Sequence[ReportedCell]) -> list[float]:
    """Return for each seed the mean distance of the cells from the numbers that they report."""
    rows = [np.abs(np.subtract(measured(measurements, table, cell), cell.value)) for cell in cells]
    seeds = min(map(len, rows))
    return [float(column) for column in np.mean([row[:seeds] for row in rows], axis=0)]


def _weakest(text: str, comparisons: Sequence[Comparison], evidence: str) -> ClaimResult:
    """Make the result of a claim that needs all of the comparisons: the weakest decides."""
    weakest = max(comparisons, key=lambda one: (RANK.get(one.verdict, 1), one.p if one.p is not None else 1.0))
    return ClaimResult(text, finite(weakest.difference), weakest.interval, finite(weakest.p), weakest.verdict, evidence)


def _difference(comparison: Comparison) -> str:
    if comparison.difference is None:
        return "not measured"
    interval = comparison.interval
    return f"{comparison.difference:+.4f}" + (f" ({interval[0]:+.4f} to {interval[1]:+.4f})" if interval else "")


def _failing(text: str, records: Sequence[TrialRecord]) -> ClaimResult:
    """Judge that a run diverges: confirmed where every seed does, refuted where none does."""
    failed = [record.failed for record in records if record.failed]
    verdict = "confirmed" if len(failed) == len(records) else "undecided" if failed else "refuted"
    places = dict.fromkeys(f"step {place.step}, {place.layer}, {place.tensor}" for place in failed)
    return _untested(text, verdict, "; ".join([f"{len(failed)} of {len(records)} seeds", *places]))


def _untested(text: str, verdict: str, evidence: str) -> ClaimResult:
    """Make the result of a claim that no paired test judges."""
    return ClaimResult(text, None, None, None, verdict, evidence)
