"""Types of the values in a table's file: metrics, parts, moments, names, settings, numbers as printed, tolerances."""

__all__ = [
    "CHECKED",
    "CURVES",
    "LOWER",
    "NAME",
    "PARTS_OF",
    "RUNNING",
    "STRICT",
    "AlternativeLabel",
    "Digits",
    "Label",
    "Metric",
    "Moment",
    "Subset",
    "Within",
]

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

STRICT = ConfigDict(frozen=True, extra="forbid", validate_default=True)
# Tables and runs are folders and files.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?|NaN")
TOLERANCE = re.compile(r"(-?\d+(?:\.\d+)?(?:e-?\d+)?) ?(points|absolute|%)")
# Metrics of an epoch under way.
RUNNING = ("accuracy", "loss", "cost")
# Metrics of a check, not of training.
CHECKED = ("weight_disagreement", "bias_disagreement")
# Metrics whose smaller value is the better one.
LOWER = ("loss", "cost", "loss_noise", *CHECKED)
# Metrics that only one part has.
PARTS_OF = {"near_zero": "weights", "loss_noise": "running"}
# Part and metric of the curves that every run leaves.
CURVES = tuple((part, metric) for part in ("running", "validation") for metric in RUNNING)


def _digits(value: str) -> str:
    if not NUMBER.fullmatch(value):
        raise ValueError(f'reported {value!r}: write the number as it is printed, in quotes, or "NaN"')
    return value


def _tolerance(value: str) -> str:
    if value and not TOLERANCE.fullmatch(value):
        raise ValueError(f'{value!r}: give it with its unit, like "0.5 points", "0.05 absolute" or "2 %"')
    if value.startswith("-"):
        raise ValueError(f"{value!r} is negative: give 0 or more")
    return value


def _way_label(value: str) -> str:
    if " + " in value:
        raise ValueError(f'{value!r}: " + " stands between the two ways of a pair; write "and"')
    return value


Metric = Literal[
    "accuracy",
    "loss",
    "cost",
    "macro_f1",
    "macro_precision",
    "macro_recall",
    "recall",
    "weight_disagreement",
    "bias_disagreement",
    "near_zero",
    "loss_noise",
]
Subset = Literal["train", "running", "validation", "test", "weights"]
Moment = Literal["last", "best"] | Annotated[float, Field(gt=0, allow_inf_nan=False)]
Label = Annotated[int, Field(ge=0)]
Digits = Annotated[str, AfterValidator(_digits)]
Within = Annotated[str, AfterValidator(_tolerance)]
AlternativeLabel = Annotated[str, Field(min_length=1), AfterValidator(_way_label)]
