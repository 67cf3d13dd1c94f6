"""Other ways of a run: every alternative that a table's questions name, pairs of them, and what is trained for them.

A way trains no more than it must. What a run of the table has measured already is read from its record. Of ways that
differ in length alone, at a constant step size, only the longest is trained, and the others are moments of it.
"""

__all__ = ["TriedWay", "alternatives", "base_of", "pairs", "promising", "sources"]

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from tenfold.recipe import Recipe
from tenfold.reproduce.protocol import overridden
from tenfold.reproduce.records import WayResult
from tenfold.reproduce.table import Alternative, Question, ReportedCell, TableRequest, resolved


class TriedWay(NamedTuple):
    """One way, or a pair of them: its questions, the cell as it is then read, and the recipe with its changes."""

    label: str
    about: tuple[str, ...]
    stated: bool
    cell: ReportedCell
    recipe: Recipe


def base_of(request: TableRequest, cell: ReportedCell) -> TriedWay:
    """Return the run of a cell as the table has it."""
    return TriedWay("as it is", (), False, cell, resolved(request.table, cell.run, request.scale))


def alternatives(base: TriedWay, questions: Sequence[Question]) -> list[TriedWay]:
    """Return every way that differs from the run in one answer."""
    return [_tried(base, [(question, way)]) for question in questions for way in question.ways]


def pairs(base: TriedWay, questions: Sequence[Question], among: Sequence[str] | None = None) -> Iterator[TriedWay]:
    """Yield two ways of two questions, where they do not both change the same. among: labels of which one is in it."""
    for first, second in combinations(questions, 2):
        for one in first.ways:
            for other in second.ways:
                reading = any(getattr(one, key) and getattr(other, key) for key in ("part", "epoch"))
                chosen = among is None or one.label in among or other.label in among
                if chosen and not reading and not set(one.set) & set(other.set):
                    yield _tried(base, [(first, one), (second, other)])


def promising(base: WayResult, singles: Sequence[WayResult]) -> list[str]:
    """Return the label of the way that the report leaves open and that comes nearest to what it prints, to pair it.

    None where a way closes the gap alone, whatever the report says of it, or where none comes nearer than the run does.
    """
    open_ways = [way for way in singles if not way.stated and way.gap is not None]
    if base.closes or any(way.closes for way in singles):
        return []
    nearer = [way for way in open_ways if base.gap is None or abs(way.gap or 0.0) < abs(base.gap)]
    return [min(nearer, key=lambda way: abs(way.gap or 0.0)).label] if nearer else []


def sources(tried: Sequence[TriedWay]) -> list[tuple[Recipe, ReportedCell]]:
    """Return for each way the recipe that is trained for it, and the moment of that run that is read."""
    longest: dict[Recipe, Recipe] = {}
    for one in tried:
        if key := _timeless(one):
            longest[key] = max(longest.get(key, one.recipe), one.recipe, key=lambda recipe: recipe.epochs)
    return [_source(one, longest) for one in tried]


def _source(one: TriedWay, longest: dict[Recipe, Recipe]) -> tuple[Recipe, ReportedCell]:
    key = _timeless(one)
    if key is None or longest[key].epochs == one.recipe.epochs:
        return one.recipe, one.cell
    epoch = one.cell.epoch if isinstance(one.cell.epoch, float) else float(one.recipe.epochs)
    return longest[key], one.cell.model_copy(update={"epoch": epoch})


def _timeless(one: TriedWay) -> Recipe | None:
    """Return the recipe without its length, None where more than the length would change with it."""
    recipe = one.recipe
    lasting = recipe.schedule == "constant" and not (recipe.iterations or recipe.patience or recipe.min_change)
    if not lasting or (isinstance(one.cell.epoch, str) and one.cell.epoch != "last"):
        return None
    return recipe.model_copy(update={"epochs": 0})


def _tried(base: TriedWay, ways: Sequence[tuple[Question, Alternative]]) -> TriedWay:
    changes = {name: value for _, way in ways for name, value in way.set.items()}
    reading = {key: value for _, way in ways for key in ("part", "epoch") if (value := getattr(way, key)) != ""}
    return TriedWay(
        " + ".join(way.label for _, way in ways),
        tuple(question.about for question, _ in ways),
        any(question.stated for question, _ in ways),
        base.cell.model_copy(update=reading),
        overridden(base.recipe, changes),
    )
