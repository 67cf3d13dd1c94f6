"""Points of two classes, as typed and from files: what is read, which class is +, what is said of what cannot be."""

from fractions import Fraction

import numpy as np
import pytest

from tenfold.errors import DataError, UsageError
from tenfold.teach.margin import points as reading
from tenfold.teach.margin import rows
from tenfold.teach.margin.points import parse_given, parse_places, parse_points, places_of, points_of
from tenfold.teach.margin.problem import Hyperplane

FOUR = [[1, 0], [0, 1], [1, 1], [2, 0]]


def read_points(path, classes=()):
    return points_of(rows.read_rows(path, classed=True), classes)


def read_places(path, dimensions):
    return places_of(rows.read_rows(path, classed=False), dimensions)


def file(tmp_path, content, name="points.csv"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "text",
    [
        "1,0:+ 0,1:+ 1,1:- 2,0:-",
        "1,0:+; 0,1:+; 1,1:-; 2,0:-",
        "(1, 0): + (0, 1): + (1, 1): − (2, 0): −",
        " 1 , 0 : +\n[0,1]:+ 1.0,1e0:-  4/2,0:- ",
    ],
)
def test_points_as_typed_in_all_the_ways_people_write_them(text):
    found = parse_points(text)
    assert found.x.tolist() == FOUR
    assert found.sign.tolist() == [1, 1, -1, -1]
    assert found.names == ("+", "-")
    assert found.exact == tuple(tuple(map(Fraction, row)) for row in FOUR)


@pytest.mark.parametrize(
    "content",
    [
        "1,0,+\n0,1,+\n1,1,-\n2,0,-\n",
        "x1,x2,class\n1,0,+\n0,1,+\n1,1,-\n2,0,-\n",
        "\ufeff1;0;+\r\n0;1;+\r\n1;1;-\r\n2;0;-",
        "# drawn by hand\n\n1\t0\t+\n0\t1\t+\n\n1\t1\t-\n2\t0\t-\n",
        '"1", 0.0, "+"\n"0",1,+\n1,1, −\n+2,0,-\n',
    ],
)
def test_a_csv_with_or_without_a_header(tmp_path, content):
    found = read_points(file(tmp_path, content))
    assert (found.x.tolist(), found.sign.tolist(), found.names) == (FOUR, [1, 1, -1, -1], ("+", "-"))


def test_decimals_are_kept_as_they_are_written():
    found = parse_points("0.1,-1/3:a −2.50,1e-3:b")
    assert found.exact == ((Fraction(1, 10), Fraction(-1, 3)), (Fraction(-5, 2), Fraction(1, 1000)))
    np.testing.assert_array_equal(found.x, [[0.1, -1 / 3], [-2.5, 0.001]])
    assert found.labels == ("(0.1, −1/3)", "(−2.50, 1e−3)")


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        ("- +", ("+", "-")),
        ("0 1", ("1", "0")),
        ("-1 1", ("1", "-1")),
        ("No Yes", ("Yes", "No")),
        ("negative positive", ("positive", "negative")),
        ("dog cat", ("dog", "cat")),
        ("2 1", ("2", "1")),
        ("1 2", ("1", "2")),
    ],
)
def test_which_class_is_positive(kinds, names):
    first, second = kinds.split()
    found = parse_points(f"1:{first} 2:{second}")
    assert found.names == names
    assert [found.names[0 if sign > 0 else 1] for sign in found.sign] == [first, second]


def test_an_index_that_pandas_wrote_is_no_coordinate(tmp_path):
    table = rows.read_rows(file(tmp_path, ",x,y,label\n0,1,2,a\n1,2,3,b\n"), classed=True)
    assert points_of(table).x.tolist() == [[1, 2], [2, 3]]
    assert table.notes == ("the first column has no name and counts from 0 to 1: taken for an index and left out",)
    assert read_places(file(tmp_path, ",x,y\n0,5,6\n"), 2).x.tolist() == [[5, 6]]
    for content in ("k,x,label\n0,1,a\n1,2,b\n", ",x,label\n0,1,a\n2,2,b\n", "0,1,a\n1,2,b\n", ",label\n0,a\n1,b\n"):
        table = rows.read_rows(file(tmp_path, content), classed=True)
        assert points_of(table).x.shape == (2, content.partition("\n")[0].count(","))
        assert not table.notes


