"""How a reproduction is told, wherever it is shown: numbers in the report's own unit, verdicts counted, one wording.

A result is the content of a reproduction's result.json. Its numbers are shares; what it says in words comes from files,
and whoever shows it escapes it.
"""

__all__ = [
    "ABSENT",
    "KINDS",
    "Own",
    "Told",
    "Way",
    "added",
    "basis",
    "counts",
    "failures",
    "kind",
    "own",
    "tell",
    "value",
    "ways",
    "where",
]

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tenfold.reproduce.values import LOWER

Result = Mapping[str, Any]
KINDS = {
    "reproduced": "the difference is no more than the tolerance and the rounding of the report",
    "within noise": "one more run may well give what the report printed (95 % prediction interval)",
    "better": "beyond noise, on the better side",
    "not reproduced": "beyond noise, on the worse side, or one diverges where the other does not",
    "protocol cannot be what was stated": "only what contradicts the report gives its number",
}
ABSENT = "–"
METRICS = {"macro_f1": "macro F1"}
PARTS = {"train": "training", "running": "running training"}
# In percent where the report has no number of their kind to follow, and the larger the better.
SHARES = ("accuracy", "recall")


class Told(NamedTuple):
    """A cell in words, in the report's unit. rests: numbers of the choices that it rests on, from 1.

    runs: how many seeds it is over, where some failed. reach: gap, and the ends of its 95 % interval in one more run.
    """

    id: str
    label: str
    where: str
    reported: str
    measured: str
    runs: str
    interval: str
    prediction: str
    gap: str
    verdict: str
    kind: str
    note: str
    rests: tuple[int, ...]
    reach: tuple[float, float | None, float | None] | None


class Way(NamedTuple):
    """What doing it another way gives. stated: it contradicts what the report says; closes: it closes the gap."""

    label: str
    question: str
    stated: bool
    measured: str
    gap: str
    closes: bool


class Own(NamedTuple):
    """A number of a run of ours, beside the best that the report has of its kind."""

    about: str
    where: str
    measured: str
    reported: str


def tell(result: Result) -> list[Told]:
    """Every reported cell, in the order of the report."""
    fields = {choice["field"]: number for number, choice in enumerate(result["choices"], 1)}
    names = Counter((cell["label"], where(cell)) for cell in result["cells"])
    seeds = int(result["seeds"])
    return [_told(cell, fields, names[cell["label"], where(cell)] == 1, seeds) for cell in result["cells"]]


def _few(cell: Result, seeds: int) -> str:
    """How many seeds a run had that had fewer than the others."""
    own = len(cell["measured"])
    return "" if own == seeds else f"{own} seed{'s' * (own != 1)}"


def _told(cell: Result, fields: Mapping[str, int], alone: bool, seeds: int) -> Told:
    """alone: label, part, metric and moment tell it from all others; where they do not, its id has to."""
    measured = [number for number in cell["measured"] if number is not None]
    several = 0 < len(measured) < len(cell["measured"])
    return Told(
        str(cell["id"]),
        str(cell["label"] or cell["run"]),
        where(cell) if alone else f"{where(cell)} ({cell['id']})",
        _printed(cell),
        _measured(cell, cell),
        f"{len(measured)} of {len(cell['measured'])} seeds" if several else _few(cell, seeds),
        _span(cell["interval"], cell),
        _span(cell["prediction"], cell),
        _number(cell["gap"], cell, "+"),
        str(cell["verdict"]),
        kind(str(cell["verdict"])),
        str(cell["note"] or ""),
        tuple(sorted({fields[field] for field in cell["rests_on"] if field in fields})),
        _reach(cell),
    )


def where(measure: Result) -> str:
    """Part, metric and moment of a number.

    >>> where({"metric": "macro_f1", "part": "test", "epoch": 40.0})
    'test macro F1, epoch 40'
    """
    metric, part, epoch = measure["metric"], measure["part"], measure.get("epoch") or "last"
    if metric.endswith("disagreement"):
        return f"gradient check, {metric.partition('_')[0]}"
    moments = {"last": "", "best": ", best epoch"}
    moment = moments[epoch] if epoch in moments else f", epoch {float(epoch):g}"
    return f"{PARTS.get(part, part)} {METRICS.get(metric, metric.replace('_', ' '))}{moment}"


