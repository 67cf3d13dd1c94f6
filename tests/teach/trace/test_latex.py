"""The LaTeX of a trace closes whatever it opens, is plain ASCII, shows every line once, and lets no text out."""

import re

import pytest

from tenfold.teach.trace.latex import escaped, latex
from tests.teach.trace.traced import NAMES, SEEN, gaps, hostile, traced

every_trace = pytest.mark.parametrize("name", NAMES)
# All that a document of ours may tell TeX to do; a hostile \input would be one more.
COMMANDS = set(
    re.findall(
        r"\w+",
        "documentclass usepackage setlength textwidth oddsidemargin textheight topmargin parindent allowdisplaybreaks "
        "begin end section subsection paragraph item emph tag text boxed underline hspace qquad frac tfrac partial hat "
        "eta cdot left right max exp ln sigma tanh sum leftarrow approx mathrm textbackslash textasciitilde "
        "textasciicircum textbar textless textgreater le ge ldots times",
    )
)


def rows(document):
    """Number of a line (a text, for a "*" may follow it) -> its rows."""
    inside = re.findall(r"\\begin\{align\*\}\n(.*?)\\end\{align\*\}", document, re.DOTALL)
    found, lines = {}, []
    for row in (row for block in inside for row in block.strip().split("\\\\\n")):
        lines.append(row)
        if tag := re.search(r"\\tag\{(\d+)\*?\}", row):
            found[int(tag[1])] = lines
            lines = []
    assert not lines, "rows without a number"
    return found


def bare(text):
    """Without what is escaped: the signs that are left mean something to TeX."""
    return re.sub(r"\\(?:[a-zA-Z]+|.)", "", text, flags=re.DOTALL)


def assert_closed(text):
    depth = 0
    for sign in re.findall("[{}]", bare(text)):
        depth += 1 if sign == "{" else -1
        assert depth >= 0, text
    assert depth == 0, text
    assert bare(text).count("$") % 2 == 0, text


@every_trace
def test_what_is_opened_is_closed(name):
    document = latex(traced(name))
    assert_closed(document)
    stack = []
    for kind, environment in re.findall(r"\\(begin|end)\{([^}]*)\}", document):
        if kind == "begin":
            stack.append(environment)
        else:
            assert stack.pop() == environment
    assert not stack
    assert re.findall(r"\\usepackage\{([^}]*)\}", document) == ["amsmath"]


@every_trace
def test_every_row_stands_by_itself(name):
    for number, lines in rows(latex(traced(name))).items():
        for row in lines:
            assert_closed(row)
            assert len(re.findall(r"\\left\b", row)) == len(re.findall(r"\\right\b", row)), (number, row)
            assert bare(row).count("&") == 1, "one place to align at"
            assert not row.lstrip().startswith(("[", "*")), "an argument of the \\\\ before it"
            assert len(re.sub(r"\\[a-z]+|[{}^_ ]", "", row)) < 110


@every_trace
def test_every_line_stands_there_once_with_its_value(name):
    found = traced(name)
    shown = rows(latex(found))
    assert sorted(shown) == [row.line.number for row in found.rows]
    for row in found.rows:
        whole = " ".join(shown[row.line.number])
        assert row.line.symbol.latex in whole
        if row.gap is None:
            value = row.value.replace("−", "-").replace("e", r"\mathrm{e}{") + "}" * ("e" in row.value)
            assert re.search(rf"(=|\\approx) {re.escape(value)} \\tag", whole), whole


@every_trace
def test_it_is_ascii_and_tells_tex_nothing_else(name):
    document = latex(traced(name))
    assert document.isascii()
    assert set(re.findall(r"\\([a-zA-Z]+)", document)) <= COMMANDS


def test_hostile_text_is_text():
    document = latex(hostile())
    assert document.isascii()
    assert "\x1b" not in document
    assert_closed(document)
    assert set(re.findall(r"\\([a-zA-Z]+)", document.replace(r"\textbackslash{}input", ""))) <= COMMANDS
    assert not set("%#~^") & set(bare(re.sub(r"\\begin\{align\*\}.*?\\end\{align\*\}", "", document, flags=re.DOTALL)))
    assert escaped(SEEN) in document


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50 % & #1_x {y}", r"50 \% \& \#1\_x \{y\}"),
        ("h₁₂ x² ŷ ∂L −1", r"h$_{12}$ x$^{2}$ $\hat{y}$ $\partial$L $-$1"),
        ("a--b ``q'' ?`", "a-{}-b `{}`q'{}' ?{}`"),
        ("é Ł ß ñ", r"\'{e} \L{} \ss{} \~{n}"),
        ("中\x07", "{[}U+4E2D{]}{[}U+0007{]}"),
        ("③ \\ ~ ^", r"(3) \textbackslash{} \textasciitilde{} \textasciicircum{}"),
        ("a\nb\t c", "a b c"),
    ],
)
def test_text_is_escaped(text, expected):
    assert escaped(text) == expected


def test_what_was_printed_stands_below_its_line():
    found = traced("judged")
    document = latex(found)
    for row, said in found.judged:
        told = rf"\item[({row.line.number})] printed {escaped(said.printed)}"
        assert told in document
        assert rf"\emph{{{escaped(said.verdict)}}}{escaped(said.rest)}" in document
        assert rf"\tag{{{row.line.number}*}}" in document


def test_a_gap_is_an_empty_place_with_its_number():
    found = traced("blank")
    shown = rows(latex(found))
    for line in gaps(found):
        (row,) = shown[line.line.number]
        assert rf"= \underline{{\hspace{{3em}}}}\,\boxed{{{line.gap}}} \tag" in row
    assert "①" not in latex(found)
    assert len(re.findall(r"\\boxed", latex(found))) > len(gaps(found)), "a gap that another line goes on with"


def test_a_long_sum_is_broken_before_a_sign():
    document = rows(latex(traced("wide")))
    assert any(row.startswith(r"&\qquad {} +") for lines in document.values() for row in lines)


def test_nothing_is_broken_inside_of_parentheses():
    found = traced("hand-worked")
    inside = " + ".join(f"a_{{{k}}}" for k in range(60))
    formula = found.rows[0].formula._replace(latex=rf"\tfrac{{1}}{{2}} \left({inside}\right) + b")
    (chapter, *_), row = found.chapters, found.rows[0]._replace(formula=formula)
    part = chapter.parts[0]._replace(stages=[("forward", [row])])
    document = latex(found._replace(chapters=[chapter._replace(parts=[part])]))
    first, *_, last = rows(document)[1]
    assert first.count(r"\left") == first.count(r"\right") == 1
    assert last.endswith(r"\tag{1} ") or last.endswith(r"\tag{1}")
    assert len(rows(document)[1]) > 2
