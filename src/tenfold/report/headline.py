"""Headline of the page: which model, how good, how sure, how long, on what data, and what speaks against it."""

__all__ = ["Card", "Headline", "Warned", "guessed", "headline", "metric_of", "scores", "stopped"]

from typing import NamedTuple

import numpy as np

from tenfold.report.case import Case
from tenfold.report.results import Results
from tenfold.report.search import Search, search
from tenfold.runs.ensemble import ENSEMBLE
from tenfold.runs.result import FitResult, TrainResult
from tenfold.text import (
    count,
    duration,
    interval,
    label,
    left_out,
    metric_name,
    p_value,
    percent,
    rounded,
    settings,
    size_of,
    squashed,
)
from tenfold.trained.metrics import Brief, Metrics
from tenfold.trained.statistics import LEVEL, guessing


class Card(NamedTuple):
    """Number with its name and a note on it."""

    name: str
    value: str
    note: str


class Warned(NamedTuple):
    """Warning that a reader must not miss; grave: it changes what the numbers mean."""

    text: str
    grave: bool


class Headline(NamedTuple):
    """Content above the first section: the model classifies `accuracy` (a share) of `n` images of a part right.

    bounds: its 95 % interval, shares. chance: share of the most frequent class. chosen: how the model was selected.
    """

    model: str
    data: str
    part: str
    accuracy: float | None
    n: int
    bounds: tuple[float, float] | None
    chance: float
    chosen: tuple[str, ...]
    cards: tuple[Card, ...]
    warnings: tuple[Warned, ...]
    notes: tuple[str, ...]


def scores(case: Case) -> Metrics:
    """Return the best model's scores on the images that the report is about."""
    return case.result.scores


def headline(case: Case, private: bool) -> Headline:
    """Collect everything above the first section. private: leave out notes on the reading, which name files."""
    tested, results = scores(case), case.results
    n = int(tested.n or len(results.labels))
    return Headline(
        _named(case),
        label(results.name),
        results.part,
        tested.accuracy,
        n,
        tested.interval,
        _frequent(results),
        tuple(_chosen(case)),
        tuple(_cards(case, tested)),
        tuple(_warnings(case)),
        () if private else tuple(label(note, 600) for note in case.result.notes),
    )


def metric_of(case: Case) -> str:
    """Return the name of the validation metric that selects the best model."""
    return metric_name(case.result.metric)


def _named(case: Case) -> str:
    """Return the name of the best rung; of a sweep, which has one rung, the words of its model."""
    if case.results.sweep is None:
        return label(case.results.best)
    choices = case.recipe | dict(case.results.settings[case.results.best][0])
    return label(" ".join(str(choices[name]) for name in ("model", "loss") if choices.get(name)) or case.results.best)


def _chosen(case: Case) -> list[str]:
    swept = search(case)
    return _ladder_choice(case) if swept is None else _sweep_choice(swept)


def _sweep_choice(swept: Search) -> list[str]:
    among = count(len(swept.rows) + len(swept.rest) + swept.more, "setting")
    over = "the mean of its runs" if swept.several else "one run"
    return [
        f"Chosen by validation {swept.metric.removesuffix(', %')} among {among}: {swept.scored} there, {over}.",
        f"Its settings: {swept.best}.",
        f"{swept.again} It was tested once, after that.",
    ]


def _ladder_choice(case: Case) -> list[str]:
    result, tried = case.result, sum(map(len, case.results.settings.values()))
    validation = result.validation if isinstance(result, TrainResult | FitResult) else Brief()
    metric = metric_of(case)
    right = f"{percent(validation.accuracy)} % of {count(validation.n, 'image')}"
    right = right if metric == "accuracy" else f"{metric} {rounded(validation.macro_f1)}, {right}"
    rungs = len(case.results.settings)
    models = f" of {count(rungs, 'model')}" if rungs > 1 else ""
    among = f"among {count(tried, 'setting')}{models}" if tried > 1 else "with one setting"
    members = case.results.settings[case.results.best]
    chosen = settings(members[case.results.winners.get(case.results.best, 0)])
    lines = [f"Chosen by validation {metric} {among}: {right} right there."]
    what = "members and their shares" if case.results.best == ENSEMBLE else "settings"
    lines += [f"Its {what}: {chosen}."]
    rival = result.runner_up if isinstance(result, TrainResult | FitResult) else None
    return lines + ([f"On those images: {label(rival.sentence, 400)}"] if rival else [])