def kind(verdict: str) -> str:
    """The verdict without what is said in brackets.

    >>> kind("not reproduced (diverges)")
    'not reproduced'
    """
    return verdict.partition(" (")[0]


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many cells have a verdict of each kind, KINDS first."""
    found = Counter(kind(str(cell["verdict"])) for result in results for cell in result["cells"])
    return {name: found[name] for name in (*KINDS, *sorted(set(found) - set(KINDS))) if found[name]}


def failures(result: Result) -> list[tuple[str, str]]:
    """Runs that went non-finite in a seed: name, and in how many seeds, in which step, layer and tensor."""
    return [(name, _failed(run["failed"])) for name, run in result["runs"].items() if any(run["failed"] or ())]


def _failed(seeds: Sequence[Result | None]) -> str:
    places: dict[str, list[int]] = {}
    for failed in filter(None, seeds):
        places.setdefault(f"{failed['layer']}, {failed['tensor']}", []).append(int(failed["step"]))
    told = "; ".join(f"step {_steps(steps)} ({place})" for place, steps in places.items())
    return f"{sum(map(len, places.values()))} of {len(seeds)} seeds, {told}"


def _steps(steps: Sequence[int]) -> str:
    return str(steps[0]) if min(steps) == max(steps) else f"{min(steps)} to {max(steps)}"


def ways(found: Result, unit: Result) -> list[Way]:
    """What every alternative gives, one change first, then pairs of them. unit: what has the cell's unit and digits."""
    return [
        Way(
            str(way["label"]),
            str(way["question"]),
            bool(way["stated"]),
            _number(way["measured"], unit),
            _number(way["gap"], unit, "+"),
            bool(way["closes"]),
        )
        for way in (*found["ways"], *found["pairs"])
    ]


def own(result: Result) -> list[Own]:
    """The best run by validation, on test images, beside the best number that the report has of its kind."""
    return [_own(row, result["cells"]) for row in result["ours"]]


def added(result: Result) -> list[Own]:
    """Test of the runs that the report does not have."""
    return [_own(row, result["cells"]) for row in result["added"]]


def _own(row: Result, cells: Sequence[Result]) -> Own:
    metric = row["metric"]
    alike = [cell for cell in cells if cell["metric"] == metric]
    rivals = [cell for cell in alike if cell["part"] == row["part"] and cell["reported"] != "NaN"]
    best = (min if metric in LOWER else max)(rivals, key=lambda cell: float(cell["reported"]), default=None)
    unit = alike[0] if alike else {"unit": "%" * (metric in SHARES), "reported": ""}
    named = f"{_printed(best)} ({best['label'] or best['run']})" if best else ABSENT
    return Own(str(row["about"] or row["run"]), where(row), _measured(row, unit), named)


def basis(result: Result) -> str:
    """What the numbers were measured on: data, seeds, scale, time."""
    seeds = f"{result['seeds']} seed{'s' * (result['seeds'] != 1)}"
    minutes = result["seconds"] / 60
    time = f"{minutes:.1f} minutes" if minutes >= 1 else f"{result['seconds']:.0f} seconds"
    scale = f"{result['scale']} scale" + " (not the protocol)" * (result["scale"] != "full")
    return f"{result['data']}, {seeds}, {scale}, tolerance {result['tolerance']}, {time}"


def value(given: object) -> str:
    """What stands in an extra table or a setting.

    >>> value(0.373224), value(None), value([256, 128]), value(1e-7)
    ('0.3732', '–', '256-128', '1e-07')
    """
    if isinstance(given, bool):
        return "yes" if given else "no"
    if isinstance(given, float):
        return f"{given:.4g}"
    if isinstance(given, list | tuple):
        return "-".join(map(value, given)) or "none"
    return ABSENT if given is None or given == "" else str(given)


def _printed(cell: Result) -> str:
    return f"{cell['reported']}{' %' * (cell['unit'] == '%' and cell['reported'] != 'NaN')}"


def _measured(row: Result, unit: Result) -> str:
    """Mean ± half of its interval."""
    if row["mean"] is None:
        return "diverged" if row.get("measured", [None]) else ABSENT
    half = f" ± {_number((row['interval'][1] - row['interval'][0]) / 2, unit)}" if row["interval"] else ""
    return f"{_number(row['mean'], unit)}{half}{' %' * (unit['unit'] == '%')}"


def _span(bounds: Sequence[float] | None, unit: Result) -> str:
    return f"{_number(bounds[0], unit)} to {_number(bounds[1], unit)}" if bounds else ABSENT


def _reach(cell: Result) -> tuple[float, float | None, float | None] | None:
    if cell["gap"] is None:
        return None
    scale, off = _scale(cell), cell["gap"] - cell["mean"]
    low, high = cell["prediction"] or (None, None)
    return scale * cell["gap"], *(None if end is None else scale * (end + off) for end in (low, high))


def _scale(unit: Result) -> float:
    return 100.0 if unit["unit"] == "%" else 1.0


def _number(number: float | None, unit: Result, sign: str = "") -> str:
    """In the unit of a cell, with a digit or two more than the report prints of it."""
    if number is None or not math.isfinite(number):
        return ABSENT
    shown, reported = _scale(unit) * number, unit["reported"]
    if abs(shown) >= 1e6 or (reported and 0 < abs(float(reported)) < 1e-3):
        return f"{shown:{sign}.2e}"
    digits = min(6, max(2 if unit["unit"] == "%" else 4, len(reported.partition(".")[2])))
    # A zero is not negative.
    return f"{round(shown, digits) + 0.0:{sign}.{digits}f}"
