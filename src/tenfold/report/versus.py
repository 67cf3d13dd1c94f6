"""Several runs on one page: a column each, their validation curves over each other, their classes side by side."""

__all__ = ["versus_page"]

from collections.abc import Sequence
from typing import Any

from tenfold.report.case import Case
from tenfold.report.curves import overlaid
from tenfold.report.document import document
from tenfold.report.figures import rung_colors
from tenfold.report.headline import guessed, scores, stopped
from tenfold.report.tables import class_rows, ladder
from tenfold.text import ABSENT, count, duration, interval, label, left_out, percent, rounded, setting, settings
from tenfold.trained.metrics import Calibration, Metrics

CLASSES = 200


def versus_page(cases: Sequence[Case], sentences: Sequence[Sequence[str]], private: bool) -> str:
    """Return the page of several runs. sentences: the comparison of every pair, and notes. private: no paths."""
    named = list(zip(_names(cases), cases, strict=True))
    charts = overlaid([case.results for case in cases], _names(cases))
    context = {
        "names": _names(cases),
        "rows": _rows(cases),
        "sentences": [[label(text, 600) for text in pair] for pair in sentences],
        "charts": charts,
        "classes": _classes(cases),
        "stopped": any(stopped(case) for case in cases),
        "guesses": [f"{name}: {text}" for name, case in named for text in guessed(case)],
        "differing": _differing(cases),
        "private": private,
    }
    return document("versus.html", context, {"charts": charts}, rung_colors(len(cases)))


def _names(cases: Sequence[Case]) -> list[str]:
    """Return the folders' names, numbered where two are the same."""
    names = [label(case.folder.resolve().name, 40) for case in cases]
    return [f"{name} ({k + 1})" if names.count(name) > 1 else name for k, name in enumerate(names)]


def _rows(cases: Sequence[Case]) -> list[tuple[str, list[str]]]:
    """Return the lines of the table: a name, and the value of each run."""
    tested = [scores(case) for case in cases]
    calibrations = [run.calibration or Calibration() for run in tested]
    return [
        ("Data", [label(case.results.name) for case in cases]),
        ("Best model", [label(case.results.best) for case in cases]),
        ("Validation accuracy, %", [percent(ladder(case)[_best(case)].validation) for case in cases]),
        ("Test accuracy, %", [_tested(case, percent) for case in cases]),
        ("95 % interval", [interval((case.result.test or Metrics()).interval) for case in cases]),
        ("Test images", [_tested(case, count, "n") for case in cases]),
        ("Macro F1", [_macro(run) for run in tested]),
        ("Calibration error", [rounded(calibration.error) for calibration in calibrations]),
        ("Models and settings tried", [_tried(case) for case in cases]),
        ("Time", [duration(case.result.seconds) for case in cases]),
        ("Settings of the best", [_chosen(case) for case in cases]),
        ("Processor", [label(case.environment.processor or ABSENT) for case in cases]),
    ]


def _macro(run: Metrics) -> str:
    without = left_out(run.absent)
    return rounded(run.macro_f1) + (f" ({without})" if without else "")


def _tested(case: Case, form: Any, name: str = "accuracy") -> str:
    return str(form(getattr(case.result.test, name))) if case.result.test else "not scored"


def _best(case: Case) -> int:
    return list(case.results.settings).index(case.results.best)


def _tried(case: Case) -> str:
    if case.results.sweep:
        return f"{count(len(case.results.sweep.settings), 'setting')}, a sweep"
    tried = sum(map(len, case.results.settings.values()))
    return f"{count(len(case.results.settings), 'model')}, {count(tried, 'setting')}"


def _chosen(case: Case) -> str:
    results = case.results
    members = results.settings[results.best]
    return settings(members[results.winners.get(results.best, 0)]) if members else ABSENT


def _differing(cases: Sequence[Case]) -> list[tuple[str, list[str]]]:
    """Return the fields of the recipes that are not the same for all."""
    names = dict.fromkeys(name for case in cases for name in case.recipe if name != "data")
    values = {name: [setting(case.recipe.get(name), between=", ") for case in cases] for name in names}
    return [(name.replace("_", " "), row) for name, row in values.items() if len(set(row)) > 1]


def _classes(cases: Sequence[Case]) -> list[tuple[str, list[str]]]:
    """Return the recall of each class by the best model of each run, in the order of the first run."""
    recalls = [{row.name: percent(row.recall[_best(case)]) for row in class_rows(case)} for case in cases]
    names = dict.fromkeys(name for rows in recalls for name in rows)
    return [(name, [rows.get(name, ABSENT) for rows in recalls]) for name in list(names)[:CLASSES]]
