"""Nouns for the result of a run: written to result.json once, handed on in memory, read back as what they were."""

__all__ = [
    "Choice",
    "ExactScores",
    "Failure",
    "FitResult",
    "MemberResult",
    "Rival",
    "RunResult",
    "RungOutcome",
    "RungResult",
    "SettingScore",
    "SweepResult",
    "TrainResult",
    "kind_of",
    "read_result",
]

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from tenfold.files import from_json, read_json
from tenfold.recipe import Settings
from tenfold.trained.metrics import SPARSE, Bounds, Brief, Metrics


@dataclass(frozen=True)
class Failure:
    """The first tensor that was not finite: step, layer, tensor."""

    step: int
    layer: str
    tensor: str


@dataclass(frozen=True)
class ExactScores:
    """Exact means of one member over a whole part; None where it failed.

    n, absent, intervals: of the best member alone; absent: classes that its macro_f1 leaves out.
    """

    loss: float | None = None
    cost: float | None = None
    accuracy: float | None = None
    macro_f1: float | None = None
    interval: Bounds = field(default=None, metadata=SPARSE)
    macro_f1_interval: Bounds = field(default=None, metadata=SPARSE)
    n: int | None = field(default=None, metadata=SPARSE)
    absent: int | None = field(default=None, metadata=SPARSE)


@dataclass(frozen=True)
class MemberResult:
    """A member of a population. stopped: the step after which it was stopped early; best_step: of its weights."""

    member: int
    settings: Settings
    train: ExactScores | None = field(default=None, metadata=SPARSE)
    validation: ExactScores | None = field(default=None, metadata=SPARSE)
    test: ExactScores | None = field(default=None, metadata=SPARSE)
    weights_sha256: str = ""
    failed: Failure | None = None
    stopped: int | None = None
    best_step: int = 0


@dataclass(frozen=True)
class Rival:
    """The second-best rung and how it compares with the best on validation images (`statistics.paired`)."""

    rung: str
    n: int
    both: int
    first_only: int
    second_only: int
    neither: int
    p: float
    first_accuracy: float
    second_accuracy: float
    difference: float
    interval: Bounds
    sentence: str


@dataclass(frozen=True)
class RungOutcome:
    """A rung of the ladder while the run goes on. score: of its winner by the run's metric.

    elapsed: seconds of the run when the rung ended. A rung that was stopped has no exact numbers. left_out: why it has
    no model, or was cut short; "" for one that came to its end.
    """

    rung: str
    all_settings: tuple[Settings, ...]
    expected_seconds: float
    parameters: int
    members: int
    settings: Settings
    score: float
    seconds: float
    validation: ExactScores | None = None
    weights_sha256: str | None = None
    best_step: int | None = None
    failed: dict[str, Failure] | None = None
    elapsed: float = 0.0
    left_out: str = ""

    @property
    def has_model(self) -> bool:
        """Say if a model was trained and saved."""
        return bool(self.settings)


@dataclass(frozen=True)
class RungResult:
    """A rung of the ladder in result.json. macro_f1: on test images; calibration_error: there, else on validation."""

    rung: str
    members: int | None = None
    settings: Settings | None = None
    seconds: float | None = None
    expected_seconds: float | None = None
    parameters: int | None = None
    weights_sha256: str | None = None
    failed: dict[str, Failure] | None = None
    validation_accuracy: float | None = None
    validation_macro_f1: float | None = None
    test_accuracy: float | None = None
    test_interval: Bounds = None
    macro_f1: float | None = None
    temperature: float | None = None
    calibration_error: float | None = None


@dataclass(frozen=True)
class Choice:
    """The settings that were chosen. member: their number in a sweep."""

    rung: str | None = field(default=None, metadata=SPARSE)
    settings: Settings = field(default_factory=dict)
    member: int | None = field(default=None, metadata=SPARSE)


@dataclass(frozen=True)
class SettingScore:
    """A row of a sweep's table: mean validation score over the runs of a setting, its interval, and mean loss."""

    member: int | None = field(default=None, metadata=SPARSE)
    settings: Settings | None = field(default=None, metadata=SPARSE)
    score: float | None = None
    interval: Bounds = None
    loss: float | None = field(default=None, metadata=SPARSE)


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """The part of a result that every kind of run has.

    part: whose images the numbers are of, "test", or "validation" where the run was stopped; test is None then.
    settings: rung -> those of each of its members. seconds: of all sessions together.
    """

    run: str = ""
    model: str = ""
    data: str = ""
    metric: str = "accuracy"
    part: str = "test"
    state: str = "finished"
    best_rung: str = ""
    test: Metrics | None = None
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    settings: dict[str, tuple[Settings, ...]] = field(default_factory=dict)

    @property
    def scores(self) -> Metrics:
        """Return the best model's scores on the images that the result is about; none where there are none."""
        return self.test or Metrics()


@dataclass(frozen=True, kw_only=True)
class TrainResult(RunResult):
    """Result of `train`. best: the best member by validation, None where all failed."""

    validation: Brief = field(default_factory=Brief)
    runner_up: Rival | None = None
    members: tuple[MemberResult, ...] = ()
    best: int | None = None
    images_per_second: float | None = None


@dataclass(frozen=True, kw_only=True)
class FitResult(RunResult):
    """Result of `fit`: the ladder, and the best of its rungs by validation.

    left_out: rungs that have no model or were cut short, and why.
    """

    validation: Brief = field(default_factory=Brief)
    runner_up: Rival | None = None
    best: Choice = field(default_factory=Choice)
    report: str = ""
    rungs: tuple[RungResult, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def scores(self) -> Metrics:
        """Return the scores on test images, or on validation images where a stopped run has not looked at those."""
        if self.part == "test":
            return self.test or Metrics()
        brief = {name.name: getattr(self.validation, name.name) for name in fields(self.validation)}
        return Metrics(**brief)


@dataclass(frozen=True, kw_only=True)
class SweepResult(RunResult):
    """Result of `sweep`: every setting ranked, the choice, and the simplest one within one standard error."""

    report: str = ""
    validation: SettingScore = field(default_factory=SettingScore)
    best: Choice = field(default_factory=Choice)
    one_standard_error: Choice = field(default_factory=Choice)
    table: tuple[SettingScore, ...] = ()
    runs_each: int = 1
    failed: int = 0
    populations: tuple[str, ...] = ()


def kind_of(content: Mapping[str, Any]) -> type[RunResult]:
    """Return the noun that a result's JSON is of: each kind of run has a key of its own."""
    if "table" in content or "populations" in content:
        return SweepResult
    return TrainResult if "members" in content else FitResult


def read_result(path: Path) -> RunResult:
    """Read a run's result.json; a FileError names the file and what is wrong with it."""
    content = read_json(path, "data", "best_rung", "part", "settings")
    return from_json(kind_of(content), content, path)
