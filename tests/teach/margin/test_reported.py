"""What somebody wrote down about a margin: each number and statement judged, and a slip named with what is right."""

from fractions import Fraction

import pytest

from tenfold.errors import UsageError
from tenfold.report.judge import EARLIER_SLIP, RIGHT, SLIP
from tenfold.teach.margin.given import judge
from tenfold.teach.margin.points import parse_given, parse_points
from tenfold.teach.margin.reported import judge_statements
from tenfold.teach.margin.solving import solve
from tenfold.teach.margin.statements import (
    KINDS,
    Statement,
    constraint,
    read_equation,
    read_sheet,
    shipped,
    stated_equation,
)

FOUR = parse_points("1,0:+ 0,1:+ 1,1:- 2,0:-")
SOLVED = solve(FOUR)
XOR = parse_points("0,0:+ 1,1:+ 0,1:- 1,0:-")


def verdicts(*statements, points=FOUR, given=""):
    solution = solve(points)
    line = parse_given(given, points.x.shape[1]) if given else None
    judged = judge(points, line.w, line.b, solution) if line else None
    return judge_statements(statements, points, solution, judged)


def verdict(kind, *printed, at="", alone=False, points=FOUR, given=""):
    return verdicts(Statement(kind, printed, at, "", alone), points=points, given=given)[0]


@pytest.mark.parametrize(
    ("kind", "printed", "wanted", "right"),
    [
        ("w", ("-2", "-2"), "exact", "(−2, −2)"),
        ("w", ("-2", "2"), SLIP, "(−2, −2)"),
        ("w", ("-2",), SLIP, "(−2, −2)"),
        ("b", ("3",), "exact", "3"),
        ("b", ("3.1",), SLIP, "3"),
        ("norm", ("2.83",), "rounded", "2.82843"),
        ("norm", ("2.82",), "truncated", "2.82843"),
        ("margin", ("0.354",), "rounded", "0.353553"),
        ("margin", ("0.353",), "truncated", "0.353553"),
        ("margin", ("0.35",), "rounded", "0.353553"),
        ("margin", ("0.36",), SLIP, "0.353553"),
        ("width", ("0.71",), "rounded", "0.707107"),
        ("objective", ("4",), "exact", "4"),
        ("objective", ("8",), SLIP, "4"),
    ],
)
def test_numbers_of_the_solution(kind, printed, wanted, right):
    found = verdict(kind, *printed)
    assert (found.verdict, found.right) == (wanted, right)


def test_a_margin_that_is_a_fraction_is_judged_as_one():
    found = verdict("margin", "0.6", points=parse_points("0,0:+ 0.72,0.96:-"))
    assert (found.verdict, found.right) == ("exact", "0.6")


def test_numbers_at_points():
    assert verdict("value", "-1", at="1,1").verdict == "exact"
    assert verdict("value", "1", at="1,1")[:4] == ("w·x + b at (1, 1)", "1", "−1", SLIP)
    assert verdict("value", "-9", at="3,3").verdict == "exact"


def test_a_number_follows_from_a_slip_before_it():
    w = Statement("w", ("-2", "2"))
    _, value, other = verdicts(w, Statement("value", ("5",), "1,2"), Statement("value", ("6",), "1,2"))
    assert value[3:5] == (EARLIER_SLIP, "follows from w printed as (−2, 2)")
    assert value.right == "−3"
    assert other.verdict == SLIP
    _, b, value = verdicts(w, Statement("b", ("2",)), Statement("value", ("4",), "1,2"))
    assert b.verdict == SLIP
    assert value.sentence == "follows from w printed as (−2, 2) and b printed as 2"
    _, value = verdicts(Statement("b", ("2",)), Statement("value", ("-4",), "1,2"))
    assert value.sentence == "follows from b printed as 2"


def test_what_came_before_decides_nothing_where_it_was_right():
    _, value = verdicts(Statement("w", ("-2", "-2")), Statement("value", ("7",), "1,2"))
    assert (value.verdict, value.sentence) == (SLIP, "")


def test_an_equation_is_held_against_its_point():
    slip = verdict("equation", "-2w1 + b = -1", at="2,0")
    assert (slip.verdict, slip.right) == (SLIP, "2w₁ + b = −1")
    assert slip.sentence == ("at w = (−2, −2), b = 3 its left side is 7, not −1; the point (2, 0) says 2w₁ + b = −1")
    assert verdict("equation", "2w1 + b = -1", at="2,0").verdict == RIGHT
    assert verdict("equation", "4 w₁ = −2 − 2·b", at="2,0").verdict == RIGHT
    holds_elsewhere = verdict("equation", "w1 + b = 1", at="2,0")
    assert (holds_elsewhere.verdict, holds_elsewhere.right) == (SLIP, "2w₁ + b = −1")
    assert "not 1" not in holds_elsewhere.sentence
    wrong_side = verdict("equation", "2w1 + b = 1", at="2,0")
    assert wrong_side.sentence.endswith("its left side is −1, not 1; the point (2, 0) says 2w₁ + b = −1")


