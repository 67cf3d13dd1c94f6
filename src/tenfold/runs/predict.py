"""A trained model at work: scored on labeled data, or asked about image files."""

__all__ = ["evaluate_model", "predict_files"]

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.choices import recipe
from tenfold.data.listing import LeftOut, images_below, left_out_note
from tenfold.data.load import fingerprint, is_folder, load
from tenfold.data.partfolders import NO_PARTS, given_parts
from tenfold.data.readers.images import images as read_image
from tenfold.data.readers.images import remarks
from tenfold.data.types import Dataset, Precedent, drawn_shape, precedent_of
from tenfold.errors import DataError, FileError, RunError, UsageError, nearest
from tenfold.files import as_json
from tenfold.runs.prepare import parts_of, stored_split
from tenfold.text import count
from tenfold.trained.evaluate import measure
from tenfold.trained.metrics import Metrics
from tenfold.trained.model import TrainedModel, load_model, scores, shares

SLICE = 1000
PARTS = ("train", "validation", "test", "all")
GREY = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)  # ITU-R 601, as the reader of image files does it


def evaluate_model(
    path: Path, data: str, part: str, data_dir: str, skip_unreadable: bool = False, parts: str = ""
) -> dict[str, Any]:
    """Return metrics of a run's model (or a model file) on a part of labeled data.

    part: "train", "validation", "test", "all", or "": test where there is one, else all. Where the data are those that
    the model was trained on, the parts are that run's own. parts: folders of the parts, "" for those of the run where
    the data have them. The data may lack classes. Raises DataError where they have others, or shapes do not fit.
    """
    if part and part not in PARTS:
        raise UsageError(f"no part {part!r}: {nearest(part, PARTS)}")
    trained = opened_model(path)
    size = drawn_shape(trained.image_shape)[-1] if is_folder(data) else 0
    dataset = load(
        data,
        data_dir=data_dir,
        size=size,
        skip_unreadable=skip_unreadable,
        parts=parts or _own_layout(trained, data),
        precedent=_precedent(trained),
    )
    same = fingerprint(dataset) == trained.cause["data"]["fingerprint"]
    positions = _own_parts(path, trained, dataset) if same else dataset.parts
    part = part or ("test" if "test" in positions else "all")
    if part not in positions and part != "all":
        raise UsageError(f"{data} has no {part} part; it has {', '.join((*positions, 'all'))}")
    rows = torch.arange(len(dataset.labels)) if part == "all" else positions[part]
    pieces = (_fitting(trained, dataset, piece) for piece in torch.split(rows, SLICE))
    predicted = torch.cat([_scores(path, trained, piece).argmax(1) for piece in pieces])
    labels = _own_labels(trained, dataset)[rows]
    measured = measure(labels.numpy(), predicted.numpy(), trained.class_names)
    return {
        "model": str(path),
        "data": dataset.name,
        "part": part,
        "same_data": same,
        **_plain_scores(measured),
        "notes": [*dataset.notes, *_converted(trained, dataset)],
    }


def _plain_scores(metrics: Metrics) -> dict[str, Any]:
    """Return the scores without those that only a run has."""
    run_only = ("calibration", "without_twins")
    return {name: value for name, value in as_json(metrics).items() if name not in run_only}


def predict_files(path: Path, images: Sequence[Path], skip_unreadable: bool = False) -> dict[str, Any]:
    """Return probabilities of every class for image files, and for those in folders, in the order of their names."""
    trained = opened_model(path)
    channels, height, width = drawn_shape(trained.image_shape)
    mode = {1: "L", 3: "RGB"}.get(channels)
    if mode is None or height != width:
        raise UsageError(f"{path}: takes inputs of shape {trained.image_shape}, which image files do not have")
    listed, precedent = [_files(place) for place in images], _precedent(trained)
    files = [file for paths, _ in listed for file in paths]
    predictions, broken, changes = [], [], Counter[str]()
    for file in files:
        try:
            pixels, changed = _pixels(file, mode, height, precedent)
        except DataError as error:
            if not skip_unreadable:
                raise DataError(f"{error}; --skip-unreadable skips it") from None
            broken.append(str(file))
            continue
        changes.update(changed)
        z = _scores(path, trained, torch.tensor(pixels).view(1, *trained.image_shape).double() / 255 / trained.scale)
        probabilities = shares(z, trained.loss, trained.temperature)[0].tolist()
        predicted = trained.class_names[int(z.argmax())]
        predictions.append({"file": str(file), "predicted": predicted, "probabilities": probabilities})
    unread = f"{len(broken)} of {len(files)} images could not be read: {', '.join(broken[:3])}"
    if not predictions:
        raise DataError(unread)
    notes = [unread] if broken else []
    notes += [f"{count(n, 'image')}: {change}" for change, n in sorted(changes.items())]
    notes += [left_out_note(place, left_out) for place, (_, left_out) in zip(images, listed, strict=True) if left_out]
    return {"model": str(path), "class_names": list(trained.class_names), "predictions": predictions, "notes": notes}


