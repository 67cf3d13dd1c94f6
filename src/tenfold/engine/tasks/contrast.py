"""Contrast: cost = mean loss of embeddings, by which of them belong together, + penalties on the weights."""

__all__ = ["contrast"]

from collections.abc import Sequence

import torch

from tenfold.engine.chain import chain
from tenfold.engine.objective import Objective, penalize, side_by_side, weighed
from tenfold.engine.types import Batch, Buffers, Grads, Loss, Model, Params, Scalar, Value
from tenfold.engine.views import views
from tenfold.rooms import Hyperparameter

LOSSES = "embedding_losses"
CHOICES = {"embedding": 128}
INSTEAD = {"loss": "triplet", "test_views": "none"}
NUMBERS = (
    Hyperparameter(
        "projection", 0, "width of a head behind the embedding, which the loss alone sees; 0: none", least=0
    ),
    Hyperparameter(
        "embedding_length",
        "loss",
        "length of the embeddings that the loss sees: unit, raw, or loss for what it is defined for",
        words=("loss", "unit", "raw"),
    ),
    Hyperparameter(
        "batch_classes",
        0,
        "classes in a batch, each with as many images; 0: all that fit, or any images where no labels are needed",
        least=0,
    ),
)


def contrast(model: Model, losses: Sequence[tuple[Loss, int]], l1: Scalar = 0.0, l2: Scalar = 0.0) -> Objective:
    """Return the objective of a population of encoders whose members may differ in loss and penalty.

    losses: (loss, count) for consecutive members, counts adding up to P; l1, l2: strengths, a number or (P,).
    Returns `objective(params, buffers, batch) -> Value, grads, buffers`; nothing is classified, so accuracy is NaN.
    """
    score = side_by_side(losses)

    def objective(params: Params, buffers: Buffers, batch: Batch) -> tuple[Value, Grads, Buffers]:
        embeddings, pull, buffers = model.forward(params, buffers, batch.inputs, batch.noise)
        embeddings, pull_view = chain(views(batch), {}, embeddings)
        loss, dembeddings = weighed(score, embeddings, batch)
        _, grads = pull(pull_view(dembeddings, need_dx=True)[0])
        penalty = penalize(params, grads, l1, l2)
        return Value(loss, penalty, torch.full_like(loss, torch.nan)), grads, buffers

    return objective
