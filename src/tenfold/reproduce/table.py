"""A reported table as a TOML file: its protocol, its runs, its cells as printed, its claims, what it left unsaid.

`src/tenfold/reproduce/tables/` holds the shipped ones; docs/reproducing.md shows how to write one from a paper.
"""

__all__ = [
    "Alternative",
    "Claim",
    "Measure",
    "Question",
    "ReportedCell",
    "ReportedTable",
    "TableRequest",
    "cause_of",
    "data_of",
    "read_table",
    "resolved",
    "seeds_of",
    "shipped",
]

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from tenfold.data.load import load
from tenfold.data.types import Dataset
from tenfold.errors import UsageError, nearest
from tenfold.recipe import Recipe, Settings
from tenfold.reproduce.complaints import complaint
from tenfold.reproduce.protocol import SHARED, TABLE_ONLY, ReportedRun, Scale, overridden, recipe_of, refuse_unmeasured
from tenfold.reproduce.values import (
    CHECKED,
    NAME,
    RUNNING,
    STRICT,
    AlternativeLabel,
    Digits,
    Label,
    Metric,
    Moment,
    Subset,
    Within,
)
from tenfold.rooms import names

SLUG = re.compile(r"[^A-Za-z0-9_.-]+")


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
    part: Subset = "test"
    epoch: Moment = "last"
    label: Label | None = None
    setting: Settings = {}

    @model_validator(mode="after")
    def _complete(self) -> "Measure":
        if (self.metric == "recall") != (self.label is not None):
            raise ValueError('label: recall is of a class, and no other metric is: give metric "recall" and its label')
        if self.part == "running" and self.metric not in RUNNING:
            raise ValueError(f"metric {self.metric!r}: the part running has {', '.join(RUNNING)}; take the part train")
        return self

    @property
    def id(self) -> str:
        """Return the name for `--explain`: run/part/metric@epoch, without what is usual.

        >>> Measure(run="plain", epoch=1).id, Measure(run="plain", part="train", metric="loss").id
        ('plain/test@1', 'plain/train/loss')
        """
        words = [self.run, *(f"{name}={value}" for name, value in self.setting.items()), self.part]
        words += [self.metric] * (self.metric != "accuracy") + [str(self.label)] * (self.label is not None)
        moment = self.epoch if isinstance(self.epoch, str) else f"{self.epoch:g}"
        return "/".join(words) + f"@{moment}" * (moment != "last")


