"""Nouns for the scores of a trained model on one part of the data, as result.json holds them."""

__all__ = ["SPARSE", "Bounds", "Brief", "Calibration", "ClassScores", "Metrics"]

from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

# Left out of JSON where there is nothing to say.
SPARSE = {"sparse": True}


def _both(ends: Any) -> Any:
    """Return no interval where an end is not a number, which JSON holds as null."""
    return None if isinstance(ends, list | tuple) and None in ends else ends


Bounds = Annotated[tuple[float, float] | None, BeforeValidator(_both)]
"""The ends of an interval, or None."""


@dataclass(frozen=True)
class Calibration:
    """Calibration of probabilities: expected calibration errors are shares, log_loss is in nats.

    temperature: divides the scores. error, uncalibrated_error: with that temperature, and with temperature 1.
    reason: why the temperature is 1 where one was looked for and not applied.
    """

    temperature: float | None = None
    error: float | None = None
    uncalibrated_error: float | None = None
    log_loss: float | None = None
    reason: str | None = field(default=None, metadata=SPARSE)


@dataclass(frozen=True)
class ClassScores:
    """Scores of one class, shares. n: images of it; recall_interval: Wilson's, 95 %, None without images.

    precision, recall, f1: None for a class that neither occurs nor is predicted; else 0 where nothing can be counted.
    """

    class_: Annotated[str, Field(alias="class")]
    n: int
    precision: float | None = None
    recall: float | None = None
    recall_interval: Bounds = None
    f1: float | None = None


@dataclass(frozen=True)
class Brief:
    """The scores of one model on n images that a summary needs, shares; intervals at 95 %. None: not measured.

    absent: classes that neither occur nor are predicted, which macro_f1 leaves out.
    """

    accuracy: float | None = None
    interval: Bounds = None
    macro_f1: float | None = None
    n: int | None = None
    calibration: Calibration | None = field(default=None, metadata=SPARSE)
    absent: int | None = field(default=None, metadata=SPARSE)


@dataclass(frozen=True)
class Metrics:
    """All scores of one model on n images, shares; intervals at 95 %. What was not measured is None.

    macro_…: means over the classes that occur or are predicted; absent: how many do neither. calibration: of the
    predicted class. without_twins: the same on the images that have no duplicate in the training part, None where no
    image has one.
    """

    accuracy: float | None = None
    interval: Bounds = None
    macro_precision: float | None = None
    macro_recall: float | None = None
    macro_f1: float | None = None
    macro_f1_interval: Bounds = None
    n: int | None = None
    per_class: tuple[ClassScores, ...] = ()
    calibration: Calibration | None = None
    without_twins: Brief | None = None
    absent: int | None = field(default=None, metadata=SPARSE)

    @property
    def brief(self) -> Brief:
        """Return the scores that a summary needs."""
        return Brief(self.accuracy, self.interval, self.macro_f1, self.n, self.calibration, self.absent)
