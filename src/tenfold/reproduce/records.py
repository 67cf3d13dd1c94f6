"""Records of a reproduction: measurements of trials, judged cells and claims, explanations of gaps, expected times.

A record is written by `files.as_json` and read back by `files.from_json`. A number that is not finite is None in a
judged record, as it is null in the file.
"""

__all__ = [
    "CellResult",
    "ChoiceResult",
    "ClaimResult",
    "Explanation",
    "ExtraTable",
    "ListedTable",
    "Numbers",
    "PopulationCost",
    "Rehearsal",
    "Reproduction",
    "RunTest",
    "TableRunResult",
    "TrialRecord",
    "WayResult",
    "finite",
    "metric_of",
]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tenfold.runs.result import Failure

Numbers = Mapping[str, float | Sequence[float] | None]
"""Metric -> its value; "recall" has one of every class."""

Bounds = tuple[float, float] | None


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """Measurements of one trial, as trials/KEY.json holds them.

    moments: "last", "best" or a number of epochs -> part -> metrics, None where the run had diverged by then.
    shares: part -> share of each class. images: part -> their number. steps: updates that were taken.
    curves: column of metrics.csv -> values. losses: "step", "loss" -> of single mini-batches, spread over the run.
    """

    run: str
    key: str
    seed: int
    moments: Mapping[str, Mapping[str, Numbers | None]]
    failed: Failure | None
    shares: Mapping[str, Sequence[float]]
    images: Mapping[str, int]
    steps: int = 0
    curves: Mapping[str, Sequence[float | None]]
    losses: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    seconds: float


@dataclass(frozen=True)
class ChoiceResult:
    """A choice that the report leaves open: the field of a Recipe, the value that is taken, and why."""

    field: str
    value: str
    why: str


@dataclass(frozen=True)
class TableRunResult:
    """A run of the table. settings: fields of a Recipe that differ from the protocol. failed: one entry a seed."""

    about: str
    ours: bool
    settings: Mapping[str, object]
    failed: tuple[Failure | None, ...]
    seconds: float


@dataclass(frozen=True)
class CellResult:
    """A reported number beside the measured ones. measured: one number a seed, None where the run diverged.

    mean, interval, prediction, gap: see CellVerdict. rests_on: fields of the choices that the number depends on.
    """

    id: str
    run: str
    label: str
    metric: str
    part: str
    epoch: str | float
    reported: str
    unit: str
    measured: tuple[float | None, ...]
    mean: float | None
    interval: Bounds
    prediction: Bounds
    gap: float | None
    verdict: str
    note: str
    rests_on: tuple[str, ...]


@dataclass(frozen=True)
class RunTest:
    """A run's score on test images: mean over the seeds and its 95 % interval."""

    run: str
    about: str
    metric: str
    part: str
    mean: float | None
    interval: Bounds


@dataclass(frozen=True)
class ClaimResult:
    """A claim with its verdict. difference, interval, p: of the paired test, None where there is none.

    evidence: the measured numbers in words; "told" in the file.
    """

    text: str
    difference: float | None
    interval: Bounds
    p: float | None
    verdict: str
    evidence: str = field(metadata={"key": "told"})


@dataclass(frozen=True)
class WayResult:
    """Measurement of one way, or of a pair of ways. stated: it contradicts the report; closes: it closes the gap."""

    label: str
    question: str
    stated: bool
    measured: float | None
    gap: float | None
    closes: bool


@dataclass(frozen=True)
class Explanation:
    """Everything that was tried to explain a cell. cause: digest of all that it depends on.

    base: measured as stated, with the first seed. verdict: "" where the cell keeps its verdict. ways, pairs: nearest
    first.
    """

    cause: str
    reported: str
    unit: str
    base: float | None
    sentence: str
    verdict: str
    ways: tuple[WayResult, ...]
    pairs: tuple[WayResult, ...]


@dataclass(frozen=True)
class ExtraTable:
    """A table beside the reported cells."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]


@dataclass(frozen=True)
class Reproduction:
    """A reported table measured again, as result.json holds it.

    ours: test of the best run by validation. added: tests of the runs that the report does not have. explained: cell
    -> explanation. figures: paths of SVG files in the folder.
    """

    name: str
    title: str
    report: str
    about: str
    reference: str
    scale: str
    seeds: int
    data: str
    seconds: float
    tolerance: str
    choices: tuple[ChoiceResult, ...]
    runs: Mapping[str, TableRunResult]
    cells: tuple[CellResult, ...]
    ours: tuple[RunTest, ...]
    added: tuple[RunTest, ...]
    claims: tuple[ClaimResult, ...]
    explained: Mapping[str, Explanation]
    tables: tuple[ExtraTable, ...]
    figures: tuple[str, ...] = ()


@dataclass(frozen=True)
class PopulationCost:
    """Runs that train as one population. seconds: of one seed."""

    runs: tuple[str, ...]
    members: int
    seconds: float
    seeds: int


@dataclass(frozen=True)
class Rehearsal:
    """Populations of a table at a scale. seconds: of all of them, with all seeds."""

    name: str
    title: str
    scale: str
    populations: tuple[PopulationCost, ...]
    seconds: float


@dataclass(frozen=True)
class ListedTable:
    """A table that can be reproduced. minutes: expected on this machine, None where that is unknown."""

    name: str
    title: str
    report: str
    runs: int
    minutes: float | None


def finite(number: float | None) -> float | None:
    """Return the number, None where it is not finite."""
    return None if number is None or not math.isfinite(number) else number


def metric_of(numbers: Numbers, metric: str, label: int | None = None) -> float:
    """Return a metric's value, NaN where it is not finite. label: of the class, for "recall"."""
    value = numbers[metric]
    if isinstance(value, Sequence):
        value = value[label or 0]
    return math.nan if value is None else float(value)
