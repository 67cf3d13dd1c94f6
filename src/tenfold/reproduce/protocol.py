"""What a table runs: the fields of its protocol, then those of one run, then those of a scale, as a Recipe."""

__all__ = ["OWN", "SHARED", "Run", "Scale", "changed", "recipe_of", "refuse_unmeasured"]

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from tenfold.errors import UsageError, nearest
from tenfold.recipe import SHAPES, Recipe, recipe
from tenfold.reproduce.values import STRICT
from tenfold.search.axes import Range
from tenfold.search.request import axes_of, requested

FACTOR = re.compile(r"([×/])(\d+(?:\.\d+)?)")
# What a search says of the model that it ends with.
TESTED = ("accuracy", "macro_f1", "macro_precision", "macro_recall")
# Fields of a Recipe that belong to the table, and to its protocol, not to its runs.
OWN = ("kind", "seed", "minutes", "repeats")
SHARED = ("data", "size", "skip_unreadable")


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


class Scale(BaseModel):
    """How much of the protocol is run. seeds: how many; settings: fields that replace the protocol's and the runs'."""

    model_config = STRICT

    seeds: Annotated[int, Field(ge=1)] = 1
    settings: dict[str, Any] = {}


def recipe_of(protocol: Mapping[str, Any], run: Run, scale: Scale, seed: int) -> Recipe:
    """The Recipe of a run at a scale; a UsageError where there is none."""
    own = {**protocol, **run.settings, **scale.settings}
    for name in OWN:
        if name in own:
            raise UsageError(f"{name} belongs to the table, not to its runs: leave it out")
    for name in SHARED:
        if own.get(name) != protocol.get(name):
            raise UsageError(f"{name} belongs to the protocol: a table is of one data set")
    if run.searches:
        own |= _axes(own.pop("vary"))
        _refuse_vague(own, searches=True)
        return requested({**own, "seed": seed})
    _refuse_vague(own)
    return recipe({**own, "kind": "train", "seed": seed})


def refuse_unmeasured(where: str, measure: Mapping[str, Any], made: Recipe) -> None:
    """Refuse a number that no run of this recipe has. where: its place in the file; measure: fields of a Measure."""
    setting = measure["setting"]
    if made.kind != "sweep":
        if setting:
            raise UsageError(f"{where}.setting: the run {measure['run']!r} searches nothing: leave it out")
        return
    metrics = {"validation": (made.metric, "loss"), "test": TESTED}
    for key, known in (("part", tuple(metrics)), ("epoch", ("last",)), ("metric", metrics.get(measure["part"], ()))):
        if measure[key] not in known:
            told = f"there is {' or '.join(known)}"
            raise UsageError(f"{where}.{key} {measure[key]!r}: of the search {measure['run']!r} {told}")
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
            told = f"its values are {', '.join(map(str, listed))}" if listed else "it has ranges; give lists to vary"
            raise UsageError(f"{where}.setting: {name} {value!r} is tried by no member: {told}")


def changed(base: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with other values of some fields; "×2" and "/100" multiply and divide what it has."""
    _refuse_vague(changes)
    own = base.model_dump()
    for name, value in changes.items():
        factor = name in own and isinstance(value, str) and FACTOR.fullmatch(value)
        own[name] = _scaled(name, own[name], value) if factor else value
    return recipe(own)


def _refuse_vague(choices: Mapping[str, Any], searches: bool = False) -> None:
    """Refuse what is no one value: several of a field in a run that does not search, a flip that data decide on."""
    if choices.get("flip") in ("photographs", ["photographs"]):
        raise UsageError("flip 'photographs': a table says a number, 0.5 for half of the images, 0 for none")
    if searches:
        return
    if "vary" in choices:
        raise UsageError('vary belongs to the settings of a run: that run then searches, like vary = ["l2=0,0.1"]')
    for name, value in choices.items():
        if isinstance(value, list | tuple) and name not in SHAPES and len(value) != 1:
            raise UsageError(f"{name} {value!r}: a run has one value; make a run of each, or search it with vary")


def _scaled(name: str, value: Any, factor: str) -> float:
    """A field's number times or by a factor: "×2", "/100". Raises UsageError where it is no number, or by 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{name}: {factor!r} is of a number, and it is {value!r}: give the value itself")
    sign, number = factor[0], float(factor[1:])
    if sign == "/" and not number:
        raise UsageError(f"{name}: {factor!r} divides by 0: give a larger number, or the value itself")
    try:
        return value * (number if sign == "×" else 1 / number)
    except OverflowError:
        raise UsageError(f"{name}: {factor!r} of it is too large a number") from None


def _axes(vary: Any) -> dict[str, str]:
    """Field -> values, from ["field=values"]."""
    if not isinstance(vary, list) or not vary or not all(isinstance(line, str) and "=" in line for line in vary):
        raise UsageError(f'vary {vary!r}: give a list of "field=values", like ["l2=0,0.1", "learning_rate=1e-3,1e-2"]')
    pairs = [(name.strip(), values) for name, _, values in (line.partition("=") for line in vary)]
    axes = dict(pairs)
    if len(axes) < len(pairs):
        raise UsageError(f"vary {vary!r}: a field stands there twice; give all of its values in one line")
    for name in axes:
        if name in (*OWN, *SHARED, "vary"):
            raise UsageError(f"vary: {name} belongs to the table, no run searches it: leave it out")
    return axes
