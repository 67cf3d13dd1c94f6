"""Classification: cost = mean loss of the scores + penalties on the weights, and its gradient in every parameter."""

__all__ = ["classify"]

from collections.abc import Sequence

from tenfold.engine.chain import chain
from tenfold.engine.objective import Objective, penalize, side_by_side, weighed
from tenfold.engine.types import Batch, Buffers, Grads, Loss, Model, Params, Scalar, Value
from tenfold.engine.views import views


def classify(model: Model, losses: Sequence[tuple[Loss, int]], l1: Scalar = 0.0, l2: Scalar = 0.0) -> Objective:
    """Return the objective of a population whose members may differ in loss and penalty.

    losses: (loss, count) for consecutive members, counts adding up to P; l1, l2: strengths, a number or (P,).
    Returns `objective(params, buffers, batch) -> Value, grads, buffers`.
    """
    score = side_by_side(losses)

    def objective(params: Params, buffers: Buffers, batch: Batch) -> tuple[Value, Grads, Buffers]:
        scores, pull, buffers = model.forward(params, buffers, batch.inputs, batch.noise)
        scores, pull_view = chain(views(batch), {}, scores)
        right = scores.max(-1).indices == batch.targets
        loss, dscores = weighed(score, scores, batch)
        _, grads = pull(pull_view(dscores, need_dx=True)[0])
        penalty = penalize(params, grads, l1, l2)
        return Value(loss, penalty, right.mean(-1, dtype=loss.dtype)), grads, buffers

    return objective
