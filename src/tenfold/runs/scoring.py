"""Saved winners asked about a whole part, and what a run says of it: predictions as a file, metrics, calibration."""

__all__ = ["Scored", "part_scores", "promote", "score", "summary"]

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.batches import Part
from tenfold.files import write_bytes, write_text
from tenfold.runs.folder import PREDICTIONS
from tenfold.runs.run import Run
from tenfold.trained.calibrate import calibration_error
from tenfold.trained.evaluate import measure
from tenfold.trained.model import TrainedModel, load_model, scores_of, shares
from tenfold.trained.statistics import paired, sentence

SLICE = 1000
JUDGED = ("accuracy", "interval", "macro_f1", "n")


class Scored(NamedTuple):
    """What the winners of the rungs made of one part. right: rung -> (n,) bool; metrics: rung -> dict."""

    right: dict[str, NDArray[np.bool_]]
    metrics: dict[str, dict[str, Any]]


def part_scores(trained: TrainedModel, part: Part) -> Tensor:
    """Scores (n, C), float64, of the images of a part."""
    return torch.cat([scores_of(trained, part.images[rows].flatten(1).cpu()) for rows in torch.split(part.rows, SLICE)])


def score(run: Run, part: str, rungs: Sequence[str]) -> Scored:
    """Ask the saved winner of every rung about a part; writes its predictions, measures them."""
    rows, labels = (t.cpu().numpy() for t in (run.parts[part].rows, run.parts[part].labels[run.parts[part].rows]))
    columns: dict[str, Any] = {"position": rows, "label": labels}
    right, metrics = {}, {}
    for rung in rungs:
        trained = load_model(run.folder / "models" / f"{rung}.tenfold")
        z = part_scores(trained, run.parts[part])
        calibrated, plain = (shares(z, trained.loss, t).numpy() for t in (trained.temperature, 1.0))
        predicted = z.argmax(1).numpy()  # of shares, two that round to one would be a tie
        columns[f"predicted {rung}"] = predicted
        columns[f"confidence {rung}"] = np.round(calibrated.max(1), 6)
        columns[f"uncalibrated {rung}"] = np.round(plain.max(1), 6)
        right[rung] = predicted == labels
        metrics[rung] = measure(labels, predicted, run.about["class_names"])
        metrics[rung]["calibration"] = _calibration(trained.temperature, calibrated, plain, labels, right[rung])
        if part == "test":
            metrics[rung]["without_twins"] = _without(labels, predicted, rows, run.about)
    _write(run.folder / PREDICTIONS[part], columns)
    return Scored(right, metrics)


def summary(run: Run, metric: str, validation: Scored, tested: Scored | None, best: str) -> dict[str, Any]:
    """What every kind of run tells: where it lies, on what, the chosen rung on both parts, how sure that choice is.

    tested: None where the run was stopped and has not looked at the test images.
    """
    judged = validation.metrics[best]
    return {
        "run": str(run.folder),
        "model": str(run.folder / "model.tenfold"),
        "data": run.about["name"],
        "metric": metric,
        "part": "test" if tested else "validation",
        "state": "finished" if tested else "interrupted",
        "best_rung": best,
        "validation": {**{name: judged[name] for name in JUDGED}, "calibration": judged["calibration"]},
        "test": tested.metrics[best] if tested else None,
        "runner_up": _runner_up(validation, best, metric),
        "seconds": run.saver.elapsed(),
        "notes": run.about["notes"],
        "warnings": run.about["warnings"],
    }


def promote(folder: Path, rung: str) -> None:
    """Make a rung's winner the model of the run."""
    write_bytes(folder / "model.tenfold", (folder / "models" / f"{rung}.tenfold").read_bytes())


def _calibration(
    temperature: float,
    calibrated: NDArray[np.float64],
    plain: NDArray[np.float64],
    labels: NDArray[np.int64],
    right: NDArray[np.bool_],
) -> dict[str, float]:
    """Expected calibration error with and without the temperature, and the mean negative log probability."""
    own = calibrated[np.arange(len(labels)), labels]
    return {
        "temperature": temperature,
        "error": calibration_error(calibrated.max(1), right),
        "uncalibrated_error": calibration_error(plain.max(1), right),
        "log_loss": float(-np.log(np.maximum(own, np.finfo(np.float64).tiny)).mean()),
    }


def _without(
    labels: NDArray[np.int64], predicted: NDArray[np.int64], rows: NDArray[np.int64], about: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The same metrics without the test images that have a twin in the training part; None where none has."""
    apart = ~np.isin(rows, about["twins"])
    if apart.all() or not apart.any():
        return None
    measured = measure(labels[apart], predicted[apart], about["class_names"])
    return {name: measured[name] for name in JUDGED}


def _runner_up(validation: Scored, best: str, metric: str) -> dict[str, Any] | None:
    """The best rung against the next one, paired on the validation images."""
    others = [rung for rung in validation.metrics if rung != best]
    if not others:
        return None
    second = max(others, key=lambda rung: float(validation.metrics[rung][metric]))
    found = paired(validation.right[best], validation.right[second])
    return {"rung": second, **found, "sentence": sentence(best, second, found)}


def _write(path: Path, columns: Mapping[str, Any]) -> None:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    write_text(path, text.getvalue())
