"""A trace as lines of plain text, at most 100 columns wide, from its plain data."""

__all__ = ["WIDTH", "Row", "rows", "told"]

import textwrap
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

from tenfold.teach.judge import SLIP, counted_verdict, standing
from tenfold.teach.trace.notation import circled
from tenfold.teach.trace.words import STAGES, small, vector

WIDTH = 100
INDENT = 6


class Row(NamedTuple):
    """A piece of text and what it is: "title", "heading", "stage", "line", "right", "follows", "slip" or "note"."""

    kind: str
    text: str


def told(trace: Mapping[str, Any]) -> str:
    """The whole trace as text, without a line break at its end."""
    return "\n".join(row.text for row in rows(trace))


def rows(trace: Mapping[str, Any]) -> Iterator[Row]:
    """The trace's text piece by piece, so that whoever prints it may color it. trace: `Trace.as_json()`."""
    yield from _head(trace)
    samples, batch = {sample["number"]: sample for sample in trace["samples"]}, trace["network"]["batch"]
    for (update, sample), group in groupby(trace["lines"], key=lambda line: _chapter(line, batch)):
        yield Row("heading", f"\n{_heading(update, samples[sample or (update - 1) % len(samples) + 1], batch, sample)}")
        for stage, lines in groupby(group, key=lambda line: STAGES[line["stage"]]):
            yield Row("stage", f"  {stage}")
            for line in lines:
                yield from _line(line)
    yield Row("note", "")
    yield from _foot(trace)


def _chapter(line: Mapping[str, Any], batch: bool) -> tuple[int, int | None]:
    """Update and sample; without a batch an update is of one sample."""
    return line["update"], line["sample"] if batch else None


def _head(trace: Mapping[str, Any]) -> Iterator[Row]:
    network = trace["network"]
    how = "all samples in one update" if network["batch"] else "one sample an update"
    activations = ", ".join(network["activations"])
    sizes = "-".join(map(str, network["sizes"]))
    made = f"{sizes}, {activations}; loss {network['loss']}; η = {network['learning_rate']}; {how}"
    text = f"{_plain(trace['name'])}: {made}"
    yield from _wrapped("title", text, "", "  ")
    start = [given for given in trace["givens"] if given["key"].startswith("0.")]
    text = ", ".join(f"{given['symbol']['text']} = {given['shown']}" for given in start)
    yield from _wrapped("note", f"start: {text}", "", "  ")
    for note in trace["notes"]:
        yield from _wrapped("note", f"note: {_plain(note)}", "", "  ")


def _heading(update: int, sample: Mapping[str, Any], batch: bool, number: int | None) -> str:
    if batch and number is None:
        return f"Update {update}, the whole batch"
    y = sample["y"] if isinstance(sample["y"], list) else [f"class {sample['y']}"]
    return f"Update {update}, sample {sample['number']}: x = {vector(sample['x'])}, y = {vector(y)}"


def _line(line: Mapping[str, Any]) -> Iterator[Row]:
    sign = " ← " if line["stage"] == "update" else " = "
    parts = [f"{line['symbol']['text']}{sign}{line['formula']['text']}"]
    if line["gap"] is not None:
        parts.append(f"= {circled(line['gap'])} ____")
    else:
        result = line["shown"]
        if line["numbers"]["text"] not in (line["formula"]["text"], result):
            parts.append(f"= {line['numbers']['text']}")
        if line["formula"]["text"] != result:
            parts.append(f"{'=' if line['exact'] == result else '≈'} {result}")
    if line["kink"]:
        parts.append("  (at the kink: autograd's convention)")
    yield from _fitted(f"{line['number']:>4}  ", parts)
    for reported in line["reported"]:
        place = f" ({_plain(reported['where'])})" if reported["where"] else ""
        text = f"{reported['printed']}{place}: {reported['sentence']}"
        yield from _wrapped(standing(reported["verdict"]), text, " " * INDENT + "» ", " " * (INDENT + 4))


def _fitted(start: str, parts: list[str]) -> Iterator[Row]:
    """On one line where it fits, else the parts one below the other."""
    whole = start + " ".join(parts)
    if len(whole) <= WIDTH:
        yield Row("line", whole)
        return
    for k, part in enumerate(parts):
        before = start if k == 0 else " " * (INDENT + 2)
        yield from _wrapped("line", part, before, " " * (INDENT + 4))


def _wrapped(kind: str, text: str, first: str, rest: str) -> Iterator[Row]:
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False, break_long_words=True
    )
    yield Row(kind, "\n".join(lines))


def _plain(text: str) -> str:
    """Text from outside as one line without controls."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _foot(trace: Mapping[str, Any]) -> Iterator[Row]:
    checked = trace["checked"]
    text = (
        f"checked: {checked['lines']} lines. Largest error against torch {small(checked['autograd'])} "
        f"(allowed {small(checked['tolerance_autograd'])}), against central differences {small(checked['difference'])} "
        f"(allowed {small(checked['tolerance_difference'])}), of the layers' own pullbacks {small(checked['engine'])}."
    )
    text += " Errors are shares of the numbers that went into a line, of 1 where these are smaller."
    if checked.get("drowned"):
        text += f" Where rounding leaves no central difference: {checked['drowned']} lines."
    if checked["kinks"]:
        text += f" At a kink, where there is no central difference: {checked['kinks']} lines."
    yield from _wrapped("note", text, "", "  ")
    if trace["judged"]:
        yield from _verdicts(trace)


def _verdicts(trace: Mapping[str, Any]) -> Iterator[Row]:
    judged = trace["judged"]
    counts = [counted_verdict(*counted) for counted in judged["counts"].items()]
    total = f"{judged['answered']} number{'s' * (judged['answered'] != 1)}"
    yield from _wrapped("note", f"judged: {total}: {', '.join(counts) or 'none given'}", "", "  ")
    for line in trace["lines"]:
        for reported in line["reported"]:
            if reported["verdict"] == SLIP:
                name = f"line {line['number']}, {line['symbol']['text']}"
                text = f"{name} = {reported['printed']}: {reported['sentence']}"
                yield from _wrapped("slip", text, "  ", "    ")