def _pixels(file: Path, mode: str, side: int, precedent: Precedent) -> tuple[NDArray[np.uint8], list[str]]:
    """Return pixels of a file as the model takes them, and what was done to its values that training did not."""
    with remarks():
        picture = read_image(file)
        pixels, changes = picture.pixels(mode, side, precedent.background, precedent.levels)
    deep = [change for change in changes if change.startswith("16 bits")]
    own = "by its own bits: the model was trained on 8-bit images"
    return pixels, [f"{change}, {own}" for change in deep if not precedent.levels]


def opened_model(path: Path) -> TrainedModel:
    """Load the model of a run folder, or of a model file."""
    if not path.exists():
        raise FileError(f"{path}: not found; expected a run folder or a model file")
    if not path.is_dir():
        return load_model(path)
    if not (path / "model.tenfold").exists():
        run = (path / "recipe.toml").exists()
        raise RunError(f"{path}: {'the run has no model yet' if run else 'not a run folder: it has no model.tenfold'}")
    return load_model(path / "model.tenfold")


def _scores(path: Path, trained: TrainedModel, images: Tensor) -> Tensor:
    """Return scores (N, C), all finite."""
    z = scores(trained, images)
    if not bool(z.isfinite().all()):
        raise DataError(
            f"{path}: its scores are not finite: either its training diverged (train again with a smaller "
            "--learning-rate), or the values of these images are far from those that it was trained on"
        )
    return z


def _precedent(trained: TrainedModel) -> Precedent:
    """Return how the model's data were read: new images are read alike."""
    return precedent_of({**trained.cause["data"], "class_names": trained.class_names})


def _own_layout(trained: TrainedModel, data: str) -> str:
    """Return the folders of the parts as the model's run named them, where the data have them all."""
    parts = str(trained.cause["recipe"].get("parts", ""))
    if not parts or parts == NO_PARTS or not is_folder(data):
        return parts if is_folder(data) else ""
    try:
        given_parts(Path(data).expanduser(), parts)
    except UsageError:
        return ""
    return parts


def _own_parts(path: Path, trained: TrainedModel, dataset: Dataset) -> dict[str, Tensor]:
    """Return the split of the run that made the model: as its folder has it, else drawn again from its recipe."""
    kept = path / "splits.npz"
    if not kept.is_file():
        return parts_of(recipe(trained.cause["recipe"]), dataset)
    return stored_split(kept, len(dataset.labels))


def _own_labels(trained: TrainedModel, dataset: Dataset) -> Tensor:
    """Return labels as the model numbers its classes, matched by name."""
    unknown = [name for name in dataset.class_names if name not in trained.class_names]
    if unknown:
        raise DataError(f"{dataset.name} has a class {unknown[0]!r} that the model does not know")
    return torch.tensor([trained.class_names.index(name) for name in dataset.class_names])[dataset.labels]


def _fitting(trained: TrainedModel, dataset: Dataset, rows: Tensor) -> Tensor:
    """Return images in the model's shape and pixel units, grey or in three channels as the model takes them."""
    images = dataset.images[rows]
    if dataset.scale != trained.scale:
        images = images.double() * (dataset.scale / trained.scale)
    if images.shape[1] == 1 and trained.image_shape[0] == 3:
        images = images.expand(-1, 3, -1, -1)
    if images.shape[1] == 3 and trained.image_shape[0] == 1:
        images = (images.double() * GREY[:, None, None]).sum(1, keepdim=True)
    if drawn_shape(tuple(images.shape[1:])) == drawn_shape(trained.image_shape):
        images = images.reshape(-1, *trained.image_shape)
    if tuple(images.shape[1:]) != trained.image_shape:
        raise DataError(
            f"{dataset.name} has images of shape {tuple(images.shape[1:])}, the model takes {trained.image_shape}"
        )
    return images


def _converted(trained: TrainedModel, dataset: Dataset) -> list[str]:
    """Say how `_fitting` converts the channels."""
    have, want = dataset.images.shape[1], trained.image_shape[0]
    return [f"all images: {have} channels to {want}, as the model takes them"] if have != want else []


def _files(place: Path) -> tuple[list[Path], list[LeftOut]]:
    """List a file itself, or the images in a folder at any depth by their names, and the entries that are none."""
    if not place.is_dir():
        return [place], []
    listing = images_below(place)
    if not listing.paths:
        left_out = f" ({left_out_note(place, listing.left_out)})" if listing.left_out else ""
        raise DataError(f"{place}: holds no images{left_out}; give image files, or folders of them")
    return listing.paths, listing.left_out
