"""A reported table as a TOML file: its protocol, its runs, its cells as printed, its claims, what it left unsaid.

`src/tenfold/recipes/` holds the shipped ones; docs/reproducing.md shows how to write one from a paper.
"""

__all__ = [
    "Asked",
    "Cell",
    "Claim",
    "Measure",
    "Question",
    "Run",
    "Table",
    "Way",
    "cause_of",
    "data_of",
    "overridden",
    "read_table",
    "resolved",
    "seeds_of",
    "shipped",
]

import hashlib
import json
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from tenfold.errors import UsageError, nearest
from tenfold.loading import load
from tenfold.recipe import Recipe, recipe
from tenfold.rooms import names
from tenfold.search.request import requested
from tenfold.types import Dataset

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
]
Moment = Literal["last", "best"] | Annotated[float, Field(gt=0)]
Seen = Literal["train", "running", "validation", "test"]
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?|NaN")
TOLERANCE = re.compile(r"(\d+(?:\.\d+)?(?:e-?\d+)?) ?(points|absolute|%)")
STRICT = ConfigDict(frozen=True, extra="forbid", validate_default=True)
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
FACTOR = re.compile(r"([×/])(\d+(?:\.\d+)?)")
# Fields of a Recipe that belong to the table, and to its protocol, not to its runs.
OWN, SHARED = ("kind", "seed", "minutes", "repeats"), ("data", "size", "skip_unreadable")


class Measure(BaseModel):
    """One number of a run: metric, part, moment.

    part: "train" (exact, all of it), "running" (its running mean since the last validation), "validation" or "test".
    epoch: a number of epochs, "last", or "best": the moment of the best validation score. label: of the class, for
    "recall". setting: of a run that searches, the settings of one of its members, {} for the best; its validation is
    the mean over the folds, and only the best is tested. weight_disagreement, bias_disagreement: relative error of the
    hand-derived gradient against autograd in float64, 10 inputs, 3 images.
    """

    model_config = STRICT

    run: str
    metric: Metric = "accuracy"
    part: Seen = "test"
    epoch: Moment = "last"
    label: int | None = None
    setting: dict[str, Any] = {}

    @property
    def id(self) -> str:
        """What `--explain` calls it: run/part/metric@epoch, what is usual left out.

        >>> Measure(run="plain", epoch=1).id, Measure(run="plain", part="train", metric="loss").id
        ('plain/test@1', 'plain/train/loss')
        """
        words = [self.run, *(f"{name}={value}" for name, value in self.setting.items()), self.part]
        words += [self.metric] * (self.metric != "accuracy") + [str(self.label)] * (self.label is not None)
        moment = self.epoch if isinstance(self.epoch, str) else f"{self.epoch:g}"
        return "/".join(words) + f"@{moment}" * (moment != "last")


class Cell(Measure):
    """A reported number, as printed. unit: "%" where it is printed in percent. n: images that it was measured on.

    reported: digits as in the report, "NaN" for what is not a number. tolerance: its own, instead of the table's.
    note: what the report says beside it.
    """

    reported: str
    unit: Literal["", "%"] = ""
    n: Annotated[int, Field(gt=0)] | None = None
    tolerance: str = ""
    note: str = ""

    @field_validator("reported")
    @classmethod
    def _digits(cls, value: str) -> str:
        if not NUMBER.fullmatch(value):
            raise ValueError(f'reported {value!r}: write the number as it is printed, in quotes, or "NaN"')
        return value

    @field_validator("tolerance")
    @classmethod
    def _with_unit(cls, value: str) -> str:
        return _tolerance(value) if value else value

    @property
    def value(self) -> float:
        """The reported number as a share where it is one (45.59 % is 0.4559)."""
        return float(self.reported) / (100 if self.unit == "%" else 1)

    @property
    def half_unit(self) -> float:
        """Half of the last printed digit, in the unit of `value`."""
        if self.reported == "NaN":
            return 0.0
        exponent = int(Decimal(self.reported).as_tuple().exponent)
        return 0.5 * 10.0**exponent / (100 if self.unit == "%" else 1)


