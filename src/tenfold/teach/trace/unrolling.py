"""A network's training as lines: forward, loss, local derivatives, chain rule, updates.

z_l = W_l h_{l−1} + b_l        h_l = φ_l(z_l),  h_0 = x
∂L/∂z_l = ∂L/∂h_l · ∂h_l/∂z_l
∂L/∂w = ∂L/∂z · ∂z/∂w          ∂L/∂b = ∂L/∂z · ∂z/∂b          ∂L/∂h_j = Σ_i ∂L/∂z_i · ∂z_i/∂h_j
w ← w − η ∂L/∂w

The losses, with their derivatives in the network's outputs:

    squared_error        L = ½ Σ_d (ŷ_d − y_d)²                     ∂L/∂ŷ_d = ŷ_d − y_d
    mean_squared_error   L = (1/D) Σ_d (ŷ_d − y_d)²                 ∂L/∂ŷ_d = (2/D) (ŷ_d − y_d)
    softmax              e_k = exp(z_k), S = Σ e_k, p_k = e_k / S
                         L = −ln p_y                                ∂L/∂z_k = p_k − [k = y]
    sigmoid              p_k = σ(z_k)
                         L = −(1/C) Σ_k ln(p_k or 1 − p_k)          ∂L/∂z_k = (p_k − [k = y]) / C
    hinge                m = 1 + max_{k≠y} z_k − z_y, L = max(0, m) ∂L/∂z_k = [m > 0] ([k = rival] − [k = y])
    weston_watkins       m_k = 1 + z_k − z_y, L = Σ_{k≠y} max(0, m_k)
                                                                    ∂L/∂z_k = [m_k > 0], ∂L/∂z_y = −Σ_{k≠y} [m_k > 0]

With one output, sigmoid takes y = 1 for yes and 0 for no. For p near 1, 1 − p is worked out from what p is not: σ(−z),
or the other e_k, and a logarithm near 0 from how far its argument is from 1.
"""

__all__ = ["unrolled"]

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from tenfold.teach.trace import expressions as tree
from tenfold.teach.trace.expressions import Expression, Place, Symbol, total
from tenfold.teach.trace.ledger import Desk, Ledger, Moment, Naming, symbol
from tenfold.teach.trace.network import Network

SLOPE = Fraction(1, 100)
FORWARD, ACTIVATION = ("forward", "forward sum"), ("forward", "activation")
LOCAL, CHAIN = ("derivative", "local derivative"), ("chain", "chain rule")
MEAN, UPDATE = "mean over the batch", ("update", "update")
ETA = replace(symbol("η"), key="eta")

Symbols = Sequence[Symbol]
Parameters = dict[Place | None, Symbol]  # present weights and biases, or their gradients, by the parameter's place
Loss = tuple[Symbol, list[Symbol]]  # of a loss and of its derivative in every output
_Part = tuple[Symbol, bool, Expression, Expression]


class _Layer(NamedTuple):
    """The symbols of a layer of one sample: what comes in, the sums, and what goes out. number: from 1.

    weights: (O, I), a row for each unit; biases: (O,).
    """

    number: int
    weights: Sequence[Symbols]
    biases: Symbols
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
    samples = []
    for k, sample in enumerate(network.samples, 1):
        x = [ledger.give(f"s{k}.", unit, cell) for unit, cell in zip(naming.values(0), sample.x, strict=True)]
        samples.append((x, [ledger.give(f"s{k}.", naming.classwise("y", i), y) for i, y in enumerate(sample.y, 1)]))
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
        steps = {place: tree.Negative(tree.Product((eta, gradient))) for place, gradient in gradients.items()}
        parameters = {
            place: whole.write(replace(w, key=w.key.rpartition(".")[2]), tree.Sum((w, steps[place])), UPDATE)
            for place, w in parameters.items()
        }
    return ledger


