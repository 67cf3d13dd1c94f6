"""From a recipe to the parts that a run trains, validates and tests on, and everything its stages share."""

__all__ = ["Prepared", "prepare"]

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from tenfold.batches import Part
from tenfold.errors import RunError, UsageError
from tenfold.loading import fingerprint, load
from tenfold.population import DTYPES
from tenfold.recipe import Recipe
from tenfold.results import read_json, write_json
from tenfold.rooms import find
from tenfold.splits import split
from tenfold.tensorfile import write_bytes
from tenfold.types import Dataset


class Prepared(NamedTuple):
    """The recipe with its open words closed, the parts by name, the device, and what to say of the data."""

    recipe: Recipe
    parts: dict[str, Part]
    device: torch.device
    about: dict[str, Any]


def prepare(recipe: Recipe, folder: Path, data_dir: str) -> Prepared:
    """Load, split and standardize; writes splits.npz and resolved.json, or checks the data of a resumed run by them."""
    device = _device(recipe.device)
    dataset = load(recipe.data, data_dir=data_dir, size=recipe.size, skip_unreadable=recipe.skip_unreadable)
    positions = split(
        dataset, recipe.seed, recipe.validation, recipe.test, recipe.limit, recipe.rows, recipe.validation_rows
    )
    if recipe.flip == "photographs":
        recipe = recipe.model_copy(update={"flip": 0.5 if dataset.photographs else 0.0})
    about = _about(dataset, positions)
    _same_data(folder, about)
    write_json(folder / "resolved.json", {"recipe": recipe.model_dump(), "data": about})
    write_bytes(folder / "splits.npz", _packed(positions))
    return Prepared(recipe, _parts(recipe, dataset, positions, device), device, about)


def _device(word: str) -> torch.device:
    if word == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if word not in ("cpu", "cuda"):
        raise UsageError(f"device {word!r}: known are auto, cpu and cuda")
    if word == "cuda" and not torch.cuda.is_available():
        raise UsageError("device cuda: torch finds none on this machine; use --device cpu")
    return torch.device(word)


def _about(dataset: Dataset, positions: dict[str, Tensor]) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "fingerprint": fingerprint(dataset),
        "image_shape": list(dataset.images.shape[1:]),
        "scale": dataset.scale,
        "class_names": list(dataset.class_names),
        "images": {part: len(rows) for part, rows in positions.items()},
        "notes": list(dataset.notes),
    }


def _same_data(folder: Path, about: dict[str, Any]) -> None:
    """A run goes on only with the data that it began with."""
    path = folder / "resolved.json"
    if path.exists() and (began := read_json(path, "data")["data"]["fingerprint"]) != about["fingerprint"]:
        raise RunError(
            f"{folder}: the data of {about['name']} are not those that it began with "
            f"(fingerprint {about['fingerprint'][:12]}, was {str(began)[:12]}); put them back, or start a new run"
        )


def _parts(recipe: Recipe, dataset: Dataset, positions: dict[str, Tensor], device: torch.device) -> dict[str, Part]:
    fit = find("standardizations", recipe.standardize.replace("-", "_"))
    factor, offset = (
        t.to(device, DTYPES[recipe.precision]) for t in fit(dataset.images, positions["train"], dataset.scale)
    )
    images, labels = dataset.images.to(device), dataset.labels.to(device)
    weights = (
        _balance(labels, positions["train"]).to(device, factor.dtype) if recipe.class_weight == "balanced" else 1.0
    )
    return {
        name: Part(images, labels, rows.to(device), factor, offset, weights if name == "train" else 1.0)
        for name, rows in positions.items()
    }


def _balance(labels: Tensor, rows: Tensor) -> Tensor:
    """Weight of each image, (N, 1): N / (C n_y) over the training part, so that every class weighs the same."""
    counts = torch.bincount(labels[rows], minlength=int(labels.max()) + 1)
    return (len(rows) / (len(counts) * counts))[labels][:, None]


def _packed(positions: dict[str, Tensor]) -> bytes:
    """The split as an .npz."""
    buffer = io.BytesIO()
    save: Callable[..., None] = np.savez_compressed
    save(buffer, **{name: rows.numpy() for name, rows in positions.items()})
    return buffer.getvalue()