def test_an_equation_without_a_point_holds_or_not():
    assert verdict("equation", "w1 = w2").verdict == RIGHT
    assert verdict("equation", "w1 + 2 = 0").verdict == RIGHT
    assert verdict("equation", "-2w1 + b = -1").sentence.endswith("the point (2, 0) says 2w₁ + b = −1")
    wrong = verdict("equation", "w1 = 2.4")
    assert (wrong.verdict, wrong.right) == (SLIP, "… = −2")
    third = verdict("equation", "w1 = -1", points=parse_points("0:+ 3:-"))
    assert third.verdict == SLIP, "−1 is −2/3 rounded, but an equation holds or does not"


def eliminated(*equations, points=FOUR):
    return verdicts(*(Statement("equation", (text,)) for text in equations), points=points)


def test_a_minus_before_a_row_of_an_elimination_subtracts_it():
    *above, row, rest = eliminated("2w1 + b = -1", "w1 + b = 1", "-2w1 + b = -1", "-w1 = 2")
    assert [one.verdict for one in (*above, row, rest)] == [RIGHT] * 4
    assert row.right == "2w₁ + b = −1"
    assert row.sentence == "its minus subtracts 2w₁ + b = −1, printed before, from w₁ + b = 1: that leaves −w₁ = 2"
    for text in ("−2w₁ + b = −1", "-(2w1 + b) = -1", "-4w1 + 2b = -2"):
        assert eliminated("2w1 + b = -1", "w1 + b = 1", text)[-1].verdict == RIGHT, text


@pytest.mark.parametrize(
    "rows",
    [
        ("w1 + b = 1", "-2w1 + b = -1"),
        ("2w1 + b = -1", "-2w1 + b = -1"),
        ("2w1 + b = -1", "2w1 + b = -1", "-2w1 + b = -1"),
        ("2w1 + b = 1", "w1 + b = 1", "-2w1 + b = 1"),
        ("2w1 + b = -1", "w1 + b = 2", "-2w1 + b = -1"),
        ("2w1 + b = -1", "w1 + b = 1", "-2w1 + b = 1"),
        ("2w1 + b = -1", "w1 + b = 1", "-2w1 - b = -1"),
        ("2w1 + b = -1", "w1 + b = 1", "-2w1 + b = -1", "-2w1 + b = -1"),
    ],
)
def test_a_minus_is_a_slip_where_no_row_is_there_to_subtract(rows):
    assert eliminated(*rows)[-1].verdict == SLIP


def test_a_row_is_subtracted_from_the_line_just_above_alone():
    row, other = Statement("equation", ("2w1 + b = -1",)), Statement("equation", ("w1 + b = 1",))
    minus = Statement("equation", ("-2w1 + b = -1",))
    assert verdicts(row, other, Statement("b", ("3",)), minus)[-1].verdict == SLIP
    assert verdicts(other, row, Statement("equation", ("-w1 + b = 1",)))[-1].verdict == RIGHT


def test_an_equation_of_a_point_off_the_margin_does_not_hold():
    points = parse_points("1,0:+ 0,1:+ 1,1:- 2,0:- 3,3:-")
    found = verdict("equation", "3w1 + 3w2 + b = -1", at="3,3", points=points)
    assert found.verdict == SLIP
    assert found.sentence == "at w = (−2, −2), b = 3 its left side is −9, not −1"


def test_support_vectors_are_all_on_the_margin_and_no_other():
    assert verdict("support", "all").verdict == RIGHT
    assert verdict("support", "2,0 1,0 0,1 1,1").verdict == RIGHT
    assert verdict("support", "1,0 1,1").sentence == "(0, 1), (2, 0) are on the margin: left out"
    assert verdict("support", "1,0 0,1 1,1 2,0 5,5").sentence == "(5, 5) is not on the margin"
    more = parse_points("1,0:+ 0,1:+ 1,1:- 2,0:- 3,3:-")
    assert verdict("support", "all", points=more).sentence == "(3, 3) is not on the margin"


