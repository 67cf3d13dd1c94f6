"""From a recipe to the data parts that a run trains, validates and tests on, and everything its stages share."""

__all__ = [
    "About",
    "DataFacts",
    "Prepared",
    "data_of_recipe",
    "parts",
    "parts_of",
    "prepare",
    "stored_split",
    "twins",
    "with_defaults",
]

import importlib
import io
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.batches import Part
from tenfold.data.digests import digests_of
from tenfold.data.framing import framing_of
from tenfold.data.levels import Levels
from tenfold.data.load import NEW, fingerprint, is_folder, load
from tenfold.data.progress import Work, unwatched
from tenfold.data.splits import read_split, split
from tenfold.data.types import Dataset, Precedent, precedent_of
from tenfold.engine.population import DTYPES
from tenfold.errors import FileError, RunError, UsageError
from tenfold.files import read_json, write_bytes, write_json
from tenfold.recipe import Recipe
from tenfold.rooms import declared, find
from tenfold.runs.events import Watch, line, working
from tenfold.text import count

# Share of a fit's time that the search for near duplicates may take.
AUDIT = 0.2


@dataclass(frozen=True)
class DataFacts:
    """The data of a run as resolved.json and reports name them.

    image_shape: (channels, height, width). scale: pixel to unit interval. images: part -> number of images.
    background: color that transparent images were laid on. levels: of pixels deeper than 8 bits, see Dataset.
    values: smallest and largest value where they are floating point, else (). unequal: images of unequal sides;
    framing: what became of them.
    """

    name: str = ""
    fingerprint: str = ""
    image_shape: tuple[int, ...] = ()
    scale: float = 1.0
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    images: dict[str, int] = field(default_factory=dict)
    background: str = "white"
    levels: Levels = ()
    values: tuple[float, ...] = ()
    unequal: int = 0
    framing: str = "squash"


class About(NamedTuple):
    """The data of a run, for its results and model files.

    warnings: sentences. twins: (n,) positions of test images with a duplicate in the training part. learned: what the
    features learned, tensors by name. paths: file of each image, or (). digests: (n, 8) of all images, see
    `tenfold.data.digests`.
    """

    facts: DataFacts
    warnings: tuple[str, ...]
    twins: NDArray[np.int64]
    learned: dict[str, Tensor]
    paths: tuple[str, ...]
    digests: Tensor


class Prepared(NamedTuple):
    """The data of a run, ready to train on. recipe: with its open words closed.

    dataset: the images as they came; seen: the same as models see them. audit: its findings, empty without one.
    """

    recipe: Recipe
    dataset: Dataset
    seen: Dataset
    parts: dict[str, Part]
    device: torch.device
    about: About
    audit: dict[str, Any]


def prepare(
    recipe: Recipe,
    folder: Path,
    data_dir: str,
    watch: Watch,
    keep: bool = True,
    dataset: Dataset | None = None,
) -> Prepared:
    """Load, audit, split, make features and standardize.

    Writes audit.json, and unless keep is False splits.npz, resolved.json, and features.tenfold where there are some.
    A run that is resumed is checked by them: its data must be the same, and its split is the one that it has. watch:
    told the progress and what would spoil the result. dataset: the recipe's, where somebody has loaded it already.
    """
    device = _device(recipe.device)
    dataset = dataset or data_of_recipe(recipe, data_dir, _precedent(folder), working(watch), str(folder))
    dataset = replace(dataset, name=recipe.name or dataset.name)
    facts = _facts(dataset)
    _same_data(folder, facts)
    asked = recipe.model_dump()
    kept = folder / "splits.npz"
    if not kept.exists():
        _refuse_shares(recipe, dataset)
    seconds = AUDIT * 60 * recipe.minutes if recipe.kind == "fit" else float("inf")
    findings = _audits().audited(dataset, folder, watch, seconds) if recipe.audit else {}
    positions = stored_split(kept, len(dataset.labels)) if kept.exists() else _split(recipe, dataset, findings)
    if recipe.flip == "photographs":
        recipe = recipe.model_copy(update={"flip": 0.5 if dataset.photographs else 0.0})
    facts = replace(facts, images={part: len(rows) for part, rows in positions.items()})
    if keep:
        write_json(folder / "resolved.json", {"asked": [asked], "recipe": recipe.model_dump(), "data": facts})
        write_bytes(folder / "splits.npz", _packed(positions))
    noticed = [*_unmeasured(dataset, positions), *_slow(recipe)]
    for sentence in noticed:
        line(watch)(f"warning: {sentence}")
    warnings = (*findings.get("warnings", ()), *noticed)
    twinned = twins(findings, dataset, positions["test"], positions["train"])
    images, learned = dataset, {}
    if recipe.features != "pixels":
        featurize = importlib.import_module("tenfold.data.featurize").featurize
        images, learned = featurize(recipe, dataset, positions, folder, device, line(watch), keep)
    about = About(facts, warnings, twinned, learned, dataset.paths, digests_of(dataset.images, dataset.scale))
    return Prepared(recipe, dataset, images, parts(recipe, images, positions, device), device, about, findings)


