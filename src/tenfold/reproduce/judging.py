"""What was measured of a table, judged: every cell beside the reported number, every claim, as result.json holds it."""

__all__ = ["Known", "judged", "moment_of", "number_of"]

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tenfold.errors import UsageError
from tenfold.recipe import Recipe
from tenfold.reproduce.disagreement import disagreement
from tenfold.reproduce.table import Asked, Cell, Claim, Measure, Table, resolved, seeds_of
from tenfold.reproduce.values import LOWER
from tenfold.reproduce.verdicts import Comparison, compare, judge

# The word that stands for several comparisons is that of the weakest.
RANK = {"confirmed": 0, "refuted": 2}
# Of every run, on test images.
SHOWN = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "loss")


class Known(NamedTuple):
    """What was measured: run -> one record a seed. Of a run that searches, the results of its sweeps.

    data: name of the data set.
    """

    data: str
    records: dict[str, list[dict[str, Any]]]
    sweeps: dict[str, list[dict[str, Any]]]


def judged(asked: Asked, known: Known, explained: Mapping[str, Any]) -> dict[str, Any]:
    """What result.json holds."""
    table = asked.table
    stated = [run for run, own in table.runs.items() if not own.ours] or list(table.runs)
    recipes = {run: resolved(table, run, asked.scale) for run in stated}
    runs = {run: _run_of(asked, known, run) for run in table.runs}
    return {
        "name": table.name,
        "title": table.title,
        "report": table.report,
        "about": table.about,
        "reference": table.reference,
        "scale": asked.scale,
        "seeds": max(len(seeds_of(asked, run)) for run in table.runs),
        "data": known.data,
        "seconds": sum(run["seconds"] for run in runs.values()),
        "tolerance": table.tolerance,
        "choices": [
            {"field": choice.field, "value": _chosen(recipes, choice.field), "why": choice.why}
            for choice in table.choices
        ],
        "runs": runs,
        "cells": [_cell(asked, known, cell, explained) for cell in table.cells],
        "ours": [_tested(asked, known, _best(asked, known))],
        "added": [_tested(asked, known, run) for run, own in table.runs.items() if own.ours],
        "claims": [_claim(known, table, claim) for claim in table.claims],
        "explained": explained,
        "tables": [*_overview(known, table), *(_members(run, results) for run, results in known.sweeps.items())],
        "figures": list[str](),
    }


def _chosen(recipes: Mapping[str, Recipe], field: str) -> Any:
    """The value of a field, or those of the report's runs where they differ."""
    values = list(dict.fromkeys(str(getattr(recipe, field)) for recipe in recipes.values()))
    return values[0] if len(values) == 1 else ", ".join(values)


def _run_of(asked: Asked, known: Known, run: str) -> dict[str, Any]:
    own = asked.table.runs[run]
    records = known.records.get(run, [])
    seconds = [record["seconds"] for record in (*records, *known.sweeps.get(run, []))]
    return {
        "about": own.about or run,
        "ours": own.ours,
        "settings": own.settings,
        "failed": [record["failed"] for record in records],
        "seconds": float(sum(seconds)),
    }


def _cell(asked: Asked, known: Known, cell: Cell, explained: Mapping[str, Any]) -> dict[str, Any]:
    table, values = asked.table, measured(known, asked.table, cell)
    share = cell.metric not in LOWER
    verdict = judge(
        cell.value,
        cell.half_unit,
        cell.tolerance or table.tolerance,
        values,
        cell.n if share else None,
        share,
        _images(known, cell) if share else None,
    )
    word = str(explained.get(cell.id, {}).get("verdict") or verdict.word)
    return {
        "id": cell.id,
        "run": cell.run,
        "label": _label(table, cell),
        "metric": cell.metric,
        "part": cell.part,
        "epoch": cell.epoch,
        "reported": cell.reported,
        "unit": cell.unit,
        "measured": values,
        "mean": verdict.mean,
        "interval": verdict.interval,
        "prediction": verdict.prediction,
        "gap": verdict.gap,
        "verdict": word if verdict.word == "not reproduced" else verdict.word,
        "note": cell.note,
        "rests_on": [choice.field for choice in table.choices],
    }