def test_a_class_by_name_or_sign_and_from_the_other_points_alone():
    assert verdict("class", "+", at="0,0").verdict == RIGHT
    assert verdict("class", "-", at="0,0")[2:4] == ("+", SLIP)
    assert verdict("class", "+", at="1.5,0")[2:4] == ("none: it lies on the line", SLIP)
    found = verdict("class", "+", at="0,1", alone=True)
    assert found.verdict == RIGHT
    assert found.sentence == "the other points alone give w = (−2, −2), b = 3: w·x + b = 1, on the margin"
    named = parse_points("0:cat 4:dog 3:cat")
    assert verdict("class", "cat", at="3", points=named).verdict == RIGHT
    alone = verdict("class", "cat", at="3", points=named, alone=True)
    assert (alone.verdict, alone.right) == (SLIP, "dog")


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        (("3", "1", "3", "1"), "exact"),
        (("4", "0", "2", "2"), "exact"),
        (("4", "0", "3", "1"), "rounded"),
        (("4.0", "0.0", "3.0", "1.0"), SLIP),
        (("2", "2", "4", "0"), "exact"),
        (("5", "-1", "1", "3"), SLIP),
        (("3", "1", "3"), SLIP),
        (("3.0004", "1.0", "3.0", "1.0"), "rounded"),
        (("3.4", "1.0", "3.0", "1.0"), SLIP),
    ],
)
def test_multipliers_that_are_not_unique_are_judged_as_a_proof(printed, wanted):
    """α of (1, 0), (0, 1), (1, 1), (2, 0): the least norm is (3, 1, 3, 1); (4 − t, t, 2 + t, 2 − t) do as well."""
    assert not SOLVED.unique
    assert verdict("multipliers", *printed).verdict == wanted


def test_rounded_multipliers_of_another_proof():
    points = parse_points("0,0:+ 1,0:+ 0,3:- 1,3:-")
    assert verdict("multipliers", "0.07", "0.15", "0.07", "0.15", points=points).verdict == "rounded"
    assert verdict("multipliers", "0.07", "0.19", "0.07", "0.19", points=points).verdict == SLIP


def test_unique_multipliers_are_judged_as_numbers():
    points = parse_points("0:+ 3:-")
    assert verdict("multipliers", "2/9", "0.22", points=points).verdict == "rounded"
    assert verdict("multipliers", "0.2", "0.2", points=points).verdict == "rounded"
    assert verdict("multipliers", "0.3", "0.3", points=points).verdict == SLIP


def test_a_line_that_the_report_was_given_is_what_its_numbers_are_about():
    given = "w=-1,-1; b=3"
    assert verdict("margin", "0.71", given=given).verdict == "rounded"
    assert verdict("value", "2", at="1,0", given=given).verdict == "exact"
    assert verdict("support", "1,1 2,0", given=given).sentence == "(1, 1), (2, 0) are not on the margin"


def test_nothing_is_right_about_a_line_that_does_not_exist():
    for found in verdicts(Statement("w", ("1", "1")), Statement("support", ("all",)), points=XOR):
        assert (found.verdict, found.right) == (SLIP, "none")
        assert "no line separates" in found.sentence
    assert verdict("value", "1", at="0,0", points=XOR, given="w=1,0; b=1").verdict == "exact"


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        (Statement("value", ("1",), "1,2,3"), "reported 1, value: new points, point 1: 3 coordinates"),
        (Statement("value", ("1",), "1,2 3,4"), "expected one point"),
        (Statement("class", ("+",), "7,7", "", True), "(7, 7) is none of the points"),
        (Statement("equation", ("w3 = 1",)), "speaks of w3, and w has 2 numbers"),
    ],
)
def test_statements_about_other_points(statement, told):
    with pytest.raises(UsageError) as caught:
        verdicts(statement)
    assert told in str(caught.value)


def test_a_class_without_a_point_left_cannot_be_judged_alone():
    with pytest.raises(UsageError, match="a class has no point left"):
        verdict("class", "+", at="0", alone=True, points=parse_points("0:+ 1:-"))


# Equations


