"""A measured table, judged: every cell beside the reported number, every claim, and the tables beside them."""

__all__ = ["judged"]

import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from tenfold.recipe import Recipe
from tenfold.reproduce.judge import judge
from tenfold.reproduce.judge_claims import judged_claim
from tenfold.reproduce.measure import Measure
from tenfold.reproduce.measurements import Measurements, images_of, measured, moment_of
from tenfold.reproduce.records import (
    CellResult,
    ChoiceResult,
    Explanation,
    ExtraTable,
    Reproduction,
    RunTest,
    TableRunResult,
    TrialRecord,
    finite,
    metric_of,
)
from tenfold.reproduce.table import ReportedCell, ReportedTable, TableRequest, resolved, seeds_of
from tenfold.reproduce.tolerance import BY_DIGITS
from tenfold.reproduce.values import LOWER, Metric
from tenfold.runs.result import SweepResult

# Words of `judge` that agree with the report, and those for cells that agree for no reason that counts.
AGREEING = ("reproduced", "within noise", "reproduced (diverges)")
FITTED, UNLEARNED, DIVERGES = (
    "reproduced with a fitted choice",
    "nothing learned, as reported",
    "diverges, as reported",
)
# Test metrics of every run.
SHOWN = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "loss")


def judged(request: TableRequest, measurements: Measurements, explained: Mapping[str, Explanation]) -> Reproduction:
    """Judge all that a table reports by what was measured. The result names no figures yet."""
    table = request.table
    runs = {run: _run_result(table, measurements, run) for run in table.runs}
    return Reproduction(
        name=table.name,
        title=table.title,
        report=table.report,
        about=table.about,
        reference=table.reference,
        scale=request.scale,
        seeds=max(len(seeds_of(request, run)) for run in table.runs),
        data=measurements.data,
        seconds=sum(run.seconds for run in runs.values()),
        tolerance=table.tolerance,
        choices=_choices(request),
        runs=runs,
        cells=tuple(_cell(table, measurements, cell, explained.get(cell.id)) for cell in table.cells),
        ours=(_run_test(table, measurements, _best(table, measurements)),),
        added=tuple(_run_test(table, measurements, run) for run, reported in table.runs.items() if reported.ours),
        claims=tuple(judged_claim(measurements, request, claim) for claim in table.claims),
        explained=explained,
        tables=(*_overview(measurements, table), *(_members(*item) for item in measurements.sweeps.items())),
    )


def _choices(request: TableRequest) -> tuple[ChoiceResult, ...]:
    """Return the choices of the table with the values that the report's runs have for them."""
    table = request.table
    stated = [run for run, reported in table.runs.items() if not reported.ours] or list(table.runs)
    recipes = [resolved(table, run, request.scale) for run in stated]
    return tuple(
        ChoiceResult(choice.field, _values(recipes, choice.field), choice.why, choice.fitted)
        for choice in table.choices
    )


def _values(recipes: Sequence[Recipe], field: str) -> str:
    """Return the value of a field, or the values of the recipes where they differ."""
    return ", ".join(dict.fromkeys(str(getattr(recipe, field)) for recipe in recipes))


def _run_result(table: ReportedTable, measurements: Measurements, run: str) -> TableRunResult:
    reported = table.runs[run]
    records = measurements.records.get(run, [])
    seconds = [record.seconds for record in records]
    seconds += [result.seconds or 0.0 for result in measurements.sweeps.get(run, [])]
    failed = tuple(record.failed for record in records)
    return TableRunResult(reported.about or run, reported.ours, reported.settings, failed, float(sum(seconds)))


def _cell(
    table: ReportedTable, measurements: Measurements, cell: ReportedCell, explanation: Explanation | None
) -> CellResult:
    values = measured(measurements, table, cell)
    share, tolerance = cell.metric not in LOWER, table.tolerance_of(cell)
    verdict = judge(
        cell.value,
        cell.half_unit,
        tolerance.words,
        values,
        cell.n if share else None,
        share,
        images_of(measurements, cell) if share else None,
    )
    word = _word(table, measurements, cell, verdict.word)
    explanation = explanation if word.startswith("not reproduced") else None
    enough = abs(verdict.gap) <= cell.half_unit
    return CellResult(
        id=cell.id,
        run=cell.run,
        label=_label(table, cell),
        metric=cell.metric,
        part=cell.part,
        epoch=cell.epoch,
        reported=cell.reported,
        unit=cell.unit,
        measured=tuple(map(finite, values)),
        mean=finite(verdict.mean),
        interval=verdict.interval,
        prediction=verdict.prediction,
        gap=finite(verdict.gap),
        verdict=(explanation and explanation.verdict) or word,
        note=cell.note,
        rests_on=tuple(choice.field for choice in table.choices),
        tolerance="0 absolute" if enough else tolerance.words,
        tolerance_by=BY_DIGITS if enough else tolerance.by,
        tolerance_why="" if enough else tolerance.why,
        allowed=finite(cell.half_unit if enough else tolerance.room(cell.value, cell.half_unit)),
        cause=explanation.words if explanation else "",
    )