class Claim(BaseModel):
    """A sentence of the report that can be wrong, of one of three kinds.

    better, than: the first measure is better than the second; beside: and its gain over the second is larger than the
    gain of each of these. fails: the run that goes non-finite. lowest, highest: labels of classes that every run in
    `of` recalls least (most), on test images.
    """

    model_config = STRICT

    text: str
    better: Measure | None = None
    than: Measure | None = None
    beside: tuple[Measure, ...] = ()
    fails: str = ""
    lowest: tuple[int, ...] = ()
    highest: tuple[int, ...] = ()
    of: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> "Claim":
        kinds = [bool(self.better and self.than), bool(self.fails), bool((self.lowest or self.highest) and self.of)]
        if sum(kinds) != 1:
            raise ValueError(f"claim {self.text!r}: give better and than, or fails, or of and lowest or highest")
        return self

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What must be measured to judge it."""
        ranked = tuple(Measure(run=run, metric="recall") for run in self.of)
        return (*(m for m in (self.better, self.than) if m), *self.beside, *ranked)

    @property
    def runs(self) -> set[str]:
        """The runs that it speaks of."""
        return {measure.run for measure in self.measures} | ({self.fails} if self.fails else set())


class Choice(BaseModel):
    """What the report left open, and the table chose. field: of a Recipe; why: in words."""

    model_config = STRICT

    field: str
    why: str


class Run(BaseModel):
    """Settings of one run, beside the protocol's: fields of a Recipe. With `vary` among them it is a sweep.

    about: what tables call it. ours: the report has no such run. seeds: fewer than the scale's, where one is costly.
    """

    model_config = STRICT

    about: str = ""
    ours: bool = False
    seeds: Annotated[int, Field(ge=0)] = 0
    settings: dict[str, Any] = {}

    @property
    def searches(self) -> bool:
        """Whether the run is a sweep."""
        return "vary" in self.settings


class Way(BaseModel):
    """One alternative to what the table takes: other settings, or another reading of the same run."""

    model_config = STRICT

    label: str
    set: dict[str, Any] = {}
    part: Seen | Literal[""] = ""
    epoch: Moment | Literal[""] = ""


class Question(BaseModel):
    """A choice that may close a gap. stated: the report says what it did, so that any other way contradicts it."""

    model_config = STRICT

    about: str
    stated: bool = False
    ways: tuple[Way, ...]


class Scale(BaseModel):
    """How much of the protocol is run. seeds: how many; settings: fields that replace the protocol's and the runs'."""

    model_config = STRICT

    seeds: Annotated[int, Field(ge=1)] = 1
    settings: dict[str, Any] = {}


class Table(BaseModel):
    """A reported table. report: which of the reports it is from. tolerance: "0.5 points", "0.05 absolute" or "2 %".

    figures: words of the room figures that it draws. nan_predicts: the class that the report's own code predicts where
    scores are NaN. reference: what others reach on the same data with the same class of model.
    """

    model_config = STRICT

    name: str
    title: str
    report: str = ""
    about: str = ""
    tolerance: str
    reference: str = ""
    nan_predicts: int | None = None
    figures: tuple[str, ...] = ("learning_curves",)
    protocol: dict[str, Any]
    choices: tuple[Choice, ...] = ()
    runs: Annotated[dict[Annotated[str, Field(pattern=NAME)], Run], Field(min_length=1)]
    cells: tuple[Cell, ...] = ()
    claims: tuple[Claim, ...] = ()
    questions: tuple[Question, ...] = ()
    scales: dict[Literal["full", "quick", "tiny"], Scale]

    @field_validator("tolerance")
    @classmethod
    def _with_unit(cls, value: str) -> str:
        return _tolerance(value)

    @model_validator(mode="after")
    def _together(self) -> "Table":
        asked = {measure.run for measure in self.measures} | {run for claim in self.claims for run in claim.runs}
        for run in sorted(asked - set(self.runs)):
            raise ValueError(f"no run is called {run!r}: {nearest(run, self.runs)}")
        ids = [cell.id for cell in self.cells]
        if len(set(ids)) < len(ids):
            raise ValueError(f"two cells are the same number: {next(i for i in ids if ids.count(i) > 1)}")
        for room, known, words in (
            ("field", Recipe.model_fields, [choice.field for choice in self.choices]),
            ("figure", names("figures"), self.figures),
        ):
            for word in words:
                if word not in known:
                    raise ValueError(f"no {room} {word!r}: {nearest(word, known)}")
        return self

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Everything that cells and claims ask of the runs."""
        return (*self.cells, *(measure for claim in self.claims for measure in claim.measures))


class Asked(NamedTuple):
    """How a table is to be run. seeds: 0 for the scale's own; force: measure again what is known."""

    table: Table
    scale: str = "full"
    seeds: int = 0
    data_dir: str = ""
    force: bool = False


def seeds_of(asked: Asked, run: str) -> range:
    """Seeds that a run is repeated with."""
    own, table = asked.table.runs[run].seeds, asked.table
    count = asked.seeds or table.scales[asked.scale].seeds  # type: ignore[index]
    return range(min(count, own) if own else count)