@pytest.mark.parametrize(
    ("text", "factors", "right"),
    [
        ("-2w1 + b = -1", {"w1": -2, "b": 1}, -1),
        ("1 = w1 + 3 w2 + b", {"w1": -1, "w2": -3, "b": -1}, -1),
        ("0.5w_2 − 1/3·b = 2 − w2", {"w2": Fraction(3, 2), "b": Fraction(-1, 3)}, 2),
        ("w1 - w1 + b = 0", {"b": 1}, 0),
        ("w10 = w2", {"w2": -1, "w10": 1}, 0),
        ("-(2w1 + b) = 1", {"w1": -2, "b": -1}, 1),
        ("−(2w₁ − (b + 1)) = 0", {"w1": -2, "b": 1}, -1),
        ("-[w1 - {2 - (3b - (w2))}] = -(1)", {"w1": -1, "w2": 1, "b": -3}, -3),
        ("w1·(−2) + b = 1", {"w1": -2, "b": 1}, 1),
        ("(-2)w1 + (1/2)·(b + 4) = 2(1)(1.5)", {"w1": -2, "b": Fraction(1, 2)}, 1),
        ("2(w1 + b)(3) - (b - b)w1 = 0", {"w1": 6, "b": 6}, 0),
        (f"{'(' * 400}w1{')' * 400} = 1", {"w1": 1}, 1),
    ],
)
def test_equations_are_read_as_people_write_them(text, factors, right):
    assert read_equation(text) == (factors, right)
    assert list(read_equation(text).factors) == list(factors)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("w1 + b", "expected one equation"),
        ("= 1", "expected one equation"),
        ("w1 == 1", "expected one equation"),
        ("w1w2 = 1", "multiplies unknowns"),
        ("2 + + b = 1", "cannot be read at '++b'"),
        ("x = 1", "cannot be read at 'x'"),
        ("w1 + b = ", "expected one equation"),
        ("w = 1", "cannot be read at 'w'"),
        ("1/0b = 1", "not a number"),
        ("b2 = 1", "cannot be read at '2'"),
        ("-(2w1 + b = 1", "a '(' has no counterpart"),
        ("-2w1 + b) = 1", "a ')' has no counterpart"),
        ("-(2w1 + b = 1)", "has no counterpart"),
        (")w1( = 1", "has no counterpart"),
        ("() + b = 1", "cannot be read at ''"),
        ("(w1)(b) = 1", "multiplies unknowns"),
        ("(w1)2 = 1", "cannot be read at '2'"),
        ("(w1 + b)/2 = 1", "cannot be read at '/2'"),
        ("(w1)w = 1", "cannot be read at 'w'"),
        (f"{'9999999(' * 20}w1{')' * 20} = 1", "too large: at most 60 digits"),
        (f"{'(' * 600}w1{')' * 600} = 1", "expected one equation"),
    ],
)
def test_what_is_no_equation_is_one_plain_line(text, told):
    with pytest.raises(UsageError) as caught:
        read_equation(text)
    assert told in str(caught.value)
    assert len(str(caught.value)) < 200
    assert len(str(caught.value).splitlines()) == 1


def test_an_equation_is_told_as_it_would_be_written():
    assert stated_equation(constraint([Fraction(-1), Fraction(0), Fraction(1, 2)], 1)) == "−w₁ + 0.5w₃ + b = 1"


# Files


def sheet(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return read_sheet(str(path))


def test_a_file_of_statements(tmp_path):
    found = sheet(
        tmp_path,
        'points = "1:+ 2:-"\n[[reported]]\nw = "(-2, 1)"\n[[reported]]\nb = 3\n[[reported]]\nvalue = "1"\nat="1"',
    )
    assert found.name == "mine"
    assert [(one.kind, one.printed, one.at) for one in found.statements] == [
        ("w", ("-2", "1"), ""),
        ("b", ("3",), ""),
        ("value", ("1",), "1"),
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("points = 3", "points: expected a text in quotes"),
        ("pints = '1:+'", "unknown key 'pints': did you mean 'points'?"),
        ("notes = 'one'", "notes: expected a list of texts"),
        ("reported = 3", "reported: expected tables"),
        ("[[reported]]\nmargn = '1'", "reported 1: unknown key 'margn': did you mean 'margin'?"),
        ("[[reported]]\nb = '1'\nw = ['1']", "reported 1: expected one of"),
        ("[[reported]]\nat = '1'", "found none of them"),
        ("[[reported]]\nb = 3.10", "reported 1, b: expected what was printed, in quotes"),
        ("[[reported]]\nb = true", "reported 1, b: expected what was printed, in quotes"),
        ("[[reported]]\nw = []", "reported 1, w: expected what was printed, in quotes"),
        ("[[reported]]\nb = 'three'", "reported 1, b: 'three' is not a number"),
        ("[[reported]]\nequation = 'w1'", "reported 1, equation: 'w1': expected one equation"),
        ("[[reported]]\nvalue = '1'", 'value needs its point: at = "1,3"'),
        ("[[reported]]\nsupport = 'all'\nalone = true", "alone needs its point"),
        ("[[reported]]\nclass = '+'\nat = '1'\nalone = 'yes'", "alone is true or false"),
        ("not toml", "not a readable TOML file"),
        ("a = " + "[" * 4000, "not a readable TOML file"),
        ("\0", "not a readable TOML file"),
    ],
)
def test_what_is_no_sheet_is_one_plain_line(tmp_path, text, told):
    with pytest.raises(UsageError) as caught:
        sheet(tmp_path, text)
    assert told in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path / "mine.toml"))


def test_an_absent_sheet_is_told_with_those_there_are():
    with pytest.raises(UsageError, match="did you mean 'maximum-margin-given'"):
        read_sheet("maximum-margin-givn")


@pytest.mark.parametrize("name", shipped())
def test_sheets_that_come_with_the_package_can_be_read(name):
    found = read_sheet(name)
    assert found.title
    assert found.points
    assert {one.kind for one in found.statements} <= set(KINDS)
