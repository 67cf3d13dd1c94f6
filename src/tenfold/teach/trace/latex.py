r"""A trace as a LaTeX document that needs nothing but amsmath, with any engine, pdfTeX too.

A line is  symbol &= formula = numbers = value  in an align* of its update and stage, tagged with its number; in a long
one each "=" begins a row of its own. What somebody printed stands in words below the lines that it belongs to.
"""

__all__ = ["latex"]

import re
import unicodedata
from collections.abc import Iterator, Sequence

from tenfold.teach.trace.chapters import Display, DisplayRow
from tenfold.text import latex as escaped

ROW = 62  # letters of plain text that fit into a row, as far as they tell the width of a formula
HEAD = r"""\documentclass[a4paper,11pt]{article}
\usepackage{amsmath}
\setlength{\textwidth}{165mm}
\setlength{\oddsidemargin}{-3mm}
\setlength{\textheight}{240mm}
\setlength{\topmargin}{-15mm}
\setlength{\parindent}{0pt}
\allowdisplaybreaks
\begin{document}
"""
RELATIONS = {"=": "=", "←": r"\leftarrow", "≈": r"\approx"}


def latex(trace: Display) -> str:
    """Return the whole document; every text of the trace that is no formula of ours is escaped."""
    body = [rf"\section*{{Back-propagation, line by line: {escaped(trace.name)}}}"]
    body += [line for sentence in trace.about for line in (escaped(sentence), "")][:-1]
    for chapter in trace.chapters:
        body += ["", rf"\subsection*{{{escaped(chapter.title)}: {escaped(chapter.about)}}}"]
        for stage, rows in chapter.stages():
            body += [rf"\paragraph{{{escaped(stage.capitalize())}}}", *_stage(rows)]
    body += ["", r"\subsection*{Rules}", r"\begin{description}"]
    body += [rf"\item[{escaped(rule)}] {escaped(sentence)}" for rule, sentence in trace.rules.items()]
    return "\n".join([HEAD.strip(), *body, r"\end{description}", r"\end{document}", ""])


def _stage(rows: Sequence[DisplayRow]) -> Iterator[str]:
    """Yield the lines of a stage in one align*, and below them what was printed for some."""
    yield r"\begin{align*}"
    yield " \\\\\n".join(map(_line, rows))
    yield r"\end{align*}"
    judged = [(row.line.number, judgment) for row in rows for judgment in row.judgments]
    if judged:
        yield r"\begin{itemize}"
        for number, judgment in judged:
            printed = escaped(judgment.printed + (f" ({judgment.note})" if judgment.note else ""))
            verdict = rf"\emph{{{escaped(judgment.verdict)}}}{escaped(judgment.rest)}"
            yield rf"\item[({number})] printed {printed}: {verdict}"
        yield r"\end{itemize}"


def _line(shown: DisplayRow) -> str:
    """Return a line in one row, or in a row for each of its equalities."""
    value = _digits(shown.value) if shown.gap is None else rf"\underline{{\hspace{{3em}}}}\,\boxed{{{shown.gap}}}"
    terms = [*((sign, _math(term.latex)) for sign, term in shown.terms), (shown.sign, value)]
    tag = rf"\tag{{{shown.line.number}{'*' if shown.judgments else ''}}}"
    symbol = _math(shown.line.symbol.latex)
    whole = f"{symbol} &" + " ".join(f"{RELATIONS[sign]} {term}" for sign, term in terms)
    if _width(whole) <= ROW:
        return f"{whole} {tag}"
    rows = [row for sign, term in terms for row in _broken(RELATIONS[sign], term)]
    return f"{symbol} " + " \\\\\n".join(rows) + f" {tag}"


def _broken(relation: str, term: str) -> Iterator[str]:
    """Yield a term in rows that fit, cut before a sign that stands in no parentheses."""
    start, row = f"&{relation} ", ""
    for piece in _summands(term):
        if row and _width(row + piece) > ROW:
            yield start + row.strip()
            start, row = r"&\qquad {} ", ""
        row += piece
    yield start + row.strip()


def _summands(term: str) -> list[str]:
    pieces, depth = [""], 0
    for token in re.findall(r" [+-] |\\left|\\right|\\.|.", term):
        depth += {"{": 1, "(": 1, "[": 1, "}": -1, ")": -1, "]": -1}.get(token, 0)
        if token in (" + ", " - ") and not depth:
            pieces.append("")
        pieces[-1] += token
    return pieces


def _width(row: str) -> int:
    return len(re.sub(r"\\(?:frac|tfrac|left|right|text|partial|hat|cdot)|[{}^_&\\ ]", "", row))


def _math(formula: str) -> str:
    """Return a formula; the number of a gap in a box, whatever else is not of LaTeX's own letters as text."""
    boxed = re.sub("[①-⑳]", lambda ring: rf"\boxed{{{unicodedata.numeric(ring[0]):.0f}}}", formula)
    return _digits(re.sub(r"[^\x00-\x7f]+", lambda letters: rf"\text{{{escaped(letters[0])}}}", boxed))


def _digits(number: str) -> str:
    """Return a number with its exponent set upright: 1.5e-9."""
    return re.sub(r"(?<=\d)e(-?\d+)", r"\\mathrm{e}{\1}", number.replace("−", "-"))
