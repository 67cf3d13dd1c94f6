"""A trained model opened, and scored on labeled data."""

__all__ = ["evaluate_model", "is_model", "opened_model"]

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.choices import recipe
from tenfold.data.digests import digests_of
from tenfold.data.load import fingerprint, is_folder, load
from tenfold.data.partfolders import NO_PARTS, given_parts
from tenfold.data.types import Dataset, drawn_shape
from tenfold.errors import DataError, FileError, RunError, UsageError, nearest
from tenfold.files import as_json, is_saved
from tenfold.runs.events import Watch, silent, working
from tenfold.runs.prepare import parts_of, stored_split
from tenfold.text import count, percent
from tenfold.trained.answer import form_of
from tenfold.trained.evaluate import measure
from tenfold.trained.metrics import Metrics
from tenfold.trained.model import ENCODER, TrainedModel, finite_scores, in_training, load_model, test_views
from tenfold.trained.views import views_text

SLICE = 1000
PARTS = ("train", "validation", "test", "all")
GREY = torch.tensor([0.299, 0.587, 0.114], dtype=torch.float64)  # ITU-R 601, as the reader of image files does it


def evaluate_model(
    path: Path,
    data: str,
    part: str,
    data_dir: str,
    skip_unreadable: bool = False,
    parts: str = "",
    watch: Watch = silent,
) -> dict[str, Any]:
    """Return metrics of a run's model (or a model file) on a part of labeled data.

    part: "train", "validation", "test", "all", or "": test where there is one, else all. Where the data are those that
    the model was trained on, the parts are that run's own. parts: folders of the parts, "" for those of the run where
    the data have them. watch: hears how far reading is. The data may lack classes. Raises DataError where they have
    others, or shapes do not fit.
    """
    if part and part not in PARTS:
        raise UsageError(f"no part {part!r}: {nearest(part, PARTS)}")
    trained = opened_model(path, data)
    dataset = _data(trained, data, data_dir, skip_unreadable, parts, watch)
    same = fingerprint(dataset) == trained.cause["data"]["fingerprint"]
    positions = _own_parts(path, trained, dataset) if same else dataset.parts
    part = part or ("test" if "test" in positions else "all")
    if part not in positions and part != "all":
        raise UsageError(f"{data} has no {part} part; it has {', '.join((*positions, 'all'))}")
    rows = torch.arange(len(dataset.labels)) if part == "all" else positions[part]
    if same and not len(trained.seen):  # an older model file
        trained = replace(trained, seen=digests_of(dataset.images[positions["train"]], dataset.scale))
    predicted, seen = _asked(path, trained, dataset, rows)
    labels = _own_labels(trained, dataset)[rows].numpy()
    return {
        "model": str(path),
        "data": dataset.name,
        "part": part,
        "same_data": same,
        **_plain_scores(measure(labels, predicted, trained.class_names)),
        "in_training": None if seen is None else int(seen.sum()),
        "notes": [
            *dataset.notes,
            *_converted(trained, dataset),
            *_seen_note(seen, predicted == labels),
            *_views_note(trained),
        ],
    }


def _views_note(trained: TrainedModel) -> list[str]:
    """Say what scores are the mean of, where that is several views of an image."""
    said = views_text(*test_views(trained))
    return [f"scores are {said}"] if said else []


def _data(trained: TrainedModel, data: str, data_dir: str, skip_unreadable: bool, parts: str, watch: Watch) -> Dataset:
    """Load labeled data as the model takes them."""
    return load(
        data,
        data_dir=data_dir,
        size=drawn_shape(trained.image_shape)[-1] if is_folder(data) else 0,
        skip_unreadable=skip_unreadable,
        watch=working(watch),
        parts=parts or _own_layout(trained, data),
        precedent=form_of(trained).precedent,
    )


