"""Practice sheets: a trace with gaps, as a plain TOML file that a student fills in, its answers, and its marks."""

__all__ = ["answers_text", "blanked", "marked", "sheet_text", "write_sheet"]

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tenfold.errors import UsageError, blamed, nearest
from tenfold.files import write_text
from tenfold.report.printed import FLOATS, exactly
from tenfold.seeds import generator
from tenfold.teach.trace.checking import check
from tenfold.teach.trace.court import ReportedNumber, judge
from tenfold.teach.trace.ledger import Ledger, TraceLine
from tenfold.teach.trace.network import choices_of, counted, network_of
from tenfold.teach.trace.notation import exact_digits, shown, written
from tenfold.teach.trace.plaintext import plain_text
from tenfold.teach.trace.record import Trace, keep_files, rendered
from tenfold.teach.trace.specs import entries_of, read_toml, resolved_key
from tenfold.teach.trace.unrolling import unrolled

WORDS = ("gap", "key", "formula", "answer")
SUFFIXES = {"text": ".txt", "json": ".json", "html": ".html", "latex": ".tex", "markdown": ".md"}


def blanked(trace: Trace, count: int, seed: int) -> Trace:
    """Return the trace with `count` numbers hidden, drawn by the seed among those that take some working out.

    A later line that only hands a hidden number on, as a ReLU does, is hidden with it.
    """
    values = trace.ledger.values
    worth = [line for line in trace.lines if line.inputs and all(values[key] != line.value for key in line.inputs)]
    if not 1 <= count <= len(worth):
        raise UsageError(f"--blank {count}: this trace has {len(worth)} numbers that can be hidden, 1 at least")
    drawn = sorted(generator(seed, "trace", "blank").choice(len(worth), count, replace=False))
    return replace(trace, gaps={key: gap for gap, k in enumerate(drawn, 1) for key in _copies(trace.ledger, worth[k])})


def _copies(ledger: Ledger, line: TraceLine) -> list[str]:
    """Return the line, and the later ones that hand its number on as it is."""
    keys = [line.key]
    for later in ledger.lines[line.number :]:
        if later.value == line.value and any(key in keys for key in later.inputs):
            keys.append(later.key)
    return keys


def _gaps(trace: Trace) -> list[tuple[int, TraceLine]]:
    """Return the hidden lines that are to be filled in, not those that hand a number on."""
    gaps = trace.gaps or {}
    first = {gaps[line.key]: line for line in reversed(trace.lines) if line.key in gaps}
    return sorted(first.items(), key=lambda gap: gap[0])


def sheet_text(trace: Trace) -> str:
    """Write the file that a student fills in: the trace as comments, the network, and a table for each gap."""
    count = len(_gaps(trace))
    head = [
        f"{count} numbers of this trace are hidden. Work each out from the lines above it, write it between the",
        "quotes of its answer below, rounded as you like (to one digit that is not 0 at least), and have it",
        "marked: tenfold trace --mark THIS-FILE",
        "",
        *plain_text(trace.display).splitlines(),
    ]
    comments = "".join(f"# {line}".rstrip() + "\n" for line in head)
    return f"{comments}\n{_tables(trace, answers=False)}"


def answers_text(trace: Trace) -> str:
    """Write the answer key: the same tables, filled in; it marks as all right."""
    return f"# The answers to the {len(_gaps(trace))} gaps.\n\n{_tables(trace, answers=True)}"


def _tables(trace: Trace, answers: bool) -> str:
    """Write the network with all of its numbers, so that marking needs nothing else, and the gaps."""
    name = "".join(letter for letter in trace.network.name if letter.isprintable())
    choices = choices_of(
        trace.network, lambda v: exact_digits(v).replace("−", "-") or "{}/{}".format(*v.as_integer_ratio())
    )
    tables = [f"[network]\n{_table({'name': name, **choices})}\n"]
    for gap, line in _gaps(trace):
        formula = f"{line.symbol.text} = {written(line.formula)}"
        answer, digits = (shown(line.value), exact_digits(line.value)) if answers else ("", "")
        fields = {"gap": gap, "key": line.key, "formula": formula, "answer": answer}
        exact = f"  # exactly {digits}" if digits not in ("", answer) else ""
        tables.append(f"\n[[gaps]]\n{_table(fields)}{exact}\n")
    return "".join(tables)


