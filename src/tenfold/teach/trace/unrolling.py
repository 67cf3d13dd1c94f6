"""A network's training as lines: forward, loss, local derivatives, chain rule, updates.

z_l = W_l h_{l−1} + b_l        h_l = φ_l(z_l),  h_0 = x
∂L/∂z_l = ∂L/∂h_l · ∂h_l/∂z_l
∂L/∂w = ∂L/∂z · ∂z/∂w          ∂L/∂b = ∂L/∂z · ∂z/∂b          ∂L/∂h_j = Σ_i ∂L/∂z_i · ∂z_i/∂h_j
w ← w − η ∂L/∂w
"""

__all__ = ["unrolled"]

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tenfold.teach.trace.expressions import (
    Expression,
    Function,
    Largest,
    Negative,
    Number,
    Power,
    Precise,
    Product,
    Step,
    Sum,
    Symbol,
)
from tenfold.teach.trace.ledger import Ledger, Moment
from tenfold.teach.trace.lossformulas import Desk, write_loss
from tenfold.teach.trace.naming import Naming, Place, Quantity
from tenfold.teach.trace.network import Network

ONE, ZERO, SLOPE = Fraction(1), Fraction(0), Fraction(1, 100)
FORWARD, ACTIVATION = ("forward", "forward sum"), ("forward", "activation")
LOCAL, CHAIN = ("derivative", "local derivative"), ("chain", "chain rule")
MEAN, UPDATE = "mean over the batch", ("update", "update")
ETA = Quantity("eta", "eta", "η", r"\eta")

Parameters = dict[str, Symbol]
"""The present weights and biases, by name."""


def unrolled(network: Network) -> Ledger:
    """All lines of a network's training. Raises UsageError where they are too many, TenfoldError at one not finite."""
    ledger, naming = Ledger(), _naming(network)
    parameters, samples = _given(ledger, network, naming)
    eta = ledger.give("", ETA, network.learning_rate, None)
    for update in range(1, network.updates + 1):
        if network.batch:
            gradients = _batch_pass(ledger, network, update, parameters, samples)
        else:
            k = (update - 1) % len(samples)
            moment = Moment(update, k + 1, f"{update}.")
            gradients = _pass(ledger, network, naming, moment, parameters, samples[k])
        if update == 1:
            ledger.allow((len(ledger.lines) + len(parameters)) * network.updates)
        parameters = _updated(ledger, naming, update, parameters, gradients, eta)
    return ledger


def _naming(network: Network) -> Naming:
    return Naming(network.sizes, network.activations, network.regresses)


def _places(naming: Naming) -> dict[str, tuple[Quantity, Place]]:
    """Every parameter by name: layer for layer its weights, then its biases."""
    found = {}
    for layer in range(1, len(naming.sizes)):
        outputs, inputs = naming.sizes[layer], naming.sizes[layer - 1]
        for i in range(1, outputs + 1):
            for j in range(1, inputs + 1):
                found[naming.weight(layer, i, j).name] = (
                    naming.weight(layer, i, j),
                    Place("edge", layer, i, j, "parameter"),
                )
        for i in range(1, outputs + 1):
            found[naming.bias(layer, i).name] = (naming.bias(layer, i), Place("bias", layer, i, None, "parameter"))
    return found


def _given(
    ledger: Ledger, network: Network, naming: Naming
) -> tuple[Parameters, list[tuple[list[Symbol], list[Symbol]]]]:
    """Enter the first parameters and all samples; symbols of the parameters, and x and y of each sample."""
    parameters = {}
    for name, (quantity, place) in _places(naming).items():
        if place.source is not None:
            value = network.weights[place.layer - 1][place.unit - 1][place.source - 1]
        else:
            value = network.biases[place.layer - 1][place.unit - 1]
        parameters[name] = ledger.give("0.", quantity, value, place)
    samples, last = [], len(naming.sizes) - 1
    for k, sample in enumerate(network.samples, 1):
        x = [
            ledger.give(f"s{k}.", naming.value(0, j), cell, Place("node", 0, j, None, "value"))
            for j, cell in enumerate(sample.x, 1)
        ]
        y = [
            ledger.give(f"s{k}.", naming.target(i), cell, Place("loss", last, i, None, "value"))
            for i, cell in enumerate(sample.y, 1)
        ]
        samples.append((x, y))
    return parameters, samples


