"""Phrases for a reproduction, wherever it is shown: numbers in the report's own unit, verdicts counted, one wording.

The numbers of a reproduction are shares; its texts come from files, and whoever shows them escapes them.
"""

__all__ = [
    "KINDS",
    "CellRow",
    "RunRow",
    "WayRow",
    "added_rows",
    "basis",
    "cell_rows",
    "counts",
    "failures",
    "kind",
    "own_rows",
    "reason",
    "tolerances",
    "value",
    "way_rows",
    "where",
]

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tenfold.reproduce.records import CellResult, ChoiceResult, Explanation, Reproduction, RunTest
from tenfold.reproduce.values import LOWER
from tenfold.runs.result import Failure
from tenfold.text import ABSENT, count, finite, metric_name, setting

KINDS = {
    "reproduced": "the difference is no more than the tolerance and the rounding of the report",
    "reproduced with a fitted choice": "the same, but a choice was made because it gives the reported number",
    "within noise": "one more run may well give what the report printed (95 % prediction interval)",
    "better": "beyond noise, on the better side",
    "nothing learned, as reported": "the model names one class for every image: any code gives this number",
    "diverges, as reported": "no longer finite, here as there; its accuracy is the share of one class",
    "not reproduced": "beyond noise, on the worse side, or one diverges where the other does not",
    "protocol cannot be what was stated": "only what contradicts the report gives its number",
}
PARTS = {"train": "training", "running": "running training", "weights": "weights"}
# In percent where the report has no number of their kind to follow, and the larger the better.
SHARES = ("accuracy", "recall")


class CellRow(NamedTuple):
    """A cell in words, in the report's unit. rests: numbers of the choices that it rests on, from 1.

    runs: how many seeds it is over, where some failed. tolerance: how much may differ, and whose choice that is; why:
    its reason. cause: what explains a gap. reach: gap, and the ends of its 95 % interval in one more run.
    """

    id: str
    label: str
    where: str
    reported: str
    measured: str
    runs: str
    prediction: str
    gap: str
    verdict: str
    note: str
    tolerance: str
    why: str
    cause: str
    rests: tuple[int, ...]
    reach: tuple[float, float | None, float | None] | None


class WayRow(NamedTuple):
    """Another way in words, with what it gives. stated: it contradicts the report; closes: it closes the gap."""

    label: str
    question: str
    stated: bool
    measured: str
    gap: str
    closes: bool


class RunRow(NamedTuple):
    """A run's test in words, beside the best number that the report has of its kind."""

    about: str
    where: str
    measured: str
    reported: str


class _Print(NamedTuple):
    """A printed number, whose unit and digits other numbers follow. unit: "%" or ""; reported: its digits or ""."""

    unit: str
    reported: str


def cell_rows(result: Reproduction) -> list[CellRow]:
    """Phrase every reported cell, in the order of the report."""
    numbers = {choice.field: number for number, choice in enumerate(result.choices, 1)}
    names = Counter((cell.label, _where_cell(cell)) for cell in result.cells)
    return [_cell_row(cell, numbers, names[cell.label, _where_cell(cell)] == 1, result.seeds) for cell in result.cells]


def _cell_row(cell: CellResult, numbers: Mapping[str, int], alone: bool, seeds: int) -> CellRow:
    """Phrase a cell. alone: no other has its label, part, metric and moment; else the id sets it apart."""
    form = _Print(cell.unit, cell.reported)
    return CellRow(
        id=cell.id,
        label=cell.label or cell.run,
        where=_where_cell(cell) if alone else f"{_where_cell(cell)} ({cell.id})",
        reported=_printed(cell),
        measured=_mean(cell.mean, cell.interval, form) if cell.measured or cell.mean is not None else ABSENT,
        runs=_seeds(cell, seeds),
        prediction=_span(cell.prediction, form),
        gap=_number(cell.gap, form, "+"),
        verdict=cell.verdict,
        note=cell.note,
        tolerance=_tolerance(cell),
        why=cell.tolerance_why,
        cause=cell.cause,
        rests=tuple(sorted({numbers[field] for field in cell.rests_on if field in numbers})),
        reach=_reach(cell),
    )


