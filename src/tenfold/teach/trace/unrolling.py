"""A network's training as lines: forward, loss, local derivatives, chain rule, updates.

z_l = W_l h_{l−1} + b_l        h_l = φ_l(z_l),  h_0 = x
∂L/∂z_l = ∂L/∂h_l · ∂h_l/∂z_l
∂L/∂w = ∂L/∂z · ∂z/∂w          ∂L/∂b = ∂L/∂z · ∂z/∂b          ∂L/∂h_j = Σ_i ∂L/∂z_i · ∂z_i/∂h_j
w ← w − η ∂L/∂w
"""

__all__ = ["unrolled"]

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from tenfold.teach.trace.expressions import (
    Expression,
    Function,
    Indicator,
    Largest,
    Negative,
    Number,
    Power,
    Precise,
    Product,
    Sum,
    Symbol,
    total,
)
from tenfold.teach.trace.ledger import Desk, Ledger, Moment
from tenfold.teach.trace.lossformulas import write_loss
from tenfold.teach.trace.naming import Naming, Place, symbol
from tenfold.teach.trace.network import Network

ONE, ZERO, SLOPE = Fraction(1), Fraction(0), Fraction(1, 100)
FORWARD, ACTIVATION = ("forward", "forward sum"), ("forward", "activation")
LOCAL, CHAIN = ("derivative", "local derivative"), ("chain", "chain rule")
MEAN, UPDATE = "mean over the batch", ("update", "update")
ETA = replace(symbol("η"), key="eta")

Symbols = Sequence[Symbol]
Parameters = dict[Place, Symbol]
"""The present weights and biases, or their gradients, by the place of the parameter."""


class _Layer(NamedTuple):
    """The symbols of a layer of one sample: what comes in, the sums, and what goes out."""

    inputs: Symbols
    sums: Symbols
    outputs: Symbols


def unrolled(network: Network) -> Ledger:
    """Write the lines of a network's training.

    Raises UsageError where they are too many, TenfoldError at one that is not finite.
    """
    ledger, naming = Ledger(), Naming(network)
    parameters = {place: ledger.give("0.", *given) for place, given in _first(naming)}
    samples = [_given(ledger, naming, k) for k in range(len(network.samples))]
    eta = ledger.give("", ETA, network.learning_rate, None)
    for update in range(1, network.updates + 1):
        if network.batch:
            gradients = _batch_gradients(ledger, network, update, parameters, samples)
        else:
            k = (update - 1) % len(samples)
            desk = Desk(ledger, naming, Moment(update, k + 1, f"{update}."))
            _, gradients = _gradients(desk, parameters, *samples[k])
        if update == 1:
            ledger.allow((len(ledger.lines) + len(parameters)) * network.updates)
        parameters = _updated(Desk(ledger, naming, Moment(update, None, f"{update}.")), parameters, gradients, eta)
    return ledger


def _first(naming: Naming) -> Iterator[tuple[Place, tuple[Symbol, Fraction, Place]]]:
    """Yield every parameter with its first value: layer for layer its weights, then its biases."""
    for layer, (weights, biases) in enumerate(zip(naming.network.weights, naming.network.biases, strict=True), 1):
        cells = [(i, j, cell) for i, row in enumerate(weights, 1) for j, cell in enumerate(row, 1)]
        for i, j, cell in (*cells, *((i, None, cell) for i, cell in enumerate(biases, 1))):
            place = Place("bias" if j is None else "edge", layer, i, j, "parameter")
            yield place, (naming.parameter(layer, i, j), cell, place)


def _given(ledger: Ledger, naming: Naming, k: int) -> tuple[Symbols, Symbols]:
    """Enter x and y of the k-th sample."""
    sample, last, prefix = naming.network.samples[k], naming.network.depth, f"s{k + 1}."
    x = [
        ledger.give(prefix, naming.value(0, j), cell, Place("node", 0, j, None, "value"))
        for j, cell in enumerate(sample.x, 1)
    ]
    y = [
        ledger.give(prefix, naming.target(i), cell, Place("loss", last, i, None, "value"))
        for i, cell in enumerate(sample.y, 1)
    ]
    return x, y


def _gradients(desk: Desk, parameters: Parameters, x: Symbols, y: Symbols) -> tuple[Symbol, Parameters]:
    """Write one sample forward and backward; return its loss and the gradients."""
    layers: list[_Layer] = []
    for layer in range(1, desk.naming.network.depth + 1):
        layers.append(_forward(desk, parameters, layer, layers[-1].outputs if layers else x))
    down: Symbols
    loss, down = write_loss(desk, layers[-1].outputs, y)
    gradients: Parameters = {}
    for layer in range(len(layers), 0, -1):
        inputs, sums, outputs = layers[layer - 1]
        if sums is not outputs:
            down = _through_activation(desk, layer, loss, layers[layer - 1], down)
        gradients |= _of_parameters(desk, parameters, layer, loss, layers[layer - 1], down)
        if layer > 1:
            down = [_of_input(desk, parameters, layer, loss, (j, h), sums, down) for j, h in enumerate(inputs, 1)]
    return loss, gradients


def _forward(desk: Desk, parameters: Parameters, layer: int, inputs: Symbols) -> _Layer:
    """Write the sums, then the activations of one layer."""
    activation, sums = desk.naming.network.activations[layer - 1], []
    for i in range(1, desk.naming.network.sizes[layer] + 1):
        weights = [parameters[Place("edge", layer, i, j, "parameter")] for j in range(1, len(inputs) + 1)]
        products = [Product((w, h)) for w, h in zip(weights, inputs, strict=True)]
        formula = Sum((*products, parameters[Place("bias", layer, i, None, "parameter")]))
        place = Place("node", layer, i, None, "value" if activation == "identity" else "pre")
        sums.append(desk.write(desk.naming.pre(layer, i), formula, FORWARD, place))
    if activation == "identity":
        return _Layer(inputs, sums, sums)
    places = [Place("node", layer, i, None, "value") for i in range(1, len(sums) + 1)]
    values = [
        desk.write(desk.naming.value(layer, place.unit), _activated(activation, z), ACTIVATION, place)
        for place, z in zip(places, sums, strict=True)
    ]
    return _Layer(inputs, sums, values)