def _pass(
    ledger: Ledger,
    network: Network,
    naming: Naming,
    moment: Moment,
    parameters: Parameters,
    sample: tuple[list[Symbol], list[Symbol]],
) -> Parameters:
    """One sample forward and backward; its gradients by the parameter's name."""
    x, y = sample
    values: list[list[Symbol]] = [x]
    for layer in range(1, len(naming.sizes)):
        values.append(_forward(ledger, naming, moment, parameters, layer, values[-1]))
    label = network.samples[(moment.sample or 1) - 1].label
    down = write_loss(network.loss, Desk(ledger, moment, naming, values[-1], y, label))
    gradients: Parameters = {}
    for layer in range(len(naming.sizes) - 1, 0, -1):
        pre = _through_activation(ledger, naming, moment, layer, values[layer], down)
        gradients |= _of_parameters(ledger, naming, moment, layer, values[layer - 1], pre)
        if layer > 1:
            down = _of_inputs(ledger, naming, moment, layer, parameters, pre)
    return gradients


def _forward(
    ledger: Ledger, naming: Naming, moment: Moment, parameters: Parameters, layer: int, inputs: Sequence[Symbol]
) -> list[Symbol]:
    """Sums, then activations of one layer; the symbols of what it hands on."""
    activation, units = naming.activations[layer - 1], range(1, naming.sizes[layer] + 1)
    sums = []
    for i in units:
        weights = [parameters[naming.weight(layer, i, j).name] for j in range(1, len(inputs) + 1)]
        products = [Product((w, h)) for w, h in zip(weights, inputs, strict=True)]
        formula = Sum((*products, parameters[naming.bias(layer, i).name]))
        quantity = "value" if activation == "identity" else "pre"
        place = Place("node", layer, i, None, quantity)
        sums.append(ledger.write(moment, naming.pre(layer, i), formula, FORWARD, place))
    if activation == "identity":
        return sums
    return [
        ledger.write(
            moment,
            naming.value(layer, i),
            _activated(activation, z),
            ACTIVATION,
            Place("node", layer, i, None, "value"),
        )
        for i, z in zip(units, sums, strict=True)
    ]


def _activated(activation: str, z: Symbol) -> Expression:
    if activation == "relu":
        return Largest((Number(ZERO), z))
    return Largest((z, Product((Number(SLOPE), z)))) if activation == "leaky_relu" else Function(activation, z)


def _derivative(activation: str, z: Symbol, h: Symbol) -> Expression:
    """∂h/∂z; at the kink of a rectifier the smaller slope, as autograd has it."""
    if activation == "sigmoid":
        rest = Sum((Number(ONE), Negative(h)))
        return Product((h, Precise(rest, h, _activated(activation, z), Function("sigmoid", Negative(z)))))
    if activation == "tanh":
        rest = Sum((Number(ONE), Negative(Power(h, 2))))
        # 1 − tanh² z = 4 σ(2z) σ(−2z)
        twice = Product((Number(2 * ONE), z))
        sides = (Number(4 * ONE), Function("sigmoid", twice), Function("sigmoid", Negative(twice)))
        return Precise(rest, h, _activated(activation, z), Product(sides))
    return Step(z, ONE, ZERO if activation == "relu" else SLOPE)


def _through_activation(
    ledger: Ledger, naming: Naming, moment: Moment, layer: int, values: Sequence[Symbol], down: Sequence[Symbol]
) -> list[Symbol]:
    """∂L/∂z of a layer from its ∂L/∂h."""
    activation = naming.activations[layer - 1]
    if activation == "identity":
        return list(down)
    local, found = [], []
    for i, h in enumerate(values, 1):
        above, below = naming.value(layer, i), naming.pre(layer, i)
        z, place = Symbol(moment.prefix + below.key, below.text, below.latex), Place("node", layer, i, None, "local")
        formula, ratio = _derivative(activation, z, h), (above.name, below.name)
        local.append(ledger.write(moment, naming.ratio(above, below), formula, LOCAL, place, ratio))
    for i, (dh, slope) in enumerate(zip(down, local, strict=True), 1):
        found.append(_chained(ledger, naming, moment, naming.pre(layer, i), Product((dh, slope)), _node(layer, i)))
    return found


