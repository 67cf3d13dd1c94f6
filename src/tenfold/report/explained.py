"""How models of a run see: the filters of a first convolution, and what some of the predictions rest on."""

__all__ = ["SHOWN", "explanations", "first_layers", "maps"]

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.types import Dataset, drawn_shape
from tenfold.engine.whitening import EPSILON
from tenfold.report.pictures import displayed
from tenfold.report.results import Explanations, FirstLayer, Results
from tenfold.report.selection import least_certain, mistakes
from tenfold.trained.model import TrainedModel
from tenfold.trained.saliency import COPIES, gradient_times_input, smoothed_gradient, standardized, unmapped

SHOWN = 8
"""Predictions that a report explains."""

MOST = 64


def first_layers(models: Mapping[str, TrainedModel]) -> dict[str, FirstLayer]:
    """Return the first filters of each rung's winner that is a convolutional network."""
    return {rung: _first_layer(trained) for rung, trained in models.items() if trained.model.filters}


def _first_layer(trained: TrainedModel) -> FirstLayer:
    """Return the first filters; of filters that whiten, those that are not the negative of another."""
    name = trained.model.filters
    filters = trained.params[name][0].float()
    if name in trained.model.shapes():
        return FirstLayer(filters[:MOST].numpy(), len(filters), np.zeros(0))
    half = filters[: len(filters) // 2]
    lengths = half.double().flatten(1).square().sum(1).clamp(min=1e-300)  # |v / √(λ + ε)|² = 1 / (λ + ε)
    return FirstLayer(half[:MOST].numpy(), len(half), (1 / lengths - EPSILON).clamp(min=0)[:MOST].numpy())


def explanations(trained: TrainedModel, results: Results, dataset: Dataset) -> Explanations | None:
    """Explain the surest mistakes of the best model, or its least certain answers where it made none.

    None where its inputs are no pictures, or no gradient leads back to their pixels.
    """
    if unmapped(trained) or min(drawn_shape(trained.image_shape)[1:]) < 2 or not len(results.labels):
        return None
    wrong = mistakes(results, SHOWN)
    rows = wrong if len(wrong) else least_certain(results, SHOWN)
    images, predicted = dataset.images[torch.from_numpy(results.positions[rows])], results.predicted[results.best][rows]
    plain, smoothed = maps(trained, images, torch.from_numpy(predicted))
    sure = results.confidence.get(results.best, np.full(len(results.labels), np.nan))
    return Explanations(
        bool(len(wrong)),
        np.stack([displayed(image, dataset.scale) for image in images]),
        plain,
        smoothed,
        tuple(results.class_names[label] for label in results.labels[rows]),
        tuple(results.class_names[label] for label in predicted),
        tuple(map(float, sure[rows])),
    )


def maps(
    trained: TrainedModel, images: Tensor, labels: Tensor, copies: int = COPIES
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return gradient × input, summed over channels, with the plain and with the smoothed gradient: (N, H, W) each.

    images: (N, C, H, W) in the pixel units of the model's data; labels: (N,). copies: that the gradient is smoothed by.
    """
    plain = gradient_times_input(trained, images, labels)
    smoothed = standardized(trained, images) * smoothed_gradient(trained, images, labels, copies)
    shape = (-1, *drawn_shape(trained.image_shape))
    first, second = (values.view(shape).sum(1).float().numpy() for values in (plain, smoothed))
    return first, second