def _word(table: ReportedTable, measurements: Measurements, cell: ReportedCell, word: str) -> str:
    """Set apart what agrees though nothing was learned, and what agrees by a choice that was fitted to the report."""
    records = measurements.records.get(cell.run, [])
    if word in AGREEING and records:
        if all(record.moments.get(moment_of(cell), {}).get(cell.part, {}) is None for record in records):
            return DIVERGES
        if all(_guesses(record) for record in records):
            return UNLEARNED
    fitted = word == "reproduced" and any(choice.fitted for choice in table.choices)
    return FITTED if fitted else word


def _guesses(record: TrialRecord) -> bool:
    """Test whether a trial ends with one class for every test image."""
    test = record.moments["last"]["test"]
    recalls = test["recall"] if test else None
    return isinstance(recalls, Sequence) and sorted(recalls)[-1:] == [1.0] and sum(map(float, recalls)) == 1.0


def _label(table: ReportedTable, cell: ReportedCell) -> str:
    """Return the run in words, with the member or class that the number is of."""
    words = [table.runs[cell.run].about or cell.run]
    words += [f"{name.replace('_', ' ')} {value}" for name, value in cell.setting.items()]
    return ", ".join(words + ([] if cell.label is None else [f"class {cell.label}"]))


def _run_test(table: ReportedTable, measurements: Measurements, run: str) -> RunTest:
    """Test a run by the metric that most cells of the table have."""
    measure = Measure(run=run, metric=_metric(table))
    values = measured(measurements, table, measure)
    verdict = judge(math.nan, 0.0, "0 points", values, None, True, images_of(measurements, measure))
    about = table.runs[run].about or run
    return RunTest(run, about, measure.metric, "test", finite(verdict.mean), verdict.interval)


def _metric(table: ReportedTable) -> Metric:
    """Return accuracy or macro F1, whichever more cells have."""
    counted = Counter(cell.metric for cell in table.cells if cell.metric in ("accuracy", "macro_f1"))
    return counted.most_common(1)[0][0] if counted else "accuracy"


def _best(table: ReportedTable, measurements: Measurements) -> str:
    """Return the run with the best mean validation score."""

    def score(run: str) -> float:
        values = measured(measurements, table, Measure(run=run, metric=_metric(table), part="validation"))
        return float(np.mean(values)) if all(map(math.isfinite, values)) else -math.inf

    return max(table.runs, key=score)


def _overview(measurements: Measurements, table: ReportedTable) -> list[ExtraTable]:
    """Tabulate every trained run on test images: means over the seeds that did not diverge."""
    rows: list[tuple[object, ...]] = []
    for run, records in measurements.records.items():
        sound = [test for record in records if (test := record.moments["last"]["test"])]
        means = [_mean([metric_of(test, name) for test in sound]) for name in SHOWN]
        rows.append((table.runs[run].about or run, f"{len(sound)} of {len(records)}", *means))
    columns = ("run", "seeds", *(name.replace("_", " ") for name in SHOWN))
    return [ExtraTable("All runs on test images", columns, tuple(rows))] if rows else []


def _mean(numbers: Sequence[float]) -> float | None:
    return finite(float(np.mean(numbers))) if numbers else None


def _members(run: str, results: Sequence[SweepResult]) -> ExtraTable:
    """Tabulate the members of a search."""
    rows, metric = results[0].table, results[0].metric
    names = list(dict.fromkeys(name for row in rows for name in row.settings or {}))
    body = ((*((row.settings or {}).get(name) for name in names), finite(row.score), finite(row.loss)) for row in rows)
    title = f"{run}: {len(rows)} settings, from best to worst by {metric} on validation images"
    return ExtraTable(title, (*names, metric, "loss"), tuple(body))
