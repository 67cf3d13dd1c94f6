"""Every line of a trace against torch: forward values, autograd, central differences, an SGD step; and the engine.

An error is measured in units of max(1, |e|), with |e| the magnitude of the line's formula (expressions.py); that of a
central difference also of what is differentiated, whose rounding it divides by a small step. A difference that this
rounding drowns, as where a step takes a small loss to a huge one, is none.
"""

__all__ = ["AUTOGRAD", "DIFFERENCE", "Checks", "Errors", "check"]

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor

from tenfold.errors import TenfoldError
from tenfold.teach.trace.engine import engine_slopes
from tenfold.teach.trace.expressions import magnitude
from tenfold.teach.trace.ledger import Ledger, Line
from tenfold.teach.trace.network import Network
from tenfold.teach.trace.oracle import Oracle, Slopes, consult, differences

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
    """Errors of every line by key, and the largest of the engine's gradients."""

    errors: dict[str, Errors]
    engine: float


@dataclass
class _Bench:
    """What is known while a trace is checked."""

    network: Network
    ledger: Ledger
    floats: dict[str, float]
    sizes: dict[str, float] = field(default_factory=dict)
    errors: dict[str, Errors] = field(default_factory=dict)
    engine: float = 0.0


def check(network: Network, ledger: Ledger) -> Checks:
    """Check every line. Raises TenfoldError at the first that torch, a difference or the engine contradicts."""
    bench = _Bench(network, ledger, {key: float(value) for key, value in ledger.values.items()})
    parameters = {given.name: bench.floats[given.key] for given in ledger.givens if given.name[0] in "wb"}
    for _, lines in groupby(ledger.lines, key=lambda line: line.moment.update):
        parameters = _check_update(bench, list(lines), parameters)
    return Checks(bench.errors, bench.engine)


def _check_update(bench: _Bench, lines: Sequence[Line], parameters: Mapping[str, float]) -> dict[str, float]:
    """Check one update; the parameters after it."""
    leaves = _leaves(bench.network, parameters)
    losses, slopes = [], []
    batch = [line for line in lines if line.moment.sample is None]
    for sample, own in groupby((line for line in lines if line.moment.sample), key=lambda line: line.moment.sample):
        oracle, found = _check_sample(bench, list(own), (sample or 1) - 1, leaves)
        losses.append(oracle.tensors["L"])
        slopes.append(found)
    loss = torch.cat(losses).mean()
    loss.backward()  # type: ignore[no-untyped-call]
    for line in batch:
        if line.stage == "loss":
            _judge(bench, line, float(loss.detach()))
        elif line.ratio:
            parts = [found[line.ratio] for found in slopes]
            known = [part for part in parts if part is not None]
            mean = sum(known) / len(parts) if len(known) == len(parts) else None
            grad = {stem: leaf.grad for stem, leaf in leaves.items() if leaf.grad is not None}
            _judge(bench, line, _cell(grad, line.ratio[1]), (mean,), abs(bench.floats[f"{line.moment.prefix}L"]))
    # What torch.optim.SGD does to a parameter; the optimizer itself takes over a second to import.
    rate = float(bench.network.learning_rate)
    stepped = {
        stem: torch.add(leaf.detach(), leaf.grad, alpha=-rate) for stem, leaf in leaves.items() if leaf.grad is not None
    }
    for line in batch:
        if line.stage == "update":
            _judge(bench, line, _cell(stepped, line.name))
    return {line.name: bench.floats[line.key] for line in batch if line.stage == "update"}


def _leaves(network: Network, parameters: Mapping[str, float]) -> dict[str, Tensor]:
    """Parameters as tensors "w1" (O, I), "b1" (O,)."""
    found = {}
    for layer, (outputs, inputs) in enumerate(zip(network.sizes[1:], network.sizes, strict=False), 1):
        rows = [[parameters[f"w{layer}[{i + 1},{j + 1}]"] for j in range(inputs)] for i in range(outputs)]
        biases = [parameters[f"b{layer}[{i + 1}]"] for i in range(outputs)]
        found[f"w{layer}"] = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
        found[f"b{layer}"] = torch.tensor(biases, dtype=torch.float64, requires_grad=True)
    return found


