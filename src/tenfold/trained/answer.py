"""Answers of a model about pictures as a Python caller has them: files, Pillow's images, arrays."""

__all__ = ["answers", "form_of"]

import torch
from torch import Tensor

from tenfold.data.given import Form, Several, pictures
from tenfold.data.types import precedent_of
from tenfold.trained.model import SLICE, Prediction, TrainedModel, finite_scores, in_training, shares, units


def answers(trained: TrainedModel, given: Several) -> Prediction | list[Prediction]:
    """Return what `TrainedModel.predict` says: one answer about a single picture, else a list."""
    sources, single = pictures(given, form_of(trained))
    said = [answer for name, inputs in sources for answer in _answers(trained, name, inputs)]
    return said[0] if single else said


def form_of(trained: TrainedModel) -> Form:
    """Return how the model takes pictures: new ones are read as its data were."""
    data = trained.cause.get("data") or {}
    return Form(trained.image_shape, units(trained), precedent_of({**data, "class_names": trained.class_names}))


def _answers(trained: TrainedModel, name: str, inputs: Tensor) -> list[Prediction]:
    said = []
    for images in torch.split(inputs, SLICE):
        z = finite_scores(trained, images, name or "the model")
        rows = shares(z, trained.loss, trained.temperature).tolist()
        seen = in_training(trained, images)
        met = [None] * len(rows) if seen is None else seen.tolist()
        for label, row, again in zip(z.argmax(1).tolist(), rows, met, strict=True):
            named = dict(zip(trained.class_names, row, strict=True))
            said.append(Prediction(name, trained.class_names[label], named, again))
    return said
