"""Why a cell did not reproduce: every choice that a report leaves open, and every pair of them, tried and measured.

Ways that differ in nothing but what may vary inside a population train as one. A way that contradicts what the report
states is tried too: where such a way alone closes the gap, the protocol cannot be what was stated.
"""

__all__ = ["explain"]

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

from tenfold.data.load import fingerprint
from tenfold.data.types import Dataset
from tenfold.errors import RunError, UsageError, nearest
from tenfold.files import write_json
from tenfold.recipe import Recipe
from tenfold.reproduce.judging import moment_of, number_of
from tenfold.reproduce.reproduce import ALWAYS, explanations, stamped, stoppable
from tenfold.reproduce.table import Asked, Cell, Question, Way, data_of, overridden, resolved
from tenfold.reproduce.trials import grouped, record_of, train_group, trial
from tenfold.reproduce.values import LOWER
from tenfold.reproduce.verdicts import judge
from tenfold.runs.events import Event
from tenfold.runs.folder import lock

CLOSING = ("reproduced", "within noise", "reproduced (diverges)")
IMPOSSIBLE = "protocol cannot be what was stated"
# Pairs that are shown: those that close the gap, the nearest first, or where none does the nearest ones.
SHOWN = 12
# Ways that a sentence names.
FEW = 3


class Tried(NamedTuple):
    """One way, or a pair of them: what it changes, how it is read, the recipe that comes of it."""

    label: str
    about: tuple[str, ...]
    stated: bool
    cell: Cell
    recipe: Recipe


def explain(asked: Asked, folder: Path, name: str, watch: Callable[[Event], None]) -> dict[str, Any]:
    """Settle a cell: train every way and every pair of ways, write explained.json, return this cell's part of it.

    A UsageError where no cell is called so, a RunError where the table asks no questions that could settle it.
    """
    table = asked.table
    cells = {cell.id: cell for cell in table.cells}
    if name not in cells:
        raise UsageError(f"{table.name} has no cell {name!r}: {nearest(name, cells)}")
    cell = cells[name]
    if not table.questions or table.runs[cell.run].searches or cell.metric.endswith("disagreement"):
        raise RunError(f"{table.name} asks no questions that could explain {name}: add [[questions]] to its file")
    explanations(folder)  # damage is told before anything is trained
    base = Tried("as it is", (), False, cell, resolved(table, cell.run, asked.scale))
    ways = [[_tried(base, [(question, way)]) for way in question.ways] for question in table.questions]
    singles = [one for own in ways for one in own]
    pairs = list(_pairs(base, table.questions))
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder):
        dataset = data_of(table, asked.data_dir)
        stamp = fingerprint(dataset)
        values = _values(asked, folder, [base, *singles, *pairs], dataset, stamp, watch)
        rows = [_row(asked, one, value) for one, value in zip([base, *singles, *pairs], values, strict=True)]
        alone, together = rows[1 : 1 + len(singles)], rows[1 + len(singles) :]
        found = {"cause": stamped(asked, cell, stamp), **_settled(cell, rows[0], alone, together)}
        write_json(folder / "explained.json", {**explanations(folder), name: found})
    return found


def _tried(base: Tried, ways: Sequence[tuple[Question, Way]]) -> Tried:
    changes = {name: value for _, way in ways for name, value in way.set.items()}
    reading = {key: value for _, way in ways for key in ("part", "epoch") if (value := getattr(way, key)) != ""}
    return Tried(
        " + ".join(way.label for _, way in ways),
        tuple(question.about for question, _ in ways),
        any(question.stated for question, _ in ways),
        base.cell.model_copy(update=reading),
        overridden(base.recipe, changes),
    )


def _pairs(base: Tried, questions: Sequence[Question]) -> Iterator[Tried]:
    """Two ways of two questions, where they do not both change the same."""
    for first, second in combinations(questions, 2):
        for one in first.ways:
            for other in second.ways:
                reading = any(getattr(one, key) and getattr(other, key) for key in ("part", "epoch"))
                if not reading and not set(one.set) & set(other.set):
                    yield _tried(base, [(first, one), (second, other)])


