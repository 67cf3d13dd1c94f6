"""A finished trace: network, lines, what was checked and what was reported of it; the formats that it leaves in."""

__all__ = ["FORMATS", "Trace", "keep_files", "rendered", "write_trace"]

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rich.text import Text

from tenfold.errors import FileError, UsageError, nearest
from tenfold.files import write_text
from tenfold.report.judge import SLIP, Judgment
from tenfold.teach.trace.chapters import Display, DisplayRow, display
from tenfold.teach.trace.checking import AUTOGRAD, DIFFERENCE, Checks
from tenfold.teach.trace.expressions import Place, Symbol
from tenfold.teach.trace.latex import latex
from tenfold.teach.trace.ledger import Ledger, TraceLine
from tenfold.teach.trace.markdown_tables import markdown
from tenfold.teach.trace.network import Network, choices_of
from tenfold.teach.trace.notation import Written, digits, shown
from tenfold.teach.trace.plaintext import plain_text
from tenfold.teach.trace.webpage import page

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
        network = choices_of(self.network, digits)
        samples = [{"number": k, **sample} for k, sample in enumerate(network["samples"], 1)]
        errors, *largest = self.checks._asdict().items()
        tolerances = {"tolerance_autograd": AUTOGRAD, "tolerance_difference": DIFFERENCE}
        counts, answered = self.display.counts or {}, len(self.judgments)
        right = answered - counts.get(SLIP, 0)
        judged = {"counts": counts, "slips": self.display.slips, "answered": answered, "right": right}
        return {
            "format": FORMAT,
            "name": self.network.name,
            "network": {key: value for key, value in network.items() if key not in ("weights", "biases", "samples")},
            "samples": samples,
            "givens": [
                {"key": symbol.key, "symbol": _both(symbol), "shown": shown(value), "place": _place(symbol.place)}
                for symbol, value in self.ledger.givens
            ],
            "lines": [self._line(row) for row in self.display.rows],
            "checked": {"lines": len(errors[1]), **dict(largest), **tolerances},
            "judged": judged if self.judged else None,
            "notes": [*self.network.notes, *self.notes],
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
            "errors": {name: None if hidden else getattr(errors, name) for name in ("autograd", "difference")},
            "kink": errors.kink,
            "gap": row.gap,
            "reported": [
                {"printed": said.printed, "verdict": said.verdict, "sentence": said.sentence, "where": said.note}
                for said in self.judgments
                if said.about == line.key
            ],
        }

    def __str__(self) -> str:
        return plain_text(self.display)

    def __rich__(self) -> Text:
        return Text(str(self))


def _both(written: Symbol | Written) -> dict[str, str]:
    return {"text": written.text, "latex": written.latex}


def _place(place: Place | None) -> dict[str, Any] | None:
    return {"from" if key == "source" else key: value for key, value in place._asdict().items()} if place else None


FORMATS: dict[str, Callable[[Trace], str]] = {
    "text": str,
    "json": lambda trace: json.dumps(trace.as_json(), ensure_ascii=False, indent=1),
    "html": lambda trace: page(trace.display),
    "latex": lambda trace: latex(trace.display),
    "markdown": lambda trace: markdown(trace.display),
}


def rendered(trace: Trace, form: str) -> str:
    """Write the trace in a format, with a line break at its end. Raises UsageError for an unknown format."""
    if form not in FORMATS:
        raise UsageError(f"no format {form!r}: {nearest(form, FORMATS)}")
    return FORMATS[form](trace).rstrip("\n") + "\n"


def write_trace(trace: Trace, form: str, path: Path, force: bool = False) -> Path:
    """Write the trace in a format; a file that is there already is replaced only by force. Raises FileError."""
    keep_files([path], force)
    write_text(path, rendered(trace, form))
    return path


def keep_files(paths: Iterable[Path], force: bool) -> None:
    """Refuse to write over files that are there, but by force, and over folders. Raises FileError."""
    for path in paths:
        if path.is_dir():
            raise FileError(f"{path}: is a folder; give the name of a file")
        if path.exists() and not force:
            raise FileError(f"{path}: is there already, somebody may have written in it; --force replaces it")