def stored_split(path: Path, images: int) -> dict[str, Tensor]:
    """Read the positions of each part from a run's splits.npz; a FileError where they are none of so many images."""
    parts = read_split(path)
    together = torch.cat(list(parts.values()))
    if len(together) and not 0 <= int(together.min()) <= int(together.max()) < images:
        raise FileError(f"{path}: damaged (it points outside of the {images:,} images); restore it from a copy")
    return parts


def with_defaults(recipe: Recipe) -> Recipe:
    """Return a recipe with the choices that depend on whether its data are a folder, where it makes none itself."""
    folder = is_folder(recipe.data)
    chosen = {"audit": folder, "framing": "auto" if folder else recipe.framing}
    return recipe.model_copy(update={name: v for name, v in chosen.items() if name not in recipe.model_fields_set})


def data_of_recipe(
    recipe: Recipe,
    data_dir: str,
    precedent: Precedent = NEW,
    watch: Callable[[Work], None] = unwatched,
    scratch: str = "",
) -> Dataset:
    """Load the data of a recipe as it says. precedent: how the same data were read before; watch: told the progress.

    scratch: folder for pixels that are too many for memory.
    """
    return load(
        recipe.data,
        data_dir=data_dir,
        size=recipe.size,
        skip_unreadable=recipe.skip_unreadable,
        parts=recipe.parts,
        framing=recipe.framing,
        precedent=precedent,
        watch=watch,
        scratch=scratch,
    )


def _precedent(folder: Path) -> Precedent:
    """Return how a run that is resumed read its data: rules of later versions must not change its classes."""
    path = folder / "resolved.json"
    return precedent_of(read_json(path, "data")["data"]) if path.exists() else NEW


def parts_of(recipe: Recipe, dataset: Dataset) -> dict[str, Tensor]:
    """Draw the positions again that a run with this recipe trains, validates and tests on, audit and all."""
    return _split(recipe, dataset, _audits().findings_of(dataset) if recipe.audit else {})


def _refuse_shares(recipe: Recipe, dataset: Dataset) -> None:
    """Refuse a size for a part that the data have already, which would change nothing."""
    for part in ("validation", "test"):
        size = getattr(recipe, part)
        if part in dataset.parts and size != Recipe.model_fields[part].default:
            raise UsageError(
                f"--{part} {size:g}: {dataset.name} has a {part} part of its own, with "
                f"{count(len(dataset.parts[part]), 'image')}; leave the option out"
            )


