"""Explanation of a cell that did not reproduce: every choice that a report leaves open, and every pair, is measured.

Ways that differ in nothing but what may vary inside a population train as one. A way that contradicts what the report
states is tried too: where such a way alone closes the gap, the protocol cannot be what was stated.
"""

__all__ = ["explain"]

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from tenfold.data.load import fingerprint
from tenfold.data.types import Dataset
from tenfold.errors import RunError, UsageError, nearest
from tenfold.files import write_json
from tenfold.recipe import Recipe
from tenfold.reproduce.judge import judge
from tenfold.reproduce.measurements import moment_of, number_of
from tenfold.reproduce.protocol import overridden
from tenfold.reproduce.records import Explanation, WayResult, finite
from tenfold.reproduce.reproduce import ALWAYS, explanations, stamped, stoppable
from tenfold.reproduce.table import Alternative, Question, ReportedCell, TableRequest, data_of, resolved
from tenfold.reproduce.trials import grouped, record_of, train_group, trial
from tenfold.reproduce.values import LOWER
from tenfold.runs.events import Event
from tenfold.runs.folder import lock

CLOSING = ("reproduced", "within noise", "reproduced (diverges)")
IMPOSSIBLE = "protocol cannot be what was stated"
# Pairs that are shown: those that close the gap, the nearest first, or where none does the nearest ones.
SHOWN = 12
# Ways that a sentence names.
FEW = 3


class TriedWay(NamedTuple):
    """One way, or a pair of them: its questions, the cell as it is then read, and the recipe with its changes."""

    label: str
    about: tuple[str, ...]
    stated: bool
    cell: ReportedCell
    recipe: Recipe


def explain(request: TableRequest, folder: Path, name: str, watch: Callable[[Event], None]) -> Explanation:
    """Settle a cell: train every way and every pair of ways, write explained.json, return the cell's part of it.

    Raises UsageError where no cell has that name, RunError where the table has no questions that could settle it.
    """
    table = request.table
    cells = {cell.id: cell for cell in table.cells}
    if name not in cells:
        raise UsageError(f"{table.name} has no cell {name!r}: {nearest(name, cells)}")
    cell = cells[name]
    if not table.questions or table.runs[cell.run].searches or cell.metric.endswith("disagreement"):
        raise RunError(f"{table.name} asks no questions that could explain {name}: add [[questions]] to its file")
    explanations(folder)  # damage is reported before anything is trained
    base = TriedWay("as it is", (), False, cell, resolved(table, cell.run, request.scale))
    singles = [_tried(base, [(question, way)]) for question in table.questions for way in question.ways]
    tried = [base, *singles, *_pairs(base, table.questions)]
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        dataset = data_of(table, request.data_dir)
        stamp = fingerprint(dataset)
        values = _values(request, folder, tried, dataset, stamp, watch)
        rows = [_result(request, one, value) for one, value in zip(tried, values, strict=True)]
        alone, together = rows[1 : 1 + len(singles)], rows[1 + len(singles) :]
        explanation = _settled(cell, stamped(request, cell, stamp), rows[0], alone, together)
        write_json(folder / "explained.json", {**explanations(folder), name: explanation})
    return explanation


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


def _pairs(base: TriedWay, questions: Sequence[Question]) -> Iterator[TriedWay]:
    """Yield two ways of two questions, where they do not both change the same."""
    for first, second in combinations(questions, 2):
        for one in first.ways:
            for other in second.ways:
                reading = any(getattr(one, key) and getattr(other, key) for key in ("part", "epoch"))
                if not reading and not set(one.set) & set(other.set):
                    yield _tried(base, [(first, one), (second, other)])


