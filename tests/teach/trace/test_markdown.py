"""The Markdown of a trace has a row for every line, as many cells as columns, and no text that means anything."""

import re

import pytest

from tenfold.teach.trace import words
from tenfold.teach.trace.markdown import markdown
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
    assert sorted(shown) == [line["number"] for line in found["lines"]]
    for line in found["lines"]:
        row = shown[line["number"]]
        assert plain(row["quantity"]) == line["symbol"]["text"]
        assert plain(row["value"]).split()[1] == words.value(line)
        assert plain(row["formula"]).endswith(line["formula"]["text"]) or not row["formula"]
        assert row["rule"] == line["rule"]


@every_trace
def test_updates_are_headings(name):
    found = traced(name)
    titles = re.findall(r"^## (Update \d+)", markdown(found), re.MULTILINE)
    assert titles == [f"Update {number}" for number in dict.fromkeys(line["update"] for line in found["lines"])]


def test_printed_numbers_stand_beside_their_line():
    found = traced("judged")
    shown = tables(markdown(found))
    for said in words.said(found["lines"]):
        assert f"{said.printed}" in plain(shown[said.line["number"]]["printed"])
        assert f": {said.verdict}{said.rest}" in plain(shown[said.line["number"]]["printed"])


def test_hostile_text_is_text():
    document = markdown(hostile())
    assert document.count("\n# ") == 0
    assert len(tables(document)) == len(traced("judged")["lines"])
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>`$]", document), "markup, code or mathematics"
    assert "\x1b" not in document
    assert "\u202e" not in document
    assert f"\\- {document.split(chr(10))[0].partition(': ')[2]}" in document, "a note that begins like a list"
    assert HOSTILE.split("\n")[1].split()[0] in document


def test_a_gap_is_its_number():
    found = traced("blank")
    shown = tables(markdown(found))
    rings = [shown[line["number"]]["value"] for line in gaps(found)]
    assert sorted(set(rings)) == [f"= {ring}" for ring in "①②③④⑤⑥⑦⑧"]
    assert rings == [f"= {'①②③④⑤⑥⑦⑧'[line['gap'] - 1]}" for line in gaps(found)]
    assert all(not shown[line["number"]]["numbers"] for line in gaps(found))


def test_addresses_and_mentions_are_not_links():
    found = traced("hand-worked")
    found["name"] = "see https://a.b, www.c.d and @someone #1"
    assert "https:\\//a.b, www\\.c.d and \\@someone \\#1" in markdown(found)
