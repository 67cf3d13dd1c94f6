"""Evaluate a finished stage, then calibrate and save its winner; score the winners of a run on whole parts."""

__all__ = [
    "Answers",
    "Made",
    "all_failed",
    "assess",
    "diverged",
    "member_model",
    "promote",
    "refuse_failed",
    "save_calibrated",
    "save_member",
    "save_winner",
    "score",
    "summary",
    "winner",
]

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.digests import distinct
from tenfold.engine.arrays import rows as rows_of
from tenfold.engine.encoder import Encoder
from tenfold.engine.types import Model, Params
from tenfold.errors import RunError
from tenfold.files import write_text
from tenfold.runs import tally
from tenfold.runs.checkpoint import Progress
from tenfold.runs.events import line
from tenfold.runs.folder import PREDICTIONS
from tenfold.runs.judged import COLLAPSED, judged, part_scores, run_scores, scored_by
from tenfold.runs.prepare import About
from tenfold.runs.result import ExactScores, MemberResult, Rival, RunResult
from tenfold.runs.run import Run, Stage, kept_params, population_of
from tenfold.text import cell, setting
from tenfold.trained.calibrate import calibration_error, temper
from tenfold.trained.evaluate import Scores, measure
from tenfold.trained.metrics import Brief, Calibration, Metrics
from tenfold.trained.model import (
    TrainedModel,
    log_shares,
    save_model,
    shares,
    weights_sha256,
)
from tenfold.trained.statistics import paired, sentence, too_few

SLICE = 1000


class Answers(NamedTuple):
    """The answers of the winners on one part, n images, by rung.

    positions, labels: (n,). predicted: (n,) labels. confidence, uncalibrated: (n,) probability of that label with and
    without the temperature. metrics: what they come to. digests: (n,) of the images' files, "" where an image has none.
    notes: what scores are the mean of.
    """

    positions: NDArray[np.int64]
    labels: NDArray[np.int64]
    predicted: dict[str, NDArray[np.int64]]
    confidence: dict[str, NDArray[np.float64]]
    uncalibrated: dict[str, NDArray[np.float64]]
    metrics: dict[str, Metrics]
    digests: NDArray[np.str_]
    notes: tuple[str, ...] = ()


class Made(NamedTuple):
    """A run's result with its winners' models and their answers on the part that the result is about, by rung."""

    result: RunResult
    models: dict[str, TrainedModel]
    answers: Answers


def score(run: Run, part: str, models: Mapping[str, TrainedModel]) -> Answers:
    """Ask the winner of every rung about a part; write and measure its predictions."""
    rows, labels = (t.cpu().numpy() for t in (run.parts[part].rows, run.parts[part].labels[run.parts[part].rows]))
    paths = [run.about.paths[row] if run.about.paths else "" for row in rows.tolist()]
    notes = tuple(f"{rung}: scores are {said}" for rung, t in models.items() if (said := scored_by(t)))
    digests = np.array([_digest(path) for path in paths], dtype=np.str_)
    answers = Answers(rows, labels, {}, {}, {}, {}, digests, notes)
    computed: dict[str, Tensor] = {}
    for rung, trained in models.items():
        z = computed[rung] = run_scores(run, trained, part, computed)
        calibrated, plain = (shares(z, trained.loss, t).numpy() for t in (trained.temperature, 1.0))
        predicted = z.argmax(1).numpy()  # of shares, two that round to one would be a tie
        answers.predicted[rung] = predicted
        answers.confidence[rung] = np.round(calibrated.max(1), 6)
        answers.uncalibrated[rung] = np.round(plain.max(1), 6)
        metrics = replace(
            measure(labels, predicted, run.about.facts.class_names),
            calibration=_calibration(trained, calibrated, plain, labels, predicted == labels),
        )
        apart = _without_twins(labels, predicted, rows, run.about) if part == "test" else None
        answers.metrics[rung] = replace(metrics, without_twins=apart)
    _write(run.folder / PREDICTIONS[part], _table(part, answers, paths, run.about.facts.class_names))
    return answers


def summary(
    run: Run, metric: str, tried: int, validation: Answers, tested: Answers | None, best: str
) -> dict[str, Any]:
    """Return the fields of a result that `train` and `fit` share: the chosen rung on both parts, its rival.

    tried: settings that the validation part chose between. tested: None where the run was stopped and has not looked at
    the test images.
    """
    chosen = validation.metrics[best]
    few = too_few(tried, chosen.accuracy, chosen.n or 0)
    for warning in few:
        line(run.watch)(f"warning: {warning}")
    return {
        "run": str(run.folder),
        "model": str(run.folder / "model.tenfold"),
        "data": run.about.facts.name,
        "metric": metric,
        "part": "test" if tested else "validation",
        "state": "finished" if tested else "interrupted",
        "best_rung": best,
        "validation": chosen.brief,
        "test": tested.metrics[best] if tested else None,
        "runner_up": _runner_up(validation, best, metric),
        "seconds": run.saver.elapsed(),
        "notes": (*run.about.facts.notes, *validation.notes),
        "warnings": (*run.about.warnings, *few),
    }