def _tolerance(cell: CellResult) -> str:
    """Say how far the mean may lie off, in the unit of the report, and whose choice that is."""
    if not finite(cell.allowed):
        return ABSENT
    scale = _scale(cell.unit)
    return f"±{scale * cell.allowed:.4g}{' points' * (scale > 1)}, {cell.tolerance_by}"


def _seeds(cell: CellResult, seeds: int) -> str:
    """Say how many seeds a cell is over, where some diverged or it had fewer than the others; else ""."""
    total, sound = len(cell.measured), len([number for number in cell.measured if number is not None])
    if 0 < sound < total:
        return f"{sound} of {total} seeds"
    return "" if total == seeds else count(total, "seed")


def _where_cell(cell: CellResult) -> str:
    return where(cell.metric, cell.part, cell.epoch)


def where(metric: str, part: str, epoch: str | float = "last") -> str:
    """Phrase part, metric and moment of a number.

    >>> where("macro_f1", "test", 40.0)
    'test macro F1, epoch 40'
    """
    if metric.endswith("disagreement"):
        return f"gradient check, {metric.partition('_')[0]}"
    moments = {"last": "", "best": ", best epoch"}
    moment = moments[epoch] if isinstance(epoch, str) else f", epoch {epoch:g}"
    return f"{PARTS.get(part, part)} {metric_name(metric)}{moment}"


def kind(verdict: str) -> str:
    """Return the verdict without what is said in brackets.

    >>> kind("not reproduced (diverges)")
    'not reproduced'
    """
    return verdict.partition(" (")[0]


def counts(results: Iterable[Reproduction]) -> dict[str, int]:
    """Count the cells that have a verdict of each kind, KINDS first."""
    tally = Counter(kind(cell.verdict) for result in results for cell in result.cells)
    return {name: tally[name] for name in (*KINDS, *sorted(set(tally) - set(KINDS))) if tally[name]}


def failures(result: Reproduction) -> list[tuple[str, str]]:
    """Name the runs that diverged in a seed, with the number of seeds and the steps, layers and tensors."""
    return [(name, _failed(run.failed)) for name, run in result.runs.items() if any(run.failed)]


def _failed(seeds: Sequence[Failure | None]) -> str:
    places: dict[str, list[int]] = {}
    for failed in filter(None, seeds):
        places.setdefault(f"{failed.layer}, {failed.tensor}", []).append(failed.step)
    listed = "; ".join(f"step {_steps(steps)} ({place})" for place, steps in places.items())
    return f"{sum(map(len, places.values()))} of {len(seeds)} seeds, {listed}"


def _steps(steps: Sequence[int]) -> str:
    return str(steps[0]) if min(steps) == max(steps) else f"{min(steps)} to {max(steps)}"


def way_rows(explanation: Explanation) -> list[WayRow]:
    """Phrase the number of every way, one change first, then pairs of them."""
    form = _Print(explanation.unit, explanation.reported)
    return [
        WayRow(
            way.label, way.question, way.stated, _number(way.measured, form), _number(way.gap, form, "+"), way.closes
        )
        for way in (*explanation.ways, *explanation.pairs)
    ]


def tolerances(cells: Iterable[CellRow]) -> list[str]:
    """Say why a table or a cell has a tolerance of its own, once for each reason."""
    numbers = Counter(cell.why for cell in cells if cell.why)
    return [f"Tolerance chosen by the table for {count(n, 'number')}: {why}." for why, n in numbers.items()]


def reason(choice: ChoiceResult) -> str:
    """Say why a choice was made, and whether it was fitted to the reported numbers."""
    return f"{'fitted to the reported numbers: ' * choice.fitted}{choice.why}"


