"""The Recipe of a run: the fields of the protocol, then those of the run, then those of the scale."""

__all__ = ["SHARED", "TABLE_ONLY", "ReportedRun", "Scale", "overridden", "recipe_of", "refuse_unmeasured"]

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from tenfold.choices import recipe
from tenfold.errors import UsageError, nearest
from tenfold.recipe import SHAPES, Recipe, Settings
from tenfold.reproduce.values import STRICT
from tenfold.search.axes import Range
from tenfold.search.request import axes_of, requested

FACTOR = re.compile(r"([×/])(\d+(?:\.\d+)?)")
# Test metrics of the model that a search ends with.
TESTED = ("accuracy", "macro_f1", "macro_precision", "macro_recall")
# Fields of a Recipe that belong to the table, and to its protocol, not to its runs.
TABLE_ONLY = ("kind", "seed", "minutes", "repeats")
SHARED = ("data", "size", "skip_unreadable", "parts")


class ReportedRun(BaseModel):
    """One run of a table: fields of a Recipe beside the protocol's. With `vary` among them it is a sweep.

    about: its name in words. ours: the report has no such run. seeds: fewer than the scale's, where one is costly.
    """

    model_config = STRICT

    about: str = ""
    ours: bool = False
    seeds: Annotated[int, Field(ge=0)] = 0
    settings: Settings = {}

    @property
    def searches(self) -> bool:
        """Test whether the run is a sweep."""
        return "vary" in self.settings


class Scale(BaseModel):
    """Extent of a reproduction. seeds: their number; settings: fields that replace the protocol's and the runs'."""

    model_config = STRICT

    seeds: Annotated[int, Field(ge=1)] = 1
    settings: Settings = {}


def recipe_of(protocol: Mapping[str, Any], run: ReportedRun, scale: Scale, seed: int) -> Recipe:
    """Return the Recipe of a run at a scale. Raises UsageError where there is none."""
    fields = {**protocol, **run.settings, **scale.settings}
    for name in TABLE_ONLY:
        if name in fields:
            raise UsageError(f"{name} belongs to the table, not to its runs: leave it out")
    for name in SHARED:
        if fields.get(name) != protocol.get(name):
            raise UsageError(f"{name} belongs to the protocol: a table is of one data set")
    if run.searches:
        fields |= _axes(fields.pop("vary"))
        _refuse_vague(fields, searches=True)
        return requested({**fields, "seed": seed})
    _refuse_vague(fields)
    return recipe({**fields, "kind": "train", "seed": seed})


def refuse_unmeasured(where: str, measure: Mapping[str, Any], made: Recipe) -> None:
    """Refuse a number that no run of this recipe has. where: its place in the file; measure: fields of a Measure."""
    setting = measure["setting"]
    if made.kind != "sweep":
        if setting:
            raise UsageError(f"{where}.setting: the run {measure['run']!r} searches nothing: leave it out")
        return
    metrics = {"validation": (made.metric, "loss"), "test": TESTED}
    for key, words in (("part", tuple(metrics)), ("epoch", ("last",)), ("metric", metrics.get(measure["part"], ()))):
        if measure[key] not in words:
            has = f"the search {measure['run']!r} has {' or '.join(words)}"
            raise UsageError(f"{where}.{key} {measure[key]!r}: {has}")
    if setting and measure["part"] == "test":
        raise UsageError(f"{where}.setting: only the best of a search is tested: leave it out, or take part validation")
    axes = {axis.name: axis.pieces for axis in axes_of(made)}
    for name, value in setting.items():
        if name not in axes:
            raise UsageError(
                f"{where}.setting: the run {measure['run']!r} does not search {name!r}: {nearest(name, axes)}"
            )
        listed = [piece for piece in axes[name] if not isinstance(piece, Range)]
        if (tuple(value) if isinstance(value, list) else value) not in listed:
            listing = f"its values are {', '.join(map(str, listed))}" if listed else "it has ranges; give lists to vary"
            raise UsageError(f"{where}.setting: no member tries {name} {value!r}: {listing}")


def overridden(base: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """Return the recipe with other values of some fields; "×2" and "/100" multiply and divide what it has.

    >>> overridden(Recipe(l2=0.1), {"l2": "×2"}).l2
    0.2
    """
    _refuse_vague(changes)
    fields = base.model_dump()
    for name, value in changes.items():
        factor = name in fields and isinstance(value, str) and FACTOR.fullmatch(value)
        fields[name] = _scaled(name, fields[name], value) if factor else value
    return recipe(fields)


def _refuse_vague(choices: Mapping[str, Any], searches: bool = False) -> None:
    """Refuse what is not one value: several of a field in a run that does not search, a flip that the data decide."""
    if choices.get("flip") in ("photographs", ["photographs"]):
        raise UsageError("flip 'photographs': a table needs a number: 0.5 for half of the images, 0 for none")
    if searches:
        return
    if "vary" in choices:
        raise UsageError('vary belongs to the settings of a run: that run then searches, like vary = ["l2=0,0.1"]')
    for name, value in choices.items():
        if isinstance(value, list | tuple) and name not in SHAPES and len(value) != 1:
            raise UsageError(f"{name} {value!r}: a run has one value; make a run of each, or search it with vary")


def _scaled(name: str, value: Any, factor: str) -> float:
    """Multiply or divide a field's number: "×2", "/100". Raises UsageError where it is no number, or by 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name}: {factor!r} needs a number, and the value is {value!r}: give the new value itself")
    sign, number = factor[0], float(factor[1:])
    if sign == "/" and not number:
        raise UsageError(f"{name}: {factor!r} divides by 0: give a larger number, or the value itself")
    try:
        return value * (number if sign == "×" else 1 / number)
    except OverflowError:
        raise UsageError(f"{name}: {factor!r} makes too large a number: give a smaller factor") from None


def _axes(vary: Any) -> dict[str, str]:
    """Return field -> values, from ["field=values"]."""
    if not isinstance(vary, list) or not vary or not all(isinstance(line, str) and "=" in line for line in vary):
        raise UsageError(f'vary {vary!r}: give a list of "field=values", like ["l2=0,0.1", "learning_rate=1e-3,1e-2"]')
    pairs = [(name.strip(), values) for name, _, values in (line.partition("=") for line in vary)]
    axes = dict(pairs)
    if len(axes) < len(pairs):
        raise UsageError(f"vary {vary!r}: a field appears twice; give all of its values in one entry")
    for name in axes:
        if name in (*TABLE_ONLY, *SHARED, "vary"):
            raise UsageError(f"vary: {name} belongs to the table, no run searches it: leave it out")
    return axes
