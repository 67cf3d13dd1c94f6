"""Every line of a trace against torch: its formula, autograd, central differences, an SGD step; and the engine.

An error is measured in units of max(1, |e|), with |e| the magnitude of the line's formula (expressions.py); that of a
central difference also of what is differentiated, whose rounding it divides by a small step. A difference that this
rounding drowns, as where a step takes a small loss to a huge one, is none.

The forward pass of one sample in torch gives autograd's slopes and central differences. Every quantity q is a tensor
whose value is that of the trace: the difference to what torch computes from the quantities before it is an error of the
line, and is added as a constant, so that a sum that is 0 in fractions is 0 at the kink too. With a nudge ±ε of q, a row
for each, all derivatives are tried at once:

    ∂a/∂q ≈ (a(q + ε) − a(q − ε)) / 2ε

A nudge that moves a maximum to another of its terms, over the kink of a rectifier or a hinge, says nothing of a slope.
The layers and losses that train are asked for the same numbers: what trains is what is explained.
"""

__all__ = ["AUTOGRAD", "DIFFERENCE", "Checks", "Errors", "check"]

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tenfold.engine.layers.linear import linear
from tenfold.errors import TenfoldError
from tenfold.rooms import find
from tenfold.teach.trace.expressions import Calculus, Expression, Symbol, evaluate, magnitude
from tenfold.teach.trace.ledger import Ledger, Moment, Naming, TraceLine
from tenfold.teach.trace.network import Network, Sample

AUTOGRAD = 1e-12
DIFFERENCE = 1e-6
STEPS = (1e-5, 1e-7, 1e-3, 1e-9)  # another is tried where one crosses a kink, or is too coarse or fine for a curve

Slopes = dict[tuple[str, str], float | None]  # by keys above and below; None at a kink, NaN where rounding drowned it
EPSILON, DROWNED = torch.finfo(torch.float64).eps, 1e-6
FUNCTIONS = {name: getattr(torch, name) for name in ("sigmoid", "tanh", "exp")}
FUNCTIONS |= {"ln": torch.log, "ln(1 − …)": lambda rest: torch.log1p(-rest)}
FUNCTIONS |= {"number": float, "same": lambda *_: True}


class Errors(NamedTuple):
    """Of one line: against torch's value or gradient, against the central difference (None where there is none).

    There is none of a value, at a kink, and where rounding drowned it at every step.
    """

    autograd: float
    difference: float | None
    kink: bool
    drowned: bool


class Checks(NamedTuple):
    """Errors of every line by key, the largest of all, and how many lines have no difference.

    engine: of the gradients by the layers' own pullbacks. kinks: at a kink; drowned: lost in rounding.
    """

    errors: dict[str, Errors]
    autograd: float
    difference: float
    engine: float
    kinks: int
    drowned: int


@dataclass
class _Bench:
    """The trace that is checked, and its errors so far; sizes: the magnitudes of gradients."""

    network: Network
    floats: dict[str, float]
    sizes: dict[str, float] = field(default_factory=dict)
    errors: dict[str, Errors] = field(default_factory=dict)
    engine: float = 0.0


def check(network: Network, ledger: Ledger) -> Checks:
    """Check every line. Raises TenfoldError at the first that torch, a difference or the engine contradicts."""
    bench = _Bench(network, {key: float(value) for key, value in ledger.values.items()})
    for _, lines in groupby(ledger.lines, key=lambda line: line.moment.update):
        _check_update(bench, list(lines))
    torch, differences, kinks, drowned = zip(*bench.errors.values(), strict=True)
    largest = max((error for error in differences if error is not None), default=0.0)
    return Checks(bench.errors, max(torch), largest, bench.engine, sum(kinks), sum(drowned))


def _check_update(bench: _Bench, lines: Sequence[TraceLine]) -> None:
    groups = groupby(lines, key=lambda line: line.moment.sample)
    samples = [_check_sample(bench, list(group)) for sample, group in groups if sample is not None]
    for line in (line for line in lines if line.moment.sample is None):
        if line.stage == "loss":
            _judge(bench, line, [sum(bench.floats[loss] for loss, _, _ in samples) / len(samples)])
            continue
        below = line.ratio[1] if line.ratio else f"{line.moment.update - 1}.{line.key.partition('.')[2]}"
        slope = _mean([slopes[loss, below] for loss, slopes, _ in samples]) or 0.0
        if line.ratio:
            difference = _mean([tried[loss, below] for loss, _, tried in samples])
            _judge(bench, line, [slope], (difference,), abs(bench.floats[line.ratio[0]]))
        else:
            _judge(bench, line, [bench.floats[below] - float(bench.network.learning_rate) * slope])


def _mean(parts: Sequence[float | None]) -> float | None:
    there = [part for part in parts if part is not None]
    return sum(there) / len(parts) if len(there) == len(parts) else None


