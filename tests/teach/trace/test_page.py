"""The page of a trace: every line is on it, every number has its place on the drawing, nothing hidden or hostile is."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from html.parser import HTMLParser
from itertools import combinations
from xml.etree import ElementTree

import pytest

from tenfold.teach.trace import ledger as naming
from tenfold.teach.trace.diagram import drawing, part
from tenfold.teach.trace.expressions import (
    Function,
    Indicator,
    Largest,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
)
from tenfold.teach.trace.notation import in_all_styles
from tenfold.teach.trace.webpage import page
from tests.teach.trace.traced import HOSTILE, NAMES, SEEN, gaps, hostile, traced

every_trace = pytest.mark.parametrize("name", NAMES)


class Reader(HTMLParser):
    """Text of every line of the list, what the page names outside of itself, and its style, scripts and data."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.lines, self.outside, self.code, self.tags = {}, [], [], []
        self.line = self.kind = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.tags.append(tag)
        self.outside += [value for name, value in attributes if name in ("src", "href", "action", "srcset")]
        assert not any(name.startswith("on") or name == "style" for name in given), given
        if tag == "li" and "line" in (given.get("class") or "").split():
            self.line = self.lines.setdefault(given["id"], [])
        self.kind = tag if tag in ("style", "script") else None

    def handle_endtag(self, tag):
        if tag in ("ol", "section"):
            self.line = None
        self.kind = None

    def handle_data(self, data):
        if self.kind:
            self.code.append((self.kind, data))
        elif self.line is not None:
            self.line.append(data)


@cache
def page_of(name):
    return page(traced(name))


def data_of(text):
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', text, re.DOTALL)
    return json.loads(found[1])


@every_trace
def test_every_line_is_on_the_page_with_its_value_rule_and_checks(name):
    found = traced(name)
    lines = Reader(page_of(name)).lines
    assert list(lines) == [f"line-{row.line.number}" for row in found.rows]
    for row in found.rows:
        told = "".join(lines[f"line-{row.line.number}"])
        assert told.count(row.value) >= 2, "once in the list, once in full"
        assert row.line.rule in told
        assert row.checks in told
        for said in row.judgments:
            assert re.sub(r"\s", "", f"printed{said.printed}") in re.sub(r"\s", "", told)
            assert f"{said.verdict}{said.rest}" in told


@every_trace
def test_every_formula_is_mathematics(name):
    for row in traced(name).rows:
        for written in filter(None, (row.line.symbol, row.formula, row.numbers)):
            assert not set("\\{}") & set(written.mathml)
            pieces = ElementTree.fromstring(f"<p>{written.mathml}</p>".replace("<wbr>", ""))
            assert {piece.tag for piece in pieces.iter()} <= ELEMENTS
            assert all(len(piece) == ARGUMENTS.get(piece.tag, len(piece)) for piece in pieces.iter())


ELEMENTS = {"p", "math", "mi", "mn", "mo", "mrow", "mtext", "mfrac", "msub", "msup", "msubsup", "mover"}
ARGUMENTS = {"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "mover": 2}
Z, Y, YHAT = naming.symbol("z"), naming.symbol("y"), naming.symbol("ŷ")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (Product((Number(Fraction(1, 2)), Power(Sum((YHAT, Negative(Y))), 2))), "12(y^−y)2"),
        (naming.symbol("w", "1,2", 1), "w1,2(1)"),
        (Indicator(Z, Fraction(1), Fraction(0)), "[z>0]"),
        (Indicator(Z, Fraction(1), Fraction(1, 100)), "(1\xa0if\xa0z>0\xa0else\xa00.01)"),
        (Function("ln", naming.symbol("p", "3")), "ln(p3)"),
        (Largest((Number(Fraction(0)), Z)), "max(0,z)"),
        (Quotient(Sum((Y, Z)), Z), "y+zz"),
        (naming.ratio(naming.symbol("L"), naming.symbol("w", "1")), "∂L∂w1"),
    ],
)
def test_a_formula_keeps_its_letters(formula, text):
    assert "".join(ElementTree.fromstring(in_all_styles(formula).mathml).itertext()) == text


@pytest.mark.parametrize("number", ["1.5e−9", "−2.5", "①", "1/3"])
def test_a_number_is_put_in_as_it_is(number):
    written = in_all_styles(Product((Y, Z)), lambda symbol: number if symbol == Z else "7").mathml
    assert "".join(ElementTree.fromstring(written).itertext()) == f"7·{f'({number})' if number[0] == '−' else number}"


def test_a_long_sum_may_be_broken_before_each_of_its_terms():
    assert in_all_styles(Sum((Z, Y, Negative(Y)))).mathml.count("<wbr><math><mo ") == 2