def test_what_was_given_is_not_repeated_whole():
    for read in (lambda: parse_points("1:a 2:b", ("c" * 9999, "a")), lambda: parse_points(f"1:{'a' * 9999}")):
        with pytest.raises(UsageError) as caught:
            read()
        assert len(str(caught.value)) < 200


def test_two_classes_are_chosen_and_the_first_is_positive(tmp_path):
    path = file(tmp_path, "1,a\n2,b\n3,c\n4,a\n")
    found = read_points(path, ("c", "a"))
    assert (found.x.ravel().tolist(), found.sign.tolist()) == ([1, 3, 4], [-1, 1, -1])
    assert found.names == ("c", "a")
    with pytest.raises(UsageError, match=r"no class 'd' in .*points.csv: known: a, b, c"):
        read_points(path, ("a", "d"))


def test_points_that_are_equal_are_told_apart_by_their_row(tmp_path):
    assert parse_points("1,2:a 1,2:b 3,4:a").labels == ("(1, 2) of point 1", "(1, 2) of point 2", "(3, 4)")
    assert read_points(file(tmp_path, "x,y,c\n1,2,a\n1,2,b\n")).labels == ("(1, 2) of row 2", "(1, 2) of row 3")
    assert read_points(file(tmp_path, "1,2,3,4,a\n1,2,3,5,b\n")).labels == ("row 1", "row 2")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("x,y,c\n1,2,a\n3,abc,b\n", "row 3, column 2: 'abc' is not a number"),
        ("1,2,a\nx,4,b\n", "row 2, column 1: 'x' is not a number"),
        ("1,nan,a\n3,4,b\n", "row 1, column 2: 'nan' is not a number"),
        ("1,2,a\n-inf,4,b\n", "row 2, column 1: '-inf' is not a number"),
        ("1,2,a\n3,,b\n", "row 2, column 2: '' is not a number"),
        ("1,2,a\n3,b\n", "row 2: 1 coordinate; expected 2 coordinates"),
        ("1,2,a\n3,4,5,b\n", "row 2: 3 coordinates; expected 2 coordinates"),
        ("1,2,a\n3,4,\n", "row 2: its class is missing"),
        ("1,2,a\n3,4,a\n", "only class 'a'"),
        ("1,a\n2,b\n3,c\n", "3 classes (a, b, c); choose two of them: --classes b,c; or is row 1 a header? Then"),
        ("1,a\n2,b\n3,c\n4,a\n", "3 classes (a, b, c); choose two of them: --classes a,b"),
        ("0,1,label\n1,2,a\n3,4,b\n", "(label, a, b); choose two of them: --classes a,b; or is row 1 a header?"),
        (
            "x;y;c\n1,5;2;a\n3;4;b\n",
            "column 1: '1,5' is not a number; expected one such as -2.69, 1.1e-15 or 1/3: write",
        ),
        ("1,2,a,\n3,4,b,\n", "the last column is empty; expected the class there"),
        (
            "".join(f"{k},c{k}\n" for k in range(12)),
            "12 classes (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, …); choose two",
        ),
        ("1\n2\n", "one column"),
        ("", "no points in it"),
        ("# nothing\n\n", "no points in it"),
        ('1,2,"a\n3,4,b\n', "row 1: not a row of a CSV"),
        (b"\x00\x01\x02", "not a text file"),
        (b"1,2,a\n3,4,\xff\n", "not a text file"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(tmp_path, content, told):
    path = file(tmp_path, content)
    with pytest.raises(DataError) as caught:
        read_points(path)
    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1,2:a 3,4", "point 2, '3,4'"),
        ("1,2:a 3,4:", "point 2, '3,4:'"),
        ("1,2:a 3:b", "point 2: 1 coordinate; expected 2 coordinates"),
        ("1,2:a 3,x:b", "point 2, column 2: 'x' is not a number"),
        ("1,2:a", "only class 'a'"),
        (" ", "no points in it"),
    ],
)
def test_what_is_typed_wrongly_is_a_usage_error(text, told):
    with pytest.raises(UsageError) as caught:
        parse_points(text)
    assert told in str(caught.value)