def own_rows(result: Reproduction) -> list[RunRow]:
    """Phrase the best run by validation, on test images, beside the best number that the report has of its kind."""
    return [_run_row(test, result.cells) for test in result.ours]


def added_rows(result: Reproduction) -> list[RunRow]:
    """Phrase the tests of the runs that the report does not have."""
    return [_run_row(test, result.cells) for test in result.added]


def _run_row(test: RunTest, cells: Sequence[CellResult]) -> RunRow:
    alike = [cell for cell in cells if cell.metric == test.metric]
    rivals = [cell for cell in alike if cell.part == test.part and cell.reported != "NaN"]
    best = (min if test.metric in LOWER else max)(rivals, key=lambda cell: float(cell.reported), default=None)
    form = _Print(alike[0].unit, alike[0].reported) if alike else _Print("%" * (test.metric in SHARES), "")
    named = f"{_printed(best)} ({best.label or best.run})" if best else ABSENT
    return RunRow(test.about or test.run, where(test.metric, test.part), _mean(test.mean, test.interval, form), named)


def basis(result: Reproduction) -> str:
    """Say what the numbers were measured on: data, seeds, scale, time."""
    seeds = count(result.seeds, "seed")
    minutes = result.seconds / 60
    time = f"{minutes:.1f} minutes" if minutes >= 1 else f"{result.seconds:.0f} seconds"
    scale = f"{result.scale} scale" + " (not the protocol)" * (result.scale != "full")
    return f"{result.data}, {seeds}, {scale}, {time}"


def value(entry: object) -> str:
    """Print an entry of an extra table, or a setting.

    >>> value(0.373224), value(None), value([256, 128]), value(1e-7)
    ('0.3732', '–', '256-128', '1e-7')
    """
    return entry or ABSENT if isinstance(entry, str) else setting(entry, digits=4)


def _printed(cell: CellResult) -> str:
    return f"{cell.reported}{' %' * (cell.unit == '%' and cell.reported != 'NaN')}"


def _mean(mean: float | None, interval: tuple[float, float] | None, form: _Print) -> str:
    """Print mean ± half of its interval."""
    if mean is None:
        return "diverged"
    return f"{_number(mean, form)}{_around(mean, interval, form)}{' %' * (form.unit == '%')}"


def _around(mean: float, interval: tuple[float, float] | None, form: _Print) -> str:
    """Print half of an interval, or both of its ends where what is possible cuts one of them off."""
    if interval is None:
        return ""
    if interval[0] == 0 or interval[1] == 1:
        below, above = mean - interval[0], interval[1] - mean
        if not math.isclose(below, above, rel_tol=0.01, abs_tol=1e-12):
            return f" ({_span(interval, form)})"
    return f" ± {_number((interval[1] - interval[0]) / 2, form)}"


def _span(bounds: tuple[float, float] | None, form: _Print) -> str:
    return f"{_number(bounds[0], form)} to {_number(bounds[1], form)}" if bounds else ABSENT


def _reach(cell: CellResult) -> tuple[float, float | None, float | None] | None:
    if cell.gap is None or cell.mean is None:
        return None
    scale, off = _scale(cell.unit), cell.gap - cell.mean
    if cell.prediction is None:
        return scale * cell.gap, None, None
    low, high = cell.prediction
    return scale * cell.gap, scale * (low + off), scale * (high + off)


def _scale(unit: str) -> float:
    return 100.0 if unit == "%" else 1.0


def _number(number: float | None, form: _Print, sign: str = "") -> str:
    """Print in the unit of a cell, with a digit or two more than the report prints of it."""
    if not finite(number):
        return ABSENT
    shown = _scale(form.unit) * number
    if abs(shown) >= 1e6 or (form.reported and 0 < abs(float(form.reported)) < 1e-3):
        return f"{shown:{sign}.2e}"
    digits = min(6, max(2 if form.unit == "%" else 4, len(form.reported.partition(".")[2])))
    # A zero is not negative.
    return f"{round(shown, digits) + 0.0:{sign}.{digits}f}"