def _gradients(desk: Desk, parameters: Parameters, x: Symbols, y: Symbols) -> tuple[Symbol, Parameters]:
    """Write one sample forward and backward; return its loss and the gradients."""
    network, layers = desk.naming.network, list[_Layer]()
    for number in range(1, network.depth + 1):
        layers.append(_forward(desk, parameters, number, layers[-1].outputs if layers else x))
    down: Symbols
    label = network.samples[(desk.moment.sample or 1) - 1].label
    loss, down = FORMULAS[network.loss](_End(desk, layers[-1].outputs, y, label or 0))
    gradients: Parameters = {}
    for layer in reversed(layers):
        if layer.sums is not layer.outputs:
            down = _through_activation(desk, loss, layer, down)
        gradients |= _of_parameters(desk, loss, layer, down)
        if layer.number > 1:
            down = _of_inputs(desk, loss, layer, down)
    return loss, gradients


def _forward(desk: Desk, parameters: Parameters, number: int, inputs: Symbols) -> _Layer:
    naming, activation, sums = desk.naming, desk.naming.network.activations[number - 1], []
    flat, biases = ([parameters[quantity.place] for quantity in some] for some in naming.parameters(number))
    weights = [flat[k : k + len(inputs)] for k in range(0, len(flat), len(inputs))]
    for z, row, bias in zip(naming.sums(number), weights, biases, strict=True):
        products = [tree.Product((w, h)) for w, h in zip(row, inputs, strict=True)]
        sums.append(desk.write(z, tree.Sum((*products, bias)), FORWARD))
    if activation == "identity":
        return _Layer(number, weights, biases, inputs, sums, sums)
    pairs = zip(naming.values(number), sums, strict=True)
    values = [desk.write(h, _activated(activation, z), ACTIVATION) for h, z in pairs]
    return _Layer(number, weights, biases, inputs, sums, values)


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


def _of_parameters(desk: Desk, loss: Symbol, layer: _Layer, down: Symbols) -> Parameters:
    """Write ∂L/∂w and ∂L/∂b of a layer, each after its local derivative."""
    gradients: Parameters = {}
    for z, dz, row, bias in zip(layer.sums, down, layer.weights, layer.biases, strict=True):
        slopes: list[Expression] = [*layer.inputs, tree.ONE]
        for parameter, slope in zip((*row, bias), slopes, strict=True):
            local = desk.derive(z, parameter, slope, LOCAL)
            gradients[parameter.place] = desk.derive(loss, parameter, tree.Product((dz, local)), CHAIN)
    return gradients


def _of_inputs(desk: Desk, loss: Symbol, layer: _Layer, down: Symbols) -> Symbols:
    """Write ∂L/∂h of every unit of the layer before, over all paths."""
    gradients = []
    for h, column in zip(layer.inputs, zip(*layer.weights, strict=True), strict=True):
        ways = zip(layer.sums, down, column, strict=True)
        paths = [tree.Product((dz, desk.derive(z, h, w, LOCAL, w.place))) for z, dz, w in ways]
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


class _End(NamedTuple):
    """The end of a sample's forward pass: what the network gives, the targets or (), and the right class or 0."""

    desk: Desk
    outputs: Symbols
    y: Symbols
    label: int

    def note(self, letter: str, formula: Expression, unit: int = 0) -> Symbol:
        """Write a line of the loss: of one class, or of all."""
        return self.desk.write(self.desk.naming.classwise(letter, unit), formula, ("loss", "loss"))

    def end(self, formula: Expression, slopes: Sequence[Expression]) -> Loss:
        """Write the loss, and its derivative in every output."""
        loss = self.desk.write(self.desk.naming.loss(), formula, ("loss", "loss"))
        return loss, [self.desk.derive(loss, z, slope, LOCAL) for z, slope in zip(self.outputs, slopes, strict=True)]

    def parts(self, p: Symbols, sources: Sequence[Expression], others: Sequence[Expression]) -> list[_Part]:
        """Return p of every class, whether it is the right one, what p is, and what 1 − p is."""
        truths = [k == self.label for k in range(len(p))] if len(p) > 1 else [bool(self.label)]
        return list(zip(p, truths, sources, others, strict=True))


