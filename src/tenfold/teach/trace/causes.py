"""Mistakes that people make, as formulas: a line without its ½, its sign, a factor, its activation."""

__all__ = ["digit_cause", "variants"]

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from tenfold.report.printed import quantum, significant
from tenfold.teach.trace import expressions as tree
from tenfold.teach.trace.expressions import Expression, Symbol, Value, plain, rewritten, symbols
from tenfold.teach.trace.ledger import TraceLine
from tenfold.teach.trace.notation import written

VERSIONS = {-1: "from before the last update", 1: "after this update already"}
TENS = {10: "ten times", 100: "a hundred times"}

Variant = tuple[str, Expression]  # the words for a mistake after "comes out", and the formula with it
Lines = Mapping[str, TraceLine]


def variants(line: TraceLine, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    """Yield the mistaken formulas of a line, the likelier first. values: all that a formula may take, by key."""
    simple = replace(line, formula=plain(line.formula))
    yield from _by_rule(simple, lines, values)
    yield "with the sign turned round", tree.Negative(line.formula)
    for parameter in dict.fromkeys(symbols(simple.formula)):
        for step, words in VERSIONS.items():
            formula = _shifted(simple.formula, values, step, parameter)
            if formula != simple.formula:
                yield f"with {parameter.text} {words}", formula
    for power, times in TENS.items():
        yield f"{times} too large", tree.Product((tree.Number(Fraction(power)), line.formula))
        yield f"{times} too small", tree.Product((tree.Number(Fraction(1, power)), line.formula))


def _by_rule(line: TraceLine, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    match line.rule, line.formula:
        case "forward sum", tree.Sum(terms) as formula:
            yield from _forward_sum(terms)
            older = _shifted(formula, values, -1)
            if older != formula:
                yield "with all parameters from before the last update", older
        case "activation", formula:
            yield from _activation(formula)
        case "loss", formula:
            yield from _loss(formula)
        case "local derivative", formula if line.place.quantity == "gradient":
            yield from _of_outputs(formula)
        case "local derivative", formula if line.place.kind == "node":
            yield from _of_activation(formula)
        case "local derivative", Symbol() as taken:
            yield from _of_sum(line, taken, lines, values)
        case "chain rule", formula:
            yield from _chain(formula)
        case "mean over the batch", tree.Product((share, tree.Sum(terms) as whole)):
            yield f"without the {written(share)}: the sum, not the mean", whole
            yield from ((f"from {written(term)} alone", term) for term in terms)
        case "update", tree.Sum((Symbol() as w, tree.Negative(tree.Product((eta, gradient))))):
            yield from _update(line, lines, w, eta, gradient)


def _without(terms: Sequence[Expression], term: Expression) -> tuple[Expression, ...]:
    return tuple(other for other in terms if other is not term)


def _forward_sum(terms: Sequence[Expression]) -> Iterator[Variant]:
    *products, bias = terms
    yield f"without the bias {written(bias)}", tree.Sum(tuple(products))
    yield f"with the bias {written(bias)} taken away", tree.Sum((*products, tree.Negative(bias)))
    for product in products if len(products) > 1 else ():
        yield f"without the term {written(product)}", tree.Sum(_without(terms, product))
    for k, product in enumerate(products):
        if isinstance(product, tree.Product):
            before, after = terms[:k], terms[k + 1 :]
            added = tree.Sum((*before, tree.Sum(product.factors), *after))
            yield f"with {written(product)} added, not multiplied", added
            yield f"with the sign of {written(product)} turned", tree.Sum((*before, tree.Negative(product), *after))


def _activation(formula: Expression) -> Iterator[Variant]:
    z = _first(formula)
    yield "without the activation", z
    others = {"the sigmoid": tree.Function("sigmoid", z), "tanh": tree.Function("tanh", z)}
    for name, other in ({"ReLU": tree.Largest((tree.ZERO, z))} | others).items():
        if other != formula:
            yield f"with {name} as the activation", other


def _loss(formula: Expression) -> Iterator[Variant]:
    inner = formula.term if isinstance(formula, tree.Negative) else formula
    match inner:
        case tree.Product((tree.Number() as share, rest)):
            whole, unsquared = f"without the {written(share)}", _unsquared(rest)
            simpler = {whole: rest, "without the square": tree.Product((share, unsquared))}
            for words, other in (simpler | {f"{whole} and without the square": unsquared}).items():
                yield words, tree.Negative(other) if isinstance(formula, tree.Negative) else other
        case _ if _unsquared(formula) != formula:
            yield "without the square", _unsquared(formula)
    if isinstance(formula, tree.Negative):
        yield "without the minus", inner
    if "ln(" in written(formula):
        for base, logarithm in ((10, "log₁₀"), (2, "log₂")):
            yield f"with {logarithm} in place of ln", tree.Product((tree.Number(1 / Fraction(math.log(base))), formula))
    match formula:
        case tree.Largest():
            yield "without the max with 0", formula.terms[-1]
        case tree.Sum((first, *scores)) if first == tree.ONE:
            yield "without the 1 of the margin", tree.Sum(tuple(scores))
            yield "with the scores the wrong way round", tree.Sum((tree.ONE, *map(tree.Negative, scores)))
        case tree.Function("exp" | "sigmoid" as name):
            yield f"without the {'exponential' if name == 'exp' else name}", _first(formula)
        case tree.Quotient():
            yield "without the division by the sum", _first(formula)


def _of_sum(line: TraceLine, taken: Symbol, lines: Lines, values: Mapping[str, Value]) -> Iterator[Variant]:
    """Yield mistakes in ∂z/∂w and ∂z/∂h; those of ∂z/∂b have none."""
    prefix = line.moment.prefix
    above, _, below = line.key.removeprefix(prefix).partition("_")
    for other in (prefix + above[1:], prefix + below[1:]):
        if other in values and other != taken.key and other in lines:
            symbol = lines[other].symbol
            yield f"with {symbol.text} in place of {taken.text}", symbol
    before = lines.get(taken.key)
    if before is not None and before.rule == "activation":
        z = _first(before.formula)
        yield f"with {written(z)}, before the activation, in place of {taken.text}", z
    yield "with 1 in its place", tree.ONE


def _of_outputs(formula: Expression) -> Iterator[Variant]:
    """Yield mistakes in ∂L/∂ŷ and ∂L/∂z of a loss."""
    match formula:
        case tree.Sum((first, tree.Negative(second))):
            turned = tree.less(second, first)
            yield f"from {written(turned)}, the wrong way round", turned
            yield f"without the − {written(second)}", first
    yield "with a factor 2, as if the loss had no ½", tree.Product((tree.Number(Fraction(2)), formula))
    if isinstance(formula, tree.Product):
        yield f"without the factor {written(formula.factors[0])}", tree.Product(formula.factors[1:])


def _of_activation(formula: Expression) -> Iterator[Variant]:
    """Yield mistakes in φ'(z)."""
    z = _first(formula)
    if isinstance(formula, tree.Indicator):
        yield "on the other side of the kink", tree.Indicator(formula.argument, formula.below, formula.above)
        yield "with z itself in place of the slope", z
    yield "with 1 in its place", tree.ONE
    if isinstance(formula, tree.Product):
        yield f"without the factor {written(formula.factors[1])}", z
        yield f"without the factor {written(z)}", formula.factors[1]
    if isinstance(formula, tree.Sum):
        yield "without the square", tree.less(tree.ONE, z)


def _chain(formula: Expression) -> Iterator[Variant]:
    match formula:
        case tree.Sum(paths):
            for path in paths:
                yield f"with the path {written(path)} alone", path
                yield f"without the path {written(path)}", tree.Sum(_without(paths, path))
            products = [path.factors for path in paths if isinstance(path, tree.Product)]
            yield "without the upstream gradients", tree.Sum(tuple(factors[-1] for factors in products))
            yield "without the local derivatives", tree.Sum(tuple(factors[0] for factors in products))
        case tree.Product(factors):
            for factor in factors:
                yield f"without the factor {written(factor)}", tree.Product(_without(factors, factor))
            yield "with the factors added, not multiplied", tree.Sum(factors)


def _update(line: TraceLine, lines: Lines, w: Symbol, eta: Expression, gradient: Expression) -> Iterator[Variant]:
    uphill = tree.Sum((w, tree.Product((eta, gradient))))
    yield f"with + in place of −: uphill, {written(uphill)}", uphill
    yield "without η", tree.less(w, gradient)
    yield "without η, and uphill", tree.Sum((w, gradient))
    for power, times in TENS.items():
        for factor, word in ((Fraction(power), "large"), (Fraction(1, power), "small")):
            scaled = tree.Product((tree.Number(factor), eta, gradient))
            yield f"with a step {times} too {word}: a decimal point", tree.less(w, scaled)
    yield "as the step alone, without the old value", tree.Negative(tree.Product((eta, gradient)))
    yield "without any step", w
    for other in (other for other in lines.values() if other.moment == line.moment and other is not line):
        match other.formula:
            case tree.Sum((_, tree.Negative(tree.Product((_, Symbol() as step))))) if other.stage == "update":
                formula = tree.less(w, tree.Product((eta, step)))
                yield f"with {step.text} in place of {written(gradient)}", formula


def _first(formula: Expression) -> Symbol:
    return next(symbols(formula))


def _unsquared(expression: Expression) -> Expression:
    return rewritten(expression, lambda part: part.base if isinstance(part, tree.Power) else None)


def _shifted(formula: Expression, values: Mapping[str, Value], step: int, only: Symbol | None = None) -> Expression:
    """Return the formula with its parameters, or one of them, from another update. step: how many updates later."""

    def shifted(part: Expression) -> Expression | None:
        if not isinstance(part, Symbol) or only not in (None, part):
            return None
        update, _, rest = part.key.rpartition(".")
        other = f"{int(update) + step}.{rest}" if update.isdigit() and rest[0] in "wb" else ""
        return replace(part, key=other) if other in values else None

    return rewritten(formula, shifted)


def digit_cause(printed: str, right: Sequence[Value]) -> str:
    """Name two digits that changed places, or one digit that is another: "" where it is neither.

    >>> digit_cause("0.35", [Fraction("0.5312")]), digit_cause("0.59", [Fraction("0.5468")])
    ('0.35 is 0.53 with two digits transposed', '0.59 is one digit apart from 0.54')
    """
    if not quantum(printed) or "e" in printed.lower():
        return ""
    near = [text for value in right for text in _written_alike(value, printed) if len(text) == len(printed)]
    apart = {text: [(a, b) for a, b in zip(text, printed, strict=True) if a != b] for text in near}
    for text, pairs in apart.items():
        if len(pairs) == 2 and pairs[0] == pairs[1][::-1]:
            return f"{printed} is {text} with two digits transposed"
    for text, pairs in apart.items():
        if len(pairs) == 1 and significant(printed) > 1:
            return f"{printed} is one digit apart from {text}"
    return ""


def _written_alike(value: Value, printed: str) -> list[str]:
    """Return the value truncated, then rounded, with as many decimals as were printed."""
    q, decimals, exact = quantum(printed), len(printed.partition(".")[2]), Fraction(value)
    minus = printed[0] if printed[0] in "-−" else "-"
    whole = (int(exact / q), round(exact / q))
    return [f"{float(steps * q):.{decimals}f}".replace("-", minus) for steps in whole]