def _activated(activation: str, z: Symbol) -> Expression:
    if activation == "relu":
        return Largest((Number(ZERO), z))
    return Largest((z, Product((Number(SLOPE), z)))) if activation == "leaky_relu" else Function(activation, z)


def _slope(activation: str, z: Symbol, h: Symbol) -> Expression:
    """Return ∂h/∂z; at the kink of a rectifier the smaller slope, as autograd has it."""
    if activation == "sigmoid":
        rest = Sum((Number(ONE), Negative(h)))
        return Product((h, Precise(rest, h, _activated(activation, z), Function("sigmoid", Negative(z)))))
    if activation == "tanh":
        rest = Sum((Number(ONE), Negative(Power(h, 2))))
        # 1 − tanh² z = 4 σ(2z) σ(−2z)
        twice = Product((Number(2 * ONE), z))
        sides = (Number(4 * ONE), Function("sigmoid", twice), Function("sigmoid", Negative(twice)))
        return Precise(rest, h, _activated(activation, z), Product(sides))
    return Indicator(z, ONE, ZERO if activation == "relu" else SLOPE)


def _through_activation(desk: Desk, layer: int, loss: Symbol, symbols: _Layer, down: Symbols) -> Symbols:
    """Write ∂L/∂z of a layer from its ∂L/∂h."""
    activation = desk.naming.network.activations[layer - 1]
    slopes = [
        desk.derive(h, z, _slope(activation, z, h), LOCAL, Place("node", layer, i, None, "local"))
        for i, (z, h) in enumerate(zip(symbols.sums, symbols.outputs, strict=True), 1)
    ]
    return [
        desk.derive(loss, z, Product((dh, slope)), CHAIN, Place("node", layer, i, None, "gradient"))
        for i, (z, dh, slope) in enumerate(zip(symbols.sums, down, slopes, strict=True), 1)
    ]


def _of_parameters(
    desk: Desk, parameters: Parameters, layer: int, loss: Symbol, symbols: _Layer, down: Symbols
) -> Parameters:
    """Write ∂L/∂w and ∂L/∂b of a layer, each after its local derivative."""
    gradients = {}
    for i, (z, dz) in enumerate(zip(symbols.sums, down, strict=True), 1):
        slopes: list[tuple[Place, Expression]] = [
            (Place("edge", layer, i, j, "parameter"), h) for j, h in enumerate(symbols.inputs, 1)
        ]
        for place, slope in (*slopes, (Place("bias", layer, i, None, "parameter"), Number(ONE))):
            local = desk.derive(z, parameters[place], slope, LOCAL, place._replace(quantity="local"))
            product, here = Product((dz, local)), place._replace(quantity="gradient")
            gradients[place] = desk.derive(loss, parameters[place], product, CHAIN, here)
    return gradients


def _of_input(
    desk: Desk, parameters: Parameters, layer: int, loss: Symbol, unit: tuple[int, Symbol], sums: Symbols, down: Symbols
) -> Symbol:
    """Write ∂L/∂h of a unit of the layer before, over all paths. unit: its number and its h."""
    (j, h), paths = unit, []
    for i, (z, dz) in enumerate(zip(sums, down, strict=True), 1):
        edge = Place("edge", layer, i, j, "parameter")
        paths.append(Product((dz, desk.derive(z, h, parameters[edge], LOCAL, edge._replace(quantity="local")))))
    return desk.derive(loss, h, total(paths), CHAIN, Place("node", layer - 1, j, None, "gradient"))


def _batch_gradients(
    ledger: Ledger,
    network: Network,
    update: int,
    parameters: Parameters,
    samples: Sequence[tuple[Symbols, Symbols]],
) -> Parameters:
    """Write all samples forward and backward, then the mean of the loss and of every gradient."""
    parts: list[tuple[Symbol, Parameters]] = []
    for k, sample in enumerate(samples, 1):
        desk = Desk(ledger, Naming(network, k), Moment(update, k, f"{update}.s{k}."))
        parts.append(_gradients(desk, parameters, *sample))
        if update == k == 1:
            ledger.allow((len(ledger.lines) * len(samples) + 2 * len(parameters) + 1) * network.updates)
    whole = Desk(ledger, Naming(network), Moment(update, None, f"{update}."))
    mean, place = _mean([loss for loss, _ in parts]), Place("loss", network.depth, 1, None, "value")
    loss = whole.write(whole.naming.loss(), mean, ("loss", MEAN), place)
    return {
        place: whole.derive(
            loss, below, _mean([own[place] for _, own in parts]), ("chain", MEAN), place._replace(quantity="gradient")
        )
        for place, below in parameters.items()
    }


def _mean(terms: Symbols) -> Expression:
    return terms[0] if len(terms) == 1 else Product((Number(Fraction(1, len(terms))), Sum(tuple(terms))))


def _updated(desk: Desk, parameters: Parameters, gradients: Parameters, eta: Symbol) -> Parameters:
    """Write every parameter after the update."""
    return {
        place: desk.write(
            desk.naming.parameter(*place[1:4]), Sum((w, Negative(Product((eta, gradients[place]))))), UPDATE, place
        )
        for place, w in parameters.items()
    }
