"""Explanation of cells that did not reproduce: every choice that a report leaves open is measured, and pairs of them.

Ways that differ in nothing but what may vary inside a population train as one, whichever cells they are for. A way that
contradicts what the report states is tried too: where such a way alone closes the gap, the protocol cannot be what was
stated. A way is measured with the first seed; how far seeds lie apart is taken from the run that it is a way of.
"""

__all__ = ["explain", "gaps_of", "reproduce_and_explain"]

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tenfold.data.load import fingerprint
from tenfold.data.types import Dataset
from tenfold.errors import RunError, UsageError, nearest
from tenfold.files import write_json
from tenfold.recipe import Recipe
from tenfold.reproduce.judge import Spread, judge
from tenfold.reproduce.measurements import moment_of, number_of
from tenfold.reproduce.records import Explanation, Reproduction, TrialRecord, WayResult, finite
from tenfold.reproduce.reproduce import ALWAYS, explanations, reproduce, stamped, stoppable, trials_of
from tenfold.reproduce.table import ReportedCell, TableRequest, data_of
from tenfold.reproduce.trials import TableTrial, grouped, record_of, train_group, trial
from tenfold.reproduce.values import LOWER
from tenfold.reproduce.ways import TriedWay, alternatives, base_of, pairs, promising, sources
from tenfold.runs.events import Event
from tenfold.runs.folder import lock

CLOSING = ("reproduced", "within noise", "reproduced (diverges)")
IMPOSSIBLE = "protocol cannot be what was stated"
# Pairs that are shown: those that close the gap, the nearest first, or where none does the nearest ones.
SHOWN = 12
# Ways that a sentence names.
FEW = 3
Watch = Callable[[Event], None]


class Bench(NamedTuple):
    """The place where ways are measured. ready: trials of the table that are measured, with their records."""

    request: TableRequest
    folder: Path
    dataset: Dataset
    stamp: str
    ready: list[tuple[TableTrial, TrialRecord]]
    watch: Watch


class Trying(NamedTuple):
    """A cell with what is tried for it, and what came of it so far. spread: of its run over seeds."""

    cell: ReportedCell
    base: TriedWay
    spread: Spread
    rows: list[WayResult]
    both: list[WayResult]


def explain(request: TableRequest, folder: Path, name: str, watch: Watch) -> Explanation:
    """Settle a cell: train every way and every pair of ways, write explained.json, return the cell's part of it.

    Raises UsageError where no cell has that name, RunError where the table has no questions that could settle it.
    """
    cells = {cell.id: cell for cell in request.table.cells}
    if name not in cells:
        raise UsageError(f"{request.table.name} has no cell {name!r}: {nearest(name, cells)}")
    if not _explicable(request, cells[name]):
        raise RunError(
            f"{request.table.name} asks no questions that could explain {name}: add [[questions]] to its file"
        )
    return _explained(request, folder, [cells[name]], True, watch)[name]


def reproduce_and_explain(request: TableRequest, folder: Path, watch: Watch) -> Reproduction:
    """Bring a reproduction to its end, and settle all cells that are not reproduced and not explained yet, together.

    Every way is trained for each; where none alone closes the gap, the nearest is paired with every other.
    """
    result = reproduce(request, folder, watch)
    names = gaps_of(request, result)
    if not names:
        return result
    _explained(request, folder, [cell for cell in request.table.cells if cell.id in names], False, watch)
    return reproduce(request._replace(force=False), folder, watch)


def gaps_of(request: TableRequest, result: Reproduction) -> set[str]:
    """Return the cells that are not reproduced, have no explanation, and could have one."""
    open_cells = {cell.id for cell in result.cells if cell.verdict.startswith("not reproduced")}
    explicable = {cell.id for cell in request.table.cells if _explicable(request, cell)}
    return (open_cells & explicable) - set(result.explained)


def _explicable(request: TableRequest, cell: ReportedCell) -> bool:
    """Test whether the table has questions about a cell, and its run is one that other ways can be trained of."""
    searches = request.table.runs[cell.run].searches
    return bool(request.table.questions) and not searches and not cell.metric.endswith("disagreement")