def promote(folder: Path, trained: TrainedModel) -> None:
    """Make a rung's winner the model of the run."""
    save_model(folder / "model.tenfold", trained)


def _calibration(
    trained: TrainedModel,
    calibrated: NDArray[np.float64],
    plain: NDArray[np.float64],
    labels: NDArray[np.int64],
    right: NDArray[np.bool_],
) -> Calibration:
    """Measure the calibration error with and without the temperature, and the mean negative log probability."""
    of_label = calibrated[np.arange(len(labels)), labels]
    return Calibration(
        trained.temperature,
        calibration_error(calibrated.max(1), right),
        calibration_error(plain.max(1), right),
        float(-np.log(np.maximum(of_label, np.finfo(np.float64).tiny)).mean()),
        trained.cause.get("calibration", {}).get("reason") or None,
    )


def _without_twins(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], rows: NDArray[np.int64], about: About
) -> Brief | None:
    """Measure the test images that have no twin in the training part; None where none has one, or all have."""
    apart = ~np.isin(rows, about.twins)
    if apart.all() or not apart.any():
        return None
    return measure(labels[apart], predicted[apart], about.facts.class_names).brief


def _runner_up(validation: Answers, best: str, metric: str) -> Rival | None:
    """Compare the best rung with the next one, paired on the validation images."""
    others = [rung for rung in validation.metrics if rung != best]
    if not others:
        return None
    second = max(others, key=lambda rung: float(getattr(validation.metrics[rung], metric)))
    right = {rung: validation.predicted[rung] == validation.labels for rung in (best, second)}
    comparison = paired(right[best], right[second])
    return Rival(second, **comparison, sentence=sentence(best, second, comparison))


def _digest(path: str) -> str:
    """Return the first half of a file's SHA-256, by which runs on copies of it know it again; "" where it is gone."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()[:32]
    except OSError:
        return ""


def _table(part: str, answers: Answers, paths: Sequence[str], names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the columns of a table of predictions: of each image, then of each rung's answer to it."""
    words, n = [cell(name) for name in names], len(answers.labels)
    columns: dict[str, list[Any]] = {
        "part": [part] * n,
        "position": answers.positions.tolist(),
        "file": [cell(path) for path in paths],
        "digest": answers.digests.tolist(),
        "class": [words[label] for label in answers.labels],
        "label": answers.labels.tolist(),
    }
    for rung, predicted in answers.predicted.items():
        columns[f"predicted class {rung}"] = [words[label] for label in predicted]
        for name in ("predicted", "confidence", "uncalibrated"):
            columns[f"{name} {rung}"] = getattr(answers, name)[rung].tolist()
    return columns


