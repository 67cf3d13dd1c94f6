"""A trained model at work: scored on labeled data, or asked about image files."""

__all__ = ["evaluate_model", "predict_files"]

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tenfold.datasets.folder import ENDINGS
from tenfold.errors import DataError, FileError, UsageError, nearest
from tenfold.evaluate import measure
from tenfold.loading import OWN, fingerprint, load
from tenfold.modelfile import TrainedModel, load_model, probabilities
from tenfold.readers.images import images as read_image
from tenfold.recipe import recipe
from tenfold.rooms import names
from tenfold.splits import split
from tenfold.types import Dataset

SLICE = 1000
PARTS = ("train", "validation", "test", "all")


def evaluate_model(path: Path, data: str, part: str, data_dir: str, skip_unreadable: bool = False) -> dict[str, Any]:
    """Metrics of a run's model (or a model file) on a part of labeled data.

    part: "train", "validation", "test", "all", or "": test where there is one, else all. Where the data are those that
    the model was trained on, the parts are that run's own. Raises DataError where classes or shapes do not fit.
    """
    if part and part not in PARTS:
        raise UsageError(f"no part {part!r}: {nearest(part, PARTS)}")
    trained = opened_model(path)
    own = (data in names("datasets") and data not in OWN) or data.endswith(".npz")
    size = 0 if own else trained.image_shape[-1]
    dataset = load(data, data_dir=data_dir, size=size, skip_unreadable=skip_unreadable)
    same = fingerprint(dataset) == trained.cause["data"]["fingerprint"]
    parts = _own_parts(trained, dataset) if same else dataset.parts
    part = part or ("test" if "test" in parts else "all")
    if part not in parts and part != "all":
        raise UsageError(f"{data} has no {part} part; it has {', '.join((*parts, 'all'))}")
    rows = torch.arange(len(dataset.labels)) if part == "all" else parts[part]
    shares = torch.cat(
        [probabilities(trained, _fitting(trained, dataset, piece)) for piece in torch.split(rows, SLICE)]
    )
    labels = _own_labels(trained, dataset)[rows]
    measured = measure(labels.numpy(), shares.argmax(1).numpy(), trained.class_names)
    return {
        "model": str(path),
        "data": dataset.name,
        "part": part,
        "same_data": same,
        **measured,
        "notes": list(dataset.notes),
    }


def predict_files(path: Path, images: Sequence[Path], skip_unreadable: bool = False) -> dict[str, Any]:
    """Probabilities of every class for image files, and for those in folders, in the order of their names."""
    trained = opened_model(path)
    mode = {1: "L", 3: "RGB"}.get(trained.image_shape[0])
    if mode is None or trained.image_shape[1] != trained.image_shape[2]:
        raise UsageError(f"{path}: takes inputs of shape {trained.image_shape}, which image files do not have")
    files = [file for place in images for file in _files(place)]
    predictions, broken = [], []
    for file in files:
        try:
            pixels, _ = read_image(file).pixels(mode, trained.image_shape[1])
        except DataError as error:
            if not skip_unreadable:
                raise DataError(f"{error}; --skip-unreadable goes on without it") from None
            broken.append(str(file))
            continue
        shares = probabilities(trained, torch.tensor(pixels)[None].double() / 255 / trained.scale)[0]
        predicted = trained.class_names[int(shares.argmax())]
        predictions.append({"file": str(file), "predicted": predicted, "probabilities": shares.tolist()})
    notes = [f"{len(broken)} of {len(files)} images could not be read: {', '.join(broken[:3])}"] if broken else []
    return {"model": str(path), "class_names": list(trained.class_names), "predictions": predictions, "notes": notes}


def opened_model(path: Path) -> TrainedModel:
    """The model of a run folder, or of a model file."""
    file = path / "model.tenfold" if path.is_dir() else path
    if not file.exists():
        why = "the run has no model yet" if path.is_dir() else "no such file"
        raise FileError(f"{file}: {why}")
    return load_model(file)


def _own_parts(trained: TrainedModel, dataset: Dataset) -> dict[str, Tensor]:
    """The split of the run that made the model, drawn again from its recipe."""
    own = recipe(trained.cause["recipe"])
    return split(dataset, own.seed, own.validation, own.test, own.limit, own.rows, own.validation_rows)


def _own_labels(trained: TrainedModel, dataset: Dataset) -> Tensor:
    """Labels as the model numbers its classes, matched by name."""
    unknown = [name for name in dataset.class_names if name not in trained.class_names]
    if unknown:
        raise DataError(f"{dataset.name} has a class {unknown[0]!r} that the model does not know")
    return torch.tensor([trained.class_names.index(name) for name in dataset.class_names])[dataset.labels]


def _fitting(trained: TrainedModel, dataset: Dataset, rows: Tensor) -> Tensor:
    """Images in the model's own shape and pixel units; grey ones serve a color model in all three channels."""
    images = dataset.images[rows]
    if dataset.scale != trained.scale:
        images = images.double() * (dataset.scale / trained.scale)
    if images.shape[1] == 1 and trained.image_shape[0] == 3:
        images = images.expand(-1, 3, -1, -1)
    if tuple(images.shape[1:]) != trained.image_shape:
        raise DataError(
            f"{dataset.name} has images of shape {tuple(images.shape[1:])}, the model takes {trained.image_shape}"
        )
    return images


def _files(place: Path) -> list[Path]:
    """A file itself, or the images in a folder at any depth, by their names."""
    if not place.is_dir():
        return [place]
    found = sorted(
        Path(folder) / name
        for folder, _, files in os.walk(place)
        for name in files
        if Path(name).suffix.lower() in ENDINGS
    )
    if not found:
        raise DataError(f"{place}: no images in it")
    return found