def _explained(
    request: TableRequest, folder: Path, cells: Sequence[ReportedCell], thorough: bool, watch: Watch
) -> dict[str, Explanation]:
    """Explain cells and add them to explained.json. thorough: by every pair of ways."""
    explanations(folder)  # damage is reported before anything is trained
    folder.mkdir(parents=True, exist_ok=True)
    questions = request.table.questions
    with lock(folder):
        dataset = data_of(request.table, request.data_dir)
        stamp = fingerprint(dataset)
        ready = [(one, record) for one in trials_of(request, stamp) if (record := record_of(folder, one))]
        bench = Bench(request, folder, dataset, stamp, ready, watch)
        bases = [base_of(request, cell) for cell in cells]
        asked = [[base, *alternatives(base, questions)] for base in bases]
        if thorough:
            asked = [[*ways, *pairs(base, questions)] for base, ways in zip(bases, asked, strict=True)]
        tryings = _measured(bench, bases, asked)
        if not thorough:
            _add_pairs(bench, tryings)
        closed = Counter(way.label for trying in tryings for way in trying.rows[1:] if way.closes)
        explained = {one.cell.id: _settled(one, stamped(request, one.cell, stamp), closed) for one in tryings}
        write_json(folder / "explained.json", {**explanations(folder), **explained})
    return explained


def _measured(bench: Bench, bases: Sequence[TriedWay], asked: Sequence[Sequence[TriedWay]]) -> list[Trying]:
    """Measure all ways of all cells, and judge them."""
    values = iter(_values(bench, [one for ways in asked for one in ways]))
    tryings = []
    for base, ways in zip(bases, asked, strict=True):
        spread = _spread(bench, base.cell)
        results = [_result(bench.request, one, next(values), spread) for one in ways]
        results[0] = replace(results[0], closes=_closes_over_seeds(bench, base.cell, results[0].closes))
        both = [result for one, result in zip(ways, results, strict=True) if len(one.about) > 1]
        rows = [result for one, result in zip(ways, results, strict=True) if len(one.about) < 2]
        tryings.append(Trying(base.cell, base, spread, rows, both))
    return tryings


def _add_pairs(bench: Bench, tryings: Sequence[Trying]) -> None:
    """Measure pairs of the way that comes nearest, for the cells that no way alone explains."""
    questions = bench.request.table.questions
    asked = [list(pairs(one.base, questions, promising(one.rows[0], one.rows[1:]))) for one in tryings]
    values = iter(_values(bench, [pair for ways in asked for pair in ways]))
    for trying, ways in zip(tryings, asked, strict=True):
        trying.both.extend(_result(bench.request, pair, next(values), trying.spread) for pair in ways)


def _spread(bench: Bench, cell: ReportedCell) -> Spread:
    """Return the deviation of a cell over the seeds of its run, and their number; None where fewer than two count."""
    records = [record for one, record in bench.ready if one.run == cell.run]
    numbers = [number for record in records if math.isfinite(number := number_of(record, bench.request.table, cell))]
    return (float(np.std(numbers, ddof=1)), len(numbers)) if len(numbers) > 1 else None


def _closes_over_seeds(bench: Bench, cell: ReportedCell, alone: bool) -> bool:
    """Test whether the run as it is agrees with the report over all of its seeds. alone: the first one does."""
    numbers = [number_of(record, bench.request.table, cell) for one, record in bench.ready if one.run == cell.run]
    if len(numbers) < 2:
        return alone
    share = cell.metric not in LOWER
    words = bench.request.table.tolerance_of(cell).words
    return judge(cell.value, cell.half_unit, words, numbers, cell.n if share else None, share).word in CLOSING


def _values(bench: Bench, tried: Sequence[TriedWay]) -> list[tuple[float, int] | None]:
    """Measure each way with the first seed, and count its images; None where its data cannot be had so."""
    wanted = sources(tried)
    moments: dict[Recipe, dict[str, set[str]]] = {}
    for recipe, cell in wanted:
        parts = moments.setdefault(recipe, {moment: set(parts) for moment, parts in ALWAYS.items()})
        parts.setdefault(moment_of(cell), set()).add(cell.part)
    records = _records(bench, moments)
    values: list[tuple[float, int] | None] = []
    for recipe, cell in wanted:
        record = records.get(recipe)
        part = "train" if cell.part == "running" else cell.part
        values.append((number_of(record, bench.request.table, cell), record.images[part]) if record else None)
    return values


