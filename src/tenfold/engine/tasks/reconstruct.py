"""Reconstruction: cost = mean loss of the outputs against the model's own inputs + penalties on the weights."""

__all__ = ["reconstruct"]

import torch

from tenfold.engine.chain import chain
from tenfold.engine.models.autoencoder import Autoencoder
from tenfold.engine.objective import Objective, penalize
from tenfold.engine.types import Batch, Buffers, Grads, Loss, Params, Scalar, Value
from tenfold.engine.views import views

UNLABELED = True


def reconstruct(model: Autoencoder, loss: Loss, l1: Scalar = 0.0, l2: Scalar = 0.0) -> Objective:
    """Return the objective of a population of autoencoders; l1, l2: strengths, a number or (P,).

    Returns `objective(params, buffers, batch) -> Value, grads, buffers`; nothing is classified, so accuracy is NaN.
    """

    def objective(params: Params, buffers: Buffers, batch: Batch) -> tuple[Value, Grads, Buffers]:
        outputs, pull, buffers = model.forward(params, buffers, batch.inputs, batch.noise)
        seen = views(batch)
        viewed, pull_view = chain(seen, {}, outputs)
        value, doutputs = loss(viewed, chain(seen, {}, batch.inputs)[0], batch.weight)
        _, grads = pull(pull_view(doutputs, need_dx=True)[0])
        penalty = penalize(params, grads, l1, l2)
        return Value(value, penalty, torch.full_like(value, torch.nan)), grads, buffers

    return objective