def _table(fields: Mapping[str, Any]) -> str:
    return "\n".join(f"{name} = {_toml(value)}" for name, value in fields.items())


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {_toml(part)}' for key, part in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def write_sheet(trace: Trace, form: str, path: Path, force: bool = False) -> list[Path]:
    """Write a practice sheet, its answers beside it, and the trace with its gaps in a format other than text.

    A path that ends as the format does is the trace's; the sheet then ends with .toml.
    """
    keep_files([path], force=True)
    page = path.with_suffix(SUFFIXES[form])
    # Two files of one name would be one file: the sheet gives way.
    sheet = path.with_suffix(".toml") if form != "text" and path.suffix.lower() == page.suffix else path
    texts = {sheet: sheet_text(trace), sheet.with_name(f"{sheet.stem}-key.toml"): answers_text(trace)}
    if form != "text":
        texts[path if sheet != path else page] = rendered(trace, form)
    keep_files(texts, force)
    for file, text in texts.items():
        write_text(file, text)
    return list(texts)


def marked(path: Path) -> Trace:
    """Read a filled sheet as a trace with a judgment of every answer; what has none stays hidden.

    Raises UsageError where it is no sheet, or nothing of it is filled in.
    """
    given = read_toml(path)
    for key in given:
        if key not in ("network", "gaps"):
            raise UsageError(f"{path}: unknown key {key!r}: {nearest(key, ('network', 'gaps'))}")
    with blamed(str(path)):
        return _marked(given.get("network"), given.get("gaps"))


def _marked(choices: Any, gaps: Any) -> Trace:
    if not isinstance(choices, dict) or not isinstance(gaps, list) or not gaps:
        raise UsageError("is no sheet: expected [network] and [[gaps]], as `tenfold trace --blank 8` writes them")
    name = str(choices.get("name", "sheet"))
    network = network_of({key: value for key, value in choices.items() if key != "name"}, name)
    ledger = unrolled(network)
    lines = {line.key: line for line in ledger.lines}
    entries: list[ReportedNumber] = []
    hidden: set[str] = set()
    left: dict[str, int] = {}
    for k, gap in enumerate(gaps, 1):
        key, number, answer = _answer(gap, k, lines)
        if key in hidden:
            raise UsageError(f"gap {k}: {key} stands there twice")
        copies = _copies(ledger, lines[key])
        hidden.update(copies)
        if answer:
            with blamed(f"gap {k}"):
                entries += [entry._replace(where=f"gap {number}") for entry in entries_of({key: answer}, ledger)]
        else:
            left |= dict.fromkeys(copies, number)
    if not entries:
        raise UsageError("no gap is filled in: write each number between the quotes of its answer")
    sheet = {line.key: exactly(shown(line.value), FLOATS) for line in ledger.lines if line.key not in hidden}
    judgments = judge(ledger, entries, sheet)
    open_gaps = len(gaps) - len(entries)
    notes = (f"{open_gaps} of {len(gaps)} gaps not filled in",) if open_gaps else ()
    gaps_left = {key: number for key, number in left.items() if key not in {entry.key for entry in entries}}
    return Trace(network, ledger, check(network, ledger), judgments, notes, gaps_left, judged=True)


def _answer(gap: Any, k: int, lines: Mapping[str, TraceLine]) -> tuple[str, int, str]:
    if not isinstance(gap, dict) or set(gap) - set(WORDS) or not isinstance(gap.get("key"), str):
        raise UsageError(f"gap {k}: expected {', '.join(WORDS)}")
    number = counted(gap.get("gap", k), f"gap {k}: gap", 1, 10**6)
    answer = gap.get("answer", "")
    if isinstance(answer, bool) or not isinstance(answer, str | int):
        raise UsageError(f'gap {k}: answer is no number; write it in quotes, such as "1.53"')
    with blamed(f"gap {k}"):
        return resolved_key(gap["key"], set(lines)), number, str(answer).strip()