def _records(bench: Bench, moments: Mapping[Recipe, Mapping[str, set[str]]]) -> dict[Recipe, TrialRecord]:
    """Return the record of each recipe: that of a run of the table, or of a training that is made up for."""
    records = {one.recipe: record for one, record in bench.ready if _covers(one, moments.get(one.recipe))}
    trials = {
        recipe: trial("", recipe, parts, bench.stamp) for recipe, parts in moments.items() if recipe not in records
    }
    (bench.folder / "trials").mkdir(exist_ok=True)
    with stoppable(bench.folder) as interrupts:
        for group in grouped([one for one in trials.values() if record_of(bench.folder, one) is None]):
            try:
                train_group(bench.folder, group, bench.dataset, interrupts, bench.watch)
            except UsageError as error:  # rows that overlap, more images than there are
                bench.watch(Event(message=f"left out: {error}"))
    made = {recipe: record_of(bench.folder, one) for recipe, one in trials.items()}
    return records | {recipe: record for recipe, record in made.items() if record}


def _covers(one: TableTrial, wanted: Mapping[str, Iterable[str]] | None) -> bool:
    """Test whether a trial of the table is measured where a way is read."""
    return wanted is not None and all(
        set(parts) <= set(one.moments.get(moment, ())) for moment, parts in wanted.items()
    )


def _result(request: TableRequest, one: TriedWay, value: tuple[float, int] | None, spread: Spread) -> WayResult:
    """Judge a way by its number, the images that it was measured on, and the spread of seeds."""
    number, n = value or (math.nan, 0)
    cell, share = one.cell, one.cell.metric not in LOWER
    verdict = judge(
        cell.value,
        cell.half_unit,
        request.table.tolerance_of(cell).words,
        [number],
        cell.n if share else None,
        share,
        n if share and n else None,
        spread,
    )
    closes = value is not None and verdict.word in CLOSING
    return WayResult(one.label, " + ".join(one.about), one.stated, finite(number), finite(verdict.gap), closes)


def _settled(trying: Trying, cause: str, closed: Mapping[str, int]) -> Explanation:
    """Sort the ways from nearest to farthest, and say what they show; the verdict is "" where they change none.

    closed: how many of the cells that are explained together each way closes.
    """
    cell, base, singles = trying.cell, trying.rows[0], trying.rows[1:]
    closing_alone = {way.label for way in singles if way.closes}
    # A pair is news where neither half of it closes the gap alone.
    news = [pair for pair in trying.both if not closing_alone & set(pair.label.split(" + "))]
    ranked, both = (sorted(ways, key=_distance) for ways in (singles, news))
    closing = [way for way in (*ranked, *both) if way.closes]
    allowed = [way for way in closing if not way.stated]
    return Explanation(
        cause=cause,
        reported=cell.reported,
        unit=cell.unit,
        base=base.measured,
        sentence=_sentence(trying, ranked, closing, allowed),
        verdict=IMPOSSIBLE if closing and not allowed and not base.closes else "",
        ways=tuple(ranked),
        pairs=tuple([pair for pair in both if pair.closes][:SHOWN] or both[:SHOWN]),
        words=_words(trying, closing, [*ranked, *both], closed),
    )


def _words(trying: Trying, closing: Sequence[WayResult], ways: Sequence[WayResult], closed: Mapping[str, int]) -> str:
    """Say the cause in a few words, or how many ways were tried and which came nearest.

    Of several causes it is the one that closes most of the cells, which has to be assumed only once.
    """
    cell, n = trying.cell, len(trying.rows) - 1 + len(trying.both)
    if not closing:
        best = min(ways, key=_distance)
        return f"not explained; of {n} ways and pairs the nearest, {best.label}, gives {_shown(cell, best.measured)}"
    best = max(closing, key=lambda way: (closed.get(way.label, 0), not way.stated, -_distance(way)))
    source = "against the report" if best.stated else "left open"
    common = closed.get(best.label, 0)
    shared = f"; it closes {common} of the gaps" if common > 1 else ""
    return f"{best.label} gives {_shown(cell, best.measured)} ({source}{shared})"


def _distance(way: WayResult) -> float:
    return math.inf if way.gap is None else abs(way.gap)


def _sentence(
    trying: Trying,
    singles: Sequence[WayResult],
    closing: Sequence[WayResult],
    allowed: Sequence[WayResult],
) -> str:
    cell, base = trying.cell, trying.rows[0]
    alone = "" if trying.both else " alone"
    sentence = f"As stated it is {_shown(cell, base.measured)} where {cell.reported} is reported. "
    if base.closes:
        return sentence + "That closes the gap."
    if allowed:
        return sentence + f"What closes the gap: {_listed(cell, allowed)}."
    open_ways = [way for way in singles if not way.stated and way.gap is not None]
    nearest_way = f"; the nearest is {_listed(cell, open_ways[:1])}" if open_ways else ""
    sentence += f"Nothing that the report leaves open closes the gap{alone}{nearest_way}. "
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
