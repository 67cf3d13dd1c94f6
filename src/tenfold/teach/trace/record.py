"""A finished trace: its network, its lines, what was checked, and what was reported of it."""

__all__ = ["Trace", "digest"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich.text import Text

from tenfold.teach.judge import SLIP, Judgment, tally
from tenfold.teach.printed import FLOATS, exactly
from tenfold.teach.trace.checking import AUTOGRAD, DIFFERENCE, Checks
from tenfold.teach.trace.expressions import Expression, Precise, Sum, Symbol, evaluate, rewritten
from tenfold.teach.trace.ledger import Ledger, TraceLine
from tenfold.teach.trace.naming import Place
from tenfold.teach.trace.network import Network
from tenfold.teach.trace.notation import LATEX, TEXT, Style, circled, exact_digits, letters, shown, written
from tenfold.teach.trace.telling import told

FORMAT = 1
# How far a difference of shown digits may be from the value, as a share of it.
CLOSE = 1e-3


@dataclass(frozen=True)
class Trace:
    """Every number of a small network's training, each line checked; `judgments` of numbers that were reported.

    gaps: key of a hidden line -> the number of its gap. judged: printed numbers were given, if only none.
    """

    network: Network
    ledger: Ledger
    checks: Checks
    judgments: tuple[Judgment, ...] = ()
    notes: tuple[str, ...] = ()
    gaps: Mapping[str, int] | None = None
    judged: bool = False

    @property
    def lines(self) -> tuple[TraceLine, ...]:
        """The lines in their order."""
        return tuple(self.ledger.lines)

    def as_json(self) -> dict[str, Any]:
        """The trace as plain data: what `--format json` prints, and what every page is made from."""
        return digest(self)

    def __str__(self) -> str:
        return told(self.as_json())

    def __rich__(self) -> Text:
        return Text(str(self))


def digest(trace: Trace) -> dict[str, Any]:
    """Plain data of a trace, hidden numbers left out."""
    network, gaps = trace.network, trace.gaps or {}
    return {
        "format": FORMAT,
        "name": network.name,
        "network": {
            "sizes": list(network.sizes),
            "activations": list(network.activations),
            "loss": network.loss,
            "learning_rate": _digits(network.learning_rate),
            "batch": network.batch,
            "updates": network.updates,
        },
        "samples": [
            {
                "number": k,
                "x": [_digits(cell) for cell in sample.x],
                "y": [_digits(cell) for cell in sample.y] if network.regresses else sample.label,
            }
            for k, sample in enumerate(network.samples, 1)
        ],
        "givens": [
            {
                "key": given.key,
                "symbol": _symbol(given.symbol),
                "shown": shown(given.value),
                "place": _place(given.place),
            }
            for given in trace.ledger.givens
        ],
        "lines": [_line(trace, line, gaps) for line in trace.lines],
        "checked": _checked(trace),
        "judged": _judged(trace) if trace.judged else None,
        "notes": [*network.notes, *trace.notes],
    }


def _line(trace: Trace, line: TraceLine, gaps: Mapping[str, int]) -> dict[str, Any]:
    hidden, errors = line.key in gaps, trace.checks.errors[line.key]
    formula = {name: written(line.formula, style, letters(style)) for name, style in _STYLES.items()}
    numbers = {name: _numbers(trace, line, style, gaps) for name, style in _STYLES.items()}
    return {
        "number": line.number,
        "key": line.key,
        "update": line.moment.update,
        "sample": line.moment.sample,
        "stage": line.stage,
        "rule": line.rule,
        "symbol": _symbol(line.symbol),
        "formula": formula,
        "numbers": None if hidden else numbers,
        "value": None if hidden else float(line.value),
        "shown": None if hidden else shown(line.value),
        "exact": None if hidden else exact_digits(line.value) or None,
        "inputs": list(line.inputs),
        "place": _place(line.place),
        "errors": {
            "autograd": None if hidden else errors.autograd,
            "difference": None if hidden else errors.difference,
        },
        "kink": errors.kink,
        "gap": gaps.get(line.key),
        "reported": [
            {
                "printed": judgment.printed,
                "verdict": judgment.verdict,
                "sentence": judgment.sentence,
                "where": judgment.note,
            }
            for judgment in trace.judgments
            if judgment.about == line.key
        ],
    }


_STYLES: dict[str, Style] = {"text": TEXT, "latex": LATEX}


def _numbers(trace: Trace, line: TraceLine, style: Style, gaps: Mapping[str, int]) -> str:
    """The formula with numbers put in, a gap's number where one is hidden.

    A difference is its own value where it cannot be told from the digits that are shown of its parts.
    """
    values, own = trace.ledger.values, dict[str, str]()

    def put(symbol: Symbol) -> str:
        return circled(gaps[symbol.key]) if symbol.key in gaps else own.get(symbol.key) or shown(values[symbol.key])

    def told(precise: Expression) -> Expression | None:
        if not isinstance(precise, Precise):
            return None
        key = precise.of.key
        if key in gaps or not isinstance(precise.written, Sum):
            return precise.written
        value = float(evaluate(precise, values))
        if abs(float(evaluate(precise.written, {key: exactly(shown(values[key]), FLOATS)})) - value) <= CLOSE * abs(
            value
        ):
            return precise.written
        rest = f"1 − {key}"
        own[rest] = shown(value)
        return Symbol(rest, rest, rest)

    return written(rewritten(line.formula, told), style, put)


def _digits(value: Any) -> str:
    return exact_digits(value) or shown(value)


def _symbol(symbol: Symbol) -> dict[str, str]:
    return {"text": symbol.text, "latex": symbol.latex}


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    kind, layer, unit, source, quantity = place
    return {"kind": kind, "layer": layer, "unit": unit, "from": source, "quantity": quantity}


def _checked(trace: Trace) -> dict[str, Any]:
    errors = trace.checks.errors.values()
    return {
        "lines": len(errors),
        "autograd": max(error.autograd for error in errors),
        "difference": max((error.difference for error in errors if error.difference is not None), default=0.0),
        "engine": trace.checks.engine,
        "tolerance_autograd": AUTOGRAD,
        "tolerance_difference": DIFFERENCE,
        "kinks": sum(error.kink for error in errors),
        "drowned": sum(error.drowned for error in errors),
    }


def _judged(trace: Trace) -> dict[str, Any]:
    numbers = {line.key: line.number for line in trace.lines}
    slips = [numbers[judgment.about] for judgment in trace.judgments if judgment.verdict == SLIP]
    counts = tally(trace.judgments)
    answered = len(trace.judgments)
    return {
        "counts": counts,
        "slips": list(dict.fromkeys(slips)),
        "answered": answered,
        "right": answered - len(slips),
    }
