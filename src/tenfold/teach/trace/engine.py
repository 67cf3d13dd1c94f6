"""Tenfold's own layers and losses, asked for the gradients of a trace: what trains is what is explained."""

__all__ = ["engine_slopes"]

from collections.abc import Mapping

import torch
from torch import Tensor

from tenfold.engine.layers.linear import linear
from tenfold.rooms import find
from tenfold.teach.trace.network import Network


def engine_slopes(network: Network, sample: int, tensors: Mapping[str, Tensor], kink: bool) -> dict[str, float]:
    """∂L/∂q by the pullbacks of the layers room, name of q -> value.

    tensors: the trace's values by stem ("w1", "z1"). kink: the loss is at its kink, where a sum in floats may lie on
    the other side: its gradient is then left out, with all that follows from it.
    """
    if kink:
        return {}
    there = {stem: tensor.detach() for stem, tensor in tensors.items()}
    depth = len(network.activations)
    found: dict[str, float] = {}
    down = _loss_gradient(network, sample, _values(network, there, depth))
    for layer in range(depth, 0, -1):
        activation = network.activations[layer - 1]
        found |= _named(_stem(network, layer), down)
        if activation != "identity":
            _, pull = find("layers", activation)(there[f"z{layer}"])
            (down,) = pull(down)
            found |= _named(f"z{layer}", down)
        inputs = _inputs(network, sample, there, layer)
        _, pull = linear(inputs.view(1, 1, -1), there[f"w{layer}"].unsqueeze(0), there[f"b{layer}"].unsqueeze(0))
        dx, dw, db = pull(down.view(1, 1, -1), need_dx=True)
        found |= _named(f"b{layer}", db.flatten())
        found |= {
            f"w{layer}[{i + 1},{j + 1}]": float(dw[0, i, j]) for i in range(dw.shape[1]) for j in range(dw.shape[2])
        }
        down = dx.flatten()
    return found


def _loss_gradient(network: Network, sample: int, out: Tensor) -> Tensor:
    example, scores, loss = network.samples[sample], out.view(1, -1), find("losses", network.loss)
    if network.regresses:
        y = torch.tensor([[float(cell) for cell in example.y]], dtype=torch.float64)
    elif len(out) == 1 and not example.label:
        # One output that says no: the loss of −z that says yes.
        turned: Tensor = loss(-scores, torch.tensor([0]))[1]
        return -turned.flatten()
    else:
        y = torch.tensor([(example.label or 0) if len(out) > 1 else 0])
    gradient: Tensor = loss(scores, y)[1]
    return gradient.flatten()


def _stem(network: Network, layer: int) -> str:
    if layer < len(network.activations):
        return f"h{layer}"
    if network.regresses:
        return "yhat"
    return f"z{layer}" if network.activations[-1] == "identity" else f"h{layer}"


def _values(network: Network, there: Mapping[str, Tensor], layer: int) -> Tensor:
    return there[_stem(network, layer)]


def _inputs(network: Network, sample: int, there: Mapping[str, Tensor], layer: int) -> Tensor:
    if layer > 1:
        return _values(network, there, layer - 1)
    return torch.tensor([float(cell) for cell in network.samples[sample].x], dtype=torch.float64)


def _named(stem: str, values: Tensor) -> dict[str, float]:
    return {f"{stem}[{i}]": float(value) for i, value in enumerate(values.flatten(), 1)}