def _cell(tensors: Mapping[str, Tensor], name: str) -> float:
    stem, _, rest = name.partition("[")
    return float(tensors[stem][tuple(int(part) - 1 for part in rest.rstrip("]").split(","))])


def _check_sample(
    bench: _Bench, lines: Sequence[Line], sample: int, leaves: Mapping[str, Tensor]
) -> tuple[Oracle, Slopes]:
    """Check one sample's lines; torch's graph of it, and the central differences of the loss in the parameters."""
    known = {line.name: bench.floats[line.key] for line in lines if line.stage in ("forward", "loss")}
    oracle = consult(bench.network, sample, leaves, known)
    derived = [line for line in lines if line.ratio]
    exact: Slopes = {}
    for above, group in _grouped(derived).items():
        exact |= oracle.slopes(above, group)
    tried = _Tried(bench.network, sample, oracle, [line.ratio for line in derived if line.ratio])
    for line in lines:
        if line.ratio:
            _judge(bench, line, exact[line.ratio] or 0.0, tried.slopes(line.ratio), abs(known[line.ratio[0]]))
        else:
            _judge(bench, line, oracle.value(line.name))
    _check_engine(bench, lines, sample, oracle)
    return oracle, tried.at(0)


@dataclass
class _Tried:
    """Central differences, at further steps where the first does not do."""

    network: Network
    sample: int
    oracle: Oracle
    ratios: Sequence[tuple[str, str]]
    known: list[Slopes] = field(default_factory=list)

    def at(self, k: int) -> Slopes:
        """All differences at the k-th step."""
        while len(self.known) <= k:
            self.known.append(differences(self.network, self.sample, self.oracle, self.ratios, STEPS[len(self.known)]))
        return self.known[k]

    def slopes(self, ratio: tuple[str, str]) -> Iterable[float | None]:
        """One ratio at one step after the other."""
        return (self.at(k)[ratio] for k in range(len(STEPS)))


def _grouped(lines: Sequence[Line]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.ratio:
            found.setdefault(line.ratio[0], []).append(line.ratio[1])
    return found


def _judge(bench: _Bench, line: Line, torchs: float, slopes: Iterable[float | None] = (), size: float = 0.0) -> None:
    """Enter a line's errors. size: of what is differentiated. Raises TenfoldError where they are too large."""
    value = bench.floats[line.key]
    own = magnitude(line.formula, bench.floats, bench.sizes)
    if line.ratio:
        # A gradient inherits the rounding of those above it; a value was settled to the trace's.
        bench.sizes[line.key] = own
    error = abs(value - torchs) / max(1.0, own)
    if not error <= AUTOGRAD:
        raise TenfoldError(f"line {line.number}, {line.key}: {value!r} here, {torchs!r} by torch; please report this")
    best, drowned = None, False
    for slope in slopes:
        drowned |= slope is not None and math.isnan(slope)
        if slope is not None and not math.isnan(slope):
            off = abs(value - slope) / max(1.0, own, size)
            best = off if best is None else min(best, off)
            if best <= DIFFERENCE:
                break
    if best is not None and best > DIFFERENCE:
        raise TenfoldError(
            f"line {line.number}, {line.key}: the central difference is off by {best:.1e}; please report this"
        )
    lost = bool(line.ratio) and best is None
    bench.errors[line.key] = Errors(error, best, lost and not drowned, lost and drowned)


def _check_engine(bench: _Bench, lines: Sequence[Line], sample: int, oracle: Oracle) -> None:
    """Hold the layers' own pullbacks against the lines of one sample."""
    kink = any(
        bench.errors[line.key].kink for line in lines if line.ratio and line.ratio[0] == "L" and line.stage != "chain"
    )
    found = engine_slopes(bench.network, sample, oracle.tensors, kink)
    for line in lines:
        if line.ratio and line.ratio[0] == "L" and line.ratio[1] in found:
            value, own = bench.floats[line.key], max(1.0, bench.sizes[line.key])
            error = abs(value - found[line.ratio[1]]) / own
            if not error <= AUTOGRAD:
                raise TenfoldError(
                    f"line {line.number}, {line.key}: {value!r} here, {found[line.ratio[1]]!r} by the layers' own "
                    "pullback; please report this"
                )
            bench.engine = max(bench.engine, error)
