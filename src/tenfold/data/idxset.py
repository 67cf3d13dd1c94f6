"""A data set in four IDX files, as MNIST introduced it: images and labels, to train and to test on."""

__all__ = ["idx_set"]

from collections.abc import Sequence
from pathlib import Path

import torch

from tenfold.data.download import Pinned, obtain
from tenfold.data.readers.idx import idx
from tenfold.data.types import Dataset, DataSource
from tenfold.errors import DataError


def idx_set(source: DataSource, name: str, files: Sequence[Pinned], class_names: tuple[str, ...]) -> Dataset:
    """Load the data set of the files train images, train labels, test images, test labels, in this order.

    Raises DataError that names the file: damaged, images that are not (N, H, W), labels of another number.
    """
    paths = [obtain(source, name, pinned) for pinned in files]
    labels = [_labels(paths[k], paths[k - 1], len(class_names)) for k in (1, 3)]
    counts = [len(part) for part in labels]
    first = _images(paths[0], counts[0])
    images = torch.empty((sum(counts), 1, *first.shape[1:]), dtype=torch.uint8)
    images[: counts[0], 0] = first
    del first  # one part at a time beside the whole
    test = _images(paths[2], counts[1])
    if test.shape[1:] != images.shape[2:]:
        raise DataError(f"{paths[2]}: images are {tuple(test.shape[1:])}, not as in {paths[0].name}; fetch both again")
    images[counts[0] :, 0] = test
    positions = torch.split(torch.arange(sum(counts)), counts)
    parts = {"train": positions[0].clone(), "test": positions[1].clone()}
    return Dataset(name, images, torch.cat(labels), class_names, 1 / 255, parts)


def _images(path: Path, count: int) -> torch.Tensor:
    array = idx(path)
    if array.ndim != 3:
        raise DataError(f"{path}: the array has the shape {array.shape}; expected images (N, height, width)")
    if len(array) != count:
        raise DataError(f"{path}: {len(array):,} images, but {count:,} labels beside it; fetch both files again")
    return torch.from_numpy(array)


def _labels(path: Path, images: Path, classes: int) -> torch.Tensor:
    array = idx(path)
    if array.ndim != 1:
        raise DataError(f"{path}: the array has the shape {array.shape}; expected one label for each of {images.name}")
    if (worst := int(array.max())) >= classes:
        raise DataError(f"{path}: holds the label {worst}, expected 0 to {classes - 1}")
    return torch.from_numpy(array).long()