def _values(
    asked: Asked,
    folder: Path,
    tried: Sequence[Tried],
    dataset: Dataset,
    stamp: str,
    watch: Callable[[Event], None],
) -> list[tuple[float, int] | None]:
    """What each way measures with the first seed, and on how many images; None where its data cannot be had so."""
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
    found: list[tuple[float, int] | None] = []
    for one in tried:
        own = trials[one.recipe]
        record = None if own.key in refused else record_of(folder, own)
        part = "train" if one.cell.part == "running" else one.cell.part
        found.append((number_of(record, asked.table, one.cell), int(record["images"][part])) if record else None)
    return found


def _row(asked: Asked, one: Tried, value: tuple[float, int] | None) -> dict[str, Any]:
    """A way as the table shows it."""
    number, n = value or (math.nan, 0)
    known = value is not None
    cell, share = one.cell, one.cell.metric not in LOWER
    tolerance = cell.tolerance or asked.table.tolerance
    verdict = judge(
        cell.value, cell.half_unit, tolerance, [number], cell.n if share else None, share, n if share and n else None
    )
    return {
        "label": one.label,
        "question": " + ".join(one.about),
        "stated": one.stated,
        "measured": None if math.isnan(number) else number,
        "gap": verdict.gap if math.isfinite(verdict.gap) else None,
        "closes": known and verdict.word in CLOSING,
    }


def _settled(
    cell: Cell, base: Mapping[str, Any], singles: Sequence[dict[str, Any]], pairs: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """The rows from nearest to farthest, what they say, and the verdict where they change it."""
    known = {row["label"] for row in singles if row["closes"]}
    # A pair is news where neither half of it closes the gap alone.
    news = [row for row in pairs if not known & set(row["label"].split(" + "))]
    ranked, both = (sorted(rows, key=_distance) for rows in (singles, news))
    closing = [row for row in (*ranked, *both) if row["closes"]]
    allowed = [row for row in closing if not row["stated"]]
    verdict = IMPOSSIBLE if closing and not allowed and not base["closes"] else ""
    return {
        "reported": cell.reported,
        "unit": cell.unit,
        "base": base["measured"],
        "sentence": _sentence(cell, base, ranked, closing, allowed),
        "verdict": verdict,
        "ways": ranked,
        "pairs": [row for row in both if row["closes"]][:SHOWN] or both[:SHOWN],
    }


def _distance(row: Mapping[str, Any]) -> float:
    return math.inf if row["gap"] is None else abs(row["gap"])


def _sentence(
    cell: Cell,
    base: Mapping[str, Any],
    singles: Sequence[Mapping[str, Any]],
    closing: Sequence[Mapping[str, Any]],
    allowed: Sequence[Mapping[str, Any]],
) -> str:
    told = f"As stated it is {_shown(cell, base['measured'])} where {cell.reported} is reported. "
    if base["closes"]:
        return told + "That closes the gap."
    if allowed:
        return told + f"What closes the gap: {_listed(cell, allowed)}."
    open_ways = [row for row in singles if not row["stated"] and row["gap"] is not None]
    nearest_way = f"; the nearest is {_listed(cell, open_ways[:1])}" if open_ways else ""
    told += f"Nothing that the report leaves open closes the gap{nearest_way}. "
    if not closing:
        return told + "Nor does anything that contradicts what it states."
    return told + f"What it states must be otherwise: {_listed(cell, closing)}."


def _listed(cell: Cell, rows: Sequence[Mapping[str, Any]]) -> str:
    shown = "; ".join(f"{row['label']} ({_shown(cell, row['measured'])})" for row in rows[:FEW])
    return shown + (f"; and {len(rows) - FEW} more" if len(rows) > FEW else "")


def _shown(cell: Cell, value: float | None) -> str:
    if value is None:
        return "not finite"
    return f"{100 * value:.2f} %" if cell.unit == "%" else f"{value:.4f}"
