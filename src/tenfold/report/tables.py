"""Tables of the page as rows: the ladder, the classes, every setting tried."""

__all__ = ["ClassRow", "RungRow", "TriedRow", "class_rows", "ladder", "span", "tried"]

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tenfold.report.case import Case
from tenfold.report.curves import epochs
from tenfold.report.headline import scores
from tenfold.report.selection import confusion_counts
from tenfold.runs.result import FitResult, RungResult, SweepResult, TrainResult
from tenfold.text import label, setting
from tenfold.trained.metrics import ClassScores, Metrics

# Rows in a table; what is left out is counted.
MOST = 200


class RungRow(NamedTuple):
    """Line of the ladder. accuracy, bounds: on the report's part, shares. color: its place among the rungs.

    judged: macro F1 on the validation images where that selected the best, else None.
    """

    name: str
    color: int
    best: bool
    members: int
    settings: dict[str, Any]
    validation: float | None
    accuracy: float | None
    bounds: Sequence[float] | None
    macro_f1: float | None
    calibration: float | None
    parameters: int | None
    seconds: float | None
    expected: float | None
    failed: int
    judged: float | None


class ClassRow(NamedTuple):
    """Line of a class. recall: of each rung; bounds: of the best rung's recall; precision, f1: the best rung's."""

    name: str
    n: int
    recall: list[float | None]
    bounds: Sequence[float] | None
    precision: float | None
    f1: float | None


class TriedRow(NamedTuple):
    """Settings of a rung's members: names of those that vary; values, score, epochs and "is the winner" of each."""

    rung: str
    color: int
    shared: dict[str, Any]
    names: list[str]
    rows: list[tuple[list[str], float | None, float, bool]]
    more: int


def ladder(case: Case) -> list[RungRow]:
    """Return the rungs in the order in which they were trained; a lone population is one."""
    rows = {row.rung: row for row in case.result.rungs} if isinstance(case.result, FitResult) else {}
    return [_rung(case, name, k, rows.get(name)) for k, name in enumerate(case.results.settings)]


def _rung(case: Case, name: str, color: int, climbed: RungResult | None) -> RungRow:
    results, row = case.results, climbed or RungResult(name)
    best = scores(case) if name == results.best else Metrics()
    accuracy = _first(row.test_accuracy, best.accuracy, _accuracy(case, name))
    chosen = row.settings or dict(results.settings[name][results.winners.get(name, 0)])
    return RungRow(
        label(name),
        color,
        name == results.best,
        len(results.settings[name]),
        chosen,
        _first(row.validation_accuracy, _validated(case, name)),
        accuracy,
        row.test_interval or best.interval,
        _first(row.macro_f1, row.validation_macro_f1 if results.part != "test" else best.macro_f1),
        _first(row.calibration_error, best.calibration.error if best.calibration else None),
        row.parameters,
        _first(row.seconds, None if climbed else case.result.seconds),
        row.expected_seconds,
        len(row.failed or ()),
        row.validation_macro_f1 if case.result.metric == "macro_f1" else None,
    )


def _validated(case: Case, name: str) -> float | None:
    """Return the validation accuracy of a population's best; of a sweep's best, the mean over its runs."""
    if isinstance(case.result, TrainResult) and name != case.results.best:
        judged = case.result.members[case.result.best or 0].validation
        return judged.accuracy if judged else None
    if isinstance(case.result, TrainResult | FitResult):
        return case.result.validation.accuracy
    if isinstance(case.result, SweepResult) and case.result.metric == "accuracy":
        return case.result.validation.score
    return None


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _accuracy(case: Case, rung: str) -> float | None:
    predicted = case.results.predicted.get(rung)
    return None if predicted is None or not len(predicted) else float((predicted == case.results.labels).mean())


def span(rungs: Sequence[RungRow]) -> tuple[float, float]:
    """Return the range of accuracies that holds all intervals, with some room."""
    ends = [end for rung in rungs for end in (rung.bounds or (rung.accuracy,)) if end is not None]
    if not ends:
        return 0.0, 1.0
    room = 0.15 * (max(ends) - min(ends)) + 0.005
    return max(0.0, min(ends) - room), min(1.0, max(ends) + room)


def class_rows(case: Case) -> list[ClassRow]:
    """Return a row for every class, in the order of the data set."""
    results = case.results
    counts = confusion_counts(results)
    measured = {row.class_: row for row in scores(case).per_class}
    recalls = [_recalls(results.labels, results.predicted[rung], len(counts)) for rung in results.settings]
    taken = counts.sum(0)
    rows = []
    for k, name in enumerate(results.class_names):
        row = measured.get(name) or ClassScores(name, 0)
        n, hits = int(counts[k].sum()), int(counts[k, k])
        precision = _first(row.precision, hits / taken[k] if taken[k] else None)
        f1 = _first(row.f1, 2 * hits / (n + taken[k]) if n + taken[k] else None)
        shares = [float(recall[k]) if n else None for recall in recalls]
        rows.append(ClassRow(label(name), n, shares, row.recall_interval, precision, f1))
    return rows


def _recalls(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    hits = np.bincount(labels[labels == predicted], minlength=classes)
    return np.asarray(hits / np.maximum(np.bincount(labels, minlength=classes), 1))


def tried(case: Case) -> list[TriedRow]:
    """Return every setting of every rung, the best by validation first."""
    metric = f"validation_{case.result.metric}"
    return [_tried(case, rung, k, metric) for k, rung in enumerate(case.results.settings)]


def _tried(case: Case, rung: str, color: int, metric: str) -> TriedRow:
    members, winner = case.results.settings[rung], case.results.winners.get(rung)
    names = list(dict.fromkeys(name for member in members for name in member))
    varied = [name for name in names if len({repr(member.get(name)) for member in members}) > 1]
    best, trained = _best(case, rung, metric), epochs(case.results, rung)
    order = sorted(range(len(members)), key=lambda m: (-best.get(m, -math.inf), m != winner, m))
    rows = [
        ([setting(members[m].get(name)) for name in varied], best.get(m), trained.get(m, 0.0), m == winner)
        for m in order[:MOST]
    ]
    shared = {name: members[0].get(name) for name in names if name not in varied} if members else {}
    return TriedRow(label(rung), color, shared, varied, rows, max(0, len(members) - MOST))


def _best(case: Case, rung: str, metric: str) -> dict[int, float]:
    """Return each member's best validation score; members without one are absent."""
    columns = case.results.curves
    if metric not in columns:
        return {}
    values = columns[metric]
    rows, members = (columns["rung"] == rung) & np.isfinite(values), columns["member"]
    return {int(m): float(values[rows & (members == m)].max()) for m in np.unique(members[rows])}