def shipped() -> dict[str, Path]:
    """Tables that come with the package, by name."""
    return {path.stem: path for path in sorted((Path(__file__).parent.parent / "recipes").glob("*.toml"))}


def data_of(table: Table, data_dir: str, download: bool = True) -> Dataset:
    """The data set of a table."""
    own = {name: table.protocol[name] for name in SHARED[1:] if name in table.protocol}
    return load(table.protocol.get("data", "digits"), data_dir=data_dir, download=download, **own)


def read_table(name: str) -> Table:
    """A table by its name, or from a file of one's own; a UsageError in one line where it cannot be one."""
    path = shipped().get(name, Path(name).expanduser())
    if not path.is_file():
        raise UsageError(f"{name!r} is no table and no file: {nearest(name, shipped())}")
    try:
        table = Table.model_validate({"name": path.stem, **tomllib.loads(path.read_text(encoding="utf-8"))})
        for scale in table.scales:
            recipes = [resolved(table, run, scale) for run in table.runs]
        for question in table.questions:
            for way in question.ways:
                overridden(recipes[0], way.set)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, OSError) as error:
        raise UsageError(f"{path}: not a readable TOML table ({error})") from None
    except ValidationError as error:
        raise UsageError(f"{path}: {_explain(error)}") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    return table


def cause_of(table: Table, cell: Cell, scale: str) -> str:
    """Digest of what an explanation of a cell is of: its run's recipe, the reported number, the questions."""
    asked = [question.model_dump() for question in table.questions]
    cause = [resolved(table, cell.run, scale).model_dump(), cell.model_dump(), table.tolerance, asked]
    return hashlib.sha256(json.dumps(cause, sort_keys=True).encode()).hexdigest()[:20]


def resolved(table: Table, run: str, scale: str, seed: int = 0) -> Recipe:
    """The Recipe of one run at a scale; a UsageError that names the run where there is none."""
    if scale not in table.scales:
        raise UsageError(f"{table.name} has no scale {scale!r}: {nearest(scale, table.scales)}")
    own = {**table.protocol, **table.runs[run].settings, **table.scales[scale].settings}
    try:
        for name in OWN:
            if name in own:
                raise UsageError(f"{name} belongs to the table, not to its runs: leave it out")
        for name in SHARED:
            if own.get(name) != table.protocol.get(name):
                raise UsageError(f"{name} belongs to the protocol: a table is of one data set")
        if not table.runs[run].searches:
            return recipe({**own, "kind": "train", "seed": seed})
        axes = dict(axis.split("=", 1) for axis in own.pop("vary"))
        return requested({**own, **axes, "seed": seed})
    except UsageError as error:
        raise UsageError(f"run {run!r}, scale {scale!r}: {error}") from None


def overridden(base: Recipe, changes: dict[str, Any]) -> Recipe:
    """The recipe with other values of some fields; "×2" and "/100" multiply and divide what it has.

    >>> overridden(Recipe(l2=0.1), {"l2": "×2"}).l2
    0.2
    """
    own = base.model_dump()
    for name, value in changes.items():
        factor = FACTOR.fullmatch(value) if isinstance(value, str) else None
        if factor and name in own:
            own[name] *= float(factor[2]) if factor[1] == "×" else 1 / float(factor[2])
        else:
            own[name] = value
    return recipe(own)


def _tolerance(value: str) -> str:
    if not TOLERANCE.fullmatch(value):
        raise ValueError(f'tolerance {value!r}: give it with its unit, like "0.5 points", "0.05 absolute" or "2 %"')
    return value


def _explain(error: ValidationError) -> str:
    """The first complaint of pydantic as one plain line."""
    first = error.errors()[0]
    where = ".".join(str(place) for place in first["loc"])
    if first["type"] == "value_error":
        return f"{where}: {first['ctx']['error']}" if where else str(first["ctx"]["error"])
    if first["type"] == "extra_forbidden":
        return f"unknown key {where!r}: {nearest(str(first['loc'][-1]), _keys(first['loc']))}"
    return f"{where} is missing" if first["type"] == "missing" else f"{where}: {first['msg']}"


def _keys(where: tuple[int | str, ...]) -> list[str]:
    """Keys that are known at that place of a table."""
    kinds: dict[str, type[BaseModel]] = {
        "runs": Run,
        "cells": Cell,
        "claims": Claim,
        "choices": Choice,
        "questions": Question,
        "scales": Scale,
    }
    kind = Way if "ways" in where else kinds.get(str(where[0]), Table) if len(where) > 1 else Table
    return [name for name in kind.model_fields if name != "name"]