class ReportedCell(Measure):
    """A reported number, as printed. unit: "%" where it is printed in percent. n: images that it was measured on.

    reported: digits as in the report, "NaN" for what is not a number. tolerance: replaces the table's.
    note: the remark that the report makes on it.
    """

    reported: Digits
    unit: Literal["", "%"] = ""
    n: Annotated[int, Field(gt=0)] | None = None
    tolerance: Within = ""
    note: str = ""

    @property
    def value(self) -> float:
        """Return the reported number as a share where it is one (45.59 % is 0.4559)."""
        return float(self.reported) / (100 if self.unit == "%" else 1)

    @property
    def half_unit(self) -> float:
        """Return half of the last printed digit, in the unit of `value`."""
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
    lowest: tuple[Label, ...] = ()
    highest: tuple[Label, ...] = ()
    of: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_kind(self) -> "Claim":
        kinds = [
            (self.better or self.than or self.beside, self.better and self.than),
            (self.fails, True),
            (self.lowest or self.highest or self.of, bool(self.lowest) != bool(self.highest) and self.of),
        ]
        if [bool(whole) for begun, whole in kinds if begun] != [True]:
            raise ValueError(
                f"claim {self.text!r}: give better and than, or fails, or of and one of lowest and highest"
            )
        return self

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Return the measures that judge it."""
        labels = (*self.lowest, *self.highest)
        ranked = tuple(Measure(run=run, metric="recall", label=label) for run in self.of for label in labels)
        return (*(m for m in (self.better, self.than) if m), *self.beside, *ranked)

    @property
    def runs(self) -> set[str]:
        """Return the runs that it speaks of."""
        return {measure.run for measure in self.measures} | ({self.fails} if self.fails else set())


class OpenChoice(BaseModel):
    """A choice that the report left open, and the table made. field: of a Recipe; why: in words."""

    model_config = STRICT

    field: str
    why: str


class Alternative(BaseModel):
    """One alternative to the choice of the table: other settings, or another reading of the same run."""

    model_config = STRICT

    label: AlternativeLabel
    set: Settings = {}
    part: Subset | Literal[""] = ""
    epoch: Moment | Literal[""] = ""

    @field_validator("set")
    @classmethod
    def _run_fields(cls, value: Settings) -> Settings:
        for name in (*TABLE_ONLY, *SHARED, "vary"):
            if name in value:
                raise ValueError(f"{name} belongs to the table, and is the same for all ways: leave it out")
        return value


class Question(BaseModel):
    """A choice that may close a gap. stated: the report says what it did, so that every other way contradicts it."""

    model_config = STRICT

    about: str
    stated: bool = False
    ways: tuple[Alternative, ...]


class ReportedTable(BaseModel):
    """A reported table. report: which of the reports it is from. tolerance: "0.5 points", "0.05 absolute" or "2 %".

    figures: words of the room figures that it draws. pairs: runs that the report shows side by side. nan_predicts: the
    class that the report's own code predicts where scores are NaN. reference: what others reach on the same data with
    the same class of model.
    """

    model_config = STRICT

    name: Annotated[str, Field(pattern=NAME)]
    title: str
    report: str = ""
    about: str = ""
    tolerance: Annotated[Within, Field(min_length=1)]
    reference: str = ""
    nan_predicts: Label | None = None
    figures: tuple[str, ...] = ("run_curves",)
    pairs: tuple[tuple[str, str], ...] = ()
    protocol: Settings
    choices: tuple[OpenChoice, ...] = ()
    runs: Annotated[dict[Annotated[str, Field(pattern=NAME)], ReportedRun], Field(min_length=1)]
    cells: tuple[ReportedCell, ...] = ()
    claims: tuple[Claim, ...] = ()
    questions: tuple[Question, ...] = ()
    scales: dict[Literal["full", "quick", "tiny"], Scale]

    @model_validator(mode="after")
    def _together(self) -> "ReportedTable":
        named = {measure.run for measure in self.measures} | {run for claim in self.claims for run in claim.runs}
        named |= {run for pair in self.pairs for run in pair}
        for run in sorted(named - set(self.runs)):
            raise ValueError(f"no run is called {run!r}: {nearest(run, self.runs)}")
        if "full" not in self.scales:
            raise ValueError("scales: give [scales.full], the protocol as it is")
        ways = [way.label for question in self.questions for way in question.ways]
        for fault, ids in (
            ("cells are the same number", [cell.id for cell in self.cells]),
            ("ways have the label", ways),
        ):
            if len(set(ids)) < len(ids):
                raise ValueError(f"two {fault}: {next(i for i in ids if ids.count(i) > 1)}")
        for k, claim in enumerate(self.claims):
            if searching := [run for run in (claim.fails, *claim.of) if run and self.runs[run].searches]:
                key = "fails" if claim.fails else "of"
                raise ValueError(f"claims.{k}.{key}: {searching[0]!r} searches: name a run without vary")
        for room, valid, words in (
            ("field", Recipe.model_fields, [choice.field for choice in self.choices]),
            ("figure", names("figures"), self.figures),
        ):
            for word in words:
                if word not in valid:
                    raise ValueError(f"no {room} {word!r}: {nearest(word, valid)}")
        return self

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Return all that cells and claims ask of the runs."""
        return (*self.cells, *(measure for claim in self.claims for measure in claim.measures))

    @property
    def places(self) -> dict[str, Measure]:
        """Return place in the file -> the number that it asks for."""
        places: dict[str, Measure] = {f"cells.{k}": cell for k, cell in enumerate(self.cells)}
        for k, claim in enumerate(self.claims):
            pair = {"better": claim.better, "than": claim.than}
            beside = {f"beside.{b}": measure for b, measure in enumerate(claim.beside)}
            places |= {f"claims.{k}.{key}": measure for key, measure in (pair | beside).items() if measure}
        return places


class TableRequest(NamedTuple):
    """A table and how to run it. seeds: 0 for those of the scale; force: measure again what was measured."""

    table: ReportedTable
    scale: str = "full"
    seeds: int = 0
    data_dir: str = ""
    force: bool = False