def _values(
    request: TableRequest,
    folder: Path,
    tried: Sequence[TriedWay],
    dataset: Dataset,
    stamp: str,
    watch: Callable[[Event], None],
) -> list[tuple[float, int] | None]:
    """Measure each way with the first seed, and count its images; None where its data cannot be had so."""
    recipes = {one.recipe: None for one in tried}
    moments: dict[Recipe, dict[str, set[str]]] = {recipe: {m: set(p) for m, p in ALWAYS.items()} for recipe in recipes}
    for one in tried:
        moments[one.recipe].setdefault(moment_of(one.cell), set()).add(one.cell.part)
    trials = {recipe: trial("", recipe, moments[recipe], stamp) for recipe in recipes}
    (folder / "trials").mkdir(exist_ok=True)
    refused: set[str] = set()
    with stoppable(folder) as interrupts:
        for group in grouped([one for one in trials.values() if record_of(folder, one) is None]):
            try:
                train_group(folder, group, dataset, interrupts, watch)
            except UsageError as error:  # rows that overlap, more images than there are
                refused |= {one.key for one in group}
                watch(Event(message=f"left out: {error}"))
    values: list[tuple[float, int] | None] = []
    for one in tried:
        trained = trials[one.recipe]
        record = None if trained.key in refused else record_of(folder, trained)
        part = "train" if one.cell.part == "running" else one.cell.part
        values.append((number_of(record, request.table, one.cell), record.images[part]) if record else None)
    return values


def _result(request: TableRequest, one: TriedWay, value: tuple[float, int] | None) -> WayResult:
    """Judge a way by its number and the images that it was measured on."""
    number, n = value or (math.nan, 0)
    cell, share = one.cell, one.cell.metric not in LOWER
    tolerance = cell.tolerance or request.table.tolerance
    verdict = judge(
        cell.value, cell.half_unit, tolerance, [number], cell.n if share else None, share, n if share and n else None
    )
    closes = value is not None and verdict.word in CLOSING
    return WayResult(one.label, " + ".join(one.about), one.stated, finite(number), finite(verdict.gap), closes)


def _settled(
    cell: ReportedCell, cause: str, base: WayResult, singles: Sequence[WayResult], pairs: Sequence[WayResult]
) -> Explanation:
    """Sort the ways from nearest to farthest, and say what they show; the verdict is "" where they change none."""
    closing_alone = {way.label for way in singles if way.closes}
    # A pair is news where neither half of it closes the gap alone.
    news = [pair for pair in pairs if not closing_alone & set(pair.label.split(" + "))]
    ranked, both = (sorted(ways, key=_distance) for ways in (singles, news))
    closing = [way for way in (*ranked, *both) if way.closes]
    allowed = [way for way in closing if not way.stated]
    return Explanation(
        cause=cause,
        reported=cell.reported,
        unit=cell.unit,
        base=base.measured,
        sentence=_sentence(cell, base, ranked, closing, allowed),
        verdict=IMPOSSIBLE if closing and not allowed and not base.closes else "",
        ways=tuple(ranked),
        pairs=tuple([pair for pair in both if pair.closes][:SHOWN] or both[:SHOWN]),
    )


def _distance(way: WayResult) -> float:
    return math.inf if way.gap is None else abs(way.gap)


def _sentence(
    cell: ReportedCell,
    base: WayResult,
    singles: Sequence[WayResult],
    closing: Sequence[WayResult],
    allowed: Sequence[WayResult],
) -> str:
    sentence = f"As stated it is {_shown(cell, base.measured)} where {cell.reported} is reported. "
    if base.closes:
        return sentence + "That closes the gap."
    if allowed:
        return sentence + f"What closes the gap: {_listed(cell, allowed)}."
    open_ways = [way for way in singles if not way.stated and way.gap is not None]
    nearest_way = f"; the nearest is {_listed(cell, open_ways[:1])}" if open_ways else ""
    sentence += f"Nothing that the report leaves open closes the gap{nearest_way}. "
    if not closing:
        return sentence + "Nor does anything that contradicts what it states."
    return sentence + f"What it states must be otherwise: {_listed(cell, closing)}."


def _listed(cell: ReportedCell, ways: Sequence[WayResult]) -> str:
    shown = "; ".join(f"{way.label} ({_shown(cell, way.measured)})" for way in ways[:FEW])
    return shown + (f"; and {len(ways) - FEW} more" if len(ways) > FEW else "")


def _shown(cell: ReportedCell, value: float | None) -> str:
    if value is None:
        return "not finite"
    return f"{100 * value:.2f} %" if cell.unit == "%" else f"{value:.4f}"