def _unmeasured(dataset: Dataset, positions: dict[str, Tensor]) -> list[str]:
    """Say how many classes a part has no image of."""
    sentences, names = [], dataset.class_names
    for part, not_done in (("validation", "not validated"), ("test", "not tested")):
        there = torch.bincount(dataset.labels[positions[part]], minlength=len(names))
        lacking = [names[k] for k in there.eq(0).nonzero().flatten().tolist()]
        if lacking:
            listed = ", ".join(lacking[:3]) + ", …" * (len(lacking) > 3)
            sentences.append(
                f"{len(lacking):,} of {count(len(names), 'class', 'classes')} without a {part} image, so {not_done}: "
                f"{listed}; macro F1 leaves out a class that is not predicted either"
            )
    return sentences


def _slow(recipe: Recipe) -> list[str]:
    """Say if convolutions are asked for in a format that this machine is slower in."""
    if recipe.precision != "bfloat16" or not declared("models", recipe.model, "IMAGES", False):
        return []
    fastest = importlib.import_module("tenfold.engine.narrowing").fastest_precision()
    slower = "this machine convolves faster in float32, as was measured once; leave --precision out"
    return [f"precision bfloat16: {slower}"] if fastest == "float32" else []


def _audits() -> ModuleType:
    """Import the audit, which a run without one does not need."""
    return importlib.import_module("tenfold.runs.audited")


def _split(recipe: Recipe, dataset: Dataset, findings: dict[str, Any]) -> dict[str, Tensor]:
    groups = _audits().kept_together(findings, dataset) if findings else None
    return split(
        dataset, recipe.seed, recipe.validation, recipe.test, recipe.limit, recipe.rows, recipe.validation_rows, groups
    )


def twins(findings: dict[str, Any], dataset: Dataset, test: Tensor, train: Tensor) -> NDArray[np.int64]:
    """Return the test positions (n,) that have a duplicate among the training ones; none without an audit."""
    if not findings:
        return np.zeros(0, dtype=np.int64)
    groups = _audits().alike(findings, dataset)
    return test.numpy()[np.isin(groups[test.numpy()], groups[train.numpy()])]


def _device(word: str) -> torch.device:
    if word == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if word not in ("cpu", "cuda"):
        raise UsageError(f"no device {word!r}: choose auto, cpu or cuda")
    if word == "cuda" and not torch.cuda.is_available():
        raise UsageError("device cuda: torch finds no such device on this machine; use --device cpu")
    return torch.device(word)


def _facts(dataset: Dataset) -> DataFacts:
    return DataFacts(
        dataset.name,
        fingerprint(dataset),
        tuple(dataset.images.shape[1:]),
        dataset.scale,
        dataset.class_names,
        tuple(dataset.notes),
        background=dataset.background,
        levels=dataset.levels,
        values=tuple(end.item() for end in dataset.images.aminmax()) if dataset.images.is_floating_point() else (),
        unequal=dataset.reading.unequal if dataset.reading else 0,
        framing=framing_of(dataset.framing, dataset.photographs),
    )


def _same_data(folder: Path, facts: DataFacts) -> None:
    """Refuse to go on with other data than the run began with."""
    path = folder / "resolved.json"
    if path.exists() and (began := read_json(path, "data")["data"]["fingerprint"]) != facts.fingerprint:
        raise RunError(
            f"{folder}: the data of {facts.name} changed since the run began "
            f"(fingerprint {facts.fingerprint[:12]}, was {str(began)[:12]}); restore them, or start a new run"
        )


def parts(recipe: Recipe, dataset: Dataset, positions: dict[str, Tensor], device: torch.device) -> dict[str, Part]:
    """Make the named parts, ready to be read in batches; standardized and weighed by what is in "train"."""
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
    """Weigh each image, (N, 1): N / (C n_y) over the training part, so that every class weighs the same."""
    counts = torch.bincount(labels[rows], minlength=int(labels.max()) + 1)
    return (len(rows) / (len(counts) * counts))[labels][:, None]


def _packed(positions: dict[str, Tensor]) -> bytes:
    """Return the split as the bytes of an .npz."""
    buffer = io.BytesIO()
    save: Callable[..., None] = np.savez_compressed
    save(buffer, **{name: rows.numpy() for name, rows in positions.items()})
    return buffer.getvalue()
