"""From a recipe to the parts that a run trains, validates and tests on, and everything its stages share."""

__all__ = ["Prepared", "parts", "parts_of", "prepare", "twins"]

import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.audit import as_json, audit, groups_of
from tenfold.data.batches import Part
from tenfold.data.duplicates import group_ids
from tenfold.data.featurize import seen
from tenfold.data.load import fingerprint, load
from tenfold.data.splits import split
from tenfold.data.types import Dataset
from tenfold.engine.population import DTYPES
from tenfold.errors import RunError, UsageError
from tenfold.files import read_json, write_bytes, write_json
from tenfold.recipe import Recipe
from tenfold.rooms import find


class Prepared(NamedTuple):
    """The recipe with its open words closed, the data and their parts by name, the device, what to say of the data.

    dataset: the images as they came; seen: the same as models see them. found: the audit's findings, empty without one.
    """

    recipe: Recipe
    dataset: Dataset
    seen: Dataset
    parts: dict[str, Part]
    device: torch.device
    about: dict[str, Any]
    found: dict[str, Any]


def prepare(
    recipe: Recipe,
    folder: Path,
    data_dir: str,
    watch: Callable[[str], None],
    keep: bool = True,
    dataset: Dataset | None = None,
) -> Prepared:
    """Load, audit, split, make features and standardize.

    Writes audit.json, and unless keep is False splits.npz, resolved.json, and features.tenfold where there are some.
    A run that is resumed is checked by them: its data must be the same. watch: told what would spoil the result.
    dataset: the recipe's, where somebody has loaded it already.
    """
    device = _device(recipe.device)
    dataset = dataset or load(recipe.data, data_dir=data_dir, size=recipe.size, skip_unreadable=recipe.skip_unreadable)
    about = _about(dataset)
    _same_data(folder, about)
    found = _audited(dataset, folder, watch) if recipe.audit else {}
    positions = _split(recipe, dataset, found)
    if recipe.flip == "photographs":
        recipe = recipe.model_copy(update={"flip": 0.5 if dataset.photographs else 0.0})
    about["images"] = {part: len(rows) for part, rows in positions.items()}
    if keep:
        write_json(folder / "resolved.json", {"recipe": recipe.model_dump(), "data": about})
        write_bytes(folder / "splits.npz", _packed(positions))
    about |= {
        "warnings": [*found.get("warnings", []), *_unmeasured(dataset, positions)],
        "twins": twins(found, dataset, positions["test"], positions["train"]),
    }
    images, about["learned"] = seen(recipe, dataset, positions, folder, device, watch, keep)
    return Prepared(recipe, dataset, images, parts(recipe, images, positions, device), device, about, found)


def parts_of(recipe: Recipe, dataset: Dataset) -> dict[str, Tensor]:
    """The positions that a run with this recipe trains, validates and tests on; drawn again, audit and all."""
    return _split(recipe, dataset, as_json(audit(dataset)) if recipe.audit else {})


def _unmeasured(dataset: Dataset, positions: dict[str, Tensor]) -> list[str]:
    """A class that a part has no image of."""
    told = []
    for part in ("validation", "test"):
        there = torch.bincount(dataset.labels[positions[part]], minlength=len(dataset.class_names))
        lacking = [dataset.class_names[k] for k in there.eq(0).nonzero().flatten().tolist()]
        if lacking:
            more = f" and {len(lacking) - 1:,} more" if len(lacking) > 1 else ""
            told.append(f"No {part} image shows {lacking[0]!r}{more}: it counts as 0 in macro F1 there")
    return told


def _audited(dataset: Dataset, folder: Path, watch: Callable[[str], None]) -> dict[str, Any]:
    """The findings of the audit; a resumed run reads them."""
    path = folder / "audit.json"
    if path.exists():
        return dict(read_json(path, "warnings"))
    start = time.perf_counter()
    found = as_json(audit(dataset))
    found["seconds"] = round(time.perf_counter() - start, 2)
    write_json(path, found)
    watch(f"audit: {len(dataset.labels):,} images in {found['seconds']:.1f} s, {_told(found)}")
    for warning in found["warnings"]:
        watch(f"warning: {warning}")
    return found


def _told(found: dict[str, Any]) -> str:
    groups = groups_of(found)
    images = sum(map(len, groups))
    many = "s" * (len(groups) != 1)
    return f"{images:,} of them in {len(groups):,} group{many} of duplicates" if groups else "no duplicates"


def _split(recipe: Recipe, dataset: Dataset, found: dict[str, Any]) -> dict[str, Tensor]:
    groups = group_ids(len(dataset.labels), groups_of(found)) if found else None
    return split(
        dataset, recipe.seed, recipe.validation, recipe.test, recipe.limit, recipe.rows, recipe.validation_rows, groups
    )


def twins(found: dict[str, Any], dataset: Dataset, test: Tensor, train: Tensor) -> NDArray[np.int64]:
    """Those of the test positions (n,) that have a duplicate among the training ones; none without an audit."""
    if not found:
        return np.zeros(0, dtype=np.int64)
    groups = group_ids(len(dataset.labels), [*groups_of(found), *found["large"]])
    return test.numpy()[np.isin(groups[test.numpy()], groups[train.numpy()])]


def _device(word: str) -> torch.device:
    if word == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if word not in ("cpu", "cuda"):
        raise UsageError(f"device {word!r}: known are auto, cpu and cuda")
    if word == "cuda" and not torch.cuda.is_available():
        raise UsageError("device cuda: torch finds none on this machine; use --device cpu")
    return torch.device(word)


def _about(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "fingerprint": fingerprint(dataset),
        "image_shape": list(dataset.images.shape[1:]),
        "scale": dataset.scale,
        "class_names": list(dataset.class_names),
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


def parts(recipe: Recipe, dataset: Dataset, positions: dict[str, Tensor], device: torch.device) -> dict[str, Part]:
    """The named parts, ready to be read in batches; standardized and weighed by what is in "train"."""
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
