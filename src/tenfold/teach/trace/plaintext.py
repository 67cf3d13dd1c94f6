"""A trace as lines of plain text, at most 100 columns wide."""

__all__ = ["WIDTH", "TextRow", "plain_text", "text_rows"]

import textwrap
from collections.abc import Iterator
from typing import NamedTuple

from tenfold.report.judge import SLIP, counted_verdict, standing
from tenfold.teach.trace.chapters import Display, DisplayRow
from tenfold.teach.trace.notation import shown

WIDTH = 100
INDENT = 6


class TextRow(NamedTuple):
    """A piece of text and what it is: "title", "heading", "stage", "line", "right", "follows", "slip" or "note"."""

    kind: str
    text: str


def plain_text(trace: Display) -> str:
    """Return the whole trace as text, without a line break at its end."""
    return "\n".join(row.text for row in text_rows(trace))


def text_rows(trace: Display) -> Iterator[TextRow]:
    """Yield the trace's text piece by piece, so that whoever prints it may color it."""
    yield _wrapped("title", f"{trace.name}: {trace.heading}")
    start = (f"{symbol.text} = {shown(value)}" for symbol, value in trace.givens if symbol.key.startswith("0."))
    yield _wrapped("note", f"start: {', '.join(start)}")
    for note in trace.notes:
        yield _wrapped("note", f"note: {note}")
    for chapter in trace.chapters:
        for part in chapter.parts:
            yield TextRow("heading", f"\n{chapter.title}, {part.about}")
            for stage, rows in part.stages:
                yield TextRow("stage", f"  {stage}")
                for row in rows:
                    yield from _line(row)
    yield TextRow("note", "")
    yield _wrapped("note", f"checked: {trace.held}")
    if trace.counts is not None:
        total = f"{len(trace.judged)} number{'s' * (len(trace.judged) != 1)}"
        counts = ", ".join(counted_verdict(*counted) for counted in trace.counts.items())
        yield _wrapped("note", f"judged: {total}: {counts or 'none given'}")
    for row, judgment in trace.judged:
        if judgment.verdict == SLIP:
            name = f"line {row.line.number}, {row.line.symbol.text}"
            yield _wrapped("slip", f"{name} = {judgment.printed}: {judgment.sentence}", "  ", "    ")


def _line(row: DisplayRow) -> Iterator[TextRow]:
    terms = [f"{sign} {term.text}" for sign, term in row.terms]
    terms.append(f"{row.sign} {row.value}{' ____' * (row.gap is not None)}")
    parts = [f"{row.line.symbol.text} {terms[0]}", *terms[1:]]
    if row.errors.kink:
        parts.append("  (at the kink: autograd's convention)")
    start, whole = f"{row.line.number:>4}  ", " ".join(parts)
    # On one line where they fit, else one below the other.
    for k, part in enumerate([whole] if len(start + whole) <= WIDTH else parts):
        yield _wrapped("line", part, " " * (INDENT + 2) if k else start, " " * (INDENT + 4))
    for judgment in row.judgments:
        place = f" ({judgment.note})" if judgment.note else ""
        text = f"{judgment.printed}{place}: {judgment.sentence}"
        yield _wrapped(standing(judgment.verdict), text, " " * INDENT + "» ", " " * (INDENT + 4))


def _wrapped(kind: str, text: str, first: str = "", rest: str = "  ") -> TextRow:
    whole = textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    return TextRow(kind, whole)