def seeds_of(request: TableRequest, run: str) -> range:
    """Return the seeds that a run is repeated with."""
    most, scale = request.table.runs[run].seeds, _scale(request.table, request.scale)
    count = request.seeds or scale.seeds
    return range(min(count, most) if most else count)


def shipped() -> dict[str, Path]:
    """Return the tables that come with the package, by name."""
    return {path.stem: path for path in sorted((Path(__file__).parent / "tables").glob("*.toml"))}


def data_of(table: ReportedTable, data_dir: str, download: bool = True) -> Dataset:
    """Load the data set of a table. Raises UsageError where it lacks a class that the table names."""
    options = {name: table.protocol[name] for name in SHARED[1:] if name in table.protocol}
    dataset = load(table.protocol.get("data", "digits"), data_dir=data_dir, download=download, **options)
    last = len(dataset.class_names) - 1
    for label in (table.nan_predicts, *(measure.label for measure in table.measures)):
        if label is not None and label > last:
            raise UsageError(f"{table.name} names class {label}: the classes of {dataset.name} are 0 to {last}")
    return dataset


def read_table(name: str) -> ReportedTable:
    """Read a table by its name, or from a file of one's own. Raises UsageError in one line where it is none."""
    path = shipped().get(name, Path(name).expanduser())
    if not path.is_file():
        raise UsageError(f"{name!r} is neither a table nor a file: {nearest(name, shipped())}")
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise UsageError(f"{path}: not a readable TOML table ({error})") from None
    try:
        table = ReportedTable.model_validate({"name": SLUG.sub("-", path.stem).strip("-._")[:100] or "table", **given})
        _check(table)
    except ValidationError as error:
        raise UsageError(f"{path}: {complaint(error, ReportedTable, given)}") from None
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    other = shipped().get(table.name.lower(), path)
    if not path.samefile(other):
        raise UsageError(
            f"{path}: the name {table.name!r} is taken by a table of Tenfold: rename the file, or give another name"
        )
    return table


def cause_of(table: ReportedTable, cell: ReportedCell, scale: str) -> str:
    """Digest what an explanation of a cell is of: its run's recipe, the reported number, the questions."""
    questions = [question.model_dump() for question in table.questions]
    cause = [resolved(table, cell.run, scale).model_dump(), cell.model_dump(), table.tolerance, questions]
    return hashlib.sha256(json.dumps(cause, sort_keys=True).encode()).hexdigest()[:20]


def resolved(table: ReportedTable, run: str, scale: str, seed: int = 0) -> Recipe:
    """Return the Recipe of one run at a scale. Raises UsageError that names the run where there is none."""
    try:
        return recipe_of(table.protocol, table.runs[run], _scale(table, scale), seed)
    except UsageError as error:
        raise UsageError(f"run {run!r}, scale {scale!r}: {error}") from None


def _scale(table: ReportedTable, word: str) -> Scale:
    if word not in table.scales:
        raise UsageError(f"{table.name} has no scale {word!r}: {nearest(word, table.scales)}")
    return table.scales[word]


def _check(table: ReportedTable) -> None:
    """Refuse what only resolved runs show: recipes, numbers and ways that no scale can have."""
    bases: dict[Recipe, str] = {}
    for scale in table.scales:
        recipes = {run: resolved(table, run, scale) for run in table.runs}
        for where, measure in table.places.items():
            refuse_unmeasured(where, measure.model_dump(), recipes[measure.run])
        for run, settings in table.runs.items():
            if not settings.searches:
                bases.setdefault(recipes[run], f"run {run!r}, scale {scale!r}")
    for q, question in enumerate(table.questions):
        for w, way in enumerate(question.ways):
            _check_way(table, way, f"questions.{q}.ways.{w}", bases)


def _check_way(table: ReportedTable, way: Alternative, where: str, bases: Mapping[Recipe, str]) -> None:
    """Refuse a way that some run cannot go."""
    for base, name in bases.items():
        try:
            overridden(base, way.set)
        except UsageError as error:
            raise UsageError(f"{where}.set: {name}: {error}") from None
    other = {cell.metric for cell in table.cells if not table.runs[cell.run].searches} - {*RUNNING, *CHECKED}
    if way.part == "running" and other:
        raise UsageError(f"{where}.part: running has no {min(other)}, and a cell is of it: leave the way out")
