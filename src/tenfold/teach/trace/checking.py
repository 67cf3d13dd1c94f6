"""Every line of a trace against torch: its formula, autograd, central differences, an SGD step; and the engine.

An error is measured in units of max(1, |e|), with |e| the magnitude of the line's formula (expressions.py); that of a
central difference also of what is differentiated, whose rounding it divides by a small step. A difference that this
rounding drowns, as where a step takes a small loss to a huge one, is none.
"""

__all__ = ["AUTOGRAD", "DIFFERENCE", "Checks", "Errors", "check"]

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from typing import NamedTuple

from tenfold.errors import TenfoldError
from tenfold.teach.trace.expressions import magnitude
from tenfold.teach.trace.ledger import Ledger, TraceLine
from tenfold.teach.trace.network import Network
from tenfold.teach.trace.oracles import Slopes, autograd, differences, engine_numbers, graph_of

AUTOGRAD = 1e-12
DIFFERENCE = 1e-6
# A step that crosses a kink, or is too coarse or too fine for a curve, is tried again with another.
STEPS = (1e-5, 1e-7, 1e-3, 1e-9)


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
    samples = [
        _check_sample(bench, list(group))
        for sample, group in groupby(lines, key=lambda line: line.moment.sample)
        if sample is not None
    ]
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
            value = graph.value(line.key)
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
        raise TenfoldError(
            f"line {line.number}, {line.key}: the central difference is off by {best:.1e}; please report this"
        )
    lost = bool(line.ratio) and best is None
    bench.errors[line.key] = Errors(error, best, lost and not drowned, lost and drowned)


def _error(line: TraceLine, value: float, other: float, scale: float, source: str) -> float:
    """Return how far two values are apart. Raises TenfoldError where they should be the same."""
    error = abs(value - other) / scale
    if not error <= AUTOGRAD:
        raise TenfoldError(f"line {line.number}, {line.key}: {value!r} here, {other!r} by {source}; please report this")
    return error
