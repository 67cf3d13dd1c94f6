"""Replace a data set's images by fitted features, computed once per run; pixels stay as they are.

Features learn from the training part of the run and from nothing else. All models of a run get the same features: those
of a sweep's folds, whose validation images may be among the images that the features learned from, without labels; and
the final model, trained on training and validation images together.
"""

__all__ = ["Featurized", "featurize"]

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from tenfold import files
from tenfold.data.types import LARGEST, Dataset
from tenfold.errors import FileError, UsageError
from tenfold.recipe import Recipe
from tenfold.rooms import find

KIND = "tenfold features"
# Images that are turned into features at a time.
SLICE = 1000
# Bytes that the features of a data set may take.
MOST = 16 * 10**9


class Featurized(NamedTuple):
    """A data set whose images are replaced by features, and the tensors that the features learned."""

    dataset: Dataset
    learned: dict[str, Tensor]


def featurize(
    recipe: Recipe,
    dataset: Dataset,
    positions: Mapping[str, Tensor],
    folder: Path,
    device: torch.device,
    watch: Callable[[str], None],
    keep: bool,
) -> Featurized:
    """Replace images by features, (N, 1, 1, D) float32, zeros where no part has them.

    The learned tensors are written to features.tenfold in the run's folder if keep is True, and read if it is there.
    """
    if math.prod(dataset.images.shape[1:]) > LARGEST:
        raise UsageError(f"features {recipe.features}: the images of {dataset.name} are too large; leave them pixels")
    feature, path, start = find("features", recipe.features), folder / "features.tenfold", time.perf_counter()
    if path.exists():
        learned = _read(path, recipe.features)
    else:
        learned = feature.fit(dataset, positions["train"], recipe, device, watch)
        if keep:
            files.save(path, learned, {"kind": KIND, "features": recipe.features})
    images = _transformed(feature.transform, learned, dataset.images, torch.cat(list(positions.values())), device)
    seconds, width = time.perf_counter() - start, images.shape[-1]
    watch(f"features: {width:,} numbers of each image in place of {dataset.images[0].numel():,}, in {seconds:.1f} s")
    return Featurized(replace(dataset, images=images, scale=1.0), learned)


def _transformed(
    transform: Callable[[Mapping[str, Tensor], Tensor], Tensor],
    learned: Mapping[str, Tensor],
    images: Tensor,
    rows: Tensor,
    device: torch.device,
) -> Tensor:
    """Compute features of the images at rows, (N, 1, 1, D), zeros elsewhere."""
    tensors = {name: tensor.to(device) for name, tensor in learned.items()}
    width = transform(tensors, images[rows[:1]].to(device)).shape[1]
    if 4 * len(images) * width > MOST:
        size = 4e-9 * len(images) * width
        raise UsageError(f"{len(images):,} images of {width:,} features take {size:.0f} GB: choose fewer features")
    features = torch.zeros(len(images), 1, 1, width)
    for piece in torch.split(rows, SLICE):
        features[piece, 0, 0] = transform(tensors, images[piece].to(device)).to(features)
    return features


def _read(path: Path, word: str) -> dict[str, Tensor]:
    learned, described = files.load(path)
    if described.get("kind") != KIND or described.get("features") != word:
        raise FileError(f"{path}: does not hold the features {word} of this run; restore it from a copy")
    return learned
