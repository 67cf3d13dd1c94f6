"""Names the first tensor that went non-finite in a step, by taking that step again layer by layer."""

__all__ = ["failure"]

from collections.abc import Iterator

from torch import Tensor

from tenfold.engine.chain import applied
from tenfold.engine.objective import weighed
from tenfold.engine.types import Batch, Buffers, Link, Loss, Model, Params
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
        for name, values in _inside(link, params, buffers, x):
            yield f"{link.name}.{name}", "output", values
        x, pull, _ = applied(link, params, buffers, x)
        pulls.append(pull)
        yield link.name, "output", x
    value, dy = weighed(loss, x, batch)
    yield "loss", "value", value
    yield "loss", "score gradient", dy
    for position in reversed(range(len(links))):
        dx, *dweights = pulls[position](dy, need_dx=position > 0)
        named = list(zip(links[position].weights, dweights, strict=True))
        for name, dweight in reversed(named) if links[position].inside else named:  # a block's last layer comes first
            yield name.rpartition(".")[0], f"{name.rpartition('.')[2]} gradient", dweight
        if dx is not None:
            yield links[position].name, "input gradient", dx
            dy = dx


def _inside(link: Link, params: Params, buffers: Buffers, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """Yield the outputs of the layers of a block; none of a single layer."""
    given = (*(params[name] for name in link.weights), *(buffers[name] for name in link.buffers))
    return link.inside(x, *given) if link.inside else iter(())
