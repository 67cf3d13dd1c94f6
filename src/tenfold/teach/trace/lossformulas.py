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

__all__ = ["Desk", "write_loss"]

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from tenfold.teach.trace.expressions import (
    Expression,
    Function,
    Largest,
    Negative,
    Number,
    Power,
    Precise,
    Product,
    Quotient,
    Step,
    Sum,
    Symbol,
)
from tenfold.teach.trace.ledger import Ledger, Moment
from tenfold.teach.trace.naming import Naming, Place, Quantity

ONE, ZERO = Fraction(1), Fraction(0)


class Desk(NamedTuple):
    """Where a loss is written: the ledger, the moment, the names, the outputs, and what they should be.

    y: symbols of the targets, or (); label: the class that is right, from 0, or None.
    """

    ledger: Ledger
    moment: Moment
    naming: Naming
    outputs: Sequence[Symbol]
    y: Sequence[Symbol]
    label: int | None

    @property
    def layer(self) -> int:
        """Number of the last layer."""
        return len(self.naming.sizes) - 1

    def note(self, quantity: Quantity, formula: Expression, unit: int = 1) -> Symbol:
        """A line of the loss."""
        place = Place("loss", self.layer, unit, None, "value")
        return self.ledger.write(self.moment, quantity, formula, ("loss", "loss"), place)

    def derive(self, formulas: Sequence[Expression]) -> list[Symbol]:
        """Lines of the derivative in every output."""
        found = []
        for k, formula in enumerate(formulas, 1):
            below, loss = self.naming.value(self.layer, k), self.naming.loss()
            quantity, place = self.naming.ratio(loss, below), Place("node", self.layer, k, None, "gradient")
            kind, ratio = ("derivative", "local derivative"), (loss.name, below.name)
            found.append(self.ledger.write(self.moment, quantity, formula, kind, place, ratio))
        return found

    def truths(self) -> list[bool]:
        """Whether each output is of the class that is right."""
        if len(self.outputs) == 1:
            return [bool(self.label)]
        return [k == self.label for k in range(len(self.outputs))]


def write_loss(loss: str, desk: Desk) -> list[Symbol]:
    """Write a loss and its derivative; the derivative's symbols, one for each output."""
    return FORMULAS[loss](desk)


def _squares(desk: Desk, mean: bool) -> list[Symbol]:
    count = len(desk.outputs)
    gaps = [Sum((o, Negative(y))) for o, y in zip(desk.outputs, desk.y, strict=True)]
    share, twice = (Fraction(1, count), Fraction(2, count)) if mean else (Fraction(1, 2), ONE)
    desk.note(desk.naming.loss(), _scaled(share, _total([Power(gap, 2) for gap in gaps])))
    return desk.derive([_scaled(twice, gap) for gap in gaps])


def _softmax(desk: Desk) -> list[Symbol]:
    naming = desk.naming
    raised = [desk.note(naming.classwise("e", k), Function("exp", z), k) for k, z in enumerate(desk.outputs, 1)]
    whole = desk.note(Quantity("S", "S", "S", "S"), Sum(tuple(raised)))
    p = [desk.note(naming.classwise("p", k), Quotient(e, whole), k) for k, e in enumerate(raised, 1)]
    sources = [Quotient(e, whole) for e in raised]
    others = [Quotient(_total([own for own in raised if own is not e]), whole) for e in raised]
    label = desk.label or 0
    desk.note(naming.loss(), Negative(_logarithm(desk, p[label], True, sources[label], others[label])))
    return desk.derive([_less(*parts) for parts in zip(p, desk.truths(), sources, others, strict=True)])


def _sigmoid(desk: Desk) -> list[Symbol]:
    share, truths = Fraction(1, len(desk.outputs)), desk.truths()
    p = [desk.note(desk.naming.classwise("p", k), Function("sigmoid", z), k) for k, z in enumerate(desk.outputs, 1)]
    sources = [Function("sigmoid", z) for z in desk.outputs]
    others = [Function("sigmoid", Negative(z)) for z in desk.outputs]
    parts = list(zip(p, truths, sources, others, strict=True))
    logarithms = _total([_logarithm(desk, *part) for part in parts])
    desk.note(desk.naming.loss(), Negative(_scaled(share, logarithms)))
    return desk.derive([_scaled(share, _less(*part)) for part in parts])


def _hinge(desk: Desk) -> list[Symbol]:
    own = desk.outputs[desk.label or 0]
    rivals = [z for z in desk.outputs if z is not own]
    rival = max(rivals, key=lambda z: desk.ledger.values[z.key])
    best = rivals[0] if len(rivals) == 1 else Largest(tuple(rivals))
    margin = desk.note(Quantity("m", "m", "m", "m"), Sum((Number(ONE), best, Negative(own))))
    desk.note(desk.naming.loss(), Largest((Number(ZERO), margin)))
    active = Step(margin, ONE, ZERO)
    gradients: dict[str, Expression] = {own.key: Negative(active), rival.key: active}
    return desk.derive([gradients.get(z.key, Number(ZERO)) for z in desk.outputs])


def _weston_watkins(desk: Desk) -> list[Symbol]:
    label = desk.label or 0
    own, margins = desk.outputs[label], {}
    for k, z in enumerate(desk.outputs, 1):
        if k - 1 != label:
            formula = Sum((Number(ONE), z, Negative(own)))
            margins[k - 1] = desk.note(desk.naming.classwise("m", k), formula, k)
    desk.note(desk.naming.loss(), _total([Largest((Number(ZERO), margin)) for margin in margins.values()]))
    active: dict[int, Expression] = {k: Step(margin, ONE, ZERO) for k, margin in margins.items()}
    active[label] = Negative(_total(list(active.values())))
    return desk.derive([active[k] for k in range(len(desk.outputs))])


FORMULAS: dict[str, Callable[[Desk], list[Symbol]]] = {
    "squared_error": partial(_squares, mean=False),
    "mean_squared_error": partial(_squares, mean=True),
    "softmax": _softmax,
    "sigmoid": _sigmoid,
    "hinge": _hinge,
    "weston_watkins": _weston_watkins,
}


def _total(terms: list[Expression]) -> Expression:
    return terms[0] if len(terms) == 1 else Sum(tuple(terms))


def _scaled(share: Fraction, expression: Expression) -> Expression:
    return expression if share == 1 else Product((Number(share), expression))


def _less(p: Symbol, right: bool, source: Expression, other: Expression) -> Expression:
    """p − [k = y]; source: what p is, other: what 1 − p is."""
    return Precise(Sum((p, Negative(Number(ONE)))), p, source, Negative(other)) if right else p


def _logarithm(desk: Desk, p: Symbol, right: bool, source: Expression, other: Expression) -> Expression:
    """ln p, or ln(1 − p) where p should be 0; source and other as above."""
    likely = desk.ledger.values[p.key] > 0.5
    if right:
        plain = Function("ln", p)
        return Precise(plain, p, source, Function("ln(1 − …)", other)) if likely else plain
    rest = Sum((Number(ONE), Negative(p)))
    if likely:
        return Function("ln", Precise(rest, p, source, other))
    return Precise(Function("ln", rest), p, source, Function("ln(1 − …)", p))
