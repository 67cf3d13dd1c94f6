"""A trace as Markdown that any site renders: plain Unicode mathematics, a table for each update and stage."""

__all__ = ["markdown"]

from collections.abc import Iterable, Iterator, Sequence

from tenfold.report.judge import counted_verdict
from tenfold.teach.trace.chapters import Display, DisplayRow, small
from tenfold.text import markdown as escaped

COLUMNS = ("line", "quantity", "formula", "numbers", "value", "rule", "off by")


def markdown(trace: Display) -> str:
    """Return the whole document; every text is escaped, formulas too."""
    counts = ", ".join(counted_verdict(*counted) for counted in (trace.counts or {}).items())
    about = [*trace.about, *([f"Printed numbers: {counts}."] if counts else [])]
    lines = [f"# Back-propagation, line by line: {escaped(trace.name)}", ""]
    lines += [line for sentence in about for line in (escaped(sentence), "")]
    for chapter in trace.chapters:
        lines += [f"## {escaped(chapter.title)}: {escaped(chapter.about)}", ""]
        for stage, rows in chapter.stages():
            lines += [f"### {escaped(stage.capitalize())}", "", *_table(rows), ""]
    rules = [f"- **{escaped(rule)}**: {escaped(sentence)}" for rule, sentence in trace.rules.items()]
    return "\n".join([*lines, "## Rules", "", *rules]) + "\n"


def _table(rows: Sequence[DisplayRow]) -> Iterator[str]:
    """Yield the table of a stage; printed numbers have columns of their own where there are some."""
    said = any(row.judgments for row in rows)
    header = COLUMNS + ("printed",) * said
    yield _joined(header)
    yield _joined("---" for _ in header)
    for row in rows:
        yield _joined(map(escaped, _cells(row)[: len(header)]))


def _joined(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(row: DisplayRow) -> list[str]:
    terms = dict.fromkeys(("formula", "numbers"), "")
    for sign, term in row.terms:
        terms["formula" if term == row.formula else "numbers"] = f"{sign} {term.text}"
    exact = f" (exactly {row.all_digits})" if row.all_digits else ""
    errors = {"autograd": row.errors.autograd, "difference": row.errors.difference} if row.gap is None else {}
    said = [
        f"{judgment.printed}{f' ({judgment.note})' * bool(judgment.note)}: {judgment.verdict}{judgment.rest}"
        for judgment in row.judgments
    ]
    return [
        str(row.line.number),
        row.line.symbol.text,
        *terms.values(),
        f"{row.sign} {row.value}{exact}",
        row.line.rule,
        ", ".join(f"{name} {small(error)}" for name, error in errors.items() if error is not None),
        " / ".join(said),
    ]
