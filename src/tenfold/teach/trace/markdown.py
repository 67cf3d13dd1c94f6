"""A trace as Markdown that any site renders: plain Unicode mathematics, a table for each update and stage."""

__all__ = ["markdown"]

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from tenfold.teach.judge import counted_verdict
from tenfold.teach.trace import words

Trace = Mapping[str, Any]
Line = Mapping[str, Any]
# Whatever could be taken for markup, a mention, an entity or mathematics; for a list; for an address.
_LIST = re.compile(r"^(\d*)([-+.)])(?=\s|$)")
_MARKUP = re.compile(r"([\\`*_\[\]<>|~$#&@])")


def markdown(trace: Trace) -> str:
    """The whole document; every text is escaped, formulas too."""
    about = [f"{words.heading(trace)}.", words.held(trace), *(trace.get("notes") or ())]
    about += [f"Numbers left to the reader: {words.gaps(trace)}."] if words.gaps(trace) else []
    counts = (trace["judged"] or {}).get("counts") or {}
    lines = [f"# Back-propagation, line by line: {_text(str(trace['name']))}", ""]
    lines += [line for sentence in about for line in (_text(sentence), "")]
    if counts:
        lines += [_text(f"Printed numbers: {', '.join(counted_verdict(*found) for found in counts.items())}."), ""]
    for group in words.groups(trace):
        lines += [f"## {_text(group.title)}: {_text(group.about)}", ""]
        for stage, own in group.stages:
            lines += [f"### {_text(stage.capitalize())}", "", *_stage(own), ""]
    lines += ["## Rules", "", *(f"- **{_text(rule)}**: {_text(sentence)}" for rule, sentence in words.rules(trace))]
    return "\n".join(lines) + "\n"


def _stage(lines: Sequence[Line]) -> Iterator[str]:
    """The table of a stage; printed numbers have columns of their own where there are some."""
    said = any(line["reported"] for line in lines)
    columns = ("line", "quantity", "formula", "numbers", "value", "rule", "off by")
    return _table(columns + ("printed",) * said, [_row(line, said) for line in lines])


def _row(line: Line, said: bool) -> list[str]:
    formula, numbers, sign = words.formula(line), words.numbers(line), words.sign(line)
    shown = words.value(line)
    exact = f" (exactly {line['exact']})" if sign == "≈" and line["exact"] else ""
    cells = [str(line["number"]), line["symbol"]["text"], "", "", f"{sign} {shown}{exact}", line["rule"]]
    cells[2] = f"{words.arrow(line)} {formula['text']}".strip() if formula else ""
    cells[3] = f"= {numbers['text']}" if numbers else ""
    told = [
        f"{found.printed}{f' ({found.where})' * bool(found.where)}: {found.verdict}{found.rest}"
        for found in words.said([line])
    ]
    errors = [f"{key} {words.small(error)}" for key, error in line["errors"].items() if error is not None]
    return [*cells, ", ".join(errors), *([" / ".join(told)] if said else [])]


def _table(columns: Iterable[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    header = list(columns)
    yield f"| {' | '.join(header)} |"
    yield f"| {' | '.join('---' for _ in header)} |"
    for row in rows:
        yield f"| {' | '.join(map(_text, row))} |"


def _text(text: str) -> str:
    """One line of visible characters that mean nothing but themselves."""
    visible = "".join(" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    told = _MARKUP.sub(r"\\\1", " ".join(visible.split()))
    return _LIST.sub(r"\1\\\2", re.sub(r"(?<=:)//|(?<=www)\.", r"\\\g<0>", told))