def _check_sample(bench: _Bench, lines: Sequence[TraceLine]) -> tuple[str, Slopes, Slopes]:
    """Check the lines of one sample; return its loss's key, autograd's slopes, and differences at the first step."""
    moment = lines[0].moment
    graph = graph_of([line for line in lines if not line.ratio and line.stage != "update"], bench.floats)
    ratios = [line.ratio for line in lines if line.ratio]
    slopes, numbers = autograd(graph, ratios), engine_numbers(bench.network, moment, bench.floats)
    tried = cache(lambda step: differences(graph, ratios, step))
    for line in lines:
        if line.ratio:
            steps = (tried(step)[line.ratio] for step in STEPS)
            _judge(bench, line, [slopes[line.ratio] or 0.0], steps, abs(bench.floats[line.ratio[0]]))
        else:
            value = float(graph.tensors[line.key].detach() - graph.offsets[line.key])
            _judge(bench, line, [value, numbers.get(line.key, value)])
    gradients = [line for line in lines if line.place.quantity == "gradient"]
    # Where the loss is at its kink, a sum in floats may lie on the other side: then no gradient can be held against it.
    if not any(bench.errors[line.key].kink for line in gradients if line.stage == "derivative"):
        for line in gradients:
            value, scale = bench.floats[line.key], max(1.0, bench.sizes[line.key])
            error = _error(line, value, numbers[line.key], scale, "the layers' own pullback")
            bench.engine = max(bench.engine, error)
    return f"{moment.prefix}L", slopes, tried(STEPS[0])


def _judge(
    bench: _Bench, line: TraceLine, torchs: Sequence[float], slopes: Iterable[float | None] = (), size: float = 0.0
) -> None:
    """Enter a line's errors. size: of what is differentiated. Raises TenfoldError where they are too large."""
    value = bench.floats[line.key]
    scale = magnitude(line.formula, bench.floats, bench.sizes)
    if line.ratio:
        # A gradient inherits the rounding of those above it; a value was settled to the trace's.
        bench.sizes[line.key] = scale
    error = max(_error(line, value, other, max(1.0, scale), "torch") for other in torchs)
    best, drowned = None, False
    for slope in slopes:
        drowned |= slope is not None and math.isnan(slope)
        if slope is not None and not math.isnan(slope):
            off = abs(value - slope) / max(1.0, scale, size)
            best = off if best is None else min(best, off)
            if best <= DIFFERENCE:
                break
    if best is not None and best > DIFFERENCE:
        where = f"line {line.number}, {line.key}"
        raise TenfoldError(f"{where}: the central difference is off by {best:.1e}; please report this")
    lost = bool(line.ratio) and best is None
    bench.errors[line.key] = Errors(error, best, lost and not drowned, lost and drowned)


def _error(line: TraceLine, value: float, other: float, scale: float, source: str) -> float:
    """Return how far two values are apart. Raises TenfoldError where they should be the same."""
    error = abs(value - other) / scale
    if not error <= AUTOGRAD:
        raise TenfoldError(f"line {line.number}, {line.key}: {value!r} here, {other!r} by {source}; please report this")
    return error


class Graph(NamedTuple):
    """The forward lines and the loss of a sample, their tensors and inputs by key, and trace − torch of every line."""

    lines: Sequence[TraceLine]
    tensors: dict[str, Tensor]
    offsets: dict[str, Tensor]


def graph_of(lines: Sequence[TraceLine], floats: Mapping[str, float]) -> Graph:
    """Work the lines out in torch. floats: the trace's values by key."""
    above = {line.key for line in lines}
    inputs = dict.fromkeys(key for line in lines for key in line.inputs if key not in above)
    tensors = {key: torch.tensor(floats[key], dtype=torch.float64, requires_grad=True) for key in inputs}
    graph = Graph(lines, tensors, {})
    for line in lines:
        raw = evaluate(line.formula, tensors, _arithmetic([]))
        graph.offsets[line.key] = floats[line.key] - raw.detach()
        tensors[line.key] = raw + graph.offsets[line.key]
    return graph


def autograd(graph: Graph, ratios: Sequence[tuple[str, str]]) -> Slopes:
    """Return autograd's derivatives."""
    slopes: Slopes = {}
    for above in dict.fromkeys(above for above, _ in ratios):
        below = [key for top, key in ratios if top == above]
        inputs = [graph.tensors[key] for key in below]
        grads = torch.autograd.grad(graph.tensors[above], inputs, retain_graph=True, allow_unused=True)
        slopes |= {(above, key): 0.0 if grad is None else float(grad) for key, grad in zip(below, grads, strict=True)}
    return slopes