def _label(table: Table, cell: Cell) -> str:
    """The run in words, and which of its members or classes the number is of."""
    words = [table.runs[cell.run].about or cell.run]
    words += [f"{name.replace('_', ' ')} {value}" for name, value in cell.setting.items()]
    return ", ".join(words + ([] if cell.label is None else [f"class {cell.label}"]))


def _images(known: Known, measure: Measure) -> int | None:
    """Images that one seed of it was measured on."""
    if measure.run in known.sweeps:
        return int(known.sweeps[measure.run][0]["test"]["n"]) if measure.part == "test" else None
    part = "train" if measure.part == "running" else measure.part
    record = known.records[measure.run][0]
    share = 1.0 if measure.label is None else float(record["shares"][part][measure.label])
    return round(share * int(record["images"][part]))


def _tested(asked: Asked, known: Known, run: str) -> dict[str, Any]:
    """Test of a run, by the metric that the table has most to say of."""
    measure = Measure(run=run, metric=_metric(asked.table))
    values = measured(known, asked.table, measure)
    verdict = judge(math.nan, 0.0, asked.table.tolerance, values, None, True, _images(known, measure))
    return {
        "run": run,
        "about": asked.table.runs[run].about or run,
        "metric": measure.metric,
        "part": "test",
        "mean": verdict.mean,
        "interval": verdict.interval,
    }


def _metric(table: Table) -> Any:
    counted = Counter(cell.metric for cell in table.cells if cell.metric in ("accuracy", "macro_f1"))
    return counted.most_common(1)[0][0] if counted else "accuracy"


def _best(asked: Asked, known: Known) -> str:
    """The run with the best mean validation score."""

    def score(run: str) -> float:
        values = measured(known, asked.table, Measure(run=run, metric=_metric(asked.table), part="validation"))
        return float(np.mean(values)) if all(map(math.isfinite, values)) else -math.inf

    return max(asked.table.runs, key=score)


def _claim(known: Known, table: Table, claim: Claim) -> dict[str, Any]:
    if claim.fails:
        return {"text": claim.text, **_fails(known.records[claim.fails])}
    if claim.of:
        return {"text": claim.text, **_ranked(known, table, claim)}
    assert claim.better
    assert claim.than
    higher = claim.better.metric not in LOWER
    first = measured(known, table, claim.better)
    others = [measured(known, table, measure) for measure in (claim.than, *claim.beside)]
    found = [_compared(first, other, higher) for other in others]
    weakest = max(found, key=lambda one: (RANK.get(one.verdict, 1), one.p if one.p is not None else 1.0))
    told = "; ".join(
        f"{claim.better.id} − {measure.id}: {_difference(one.difference)}"
        for measure, one in zip((claim.than, *claim.beside), found, strict=True)
    )
    return {"text": claim.text, **weakest._asdict(), "told": told}


def _compared(first: Sequence[float], other: Sequence[float], higher: bool) -> Comparison:
    """The paired test over the seeds that both have; what diverges in every seed loses to what never does."""
    both = min(len(first), len(other))
    first, other = first[:both], other[:both]
    if all(map(math.isfinite, first)) and not any(map(math.isfinite, other)):
        return Comparison(None, None, None, "confirmed")
    return compare(first, other, higher)


def _difference(value: float | None) -> str:
    return "not measured" if value is None else f"{value:+.4f}"


