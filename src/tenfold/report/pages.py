"""The pages: one run, the audit of a data set; each a single HTML document as text, the same bytes for the same run."""

__all__ = ["run_page", "write_audit_page"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tenfold.data.types import Dataset
from tenfold.files import write_text
from tenfold.report.audits import findings
from tenfold.report.case import Case
from tenfold.report.contents import contents
from tenfold.report.curves import MEASURES, chart_data, curves
from tenfold.report.document import document
from tenfold.report.figures import rung_colors
from tenfold.report.frames import framed_example
from tenfold.report.gallery import answers, cell_data, matrix
from tenfold.report.headline import headline, metric_of, scores
from tenfold.report.illustrations import illustrate
from tenfold.report.origin import origin
from tenfold.report.pictures import Album, album
from tenfold.report.results import Results
from tenfold.report.search import search
from tenfold.report.selection import least_certain, mistakes
from tenfold.report.tables import class_rows, ladder, span, tried
from tenfold.rooms import names
from tenfold.text import count, label, percent, rounded
from tenfold.trained.metrics import Calibration

# Images among the most confident mistakes, and among the least certain.
SHOWN = 24
# Groups of duplicates of each kind in a report; the audit's own page shows twice as many.
SOME = 6
# Rows of classes with bars; a table below them has all.
BARS = 40
# Figures that the page draws itself, and those that have a place in a section.
OWN = ("class_accuracy", "confusion")
SEARCHED = ("sweep_map", "sweep_slices", "sweep_curves", "sweep_budget")
PLACED = (
    "learning_curves",
    "templates",
    "filters",
    "explanations",
    "reliability",
    "abstention",
    "settings_map",
    *SEARCHED,
)


def run_page(case: Case, images: Album) -> str:
    """Write the report of one run."""
    results = case.results
    rungs, charts = ladder(case), chart_data(results)
    classes = class_rows(case)
    context = {
        "headline": headline(case, images.private),
        "album": images,
        "contents": contents(images, case.split, case.data.images),
        "framed": framed_example(images),
        "findings": findings(case.audit, images, case.split, SOME) if case.audit else None,
        "ladder": rungs,
        "span": span(rungs),
        "curves": curves(results),
        "measures": MEASURES,
        "charts": charts,
        "classes": classes,
        "worst": sorted((row for row in classes if row.n), key=lambda row: _own(row.recall, results))[:BARS],
        "matrix": matrix(results),
        "mistakes": answers(results, images, mistakes(results, SHOWN)),
        "uncertain": answers(results, images, least_certain(results, SHOWN)),
        "wrong": int((results.predicted[results.best] != results.labels).sum()),
        "calibration": scores(case).calibration,
        "tried": tried(case),
        "search": search(case),
        "metric": metric_of(case),
        "origin": origin(case, images.private),
        "figures": _figures(case, images),
    }
    data = {"charts": charts, "cells": cell_data(results, images)}
    return document("run.html", context, data, rung_colors(len(rungs)))


def write_audit_page(path: Path, audit_json: Mapping[str, Any], dataset: Dataset, with_images: bool = True) -> None:
    """Write the audit of a data set as a page of its own."""
    images = album(dataset, with_images)
    split = {part: rows.numpy() for part, rows in dataset.parts.items()}
    context = {
        "name": label(dataset.name),
        "notes": [label(note, 600) for note in dataset.notes],
        "album": images,
        "contents": contents(images, split, {}),
        "framed": framed_example(images),
        "findings": findings(audit_json, images, split, 2 * SOME),
        "total": len(dataset.labels),
        "shape": tuple(dataset.images.shape[1:]),
    }
    write_text(path, document("audit.html", context, {}))


def _own(recall: list[float | None], results: Results) -> float:
    """Return share of a class that the best rung finds."""
    return recall[list(results.settings).index(results.best)] or 0.0


def _figures(case: Case, images: Album) -> dict[str, Any]:
    """Return figures by name, None where there is none; those without a place of their own are under "more"."""
    texts = _alternatives(case)
    drawn = {word: illustrate(word, case, texts.get(word, "")) for word in PLACED if _allowed(word, images)}
    more = [word for word in names("figures") if word not in (*OWN, *PLACED) and _allowed(word, images)]
    others = [illustrate(word, case, f"Figure: {word.replace('_', ' ')}") for word in more]
    return {**dict.fromkeys(PLACED), **drawn, "more": [figure for figure in others if figure]}


def _allowed(word: str, images: Album) -> bool:
    # The weights of a linear model that saw few photographs look like them, and reconstructions all the more.
    return word not in ("templates", "reconstructions", "explanations") or not images.private


def _alternatives(case: Case) -> dict[str, str]:
    """Describe the figures for those who do not see them."""
    results, calibration = case.results, scores(case).calibration or Calibration()
    winners = ", ".join(
        f"{label(curve.name)} ends at {_percent(curve.last('validation_accuracy'))} %" for curve in curves(results)
    )
    rungs = ", ".join(map(label, results.templates))
    return {
        "learning_curves": f"Loss, cost and accuracy over the epochs. Validation accuracy of {winners}.",
        "templates": f"Weights of {rungs} as images, one for each class.",
        "filters": f"Filters of the first convolution of {', '.join(map(label, results.filters))}.",
        "explanations": f"Images that {label(results.best)} answered, and below each two maps of the pixels that its "
        "answer rests on.",
        "reliability": f"Accuracy against confidence, in bins. Mean distance {rounded(calibration.error)}, "
        f"before the temperature {rounded(calibration.uncalibrated_error)}.",
        "abstention": _abstained(results),
        **_searched(case),
        "settings_map": "Best validation score of each learning rate and l2, a panel for each rung; the numbers are in "
        "the tables below it.",
    }


def _searched(case: Case) -> dict[str, str]:
    section = search(case)
    if section is None:
        return {}
    best = f"Best: {section.best}, {section.scored}"
    return {
        "sweep_map": f"Mean validation score of every setting over two of the axes. {best}.",
        "sweep_slices": f"Validation score of every setting against each axis. {best}.",
        "sweep_curves": f"Validation score of every setting over the epochs. {best}.",
        "sweep_budget": f"Best validation score against the epochs trained, population by population. {best}.",
    }


def _percent(value: float | None) -> str:
    return percent(None if value is None else value / 100)


def _abstained(results: Results) -> str:
    """Accuracy on the surest half of the images."""
    confidence = results.confidence.get(results.best)
    if confidence is None or not len(confidence):
        return "Accuracy against the share of images answered."
    right = results.predicted[results.best] == results.labels
    half = np.argsort(-confidence, kind="stable")[: max(1, len(right) // 2)]
    text = f"{percent(float(right[half].mean()))} % on the surest half of {count(len(right), 'image')}"
    return f"Accuracy against the share of images answered: {text}, {percent(float(right.mean()))} % on all."