@every_trace
@pytest.mark.parametrize("way", ["across", "down"])
def test_every_number_has_a_place_on_the_drawing(name, way):
    found = traced(name)
    drawn = drawing(found.network.sizes, {}, way)
    slots = {f"{label.part} {label.slot}" for label in drawn.labels}
    shown = data_of(page_of(name))
    for slot, *_ in shown["steps"]:
        quantity = slot.split(" ")[1]
        assert slot in slots or quantity not in ("value", "pre", "gradient", "parameter"), slot
    parts = {piece.part for piece in (*drawn.units, *drawn.edges, *drawn.weightless)}
    assert {part(row.line.place) for row in found.rows} <= parts


@pytest.mark.parametrize("way", ["across", "down"])
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1), (1, 1), (2, 2, 1), (2, 2, 2), (4, 8, 8, 3), (1, 3, 1), (16, 4), (1, 1, 1, 1, 1, 1)]
)
def test_a_drawing_holds_its_pieces_apart(sizes, way):
    drawn = drawing(sizes, {}, way)
    for unit in drawn.units:
        assert drawn.radius <= unit.x <= drawn.width - drawn.radius
        assert drawn.radius <= unit.y <= drawn.height - drawn.radius
    for a, b in combinations(drawn.units, 2):
        assert (a.x - b.x) ** 2 + (a.y - b.y) ** 2 > (2 * drawn.radius) ** 2
    for label in drawn.labels:
        assert 0 <= label.x <= drawn.width
        assert 8 <= label.y <= drawn.height, label
    if drawn.look == "roomy":
        for a, b in combinations(drawn.labels, 2):
            assert abs(a.y - b.y) >= 12 or abs(a.x - b.x) >= 60 or a.anchor != b.anchor, (a, b)


def test_big_networks_name_their_edges_only_where_they_are_spoken_of():
    assert drawing((1, 1, 1), {}, "across").look == "roomy"
    assert drawing((4, 8, 8, 3), {}, "across").look == "dense"
    assert {drawing((4, 8, 8, 3), {}, way).look for way in ("across", "down")} <= {"dense", "crowded"}


def test_a_gap_is_on_the_page_without_its_answer():
    full, found = traced("hand-worked"), traced("blank")
    text = page(found)
    reader, steps = Reader(text), data_of(text)["steps"]
    assert len(gaps(found)) >= 8
    for line in gaps(found):
        told = "".join(reader.lines[f"line-{line.line.number}"])
        ring, answer = line.value, full.rows[line.line.number - 1]
        assert ring in told
        assert not re.search(rf"[=≈←]\s*{re.escape(answer.value)}(?![\d.])", told)
        assert steps[line.line.number - 1][2:4] == [f"= {ring}", ring]
        if len(answer.exact) > 8:
            assert answer.exact not in text
    assert "8 numbers</strong> to find" in text


def test_hostile_text_does_nothing():
    found = hostile()
    text = page(found)
    reader = Reader(text)
    assert "img" not in reader.tags
    assert reader.tags.count("script") == 3
    assert not re.search("[\x1b\u202e]", text)
    assert "zebra" in text
    assert len(reader.lines) == len(found.rows)
    assert HOSTILE not in text
    assert SEEN not in text
    assert "49" not in re.findall(r"zebra \S+ (\S+)", text), "no template ran"


def test_data_cannot_end_its_script():
    found = traced("hand-worked")
    symbols = [replace(row.line.symbol, text=HOSTILE) for row in found.rows]
    lines = [replace(row.line, symbol=symbol) for row, symbol in zip(found.rows, symbols, strict=True)]
    rows = [row._replace(line=line) for row, line in zip(found.rows, lines, strict=True)]
    text = page(found._replace(rows=rows))
    assert Reader(text).tags.count("script") == 3
    assert data_of(text)["steps"][0][1] == HOSTILE


@every_trace
def test_a_page_loads_nothing_and_runs_only_what_its_policy_names(name):
    text = page_of(name)
    reader = Reader(text)
    assert all(target.startswith("#") or target == "data:," for target in reader.outside)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1].replace("&#39;", "'")
    assert policy.startswith("default-src 'none'")
    codes = [code for code in reader.code if not code[1].startswith("{")]
    assert [kind for kind, _ in codes] == ["style", "script", "script"]
    for _, code in codes:
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_the_same_trace_gives_the_same_bytes():
    assert page(traced("judged")) == page(traced("judged"))


@every_trace
def test_groups_hold_every_line_in_order(name):
    found = traced(name)
    listed = [row.line.number for chapter in found.chapters for _, rows in chapter.stages() for row in rows]
    assert listed == [row.line.number for row in found.rows]