def _of_parameters(
    ledger: Ledger, naming: Naming, moment: Moment, layer: int, inputs: Sequence[Symbol], pre: Sequence[Symbol]
) -> Parameters:
    """∂L/∂w and ∂L/∂b of a layer, each after its local derivative."""
    found = {}
    for i, dz in enumerate(pre, 1):
        z = naming.pre(layer, i)
        parts: list[tuple[Quantity, Expression, Place]] = [
            (naming.weight(layer, i, j), h, Place("edge", layer, i, j, "gradient")) for j, h in enumerate(inputs, 1)
        ]
        parts.append((naming.bias(layer, i), Number(ONE), Place("bias", layer, i, None, "gradient")))
        for below, formula, place in parts:
            local = _local(ledger, naming, moment, z, below, formula, place)
            found[below.name] = _chained(ledger, naming, moment, below, Product((dz, local)), place)
    return found


def _of_inputs(
    ledger: Ledger, naming: Naming, moment: Moment, layer: int, parameters: Parameters, pre: Sequence[Symbol]
) -> list[Symbol]:
    """∂L/∂h of the layer before, over all paths."""
    found = []
    for j in range(1, naming.sizes[layer - 1] + 1):
        h, paths = naming.value(layer - 1, j), []
        for i, dz in enumerate(pre, 1):
            w, edge = parameters[naming.weight(layer, i, j).name], Place("edge", layer, i, j, "local")
            paths.append(Product((dz, _local(ledger, naming, moment, naming.pre(layer, i), h, w, edge))))
        total = paths[0] if len(paths) == 1 else Sum(tuple(paths))
        found.append(_chained(ledger, naming, moment, h, total, _node(layer - 1, j)))
    return found


def _node(layer: int, unit: int) -> Place:
    return Place("node", layer, unit, None, "gradient")


def _local(
    ledger: Ledger, naming: Naming, moment: Moment, above: Quantity, below: Quantity, formula: Expression, place: Place
) -> Symbol:
    ratio = (above.name, below.name)
    return ledger.write(moment, naming.ratio(above, below), formula, LOCAL, place._replace(quantity="local"), ratio)


def _chained(
    ledger: Ledger, naming: Naming, moment: Moment, below: Quantity, formula: Expression, place: Place
) -> Symbol:
    loss = naming.loss()
    return ledger.write(moment, naming.ratio(loss, below), formula, CHAIN, place, (loss.name, below.name))


def _batch_pass(
    ledger: Ledger,
    network: Network,
    update: int,
    parameters: Parameters,
    samples: Sequence[tuple[list[Symbol], list[Symbol]]],
) -> Parameters:
    """All samples forward and backward, then the mean of the loss and of every gradient."""
    naming = _naming(network)
    gradients: list[Parameters] = []
    losses, count = [], len(samples)
    for k, sample in enumerate(samples, 1):
        own, moment = replace(naming, sample=k), Moment(update, k, f"{update}.s{k}.")
        gradients.append(_pass(ledger, network, own, moment, parameters, sample))
        losses.append(Symbol(moment.prefix + "L", own.loss().text, own.loss().latex))
        if update == k == 1:
            ledger.allow((len(ledger.lines) * count + 2 * len(parameters) + 1) * network.updates)
    whole, loss, last = Moment(update, None, f"{update}."), naming.loss(), len(network.sizes) - 1
    ledger.write(whole, loss, _mean(losses), ("loss", MEAN), Place("loss", last, 1, None, "value"))
    found = {}
    for name, (below, place) in _places(naming).items():
        formula = _mean([own[name] for own in gradients])
        place = place._replace(quantity="gradient")
        ratio = (loss.name, below.name)
        found[name] = ledger.write(whole, naming.ratio(loss, below), formula, ("chain", MEAN), place, ratio)
    return found


def _mean(terms: Sequence[Symbol]) -> Expression:
    if len(terms) == 1:
        return terms[0]
    return Product((Number(Fraction(1, len(terms))), Sum(tuple(terms))))


def _updated(
    ledger: Ledger,
    naming: Naming,
    update: int,
    parameters: Parameters,
    gradients: Mapping[str, Symbol],
    eta: Symbol,
) -> Parameters:
    """Every parameter after the update."""
    moment, found = Moment(update, None, f"{update}."), {}
    for name, (quantity, place) in _places(naming).items():
        formula = Sum((parameters[name], Negative(Product((eta, gradients[name])))))
        found[name] = ledger.write(moment, quantity, formula, UPDATE, place)
    return found
