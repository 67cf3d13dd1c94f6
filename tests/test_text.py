"""Text from outside: whatever it holds, terminals, Markdown, HTML and TOML take it for text; numbers read alike."""

import json
import math
import re
import tomllib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tenfold.text import (
    ABSENT,
    count,
    duration,
    in_script,
    inert,
    interval,
    label,
    markdown,
    number,
    percent,
    setting,
    slug,
    toml,
    visible,
)

ANYTHING = st.text(st.characters(codec=None))
NAMES = st.text("ab \\`*_[]()<>|~$#&@:/.!{}^\"'-+1=\n\t")


@given(ANYTHING)
def test_inert_text_is_one_line_without_a_control(text):
    line = inert(text)
    assert not [letter for letter in line if unicodedata.category(letter)[0] == "C"]
    assert "\n" not in line
    assert inert(line) == " ".join(line.split())


@given(ANYTHING, ANYTHING)
def test_visible_text_is_printable_and_keeps_apart_what_differs(first, second):
    assert visible(first).isprintable()
    if "\\" not in first + second:
        assert (visible(first) == visible(second)) == (first == second)


@given(ANYTHING, st.integers(4, 100))
def test_a_label_is_never_longer_than_its_limit_nor_empty(text, limit):
    assert 0 < len(label(text, limit)) <= limit


@given(NAMES)
def test_markdown_shows_the_text_and_nothing_else(text):
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens = parser.parse(f"| a | b |\n| --- | --- |\n| x{markdown(text)} | y |\n")
    cells = [token for token in tokens if token.type == "inline"][2:]
    assert {child.type for cell in cells for child in cell.children} <= {"text", "text_special"}
    shown = ["".join(child.content for child in cell.children) for cell in cells]
    assert shown == [f"x{inert(text)}".strip(), "y"]
    assert not re.search(r"://|www\.|@", markdown(text))


@pytest.mark.parametrize(
    "text", ["- a", "+ a", "1. a", "12) a", "# a", "> a", "---", "***", "```", "    a", "a\n===", "| a |"]
)
def test_no_block_of_markdown_begins(text):
    tokens = MarkdownIt("commonmark").parse(markdown(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_toml_comes_back(text):
    assert tomllib.loads(f"text = {toml(text)}") == {"text": text}


@given(ANYTHING)
def test_json_in_a_script_is_the_same_json_and_ends_nothing(text):
    escaped = in_script(json.dumps(text, ensure_ascii=False))
    assert json.loads(escaped) == text
    assert not set(escaped) & set("<>&\u2028\u2029")


@given(ANYTHING)
def test_a_slug_is_a_part_of_a_file_name(text):
    assert re.fullmatch(r"([a-z0-9-]{0,39}[a-z0-9-])?", slug(text))


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_dash(value):
    for form in (percent(value), percent(value, " %"), number(value, ".3f"), count(value), duration(value)):
        assert form == ABSENT
    assert interval([0.5, value]) in (ABSENT, "50.00 to –")
    assert interval(None) == ABSENT


@given(st.floats(-0.000049, 0))
def test_a_zero_is_never_negative(value):
    assert percent(value) == "0.00"


@given(st.floats(0, 10**7))
def test_a_duration_never_has_sixty_of_anything(seconds):
    assert not re.search(r"\b6\d(\.0)? (s|min)\b", duration(seconds))


@given(st.floats(1e-12, 1e12))
def test_a_setting_can_be_typed_again(value):
    assert float(setting(value)) == pytest.approx(value, rel=1e-5)
