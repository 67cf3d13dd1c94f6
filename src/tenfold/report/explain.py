"""The evidence for a model's predictions about image files: a figure for each file, and one page with all of them.

Maps by gradients, a map by covering parts of the image, curves that test these maps, and the nearest training images.
"""

__all__ = ["MOST", "explain_files"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold.data.given import file_pixels
from tenfold.data.types import Dataset
from tenfold.errors import FileError, TenfoldError, UsageError
from tenfold.files import write_text
from tenfold.report.case import read_case
from tenfold.report.document import document
from tenfold.report.evidence import Evidence, draw_evidence
from tenfold.report.explained import maps
from tenfold.report.illustrations import illustration
from tenfold.report.pictures import Album, album, displayed
from tenfold.report.svg import svg
from tenfold.report.write import loaded
from tenfold.runs.ask import ask
from tenfold.text import count, label, percent, slug, visible
from tenfold.trained.model import TrainedModel, finite_scores, shares
from tenfold.trained.nearest import nearest
from tenfold.trained.occlusion import ORDERS, Deletion, deletions, occlusion
from tenfold.trained.saliency import unmapped

PAGE = "explanation.html"
MOST = 50
"""Images that are explained at once."""

# Training images that are searched, and those of them that are shown.
SEARCHED, NEAREST = 5_000, 6
# Noisy copies of an image: one image has the time for more of them than those of a report.
COPIES = 48


class Training(NamedTuple):
    """Training images of the model's run that nearest ones are among. why: a sentence where there are none, else ""."""

    dataset: Dataset | None
    rows: Tensor
    of: int
    why: str


def explain_files(path: Path, images: Sequence[Path], out: Path, data: str = "") -> dict[str, Any]:
    """Write a page and figures into the folder out, and return what they say, as JSON holds it.

    path: a run folder or a model file. images: image files, or folders of them, 50 in all at most. data: where the data
    of the model's run are by now, "" where they were. Raises UsageError, DataError and FileError for what cannot be
    used, one plain line each.
    """
    asking = ask(path, images)
    trained, form, files = asking.trained, asking.form, asking.files
    if len(files) > MOST:
        raise UsageError(f"{len(files):,} images are too many to explain: give up to {MOST}")
    inputs = torch.cat([form.of_bytes(file_pixels(file, form)[0]).float() for file in files])
    training = _training(path, data)
    alike = _alike(trained, inputs, training)
    _make(out)
    pictures, rows = album(training.dataset, True, training.why), []
    for number, (file, image) in enumerate(zip(files, torch.split(inputs, 1), strict=True), 1):
        rows.append(_row(out, number, file, _evidence(path, trained, image), alike[number - 1], pictures))
    notes = [note for note in (unmapped(trained), training.why) if note]
    write_text(out / PAGE, document("explain.html", _context(path, rows, notes, training), {}))
    return {"model": str(path), "page": str(out / PAGE), "images": [row["said"] for row in rows], "notes": notes}


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{folder}: cannot make this folder ({reason}); choose another --out") from None


def _context(path: Path, rows: list[dict[str, Any]], notes: list[str], training: Training) -> dict[str, Any]:
    return {
        "rows": rows,
        "model": label(str(path), 200),
        "notes": [f"{note[:1].upper()}{note[1:]}" for note in notes],
        "orders": ORDERS,
        "among": f"{count(len(training.rows))} of {count(training.of, 'training image')}",
    }


def _evidence(path: Path, trained: TrainedModel, image: Tensor) -> Evidence:
    """Explain the prediction about one image (1, C, H, W) in the pixel units of the model's data."""
    z = finite_scores(trained, image, path)
    winner = int(z.argmax())
    shown = {}
    if not unmapped(trained):
        plain, smoothed = maps(trained, image, torch.tensor([winner]), COPIES)
        shown = {"gradient × input": plain[0], "smoothed": smoothed[0]}
    shown["occlusion"] = occlusion(trained, image, winner)
    deleted = deletions(trained, image, winner, shown)
    probability = float(shares(z, trained.loss, trained.temperature)[0, winner])
    return Evidence(displayed(image[0], trained.scale), trained.class_names[winner], probability, shown, deleted)


def _training(path: Path, data: str) -> Training:
    """Return training images of the run that a model is of, where they are at hand."""
    places = (path, *path.resolve().parents[:2])
    folder = next((place for place in places if (place / "splits.npz").is_file()), None)
    if folder is None and data:
        raise UsageError(f"--data {data}: {path} lies in no run folder, which says what its training images are")
    if folder is None:
        return _none("the model lies in no run folder")
    try:
        case = read_case(folder)
        dataset = loaded(case, data)
    except TenfoldError as error:
        if data:
            raise
        return _none(str(error))
    rows = torch.from_numpy(case.split["train"])
    return Training(dataset, rows[:: -(-len(rows) // SEARCHED)], len(rows), "")


def _none(why: str) -> Training:
    return Training(None, torch.zeros(0, dtype=torch.int64), 0, f"no nearest training images: {why}")


def _alike(trained: TrainedModel, inputs: Tensor, training: Training) -> list[list[int]]:
    """Return positions of the nearest training images of each input; none where these are not at hand."""
    if training.dataset is None:
        return [[] for _ in inputs]
    positions: list[list[int]] = nearest(trained, inputs, training.dataset.images, training.rows, NEAREST).tolist()
    return positions


def _row(out: Path, number: int, file: Path, evidence: Evidence, alike: list[int], pictures: Album) -> dict[str, Any]:
    """Write the figure of an image; return what the page shows of it, and what JSON says."""
    name = f"{number:02}-{slug(file.stem) or 'image'}"
    text = svg(lambda: draw_evidence(evidence))
    write_text(out / f"{name}.svg", text)
    predicted, sure = label(evidence.predicted, 40), percent(evidence.probability)
    of_classes = [_class_of(pictures.dataset, position) for position in alike]
    alt = f"{label(file.name)}, predicted as {predicted} with {sure} %, and maps of what that rests on"
    return {
        "file": label(visible(str(file)), 200),
        "predicted": predicted,
        "probability": sure,
        "figure": illustration(name, text, alt),
        "verdicts": [_verdict(word, deleted) for word, deleted in evidence.deletions.items()],
        "nearest": [(pictures.picture(n), label(of, 40)) for n, of in zip(alike, of_classes, strict=True)],
        "said": {
            "file": str(file),
            "predicted": evidence.predicted,
            "probability": evidence.probability,
            "figure": str(out / f"{name}.svg"),
            "deletion": {word: _measured(deleted) for word, deleted in evidence.deletions.items()},
            "nearest": [{"position": n, "class": of} for n, of in zip(alike, of_classes, strict=True)],
        },
    }


def _class_of(dataset: Dataset | None, position: int) -> str:
    return dataset.class_names[int(dataset.labels[position])] if dataset else ""


def _measured(deleted: Deletion) -> dict[str, Any]:
    return {"area_between": deleted.between, "orders_beaten": deleted.beaten, "orders": len(deleted.random)}


def _verdict(name: str, deleted: Deletion) -> str:
    """Say whether deleting by a map takes the probability away sooner than deleting at random."""
    orders = len(deleted.random)
    if deleted.beaten == orders:
        area = f"{100 * deleted.between:.1f} points on average"
        return f"{name}: the probability falls sooner than in all {orders} random orders, by {area}."
    sooner = f"only {deleted.beaten}" if deleted.beaten else "none"
    return f"{name}: the probability falls sooner than in {sooner} of {orders} random orders: this map may mean little."