def _squares(end: _End, mean: bool) -> Loss:
    count = len(end.outputs)
    gaps = [tree.less(o, y) for o, y in zip(end.outputs, end.y, strict=True)]
    share, twice = (Fraction(1, count), Fraction(2, count)) if mean else (Fraction(1, 2), Fraction(1))
    loss = _scaled(share, total([tree.Power(gap, 2) for gap in gaps]))
    return end.end(loss, [_scaled(twice, gap) for gap in gaps])


def _softmax(end: _End) -> Loss:
    raised = [end.note("e", tree.Function("exp", z), k) for k, z in enumerate(end.outputs, 1)]
    whole = end.note("S", tree.Sum(tuple(raised)))
    p = [end.note("p", tree.Quotient(e, whole), k) for k, e in enumerate(raised, 1)]
    others = [tree.Quotient(total([other for other in raised if other is not e]), whole) for e in raised]
    parts = end.parts(p, [tree.Quotient(e, whole) for e in raised], others)
    return end.end(tree.Negative(_logarithm(end, *parts[end.label])), [_less(*part) for part in parts])


def _sigmoid(end: _End) -> Loss:
    share, sources = Fraction(1, len(end.outputs)), [tree.Function("sigmoid", z) for z in end.outputs]
    p = [end.note("p", source, k) for k, source in enumerate(sources, 1)]
    parts = end.parts(p, sources, [tree.Function("sigmoid", tree.Negative(z)) for z in end.outputs])
    loss = tree.Negative(_scaled(share, total([_logarithm(end, *part) for part in parts])))
    return end.end(loss, [_scaled(share, _less(*part)) for part in parts])


def _hinge(end: _End) -> Loss:
    right = end.outputs[end.label]
    rivals = [z for z in end.outputs if z is not right]
    rival = max(rivals, key=lambda z: end.desk.ledger.values[z.key])
    best = rivals[0] if len(rivals) == 1 else tree.Largest(tuple(rivals))
    margin = end.note("m", tree.Sum((tree.ONE, best, tree.Negative(right))))
    slopes: dict[Symbol, Expression] = {right: tree.Negative(tree.Indicator(margin)), rival: tree.Indicator(margin)}
    return end.end(tree.Largest((tree.ZERO, margin)), [slopes.get(z, tree.ZERO) for z in end.outputs])


def _weston_watkins(end: _End) -> Loss:
    right, rivals = end.outputs[end.label], [k for k in range(len(end.outputs)) if k != end.label]
    margins = [end.note("m", tree.Sum((tree.ONE, end.outputs[k], tree.Negative(right))), k + 1) for k in rivals]
    slopes: list[Expression] = [tree.Indicator(margin) for margin in margins]
    slopes.insert(end.label, tree.Negative(total(slopes)))
    return end.end(total([tree.Largest((tree.ZERO, margin)) for margin in margins]), slopes)


FORMULAS: dict[str, Callable[[_End], Loss]] = {
    "squared_error": partial(_squares, mean=False),
    "mean_squared_error": partial(_squares, mean=True),
    "softmax": _softmax,
    "sigmoid": _sigmoid,
    "hinge": _hinge,
    "weston_watkins": _weston_watkins,
}


def _scaled(share: Fraction, expression: Expression) -> Expression:
    return expression if share == 1 else tree.Product((tree.Number(share), expression))


def _less(p: Symbol, right: bool, source: Expression, other: Expression) -> Expression:
    """Return p − [k = y]; source: what p is, other: what 1 − p is."""
    return tree.Precise(tree.less(p, tree.ONE), p, source, tree.Negative(other)) if right else p


def _logarithm(end: _End, p: Symbol, right: bool, source: Expression, other: Expression) -> Expression:
    """Return ln p, or ln(1 − p) where p should be 0; source and other as above."""
    likely = end.desk.ledger.values[p.key] > 0.5
    if right:
        logarithm = tree.Function("ln", p)
        return tree.Precise(logarithm, p, source, tree.Function("ln(1 − …)", other)) if likely else logarithm
    rest = tree.less(tree.ONE, p)
    if likely:
        return tree.Function("ln", tree.Precise(rest, p, source, other))
    return tree.Precise(tree.Function("ln", rest), p, source, tree.Function("ln(1 − …)", p))
