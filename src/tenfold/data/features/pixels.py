"""The pixels themselves, in the type that they have: nothing is learned, nothing is computed."""

__all__ = ["pixels"]

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from tenfold.data.types import Dataset, Feature
from tenfold.recipe import Recipe


def _fit(
    dataset: Dataset, rows: Tensor, recipe: Recipe, device: torch.device, watch: Callable[[str], None]
) -> dict[str, Tensor]:
    return {}


def _transform(learned: Mapping[str, Tensor], images: Tensor) -> Tensor:
    """Return the pixels (N, D) as they are, not float32: they become numbers one batch at a time."""
    return images.flatten(1)


pixels = Feature(_fit, _transform)
