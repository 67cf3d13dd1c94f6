"""Request of a sweep: choices with several values or a range become axes of its recipe, the rest stays."""

__all__ = ["axes_of", "extended", "requested"]

from typing import Any

from tenfold.choices import recipe
from tenfold.engine.encoder import asked
from tenfold.errors import UsageError
from tenfold.recipe import SHAPES, TEXTS, Recipe, Settings
from tenfold.search.axes import Axis, check_axes, parse_axis
from tenfold.search.axes import text as axis_text

# What an extension may change; everything else would make other runs of the members that there are.
FREE = ("members", "sampler")


def requested(choices: Settings) -> Recipe:
    """Make the recipe of a sweep: what has several values or a range becomes an axis, the rest stays as it is.

    Raises UsageError for axes that cannot be, before anything is made.
    """
    axes = [parse_axis(name, value) for name, value in choices.items() if _is_axis(name, value)]
    if not axes:
        raise UsageError("a sweep needs an option with several values or a range: --learning-rate 1e-4:1e-1:log")
    fixed = {name: value for name, value in choices.items() if name not in {axis.name for axis in axes}}
    vary = [f"{axis.name}={axis_text(axis)}" for axis in axes]
    ranges = any(":" in line for line in vary)
    if not ranges and "sampler" not in choices:
        fixed["sampler"] = "grid"
    losses = [word for axis in axes if axis.name == "loss" for word in axis.pieces]
    if losses and "task" in choices:
        fixed["loss"] = losses[0]  # its batches are those of all
    made = recipe({**fixed, "kind": "sweep", "vary": vary})
    if ranges and not made.members:
        raise UsageError("members: a range holds endless settings; give the number to try, like --members 64")
    check_axes(axes, made)
    if losses:
        together = recipe({"task": made.task, "model": made.model, "loss": list(losses)})
        if together.task == "contrast":
            asked(together)
    if made.model == "knn" or any(axis.name == "model" and "knn" in axis_text(axis).split(",") for axis in axes):
        raise UsageError("model knn keeps the training images and is not searched: `tenfold train` takes it")
    return made


def axes_of(recipe: Recipe) -> list[Axis]:
    """Return the axes that a sweep's recipe names."""
    return [parse_axis(name, option) for name, _, option in (line.partition("=") for line in recipe.vary)]


def extended(before: Recipe, members_before: int, choices: Settings) -> Recipe:
    """Add a round to the recipe of a finished sweep. members_before: that it has; choices: members to add, axes.

    Axes that are named replace those of that name in the new round; the others stay. Raises UsageError for anything
    else, which would change the members that there are.
    """
    asked = [parse_axis(name, value) for name, value in choices.items() if _is_axis(name, value)]
    other = [name for name in choices if name not in FREE and name not in {axis.name for axis in asked}]
    if other:
        raise UsageError(f"{other[0]} cannot change when a sweep is extended: its members were trained without it")
    names = {axis.name for axis in asked}
    if strange := sorted(names - {axis.name for axis in axes_of(before)}):
        raise UsageError(f"{strange[0]} is not searched by this sweep: its members share one value; start a new sweep")
    axes = [*(axis for axis in axes_of(before) if axis.name not in names), *asked]
    vary = tuple(f"{axis.name}={axis_text(axis)}" for axis in axes)
    more, sampler = int(choices.get("members", 0)), choices.get("sampler", before.sampler)
    if not more and any(":" in line for line in vary):
        raise UsageError("members: give the number of settings to add, like --members 16")
    if not asked and not more:
        raise UsageError("give something to add: --members, or an option with values or a range")
    update = {
        "vary": vary,
        "sampler": sampler,
        "rounds": before.rounds + 1,
        "members": members_before + more if more else 0,
    }
    return recipe({**before.model_dump(), **update})


def _is_axis(name: str, value: Any) -> bool:
    """Say if a field was given several values or a range; a plain list of widths is one shape of hidden layers."""
    if isinstance(value, str):
        return name not in TEXTS and bool(set(",:") & set(value))
    several = isinstance(value, list | tuple) and name != "vary"
    return several and (name not in SHAPES or any(isinstance(shape, list | tuple | str) for shape in value))
