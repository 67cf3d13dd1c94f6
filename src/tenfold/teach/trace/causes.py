"""Mistakes that people make, as formulas: what a line would be without its ½, its sign, a factor, its activation."""

__all__ = ["digit_cause", "variants"]

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tenfold.teach.printed import quantum, significant
from tenfold.teach.trace.expressions import (
    Expression,
    Function,
    Largest,
    Negative,
    Number,
    Power,
    Product,
    Step,
    Sum,
    Symbol,
    Value,
    rewritten,
    symbols,
)
from tenfold.teach.trace.ledger import Line
from tenfold.teach.trace.notation import TEXT, letters, written

ONE, ZERO = Number(Fraction(1)), Number(Fraction(0))
TENS = {10: "ten times", 100: "a hundred times"}

Variant = tuple[str, Expression]
"""How the mistake is told after "comes out", and the formula with it."""

Lines = Mapping[str, Line]


def variants(line: Line, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    """The mistaken formulas of a line, the likelier first. values: all that a formula may take, by key."""
    formula = rewritten(line.formula, lambda precise: precise.written)
    plain = line if formula == line.formula else replace(line, formula=formula)
    yield from RULES[line.rule](plain, lines, values)
    yield "with the sign turned round", Negative(line.formula)
    for key in line.inputs:
        for phrase, other in _versions(key, lines, values):
            yield f"with {phrase}", _exchanged(plain.formula, key, other)
    for power, told in TENS.items():
        yield f"{told} too large", Product((Number(Fraction(power)), line.formula))
        yield f"{told} too small", Product((Number(Fraction(1, power)), line.formula))


def _told(expression: Expression) -> str:
    return written(expression, TEXT, letters(TEXT))


def _forward_sum(line: Line, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    terms = line.formula.terms if isinstance(line.formula, Sum) else (line.formula,)
    *products, bias = terms
    yield f"without the bias {_told(bias)}", Sum(tuple(products))
    yield f"with the bias {_told(bias)} taken away", Sum((*products, Negative(bias)))
    for product in products if len(products) > 1 else ():
        yield f"without the term {_told(product)}", Sum(tuple(term for term in terms if term is not product))
    for k, product in enumerate(products):
        if isinstance(product, Product):
            added = tuple(
                Sum(term.factors) if term is product and isinstance(term, Product) else term for term in terms
            )
            yield f"with {_told(product)} added, not multiplied", Sum(added)
            yield f"with the sign of {_told(product)} turned", Sum((*terms[:k], Negative(product), *terms[k + 1 :]))
    older = line.formula
    for key in line.inputs:
        for phrase, other in _versions(key, lines, values):
            older = _exchanged(older, key, other) if "before" in phrase else older
    if older is not line.formula:
        yield "with all parameters from before the last update", older


def _activation(line: Line, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    z = _first(line)
    yield "without the activation", z
    for name, formula in (
        ("ReLU", Largest((ZERO, z))),
        ("the sigmoid", Function("sigmoid", z)),
        ("tanh", Function("tanh", z)),
    ):
        if formula != line.formula:
            yield f"with {name} as the activation", formula


def _loss(line: Line, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    formula = line.formula
    inner = formula.term if isinstance(formula, Negative) else formula
    if isinstance(inner, Product) and isinstance(inner.factors[0], Number):
        share = inner.factors[0]
        rest: Expression = inner.factors[1]
        sign = (lambda e: Negative(e)) if isinstance(formula, Negative) else (lambda e: e)
        yield f"without the {_told(share)}", sign(rest)
        yield "without the square", sign(Product((share, _unsquared(rest))))
        yield f"without the {_told(share)} and without the square", sign(_unsquared(rest))
    elif _unsquared(formula) != formula:
        yield "without the square", _unsquared(formula)
    if isinstance(formula, Negative):
        yield "without the minus", inner
    if "ln(" in _told(formula):
        for base, told in ((10, "log₁₀"), (2, "log₂")):
            yield f"with {told} in place of ln", Product((Number(1 / Fraction(math.log(base))), formula))
    if isinstance(formula, Largest):
        yield "without the max with 0", formula.terms[-1]
    if isinstance(formula, Sum) and formula.terms[0] == ONE:
        yield "without the 1 of the margin", Sum(formula.terms[1:])
        yield "with the scores the wrong way round", Sum((ONE, *(Negative(term) for term in formula.terms[1:])))
    if line.name.startswith("e["):
        yield "without the exponential", _first(line)
    if line.name.startswith("p["):
        yield "without the division by the sum", _first(line)


def _local(line: Line, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    formula = line.formula
    if line.ratio and line.ratio[0] == "L":
        yield from _of_outputs(formula)
    elif isinstance(formula, Step | Product | Sum) and line.name[0:2] in ("dh", "dy", "dz"):
        yield from _of_activation(line)
    elif isinstance(formula, Symbol):
        prefix = line.moment.prefix
        for other in line.key.removeprefix(prefix).partition("_")[0][1:], line.key.partition("_d")[2]:
            if prefix + other in values and prefix + other != formula.key and prefix + other in lines:
                symbol = lines[prefix + other].symbol
                yield f"with {symbol.text} in place of {formula.text}", symbol
        before = lines.get(formula.key)
        if before is not None and before.rule == "activation":
            z = _first(before)
            yield f"with {_told(z)}, before the activation, in place of {formula.text}", z
        yield "with 1 in its place", ONE


def _of_outputs(formula: Expression) -> Iterator[Variant]:
    """Mistakes in ∂L/∂ŷ and ∂L/∂z of a loss."""
    if isinstance(formula, Sum) and len(formula.terms) == 2 and isinstance(formula.terms[1], Negative):
        first, second = formula.terms[0], formula.terms[1].term
        yield f"from {_told(Sum((second, Negative(first))))}, the wrong way round", Sum((second, Negative(first)))
        yield f"without the − {_told(second)}", first
    yield "with a factor 2, as if the loss had no ½", Product((Number(Fraction(2)), formula))
    if isinstance(formula, Product):
        yield f"without the factor {_told(formula.factors[0])}", Product(formula.factors[1:])


def _of_activation(line: Line) -> Iterator[Variant]:
    """Mistakes in φ'(z)."""
    formula, z = line.formula, _first(line)
    if isinstance(formula, Step):
        yield "on the other side of the kink", Step(formula.argument, formula.below, formula.above)
        yield "with z itself in place of the slope", z
    yield "with 1 in its place", ONE
    if isinstance(formula, Product):
        yield f"without the factor {_told(formula.factors[1])}", z
        yield f"without the factor {_told(z)}", formula.factors[1]
    if isinstance(formula, Sum):
        yield "without the square", Sum((ONE, Negative(z)))


def _chain(line: Line, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    formula = line.formula
    if isinstance(formula, Sum):
        for path in formula.terms:
            yield f"with the path {_told(path)} alone", path
            yield f"without the path {_told(path)}", Sum(tuple(term for term in formula.terms if term is not path))
        products = [term for term in formula.terms if isinstance(term, Product)]
        yield "without the upstream gradients", Sum(tuple(product.factors[-1] for product in products))
        yield "without the local derivatives", Sum(tuple(product.factors[0] for product in products))
    elif isinstance(formula, Product):
        for factor in formula.factors:
            rest = tuple(other for other in formula.factors if other is not factor)
            yield f"without the factor {_told(factor)}", Product(rest)
        yield "with the factors added, not multiplied", Sum(formula.factors)


def _mean(line: Line, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    if isinstance(line.formula, Product):
        yield f"without the {_told(line.formula.factors[0])}: the sum, not the mean", line.formula.factors[1]
        if isinstance(line.formula.factors[1], Sum):
            for term in line.formula.factors[1].terms:
                yield f"from {_told(term)} alone", term


def _update(line: Line, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    match line.formula:
        case Sum((Symbol() as w, Negative(Product((eta, gradient))))):
            yield (
                f"with + in place of −: uphill, {_told(Sum((w, Product((eta, gradient)))))}",
                Sum((w, Product((eta, gradient)))),
            )
            yield "without η", Sum((w, Negative(gradient)))
            yield "without η, and uphill", Sum((w, gradient))
            for power, told in TENS.items():
                for factor, word in ((Fraction(power), "large"), (Fraction(1, power), "small")):
                    step = Product((Number(factor), eta, gradient))
                    yield f"with a step {told} too {word}: a decimal point", Sum((w, Negative(step)))
            yield "as the step alone, without the old value", Negative(Product((eta, gradient)))
            yield "without any step", w
            yield from _other_gradients(line, w, eta, gradient, lines)


def _other_gradients(line: Line, w: Symbol, eta: Expression, gradient: Expression, lines: Lines) -> Iterator[Variant]:
    """The step of another parameter of this update."""
    for other in lines.values():
        if other.moment == line.moment and other.stage == "update" and other is not line:
            match other.formula:
                case Sum((_, Negative(Product((_, Symbol() as step))))):
                    yield f"with {step.text} in place of {_told(gradient)}", Sum((w, Negative(Product((eta, step)))))


RULES: Mapping[str, Callable[[Line, Lines, Mapping[str, Value]], Iterator[Variant]]] = {
    "forward sum": _forward_sum,
    "activation": _activation,
    "loss": _loss,
    "local derivative": _local,
    "chain rule": _chain,
    "mean over the batch": _mean,
    "update": _update,
}


def _first(line: Line) -> Symbol:
    return next(symbols(line.formula))


def _unsquared(expression: Expression) -> Expression:
    """The expression with its squares left out."""
    match expression:
        case Power(base, 2):
            return base
        case Sum(terms):
            return Sum(tuple(_unsquared(term) for term in terms))
    return expression


def _versions(key: str, lines: Lines, values: Mapping[str, Value]) -> Iterator[tuple[str, Symbol]]:
    """A parameter from the update before, or after the one at hand."""
    prefix, _, rest = key.rpartition(".")
    if not prefix.isdigit() or rest[0] not in "wb" or key not in values:
        return
    for step, told in ((-1, "from before the last update"), (1, "after this update already")):
        other = f"{int(prefix) + step}.{rest}"
        if other in values:
            symbol = lines[key].symbol if key in lines else lines[other].symbol
            yield f"{symbol.text} {told}", Symbol(other, symbol.text, symbol.latex)


def _exchanged(expression: Expression, key: str, other: Symbol) -> Expression:
    """The expression with one symbol in place of another."""
    match expression:
        case Symbol():
            return other if expression.key == key else expression
        case Sum(parts):
            return Sum(tuple(_exchanged(part, key, other) for part in parts))
        case Product(parts):
            return Product(tuple(_exchanged(part, key, other) for part in parts))
        case Negative(part):
            return Negative(_exchanged(part, key, other))
    return expression


def digit_cause(printed: str, right: Sequence[Value]) -> str:
    """Two digits that changed places, or one digit that is another: "" where it is neither.

    >>> digit_cause("0.35", [Fraction("0.5312")]), digit_cause("0.59", [Fraction("0.5468")])
    ('0.35 is 0.53 with two digits transposed', '0.59 is one digit apart from 0.54')
    """
    q = quantum(printed)
    if not q:
        return ""
    for value in right:
        for near in _written_alike(value, q, printed):
            if near != printed and sorted(near) == sorted(printed) and _transposed(near, printed):
                return f"{printed} is {near} with two digits transposed"
    for value in right:
        for near in _written_alike(value, q, printed):
            apart = sum(a != b for a, b in zip(near, printed, strict=True)) if len(near) == len(printed) else 0
            if apart == 1 and significant(printed) > 1:
                return f"{printed} is one digit apart from {near}"
    return ""


def _written_alike(value: Value, q: Fraction, printed: str) -> list[str]:
    """The value truncated, then rounded, with as many decimals as were printed."""
    decimals = len(printed.partition(".")[2])
    if "e" in printed.lower():
        return []
    exact = Fraction(value)
    cut = Fraction(int(exact / q)) * q
    rounded = Fraction(round(exact / q)) * q
    return [
        f"{float(near):.{decimals}f}".replace("-", printed[0] if printed[0] in "-−" else "-") for near in (cut, rounded)
    ]


def _transposed(near: str, printed: str) -> bool:
    at = [k for k, (a, b) in enumerate(zip(near, printed, strict=True)) if a != b]
    return len(at) == 2 and near[at[0]] == printed[at[1]]
