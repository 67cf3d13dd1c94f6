"""The losses as lines of a trace, each with its derivative in the network's outputs.

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

__all__ = ["write_loss"]

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from tenfold.teach.trace import expressions as tree
from tenfold.teach.trace.expressions import Expression, Symbol, total
from tenfold.teach.trace.ledger import Desk

LOCAL = ("derivative", "local derivative")
Loss = tuple[Symbol, list[Symbol]]
"""The symbols of a loss and of its derivative in every output."""
_Part = tuple[Symbol, bool, Expression, Expression]


class _End(NamedTuple):
    """The end of a sample's forward pass: what the network gives, the targets or (), and the right class or 0."""

    desk: Desk
    outputs: Sequence[Symbol]
    y: Sequence[Symbol]
    label: int

    def note(self, letter: str, formula: Expression, unit: int = 0) -> Symbol:
        """Write a line of the loss: of one class, or of all."""
        return self.desk.write(self.desk.naming.classwise(letter, unit), formula, ("loss", "loss"))

    def end(self, formula: Expression, slopes: Sequence[Expression]) -> Loss:
        """Write the loss, and its derivative in every output."""
        loss = self.desk.write(self.desk.naming.loss(), formula, ("loss", "loss"))
        return loss, [self.desk.derive(loss, z, slope, LOCAL) for z, slope in zip(self.outputs, slopes, strict=True)]

    def parts(self, p: Sequence[Symbol], sources: Sequence[Expression], others: Sequence[Expression]) -> list[_Part]:
        """Return p of every class, whether it is the right one, what p is, and what 1 − p is."""
        truths = [k == self.label for k in range(len(p))] if len(p) > 1 else [bool(self.label)]
        return list(zip(p, truths, sources, others, strict=True))


def write_loss(desk: Desk, outputs: Sequence[Symbol], y: Sequence[Symbol]) -> Loss:
    """Write the loss of the desk's sample and its derivative. y: symbols of the targets, or ()."""
    network = desk.naming.network
    label = network.samples[(desk.moment.sample or 1) - 1].label
    return FORMULAS[network.loss](_End(desk, outputs, y, label or 0))


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
