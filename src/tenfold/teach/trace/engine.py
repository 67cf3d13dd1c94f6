"""Tenfold's own layers and losses, asked for the numbers of a trace: what trains is what is explained."""

__all__ = ["engine_numbers"]

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from tenfold.engine.layers.linear import linear
from tenfold.rooms import find
from tenfold.teach.trace.expressions import Symbol
from tenfold.teach.trace.ledger import Moment
from tenfold.teach.trace.naming import Naming
from tenfold.teach.trace.network import Network, Sample


def engine_numbers(network: Network, moment: Moment, floats: Mapping[str, float]) -> dict[str, float]:
    """Return z, h, L and the ∂L of these and of the parameters, by key of the line.

    Every layer is given the trace's own values, and so is its pullback's way back. floats: the trace's values by key.
    """
    numbers: dict[str, float] = {}
    naming, sample = Naming(network), network.samples[(moment.sample or 1) - 1]
    inputs = _tensor(floats, f"s{moment.sample}.", _values(naming, 0))
    pulls = []
    for layer, activation in enumerate(network.activations, 1):
        w, b = (_tensor(floats, f"{moment.update - 1}.", symbols) for symbols in _parameters(naming, layer))
        z, pull = linear(inputs.view(1, 1, -1), w.view(1, len(b), -1), b.unsqueeze(0))
        sums, outputs = [naming.pre(layer, i) for i in range(1, len(b) + 1)], _values(naming, layer)
        _enter(numbers, moment.prefix, sums, z)
        h, pull_activation = find("layers", activation)(_tensor(floats, moment.prefix, sums))
        _enter(numbers, moment.prefix, outputs, h)
        pulls.append((pull, pull_activation))
        inputs = _tensor(floats, moment.prefix, outputs)
    loss, down = _loss(network, sample, inputs)
    numbers[f"{moment.prefix}L"] = float(loss)
    for layer in range(network.depth, 0, -1):
        pull, pull_activation = pulls[layer - 1]
        _enter(numbers, f"{moment.prefix}d", _values(naming, layer), down)
        (down,) = pull_activation(down)
        _enter(numbers, f"{moment.prefix}d", [naming.pre(layer, i) for i in range(1, len(down) + 1)], down)
        dx, *gradients = pull(down.view(1, 1, -1), need_dx=True)
        for symbols, gradient in zip(_parameters(naming, layer), gradients, strict=True):
            _enter(numbers, f"{moment.prefix}d", symbols, gradient)
        down = dx.flatten()
    return numbers


def _loss(network: Network, sample: Sample, out: Tensor) -> tuple[Tensor, Tensor]:
    """Return the loss and its gradient in the outputs. out: (C,)."""
    scores, loss = out.view(1, -1), find("losses", network.loss)
    if network.regresses:
        y = torch.tensor([[float(cell) for cell in sample.y]], dtype=torch.float64)
    else:
        y = torch.tensor([(sample.label or 0) if len(out) > 1 else 0])
    # One output that says no: the loss of −z that says yes.
    turned = -1 if len(out) == 1 and sample.label == 0 else 1
    value, gradient = loss(turned * scores, y)
    return value, turned * gradient.flatten()


def _values(naming: Naming, layer: int) -> list[Symbol]:
    return [naming.value(layer, unit) for unit in range(1, naming.network.sizes[layer] + 1)]


def _parameters(naming: Naming, layer: int) -> tuple[list[Symbol], list[Symbol]]:
    """Return the symbols of the weights of a layer, row by row, and of its biases."""
    inputs, units = naming.network.sizes[layer - 1], range(1, naming.network.sizes[layer] + 1)
    weights = [naming.parameter(layer, i, j) for i in units for j in range(1, inputs + 1)]
    return weights, [naming.parameter(layer, i, None) for i in units]


def _tensor(floats: Mapping[str, float], prefix: str, symbols: Sequence[Symbol]) -> Tensor:
    return torch.tensor([floats[prefix + symbol.key] for symbol in symbols], dtype=torch.float64)


def _enter(numbers: dict[str, float], prefix: str, symbols: Sequence[Symbol], values: Tensor) -> None:
    numbers |= {prefix + symbol.key: value for symbol, value in zip(symbols, values.flatten().tolist(), strict=True)}