def _asked(
    path: Path, trained: TrainedModel, dataset: Dataset, rows: Tensor
) -> tuple[NDArray[np.int64], NDArray[np.bool_] | None]:
    """Return the predicted labels (n,) of the images at rows, and which were in training, None where none can tell."""
    factor = _factor(trained, dataset)
    predicted, seen = [], []
    for piece in torch.split(rows, SLICE):
        images = _fitting(trained, dataset, piece, factor)
        predicted.append(finite_scores(trained, images, path).argmax(1))
        seen.append(in_training(trained, images))
    met = [piece for piece in seen if piece is not None]
    return torch.cat(predicted).numpy(), torch.cat(met).numpy() if met else None


def _seen_note(seen: NDArray[np.bool_] | None, right: NDArray[np.bool_]) -> list[str]:
    """Say how many of the images the model was trained on, and what its accuracy is on the others."""
    if seen is None:
        return ["the model file is older than its list of training images: these may be among them"]
    if not seen.any():
        return []
    others = f"; accuracy on the others: {percent(float(right[~seen].mean()), ' %')}" if not seen.all() else ""
    return [
        f"{seen.sum():,} of {count(len(seen), 'image')} were in the model's training, by their content: on these the "
        f"score is no test{others}"
    ]


def _plain_scores(metrics: Metrics) -> dict[str, Any]:
    """Return the scores without those that only a run has."""
    run_only = ("calibration", "without_twins")
    return {name: value for name, value in as_json(metrics).items() if name not in run_only}


def opened_model(path: Path, *others: str) -> TrainedModel:
    """Load the model of a run folder, or of a model file. others: what was given beside it, perhaps in its place."""
    if not is_model(path):
        if swapped := next((other for other in others if is_model(Path(other))), None):
            raise UsageError(f"{path}: neither a run nor a model, but {swapped} is: give that first")
        if not path.exists():
            raise FileError(f"{path}: not found; expected a run folder or a model file")
        what = "not a run folder: it has no model.tenfold" if path.is_dir() else "not a model"
        raise (RunError if path.is_dir() else FileError)(f"{path}: {what}; {_where_a_model_is(path)}")
    if path.is_dir() and not (path / "model.tenfold").exists():
        raise RunError(f"{path}: the run has no model yet")
    trained = load_model(path / "model.tenfold" if path.is_dir() else path)
    if not trained.model.classes:
        raise UsageError(f"{path}: {ENCODER}")
    return trained


def is_model(path: Path) -> bool:
    """Test for a model file, maybe a damaged one, or for a run folder, with or without a model."""
    if path.is_dir():
        return (path / "recipe.toml").exists() or (path / "model.tenfold").exists()
    return path.is_file() and (path.suffix == ".tenfold" or is_saved(path))


def _where_a_model_is(path: Path) -> str:
    """Say what to give in place of a path that is no model, or holds none: the run that it belongs to, or its runs."""
    if path.is_file() and is_model(path.parent):
        return f"give its run folder, {path.parent}"
    inside = sorted(place for place in path.glob("*") if is_model(place)) if path.is_dir() else []
    return f"give one of the models in it, such as {inside[-1]}" if inside else "give a run folder or its model.tenfold"


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


def _factor(trained: TrainedModel, dataset: Dataset) -> float:
    """Return what brings the data's pixels to the model's units."""
    units = form_of(trained).units
    if dataset.scale < 1 and units.are_pixels:
        return units.top * dataset.scale
    if dataset.paths and not units.are_pixels:
        raise DataError(f"{dataset.name} has pictures, but the model was trained on numbers that are no pixels")
    low, high = (end.item() for end in dataset.images.aminmax())
    try:
        return units.factor(low, high, True)
    except DataError as error:
        raise DataError(f"{dataset.name}: {error}") from None


def _fitting(trained: TrainedModel, dataset: Dataset, rows: Tensor, factor: float) -> Tensor:
    """Return images in the model's shape and pixel units, grey or in three channels as the model takes them."""
    images = dataset.images[rows]
    if factor != 1:
        images = images.double() * factor
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
