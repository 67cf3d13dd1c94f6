"""A network's training as lines: forward, loss, local derivatives, chain rule, updates.

z_l = W_l h_{l−1} + b_l        h_l = φ_l(z_l),  h_0 = x
∂L/∂z_l = ∂L/∂h_l · ∂h_l/∂z_l
∂L/∂w = ∂L/∂z · ∂z/∂w          ∂L/∂b = ∂L/∂z · ∂z/∂b          ∂L/∂h_j = Σ_i ∂L/∂z_i · ∂z_i/∂h_j
w ← w − η ∂L/∂w
"""

__all__ = ["unrolled"]

import itertools
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

from tenfold.teach.trace import expressions as tree
from tenfold.teach.trace.expressions import Expression, Place, Symbol, total
from tenfold.teach.trace.ledger import Desk, Ledger, Moment
from tenfold.teach.trace.lossformulas import write_loss
from tenfold.teach.trace.naming import Naming, symbol
from tenfold.teach.trace.network import Network

SLOPE = Fraction(1, 100)
FORWARD, ACTIVATION = ("forward", "forward sum"), ("forward", "activation")
LOCAL, CHAIN = ("derivative", "local derivative"), ("chain", "chain rule")
MEAN, UPDATE = "mean over the batch", ("update", "update")
ETA = replace(symbol("η"), key="eta")

Symbols = Sequence[Symbol]
Parameters = dict[Place | None, Symbol]
"""The present weights and biases, or their gradients, by the place of the parameter."""


class _Layer(NamedTuple):
    """The symbols of a layer of one sample: what comes in, the sums, and what goes out. number: from 1."""

    number: int
    inputs: Symbols
    sums: Symbols
    outputs: Symbols


def unrolled(network: Network) -> Ledger:
    """Write the lines of a network's training.

    Raises UsageError where they are too many, TenfoldError at one that is not finite.
    """
    ledger, naming = Ledger(), Naming(network)
    parameters: Parameters = {}
    for layer, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True), 1):
        first = zip(itertools.chain(*naming.parameters(layer)), itertools.chain(*weights, biases), strict=True)
        parameters |= {quantity.place: ledger.give("0.", quantity, value) for quantity, value in first}
    samples = [_given(ledger, naming, k) for k in range(len(network.samples))]
    eta = ledger.give("", ETA, network.learning_rate)
    for update in range(1, network.updates + 1):
        whole = Desk(ledger, naming, Moment(update, None, f"{update}."))
        if network.batch:
            gradients = _batch_gradients(whole, parameters, samples)
        else:
            k = (update - 1) % len(samples)
            desk = whole._replace(moment=Moment(update, k + 1, f"{update}."))
            _, gradients = _gradients(desk, parameters, *samples[k])
        if update == 1:
            ledger.allow((len(ledger.lines) + len(parameters)) * network.updates)
        parameters = _updated(whole, parameters, gradients, eta)
    return ledger


def _given(ledger: Ledger, naming: Naming, k: int) -> tuple[Symbols, Symbols]:
    sample, prefix = naming.network.samples[k], f"s{k + 1}."
    x = [ledger.give(prefix, quantity, cell) for quantity, cell in zip(naming.values(0), sample.x, strict=True)]
    return x, [ledger.give(prefix, naming.classwise("y", i), cell) for i, cell in enumerate(sample.y, 1)]


def _gradients(desk: Desk, parameters: Parameters, x: Symbols, y: Symbols) -> tuple[Symbol, Parameters]:
    """Write one sample forward and backward; return its loss and the gradients."""
    layers: list[_Layer] = []
    for number in range(1, desk.naming.network.depth + 1):
        layers.append(_forward(desk, parameters, number, layers[-1].outputs if layers else x))
    down: Symbols
    loss, down = write_loss(desk, layers[-1].outputs, y)
    gradients: Parameters = {}
    for layer in reversed(layers):
        if layer.sums is not layer.outputs:
            down = _through_activation(desk, loss, layer, down)
        gradients |= _of_parameters(desk, parameters, loss, layer, down)
        if layer.number > 1:
            down = _of_inputs(desk, parameters, loss, layer, down)
    return loss, gradients


def _forward(desk: Desk, parameters: Parameters, number: int, inputs: Symbols) -> _Layer:
    naming, activation, sums = desk.naming, desk.naming.network.activations[number - 1], []
    for i, sum_of_unit in enumerate(naming.sums(number), 1):
        weights = [parameters[naming.parameter(number, i, j).place] for j in range(1, len(inputs) + 1)]
        products = [tree.Product((w, h)) for w, h in zip(weights, inputs, strict=True)]
        formula = tree.Sum((*products, parameters[naming.parameter(number, i, None).place]))
        sums.append(desk.write(sum_of_unit, formula, FORWARD))
    if activation == "identity":
        return _Layer(number, inputs, sums, sums)
    values = zip(naming.values(number), sums, strict=True)
    return _Layer(number, inputs, sums, [desk.write(h, _activated(activation, z), ACTIVATION) for h, z in values])