def _fails(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    failed = [record["failed"] for record in records if record["failed"]]
    word = "confirmed" if len(failed) == len(records) else "undecided" if failed else "refuted"
    places = {f"step {f['step']}, {f['layer']}, {f['tensor']}": None for f in failed}
    told = f"{len(failed)} of {len(records)} seeds" + "".join(f"; {place}" for place in places)
    return {"difference": None, "interval": None, "p": None, "verdict": word, "told": told}


def _ranked(known: Known, table: Table, claim: Claim) -> dict[str, Any]:
    """Whether the classes that are named are those with the lowest (highest) mean recall, run by run."""
    labels, low = (claim.lowest, True) if claim.lowest else (claim.highest, False)
    right, told = [], []
    for run in claim.of:
        tests = [record["moments"]["last"]["test"] for record in known.records[run]]
        sound = [test["recall"] for test in tests if test]
        if not sound:
            told.append(f"{run}: diverges")
            continue
        recalls = np.mean(sound, axis=0)
        order = np.argsort(recalls if low else -recalls, kind="stable")
        extreme = order[: len(labels)].tolist()
        right.append(set(extreme) == set(labels))
        shown = ", ".join(f"{k} ({100 * recalls[k]:.1f} %)" for k in order[: len(labels) + 1].tolist())
        told.append(f"{run}: {'lowest' if low else 'highest'} are {shown}")
    everywhere = len(right) == len(claim.of)
    verdict = "confirmed" if everywhere and all(right) else "undecided" if any(right) or not everywhere else "refuted"
    return {"difference": None, "interval": None, "p": None, "verdict": verdict, "told": "; ".join(told)}


def _overview(known: Known, table: Table) -> list[dict[str, Any]]:
    """Every run that was trained, on test images: means over the seeds that did not diverge."""
    rows = []
    for run, records in known.records.items():
        sound = [test for record in records if (test := record["moments"]["last"]["test"])]
        means = [float(np.mean([test[name] for test in sound])) if sound else None for name in SHOWN]
        rows.append([table.runs[run].about or run, f"{len(sound)} of {len(records)}", *means])
    columns = ["run", "seeds", *(name.replace("_", " ") for name in SHOWN)]
    return [{"title": "All runs on test images", "columns": columns, "rows": rows}] if rows else []


def _members(run: str, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The members of a search as an extra table."""
    rows = results[0]["table"]
    names = list(dict.fromkeys(name for row in rows for name in row["settings"]))
    body = [[row["settings"].get(name) for name in names] + [row["score"], row["loss"]] for row in rows]
    title = f"{run}: {len(rows)} settings, from best to worst by {results[0]['metric']} on validation images"
    return {"title": title, "columns": [*names, str(results[0]["metric"]), "loss"], "rows": body}


def measured(known: Known, table: Table, measure: Measure) -> list[float]:
    """One number for each seed, NaN where the run had failed by then."""
    if measure.metric.endswith("disagreement"):
        count = len(known.records[measure.run])
        return [disagreement(seed)[measure.metric.partition("_")[0]] for seed in range(count)]
    if measure.run in known.sweeps:
        return [_of_sweep(result, measure) for result in known.sweeps[measure.run]]
    return [number_of(record, table, measure) for record in known.records[measure.run]]


def number_of(record: Mapping[str, Any], table: Table, measure: Measure) -> float:
    """What a trial's record says of a measure, NaN where the run had failed by then."""
    numbers = record["moments"][moment_of(measure)][measure.part]
    if numbers is None:
        # The arg-max of NaN is one class for every image, as the report's own code would have it.
        part = "train" if measure.part == "running" else measure.part
        guess = table.nan_predicts if measure.metric == "accuracy" else None
        return math.nan if guess is None else float(record["shares"][part][guess])
    value = numbers[measure.metric]
    if measure.label is not None:
        value = value[measure.label]
    return math.nan if value is None else float(value)


def _of_sweep(result: Mapping[str, Any], measure: Measure) -> float:
    """A member's mean over the folds, or the test of the best one."""
    if measure.part == "test":
        return float(result["test"][measure.metric])
    for row in result["table"]:
        if all(row["settings"].get(name) == value for name, value in measure.setting.items()):
            value = row["loss" if measure.metric == "loss" else "score"]
            return math.nan if value is None else float(value)
    raise UsageError(f"no member of the search {measure.run!r} has the settings {measure.setting}")


def moment_of(measure: Measure) -> str:
    """The key of a measure's moment in a trial's record."""
    return measure.epoch if isinstance(measure.epoch, str) else f"{measure.epoch:g}"