def _write(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(zip(*columns.values(), strict=True))
    write_text(path, text.getvalue())


def winner(progress: Progress) -> int:
    """Return the row of the best member by validation."""
    return tally.ranking(progress.tally)[0]


def assess(run: Run, stage: Stage, progress: Progress, rows: Sequence[int], parts: Sequence[str]) -> list[MemberResult]:
    """Measure the members in these rows exactly on the named parts; say their settings, digest and fate.

    A member that failed has no numbers.
    """
    params = rows_of(kept_params(progress), torch.tensor(rows, device=run.device))
    chosen = [int(progress.tally["member"][row]) for row in rows]
    settings = [stage.settings[member] for member in chosen]
    population = population_of(run, stage, settings)
    penalty = population.penalty(params).tolist()
    measured = {part: judged(run, population, params, part) for part in parts}
    members = []
    for k, row in enumerate(rows):
        failed = progress.failed.get(str(chosen[k]))
        members.append(
            MemberResult(
                member=chosen[k],
                settings=settings[k],
                **{
                    part: ExactScores() if failed else _exact(scores, k, penalty[k])
                    for part, scores in measured.items()
                },
                weights_sha256=weights_sha256(params, k),
                failed=failed,
                stopped=max(int(progress.state.status[row]), 0) or None,
                best_step=int(progress.tally["best_step"][row]),
            )
        )
    return members


def _exact(scores: Scores, k: int, penalty: float) -> ExactScores:
    """Return the numbers of member k of these scores."""
    loss, accuracy, macro_f1 = (float(column[k]) for column in scores[:3])
    return ExactScores(loss, loss + penalty, accuracy, macro_f1)


def all_failed(progress: Progress) -> bool:
    """Say if no member is left that could be judged."""
    return bool((progress.state.status < 0).all())


def refuse_failed(run: Run, stage: Stage, progress: Progress) -> None:
    """Raise RunError where every member of a stage failed, and leave no model of it."""
    if all_failed(progress):
        (run.folder / "model.tenfold").unlink(missing_ok=True)  # kept on the way, of a member that failed later
        collapses = [failure for failure in progress.failed.values() if failure.tensor.startswith(COLLAPSED)]
        if len(collapses) == len(progress.failed):
            raise RunError(f"step {collapses[0].step}: {collapses[0].tensor}")
        rates = [float(member["learning_rate"]) for member in stage.settings]
        raise RunError(f"{diverged(rates)}; try --learning-rate {setting(min(rates) / 100, 3)}")


def diverged(rates: Sequence[float]) -> str:
    """Say that no member of a population has a score. rates: the learning rates that were tried."""
    low, high = (setting(rate) for rate in (min(rates), max(rates)))
    tried = f"learning rate {low}" if low == high else f"learning rates from {low} to {high}"
    return f"every member diverged: no loss stayed finite with {tried}"


def save_winner(run: Run, stage: Stage, progress: Progress, path: Path) -> TrainedModel:
    """Save the best member so far as a model file, and return it."""
    return save_member(run, stage, progress, winner(progress), path)


def save_member(run: Run, stage: Stage, progress: Progress, row: int, path: Path) -> TrainedModel:
    """Save the member in that row as a model file, calibrated, and return it."""
    return save_calibrated(run, member_model(run, stage, progress, row), stage.recipe.seed, path)


def save_calibrated(run: Run, trained: TrainedModel, seed: int, path: Path) -> TrainedModel:
    """Save a model with the temperature that fits the validation part best, and return it."""
    calibrated = _calibrated(run, trained, seed)
    path.parent.mkdir(exist_ok=True)
    save_model(path, calibrated)
    return calibrated


def member_model(run: Run, stage: Stage, progress: Progress, row: int) -> TrainedModel:
    """Return the member in that row as a model, not calibrated."""
    params: Params = {name: tensor[[row]].cpu() for name, tensor in kept_params(progress).items()}
    member, part, facts = int(progress.tally["member"][row]), run.parts["train"], run.about.facts
    channels, height, width = facts.image_shape
    cause = {
        "rung": stage.name,
        "member": member,
        "settings": stage.settings[member],
        "validation": _judged(stage, float(progress.tally["best_score"][row])),
        "steps": int(progress.tally["best_step"][row]),
        "recipe": stage.recipe.model_dump(),
        "data": {
            "name": facts.name,
            "fingerprint": facts.fingerprint,
            "images": facts.images,
            "background": facts.background,
            "levels": facts.levels,
            "values": facts.values,
            "unequal": facts.unequal,
            "framing": facts.framing,
        },
        "version": run.version,
    }
    network, params = _kept(stage.model, params)
    return TrainedModel(
        stage.recipe.model,
        network,
        params,
        part.factor.cpu(),
        part.offset.cpu(),
        (channels, height, width),
        facts.scale,
        facts.class_names,
        stage.settings[member]["loss"],
        cause,
        features=stage.recipe.features,
        learned=run.about.learned,
        seen=distinct(run.about.digests[part.rows.cpu()]),
    )


def _kept(model: Model, params: Params) -> tuple[Model, Params]:
    """Return what a model file keeps: of an encoder the network, without the head that only its loss saw."""
    return (model.network, model.of_network(params)) if isinstance(model, Encoder) else (model, params)


def _judged(stage: Stage, score: float) -> dict[str, float]:
    """Return the score that the member was chosen by; none where there was no validation part."""
    return {} if math.isnan(score) else {stage.recipe.metric: max(0.0, score)}


def _calibrated(run: Run, trained: TrainedModel, seed: int) -> TrainedModel:
    """Give the model the temperature that fits the validation part best, where that is shown to help."""
    if "validation" not in run.parts or not trained.model.classes:
        return trained
    part = run.parts["validation"]
    z, labels = part_scores(trained, part), part.labels[part.rows].cpu().numpy()
    tempering = temper(lambda t: log_shares(z, trained.loss, t).numpy(), labels, seed)
    return replace(trained, temperature=tempering.value, cause=trained.cause | {"calibration": tempering._asdict()})
