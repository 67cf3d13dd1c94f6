"""Numbers that were measured for a table: read off the records of its trials and the results of its searches."""

__all__ = ["Measurements", "curve_of", "images_of", "measured", "moment_of", "number_of"]

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from tenfold.errors import UsageError
from tenfold.reproduce.disagreement import disagreement
from tenfold.reproduce.measure import Measure
from tenfold.reproduce.records import TrialRecord, metric_of
from tenfold.reproduce.table import ReportedTable
from tenfold.runs.result import SweepResult

# Columns of metrics.csv are named by part.
COLUMN = {"running": "train"}


class Measurements(NamedTuple):
    """All that was measured of a table. data: name of the data set.

    records: run -> one record a seed. sweeps: run that searches -> the result of one sweep a seed.
    """

    data: str
    records: dict[str, list[TrialRecord]]
    sweeps: dict[str, list[SweepResult]]


def measured(measurements: Measurements, table: ReportedTable, measure: Measure) -> list[float]:
    """Return one number for each seed, NaN where the run had diverged by then."""
    if measure.metric.endswith("disagreement"):
        count = len(measurements.records[measure.run])
        return [disagreement(seed)[measure.metric.partition("_")[0]] for seed in range(count)]
    if measure.run in measurements.sweeps:
        return [_number_of_sweep(result, measure) for result in measurements.sweeps[measure.run]]
    return [number_of(record, table, measure) for record in measurements.records[measure.run]]


def number_of(record: TrialRecord, table: ReportedTable, measure: Measure) -> float:
    """Return a measure's number from a trial's record, NaN where the run had diverged by then."""
    if measure.metric == "loss_noise":
        return _noise(curve_of(record, measure.part, "loss"))
    numbers = record.moments[moment_of(measure)][measure.part]
    if numbers is None:
        # The arg-max of NaN is one class for every image, as the report's own code would have it.
        guess = table.nan_predicts if measure.metric == "accuracy" else None
        return math.nan if guess is None else float(record.shares[_images_part(measure)][guess])
    return metric_of(numbers, measure.metric, measure.label)


def curve_of(record: TrialRecord, part: str, metric: str, after: int = 0) -> list[float]:
    """Return a curve of a record from a number of iterations on, a number for each stretch between two validations.

    Of the part "running" it is the running mean over the stretch; of "validation", so that both are of the same steps,
    the mean of the validations at its two ends.
    """
    steps = [step or 0 for step in record.curves.get("step", [])]
    values = [math.nan if v is None else v for v in record.curves.get(f"{COLUMN.get(part, part)}_{metric}", [])]
    if part == "validation":
        values = [math.nan, *((early + late) / 2 for early, late in pairwise(values))][: len(values)]
    return [value for start, value in zip([0, *steps], values, strict=False) if start >= after]


def _noise(curve: Sequence[float]) -> float:
    """Return the deviation of a curve's numbers from what their neighbors are, in its second half.

    Two numbers of deviation s differ by s √2 in the root mean square, whatever slow trend they have.
    """
    apart = [later - earlier for earlier, later in pairwise(curve[len(curve) // 2 :])]
    return math.sqrt(sum(step * step for step in apart) / (2 * len(apart))) if apart else math.nan


def images_of(measurements: Measurements, measure: Measure) -> int | None:
    """Return the number of images that one seed of a measure was measured on, None where it is not one number."""
    if measure.run in measurements.sweeps:
        return measurements.sweeps[measure.run][0].scores.n if measure.part == "test" else None
    if measure.part == "weights":
        return None
    part, record = _images_part(measure), measurements.records[measure.run][0]
    share = 1.0 if measure.label is None else float(record.shares[part][measure.label])
    return round(share * record.images[part])


def moment_of(measure: Measure) -> str:
    """Return the key of a measure's moment in a trial's record."""
    return measure.epoch if isinstance(measure.epoch, str) else f"{measure.epoch:g}"


def _images_part(measure: Measure) -> str:
    """Return the part whose images a measure is taken on."""
    return "train" if measure.part == "running" else measure.part


def _number_of_sweep(result: SweepResult, measure: Measure) -> float:
    """Return a member's mean over the folds, or the test of the best one."""
    if measure.part == "test":
        return _number(getattr(result.scores, measure.metric))
    for row in result.table:
        settings = row.settings or {}
        if all(settings.get(name) == value for name, value in measure.setting.items()):
            return _number(row.loss if measure.metric == "loss" else row.score)
    raise UsageError(f"no member of the search {measure.run!r} has the settings {measure.setting}: give those of one")


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)
