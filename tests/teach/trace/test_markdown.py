"""The Markdown of a trace has a row for every line, as many cells as columns, and no text that means anything."""

import re

import pytest

from tenfold.teach.trace.markdown_tables import markdown
from tests.teach.trace.traced import HOSTILE, NAMES, gaps, hostile, traced

every_trace = pytest.mark.parametrize("name", NAMES)
CELL = re.compile(r"(?<!\\)\|")


def tables(document):
    """Number of a line -> its cells by column."""
    found, columns = {}, []
    for line in document.splitlines():
        cells = [cell.strip() for cell in CELL.split(line)[1:-1]]
        if line.startswith("| line |"):
            columns = cells
        elif line.startswith("| ") and cells[0].isdigit():
            assert len(cells) == len(columns), line
            found[int(cells[0])] = dict(zip(columns, cells, strict=True))
    return found


def plain(cell):
    return re.sub(r"\\(.)", r"\1", cell)


@every_trace
def test_every_line_has_its_row(name):
    found = traced(name)
    shown = tables(markdown(found))
    assert sorted(shown) == [row.line.number for row in found.rows]
    for row in found.rows:
        cells = shown[row.line.number]
        assert plain(cells["quantity"]) == row.line.symbol.text
        assert plain(cells["value"]).split()[1] == row.value
        assert plain(cells["formula"]).endswith(row.formula.text) or not cells["formula"]
        assert cells["rule"] == row.line.rule


@every_trace
def test_updates_are_headings(name):
    found = traced(name)
    titles = re.findall(r"^## (Update \d+)", markdown(found), re.MULTILINE)
    assert titles == [f"Update {number}" for number in dict.fromkeys(row.line.moment.update for row in found.rows)]


def test_printed_numbers_stand_beside_their_line():
    found = traced("judged")
    shown = tables(markdown(found))
    for row, said in found.judged:
        assert f"{said.printed}" in plain(shown[row.line.number]["printed"])
        assert f": {said.verdict}{said.rest}" in plain(shown[row.line.number]["printed"])


def test_hostile_text_is_text():
    document = markdown(hostile())
    assert document.count("\n# ") == 0
    assert len(tables(document)) == len(traced("judged").rows)
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>`$]", document), "markup, code or mathematics"
    assert "\x1b" not in document
    assert "\u202e" not in document
    assert f"\\- {document.split(chr(10))[0].partition(': ')[2]}" in document, "a note that begins like a list"
    assert HOSTILE.split("\n")[1].split()[0] in document


def test_a_gap_is_its_number():
    found = traced("blank")
    shown = tables(markdown(found))
    rings = [shown[row.line.number]["value"] for row in gaps(found)]
    assert sorted(set(rings)) == [f"= {ring}" for ring in "①②③④⑤⑥⑦⑧"]
    assert rings == [f"= {'①②③④⑤⑥⑦⑧'[row.gap - 1]}" for row in gaps(found)]
    assert all(not shown[row.line.number]["numbers"] for row in gaps(found))


def test_addresses_and_mentions_are_not_links():
    found = traced("hand-worked")
    found = found._replace(name="see https://a.b, www.c.d and @someone #1")
    assert "https\\://a.b, www\\.c.d and &#64;someone \\#1" in markdown(found)
