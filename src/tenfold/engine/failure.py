"""Names the first tensor that went non-finite in a step, by taking that step again layer by layer."""

__all__ = ["failure"]

from collections.abc import Iterator

from torch import Tensor

from tenfold.engine.chain import applied
from tenfold.engine.objective import weighed
from tenfold.engine.types import Batch, Buffers, Loss, Model, Params
from tenfold.engine.views import views


def failure(model: Model, params: Params, buffers: Buffers, batch: Batch, loss: Loss) -> dict[str, str]:
    """Find the layer and tensor where a member's step first holds a NaN or an infinity.

    params, buffers: of that member from before the step, name -> (1, ...); batch: as it saw it. Returns {"layer",
    "tensor"}; where every tensor of the step is finite, the penalty was not.
    """
    for layer, tensor, values in _tensors(model, params, buffers, batch, loss):
        if not bool(values.isfinite().all()):
            return {"layer": layer, "tensor": tensor}
    return {"layer": "cost", "tensor": "penalty"}


def _tensors(
    model: Model, params: Params, buffers: Buffers, batch: Batch, loss: Loss
) -> Iterator[tuple[str, str, Tensor]]:
    """Yield every tensor of one step in the order in which it is computed."""
    x, pulls = batch.inputs, []
    for name, weight in params.items():
        yield name.rpartition(".")[0], name.rpartition(".")[2], weight
    links = (*model.links(batch.noise), *views(batch))
    for link in links:
        x, pull, _ = applied(link, params, buffers, x)
        pulls.append(pull)
        yield link.name, "output", x
    value, dy = weighed(loss, x, batch)
    yield "loss", "value", value
    yield "loss", "score gradient", dy
    for position in reversed(range(len(links))):
        dx, *dweights = pulls[position](dy, need_dx=position > 0)
        for name, dweight in zip(links[position].weights, dweights, strict=True):
            yield links[position].name, f"{name.rpartition('.')[2]} gradient", dweight
        if dx is not None:
            yield links[position].name, "input gradient", dx
            dy = dx
