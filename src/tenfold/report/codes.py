"""Autoencoders of a run, for figures: their losses, and images above their reconstructions."""

__all__ = ["SHOWN", "encoder_losses", "encoders", "reconstructions"]

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tenfold.data.autoencoding import reconstructed
from tenfold.trained.model import TrainedModel

SHOWN = 10
"""Images that are shown above their reconstructions."""


def encoders(models: Mapping[str, TrainedModel]) -> dict[str, TrainedModel]:
    """Return the models whose features are codes, one for each autoencoder."""
    kept: dict[str, TrainedModel] = {}
    for rung, model in models.items():
        histories = [other.learned["history"] for other in kept.values()]
        if model.features == "codes" and not any(torch.equal(model.learned["history"], other) for other in histories):
            kept[rung] = model
    return kept


def encoder_losses(models: Mapping[str, TrainedModel]) -> dict[str, NDArray[np.float64]]:
    """Return the losses of each autoencoder, (epochs, 2): on training and on held-out images."""
    return {rung: model.learned["history"].double().numpy() for rung, model in encoders(models).items()}


def reconstructions(models: Mapping[str, TrainedModel], images: Tensor) -> dict[str, NDArray[np.float32]]:
    """Return the first of these images (N, C, H, W) and what each autoencoder makes of them, (2, n, C, H, W)."""
    return {rung: reconstructed(model.learned, images[:SHOWN]).numpy() for rung, model in encoders(models).items()}