def _cards(case: Case, metrics: Metrics) -> list[Card]:
    cards = [Card("Macro F1", rounded(metrics.macro_f1), _between(metrics))]
    if metrics.calibration:
        before = f"{rounded(metrics.calibration.uncalibrated_error)} before its temperature"
        before = f"temperature 1: {metrics.calibration.reason}" if metrics.calibration.reason else before
        before = "no temperature was fitted" if case.results.sweep else before
        cards.append(Card("Calibration error", rounded(metrics.calibration.error), before))
    if metrics.without_twins:
        cards.append(_apart(metrics.without_twins))
    cards.append(Card("Time", duration(case.result.seconds), _paced(case)))
    cards.append(_data(case))
    return [*cards, _model(case)]


def _between(metrics: Metrics) -> str:
    bounds = metrics.macro_f1_interval
    note = f"95 % interval {interval(bounds, rounded)}" if bounds else "mean over the classes"
    return "; ".join(filter(None, (note, left_out(metrics.absent))))


def _apart(brief: Brief) -> Card:
    note = f"{interval(brief.interval)}, {count(brief.n, 'image')} that have no twin in training"
    return Card("Without twins", percent(brief.accuracy, " %"), note)


def _paced(case: Case) -> str:
    sweep = case.results.sweep
    tried = len(sweep.settings) if sweep else sum(map(len, case.results.settings.values()))
    return f"to train and choose among {count(tried, 'setting')}" if tried > 1 else "to train"


def _data(case: Case) -> Card:
    shape = case.data.image_shape
    sizes = " × ".join(map(str, (*shape[1:], shape[0]))) if len(shape) == 3 else ""
    sizes += squashed(case.data.squashed)
    totals = ", ".join(f"{count(n)} {part}" for part, n in case.data.images.items())
    return Card("Data", label(case.results.name, 24), "; ".join(filter(None, (sizes, totals))))


def _model(case: Case) -> Card:
    rungs = case.result.rungs if isinstance(case.result, FitResult) else ()
    size = next((rung.parameters for rung in rungs if rung.rung == case.results.best), None)
    stored = size_of(case.model_bytes) if case.model_bytes else "none"
    return Card("Parameters", count(size), f"{stored} in model.tenfold") if size else Card("Model file", stored, "")


def _warnings(case: Case) -> list[Warned]:
    first = [
        Warned(
            "This run was stopped before its model was scored on the test images. Everything below is about the "
            "validation images, which selected the model, so the numbers are too high.",
            True,
        )
    ]
    warnings = [Warned(label(text, 600), False) for text in case.result.warnings]
    if case.undrawn:
        words = ", ".join(word.replace("_", " ") for word in case.undrawn)
        again = f"`tenfold report {case.folder.name}` draws them."
        warnings.append(Warned(f"No time was left for these figures: {words}; {again}", False))
    return [*(first if stopped(case) else []), *(Warned(text, True) for text in guessed(case)), *warnings]


def stopped(case: Case) -> bool:
    """Say if the run ended before its model was scored on the test images."""
    return case.result.state == "interrupted" or case.results.part != "test"


def _frequent(results: Results) -> float:
    """Return the share of the most frequent class."""
    return float(np.bincount(results.labels).max() / len(results.labels)) if results.labels.size else 0.0


def guessed(case: Case) -> list[str]:
    """Say in words where the result is no better than guessing, or than the most frequent class."""
    results, bounds = case.results, scores(case).interval
    if not results.labels.size:
        return []
    chance = _frequent(results)
    by_luck, p = guessing(results.labels, results.predicted[results.best])
    said = []
    if p >= LEVEL:
        n = count(len(results.labels), f"{results.part} image")
        said.append(
            f"This result is no better than guessing, as far as {n} can show: the same answers, dealt to these images "
            f"at random, would be right for {percent(by_luck)} % (p = {p_value(p)})."
        )
    if bounds and bounds[1] < chance:
        said.append("Always saying the most frequent class would be right more often than this model.")
    elif bounds and bounds[0] <= chance:
        said.append("It is not shown that this model is right more often than always saying the most frequent class.")
    return said