def differences(graph: Graph, ratios: Sequence[tuple[str, str]], step: float) -> Slopes:
    """Return central differences, every nudge a row of one pass. step: of quantities up to 1, else relative."""
    rows = {key: 2 * k for k, key in enumerate(dict.fromkeys(key for _, key in ratios))}
    base = {key: tensor.detach() for key, tensor in graph.tensors.items()}
    tensors = {key: tensor + _nudge(key, tensor, rows, step) for key, tensor in base.items()}
    sides: list[Tensor] = []
    for line in graph.lines:
        nudge = tensors[line.key] - base[line.key]
        raw = evaluate(line.formula, tensors, _arithmetic(sides))
        tensors[line.key] = raw + graph.offsets[line.key] + nudge
    pairs = torch.stack([side.expand(2 * len(rows)) for side in sides]).view(len(sides), -1, 2) if sides else None
    crossed = [False] * len(rows) if pairs is None else (pairs[..., 0] != pairs[..., 1]).any(0).tolist()
    tops = {above: tensors[above].expand(2 * len(rows)).tolist() for above in {above for above, _ in ratios}}
    apart = {below: float(tensors[below][row] - tensors[below][row + 1]) for below, row in rows.items()}
    return {
        (above, below): None
        if crossed[rows[below] // 2]
        else _slope(tops[above][rows[below] : rows[below] + 2], apart[below], abs(float(base[above])))
        for above, below in ratios
    }


def _nudge(key: str, value: Tensor, rows: Mapping[str, int], step: float) -> Tensor:
    """Return what is added to a quantity in every row: ± the step in its own two."""
    nudge = torch.zeros(2 * len(rows), dtype=torch.float64)
    if key in rows:
        size = step * max(1.0, abs(float(value)))
        nudge[rows[key]], nudge[rows[key] + 1] = size, -size
    return nudge


def _slope(pair: Sequence[float], apart: float, base: float) -> float:
    """Return the slope between two values; NaN where rounding is more than DROWNED of it, of `base` and of 1."""
    slope, rounding = (pair[0] - pair[1]) / apart, 2 * EPSILON * max(map(abs, pair)) / apart
    return slope if rounding <= DROWNED * max(1.0, abs(slope), base) and math.isfinite(slope) else math.nan


def _arithmetic(sides: list[Tensor]) -> Calculus:
    """Return torch's arithmetic. sides: which of its terms each maximum was, entered as they are evaluated."""

    def largest(terms: Sequence[Expression], values: Sequence[Any]) -> Tensor:
        # In a tie the flattest term counts, as it does for torch's rectifiers: a symbol alone is the steepest.
        order = sorted(range(len(terms)), key=lambda k: isinstance(terms[k], Symbol))
        listed = [torch.as_tensor(values[k], dtype=torch.float64) for k in order]
        stacked = torch.stack(torch.broadcast_tensors(*listed))  # type: ignore[no-untyped-call]
        sides.append(stacked.detach().argmax(0))
        return stacked.gather(0, sides[-1].unsqueeze(0)).squeeze(0)

    return FUNCTIONS | {"max": largest}


def engine_numbers(network: Network, moment: Moment, floats: Mapping[str, float]) -> dict[str, float]:
    """Return z, h, L and the ∂L of these and of the parameters, by key of the line.

    Every layer is given the trace's own values, and so is its pullback's way back. floats: the trace's values by key.
    """
    numbers: dict[str, float] = {}
    naming, sample = Naming(network), network.samples[(moment.sample or 1) - 1]
    inputs, pulls = _tensor(floats, f"s{moment.sample}.", naming.values(0)), []
    for layer, activation in enumerate(network.activations, 1):
        sums, outputs, parameters = naming.sums(layer), naming.values(layer), naming.parameters(layer)
        w, b = (_tensor(floats, f"{moment.update - 1}.", symbols) for symbols in parameters)
        z, pull = linear(inputs.view(1, 1, -1), w.view(1, len(b), -1), b.unsqueeze(0))
        _enter(numbers, moment.prefix, sums, z)
        h, pull_activation = find("layers", activation)(_tensor(floats, moment.prefix, sums))
        _enter(numbers, moment.prefix, outputs, h)
        pulls.append((sums, outputs, parameters, pull, pull_activation))
        inputs = _tensor(floats, moment.prefix, outputs)
    loss, down = _loss(network, sample, inputs)
    numbers[f"{moment.prefix}L"] = float(loss)
    for sums, outputs, parameters, pull, pull_activation in reversed(pulls):
        _enter(numbers, f"{moment.prefix}d", outputs, down)
        (down,) = pull_activation(down)
        _enter(numbers, f"{moment.prefix}d", sums, down)
        dx, *gradients = pull(down.view(1, 1, -1), need_dx=True)
        for symbols, gradient in zip(parameters, gradients, strict=True):
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


def _tensor(floats: Mapping[str, float], prefix: str, symbols: Sequence[Symbol]) -> Tensor:
    return torch.tensor([floats[prefix + symbol.key] for symbol in symbols], dtype=torch.float64)


def _enter(numbers: dict[str, float], prefix: str, symbols: Sequence[Symbol], values: Tensor) -> None:
    numbers |= {prefix + symbol.key: value for symbol, value in zip(symbols, values.flatten().tolist(), strict=True)}
