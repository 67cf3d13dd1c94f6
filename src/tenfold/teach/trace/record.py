"""A finished trace: its network, its lines, what was checked, and what was reported of it."""

__all__ = ["Trace"]

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from rich.text import Text

from tenfold.teach.judge import SLIP, Judgment
from tenfold.teach.trace.checking import AUTOGRAD, DIFFERENCE, Checks
from tenfold.teach.trace.display import Display, DisplayRow, display
from tenfold.teach.trace.expressions import Place, Symbol
from tenfold.teach.trace.ledger import Ledger, TraceLine
from tenfold.teach.trace.network import Network
from tenfold.teach.trace.notation import Written, exact_digits, shown
from tenfold.teach.trace.plaintext import plain_text

FORMAT = 1


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
        """Return the lines in their order."""
        return tuple(self.ledger.lines)

    @cached_property
    def display(self) -> Display:
        """Return the trace as every format shows it."""
        judgments = self.judgments if self.judged else None
        return display(self.network, self.ledger, self.checks, judgments, self.notes, self.gaps or {})

    def as_json(self) -> dict[str, Any]:
        """Return the trace as plain data, hidden numbers left out."""
        network = self.network
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
                {"key": symbol.key, "symbol": _both(symbol), "shown": shown(value), "place": _place(symbol.place)}
                for symbol, value in self.ledger.givens
            ],
            "lines": [self._line(row) for row in self.display.rows],
            "checked": _checked(self.checks),
            "judged": self._judged() if self.judged else None,
            "notes": [*network.notes, *self.notes],
        }

    def _line(self, row: DisplayRow) -> dict[str, Any]:
        line, errors, hidden = row.line, row.errors, row.gap is not None
        return {
            "number": line.number,
            "key": line.key,
            "update": line.moment.update,
            "sample": line.moment.sample,
            "stage": line.stage,
            "rule": line.rule,
            "symbol": _both(line.symbol),
            "formula": _both(row.formula),
            "numbers": _both(row.numbers) if row.numbers else None,
            "value": None if hidden else float(line.value),
            "shown": None if hidden else row.value,
            "exact": row.exact or None,
            "inputs": list(line.inputs),
            "place": _place(line.place),
            "errors": {
                "autograd": None if hidden else errors.autograd,
                "difference": None if hidden else errors.difference,
            },
            "kink": errors.kink,
            "gap": row.gap,
            "reported": [
                {"printed": own.printed, "verdict": own.verdict, "sentence": own.sentence, "where": own.note}
                for own in self.judgments
                if own.about == line.key
            ],
        }

    def _judged(self) -> dict[str, Any]:
        counts, answered = self.display.counts or {}, len(self.judgments)
        return {
            "counts": counts,
            "slips": self.display.slips,
            "answered": answered,
            "right": answered - counts.get(SLIP, 0),
        }

    def __str__(self) -> str:
        return plain_text(self.display)

    def __rich__(self) -> Text:
        return Text(str(self))


def _digits(value: Any) -> str:
    return exact_digits(value) or shown(value)


def _both(written: Symbol | Written) -> dict[str, str]:
    return {"text": written.text, "latex": written.latex}


def _place(place: Place | None) -> dict[str, Any] | None:
    if place is None:
        return None
    kind, layer, unit, source, quantity = place
    return {"kind": kind, "layer": layer, "unit": unit, "from": source, "quantity": quantity}


def _checked(checks: Checks) -> dict[str, Any]:
    return {
        "lines": len(checks.errors),
        "autograd": checks.autograd,
        "difference": checks.difference,
        "engine": checks.engine,
        "tolerance_autograd": AUTOGRAD,
        "tolerance_difference": DIFFERENCE,
        "kinks": checks.kinks,
        "drowned": checks.drowned,
    }