def test_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = file(tmp_path, "1,a\n2,b\n3,a\n")
    monkeypatch.setattr(reading, "POINTS_CAP", 2)
    with pytest.raises(DataError, match="3 points; at most 2"):
        read_points(path)
    monkeypatch.setattr(rows, "BYTES_CAP", 10)
    monkeypatch.setattr(rows.Path, "read_text", None)
    with pytest.raises(DataError, match="12 bytes; at most 10"):
        read_points(path)


def test_a_file_that_is_none(tmp_path):
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(DataError, match="cannot be read"):
            read_points(path)


def test_many_numbers_are_read_as_floats_and_are_the_same(tmp_path, rng, monkeypatch):
    numbers = [[f"{value:.6g}" for value in row] for row in rng.normal(size=(40, 3))]
    path = file(tmp_path, "\n".join(",".join([*row, "ab"[k % 2]]) for k, row in enumerate(numbers)))
    exactly = read_points(path)
    monkeypatch.setattr(reading, "EXACT_CAP", 100)
    roughly = read_points(path)
    assert roughly.exact is None
    assert len(exactly.exact) == 40
    np.testing.assert_array_equal(exactly.x, roughly.x)
    np.testing.assert_array_equal(exactly.x, np.array(numbers, dtype=float))
    for cell in ("nan", "1e400", "1e80", "x"):
        path.write_text("\n".join(f"1,{cell if k == 70 else k},{'ab'[k % 2]}" for k in range(90)))
        with pytest.raises(DataError, match=f"row 71, column 2: '{cell}' is not a"):
            read_points(path)


def test_new_points_have_no_class(tmp_path):
    assert parse_places("0,0 (3, 1/2)", 2).exact == ((0, 0), (3, Fraction(1, 2)))
    assert parse_places("-1 2", 1).labels == ("−1", "2")
    assert read_places(file(tmp_path, "x,y\n0,0\n3,3\n"), 2).x.tolist() == [[0, 0], [3, 3]]
    with pytest.raises(UsageError, match=r"new points, point 2: 1 coordinate; expected 2 coordinates"):
        parse_places("0,0 3", 2)
    with pytest.raises(DataError, match=r"row 1: 3 coordinates; expected 2 coordinates"):
        read_places(file(tmp_path, "0,0,0\n"), 2)


@pytest.mark.parametrize("text", ["w=-2,0; b=5", "w = (−2, 0), b = 5", "w=[-2 ,0] b=5.0;", " w=-4/2,0;b=5 "])
def test_a_line_that_is_given(text):
    assert parse_given(text, 2) == Hyperplane((Fraction(-2), Fraction(0)), Fraction(5))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("w=1,2", "is no line"),
        ("b=1; w=1,2", "is no line"),
        ("w=1,2; b=", "'' is not a number"),
        ("", "is no line"),
        ("w=1 2; b=1", "'1 2' is not a number"),
        ("1,2,3", "is no line"),
        ("w=1; b=2", "w has 1 numbers; the points have 2 coordinates"),
        ("w=1,x; b=2", "'w=1,x; b=2': 'x' is not a number"),
        ("w=1,2; b=nan", "'nan' is not a number"),
    ],
)
def test_a_line_that_is_none(text, told):
    with pytest.raises(UsageError) as caught:
        parse_given(text, 2)
    assert told in str(caught.value)


# So long that a pattern which tries again from every place would take hours.
LONG = 3_000_000


@pytest.mark.parametrize("text", [" " * LONG, "w=" + ", " * (LONG // 2), "1" + " " * LONG + "x", "b" * LONG])
def test_a_long_text_is_refused_in_linear_time(text):
    for read in (parse_given, parse_places):
        with pytest.raises(UsageError) as caught:
            read(text, 2)
        assert len(str(caught.value)) < 300