def _activated(activation: str, z: Symbol) -> Expression:
    if activation == "relu":
        return tree.Largest((tree.ZERO, z))
    if activation == "leaky_relu":
        return tree.Largest((z, tree.Product((tree.Number(SLOPE), z))))
    return tree.Function(activation, z)


def _slope(activation: str, z: Symbol, h: Symbol) -> Expression:
    """Return ∂h/∂z; at the kink of a rectifier the smaller slope, as autograd has it."""
    if activation == "sigmoid":
        rest = tree.Function("sigmoid", tree.Negative(z))
        return tree.Product((h, tree.Precise(tree.less(tree.ONE, h), h, _activated(activation, z), rest)))
    if activation == "tanh":
        # 1 − tanh² z = 4 σ(2z) σ(−2z)
        twice = tree.Product((tree.Number(Fraction(2)), z))
        sides = [tree.Function("sigmoid", side) for side in (twice, tree.Negative(twice))]
        exact = tree.Product((tree.Number(Fraction(4)), *sides))
        return tree.Precise(tree.less(tree.ONE, tree.Power(h, 2)), h, _activated(activation, z), exact)
    return tree.Indicator(z) if activation == "relu" else tree.Indicator(z, below=SLOPE)


def _through_activation(desk: Desk, loss: Symbol, layer: _Layer, down: Symbols) -> Symbols:
    """Write ∂L/∂z of a layer from its ∂L/∂h."""
    activation = desk.naming.network.activations[layer.number - 1]
    pairs = zip(layer.sums, layer.outputs, strict=True)
    slopes = [desk.derive(h, z, _slope(activation, z, h), LOCAL) for z, h in pairs]
    triples = zip(layer.sums, down, slopes, strict=True)
    return [desk.derive(loss, z, tree.Product((dh, slope)), CHAIN) for z, dh, slope in triples]


def _of_parameters(desk: Desk, parameters: Parameters, loss: Symbol, layer: _Layer, down: Symbols) -> Parameters:
    """Write ∂L/∂w and ∂L/∂b of a layer, each after its local derivative."""
    gradients: Parameters = {}
    slopes: list[tuple[int | None, Expression]] = [*enumerate(layer.inputs, 1), (None, tree.ONE)]
    for i, (z, dz) in enumerate(zip(layer.sums, down, strict=True), 1):
        for j, slope in slopes:
            place = desk.naming.parameter(layer.number, i, j).place
            local = desk.derive(z, parameters[place], slope, LOCAL)
            gradients[place] = desk.derive(loss, parameters[place], tree.Product((dz, local)), CHAIN)
    return gradients


def _of_inputs(desk: Desk, parameters: Parameters, loss: Symbol, layer: _Layer, down: Symbols) -> Symbols:
    """Write ∂L/∂h of every unit of the layer before, over all paths."""
    gradients = []
    for j, h in enumerate(layer.inputs, 1):
        paths = []
        for i, (z, dz) in enumerate(zip(layer.sums, down, strict=True), 1):
            w = parameters[desk.naming.parameter(layer.number, i, j).place]
            paths.append(tree.Product((dz, desk.derive(z, h, w, LOCAL, w.place))))
        gradients.append(desk.derive(loss, h, total(paths), CHAIN))
    return gradients


def _batch_gradients(whole: Desk, parameters: Parameters, samples: Sequence[tuple[Symbols, Symbols]]) -> Parameters:
    """Write all samples forward and backward, then the mean of the loss and of every gradient."""
    (ledger, naming, moment), parts = whole, []
    for k, sample in enumerate(samples, 1):
        desk = Desk(ledger, replace(naming, sample=k), moment._replace(sample=k, prefix=f"{moment.prefix}s{k}."))
        parts.append(_gradients(desk, parameters, *sample))
        if moment.update == k == 1:
            ledger.allow((len(ledger.lines) * len(samples) + 2 * len(parameters) + 1) * naming.network.updates)
    loss = whole.write(naming.loss(), _mean([loss for loss, _ in parts]), ("loss", MEAN))
    return {
        place: whole.derive(loss, below, _mean([gradients[place] for _, gradients in parts]), ("chain", MEAN))
        for place, below in parameters.items()
    }


def _mean(terms: Symbols) -> Expression:
    return terms[0] if len(terms) == 1 else tree.Product((tree.Number(Fraction(1, len(terms))), tree.Sum(tuple(terms))))


def _updated(desk: Desk, parameters: Parameters, gradients: Parameters, eta: Symbol) -> Parameters:
    steps = {place: tree.Negative(tree.Product((eta, gradient))) for place, gradient in gradients.items()}
    return {
        place: desk.write(replace(w, key=w.key.rpartition(".")[2]), tree.Sum((w, steps[place])), UPDATE)
        for place, w in parameters.items()
    }
