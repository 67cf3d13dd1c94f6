"""`tenfold margin`: what a student reads, what a program reads, and one plain line for whatever is wrong."""

import json
import re
import subprocess
import sys

import pytest

from tenfold.cli import main
from tenfold.cli.tables.margin import _proof, _soft_gap, _supported
from tenfold.teach.margin.find import margin

ESCAPE = "\x1b[31mred\x1b[0m"


@pytest.fixture
def run(capsys):
    """Exit code, stdout and stderr of `tenfold margin …`."""

    def run(*words):
        with pytest.raises(SystemExit) as caught:
            main(["margin", *map(str, words)])
        told = capsys.readouterr()
        return caught.value.code, told.out, told.err

    return run


def test_without_points_the_worked_report_is_solved_and_nobody_accused(run):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert "line        w = (−2, −2), b = 3, exactly\n" in out
    assert "margin      1/‖w‖ = 1/√8 = 0.353553, on either side of it\n" in out
    assert "objective   primal ½‖w‖² = 4, dual 4, gap 0\n" in out
    assert "multipliers not unique" in out
    assert re.search(r"^\(2, 0\) +− +−1 +1$", out, re.MULTILINE)
    assert "right       equation: -2w1 + b = -1; its minus subtracts 2w₁ + b = −1" in out
    assert "slip" not in out
    assert max(map(len, out.splitlines())) <= 80


def test_a_line_that_is_given_is_judged_and_new_points_classified(run):
    code, out, _ = run("1,2:+ 2,3:+ 3,3:- 4,1:-", "--given", "w=-2,0; b=5", "--predict", "1,3 2.5,9")
    assert code == 0
    assert "(1, 3): w·x + b = 3, class +\n" in out
    assert "(2.5, 9): w·x + b = 0, on the line itself: of no class\n" in out
    assert "margin      1/‖w‖ = 0.5, on either side of it\n" in out
    assert "the given line:\n" in out
    assert "  optimal: " in out


def test_what_cannot_be_separated_is_proved_and_the_soft_margin_offered(run):
    code, out, _ = run("0,0:+ 1,1:+ 0,1:- 1,0:-")
    assert code == 0
    assert "separable   no\n" in out
    assert "0.5 (0, 0) + 0.5 (1, 1) = 0.5 (0, 1) + 0.5 (1, 0) = (0.5, 0.5)" in out
    assert "--soft 1" in out
    _, out, _ = run("0:+ 2:+ 1:- 4:-", "--soft", "1")
    assert "soft        C = 1: w = " in out
    assert "Σ ξ = " in out


def test_a_long_certificate_is_a_table(run, tmp_path):
    corners = [",".join("1" if k == j else "0" for k in range(6)) + ",corner" for j in range(6)]
    middle = ["1/6,1/6,1/6,1/6,1/6,1/6,middle", "9,9,9,9,9,9,middle"]
    (tmp_path / "points.csv").write_text("\n".join([*corners, *middle]))
    code, out, _ = run(tmp_path / "points.csv")
    assert code == 0
    assert re.search(r"^row 7 +− +1$", out, re.MULTILINE)
    assert len(re.findall(r"^row \d +\+ +1/6$", out, re.MULTILINE)) == 6


def test_points_may_be_longer_than_a_name(run):
    text = " ".join(f"{k % 9},{k // 9}:{'ab'[k % 9 > 4]}" for k in range(90))
    code, out, _ = run(text)
    assert code == 0
    assert "points      50 of a (+), 40 of b (−), 2 coordinates\n" in out


def test_what_is_too_long_to_print_is_not_called_exact(run):
    _, out, _ = run("1e8,1e8:a 100000000.000000001,1e8:b", "--predict", "0,0")
    assert "line        w = (−2000000000, 0), b ≈ 2e+17 (in full: --json)\n" in out
    assert "(0, 0): w·x + b ≈ 2e+17, class a\n" in out
    assert "exactly" not in out
    assert "= ≈" not in out


def test_multipliers_of_another_norm_are_not_called_the_least():
    found = margin("1,0:+ 0,1:+ 1,1:- 2,0:-").solution
    assert _supported(found).endswith("multipliers not unique: those of the least norm")
    assert _supported(found._replace(least=False)).endswith("multipliers not unique: some of many")


def test_residuals_above_those_of_rounding_are_told():
    found = margin("1,0:+ 0,1:+ 1,1:- 2,0:-").solution._replace(exact=None)
    assert _proof(found).startswith("every condition of optimality holds: residuals stationarity ")
    found = found._replace(residuals=found.residuals._replace(feasibility=2e-5))
    assert _proof(found).startswith("the conditions of optimality hold to within 2e−5: residuals stationarity ")


def test_a_soft_margin_that_is_not_solved_is_told():
    assert [_soft_gap(gap) for gap in (-4e-16, 3e-9)] == ["0", "3e−9"]
    assert _soft_gap(0.26) == "3e−1: not solved, but within 26 % of the optimum"


def test_which_line_new_points_are_classified_by(run):
    assert "new points, by the hard margin:\n" in run("0:a 2:b", "--soft", "1", "--predict", "1")[1]
    assert "new points, by the soft margin:\n" in run("0:a 2:b 1:a 3:a", "--soft", "1", "--predict", "1")[1]
    assert "new points:\n" in run("0:a 2:b", "--predict", "1")[1]


def test_an_index_is_left_out_and_said_to_be(run, tmp_path):
    (tmp_path / "points.csv").write_text(",x,label\n0,1,a\n1,2,b\n")
    assert "note: the first column has no name and counts from 0 to 1" in run(tmp_path / "points.csv")[1]


def test_typed_points_wait_for_neither_pytorch_nor_matplotlib():
    """In a process of their own, for here both are there."""
    code = (
        "import sys; from tenfold.cli import main\n"
        "try: main(['margin', '1:a 2:b', '--json'])\n"
        "finally: print(sorted({'torch', 'matplotlib'} & set(sys.modules)))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.splitlines()[-1] == "[]", told


def test_one_json_object_is_the_last_line(run, tmp_path):
    code, out, err = run("1,0:+ 0,1:+ 1,1:- 2,0:-", "--json", "--predict", "0,0", "--out", tmp_path / "figures")
    found = json.loads(out.splitlines()[-1])
    assert (code, err, len(out.splitlines())) == (0, "", 1)
    assert found["exact"]["w"] == ["-2", "-2"]
    assert found["exact"]["multipliers"] == ["3", "1", "3", "1"]
    assert found["support"] == [0, 1, 2, 3]
    assert found["predictions"] == [{"point": "(0, 0)", "value": 3.0, "class": "+"}]
    assert found["figures"] == [str(tmp_path / "figures" / "plane.svg")]
    assert not json.loads(run("1,1:a 1,1:b", "--json")[1])["separable"]


def test_figures_are_written_only_where_they_are_asked_for(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "figure" not in run()[1]
    assert not list(tmp_path.iterdir())
    _, out, _ = run("--out", "here")
    assert "figure      here/plane.svg\n" in out
    assert (tmp_path / "here" / "plane.svg").is_file()


def test_images_of_two_classes(run):
    code, out, _ = run("digits", "--classes", "3,8", "--limit", "60")
    assert code == 0
    assert "points      30 of 3 (+), 30 of 8 (−), 64 coordinates\n" in out
    assert "w = 64 numbers (--json prints them)" in out
    assert re.search(r"the rest    \d+ of 297 right, \d\d\.\d\d %", out)
    assert "note: 60 of 357 images of these classes: the first 30 and 30" in out


def test_reported_numbers_of_a_file(run, tmp_path):
    (tmp_path / "mine.toml").write_text(
        'points = "0:+ 3:-"\n[[reported]]\nmargin = "1.5"\n[[reported]]\nw = ["-0.66"]\n[[reported]]\nb = "2"\n'
    )
    for words in ([tmp_path / "mine.toml"], ["--reported", tmp_path / "mine.toml"]):
        code, out, _ = run(*words)
        assert code == 0
        assert "exact       margin 1/‖w‖: 1.5\n" in out
        assert "truncated   w: (-0.66), in full −2/3\n" in out
        assert "slip here   b: 2, should be 1\n" in out


def test_names_from_outside_cannot_steer_a_terminal(run, tmp_path):
    (tmp_path / "points.csv").write_text(f"1,2,{ESCAPE}\n3,4,\u202egnp\n", encoding="utf-8")
    for words in ([], ["--predict", "0,0"], ["--classes", "no,yes"], ["--out", tmp_path / "out"]):
        _, out, err = run(tmp_path / "points.csv", *words)
        assert not {"\x1b", "\u202e"} & set(out + err)
    svg = (tmp_path / "out" / "plane.svg").read_text(encoding="utf-8")
    assert not {"\x1b", "\u202e"} & set(svg)


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["1,2:a 3:b"], 2, "the points, point 2: 1 coordinate; expected 2 coordinates"),
        (["1,2:a 3,x:b"], 2, "point 2, column 2: 'x' is not a number"),
        (["1:a 2:a"], 2, "only class 'a'"),
        (["1:a 2:b 3:c"], 2, "3 classes (a, b, c); choose two of them: --classes a,b"),
        (["1:a 2:b", "--classes", "a,c"], 2, "no class 'c' in the points: known: a, b"),
        (["1:a 2:b", "--given", "w=1,2; b=3"], 2, "w has 2 numbers; the points have 1 coordinate each"),
        (["1:a 2:b", "--given", "nonsense"], 2, 'expected one such as "w=-2,0; b=5"'),
        (["1:a 2:b", "--predict", "1,2"], 2, "new points, point 1: 2 coordinates; expected 1 coordinate"),
        (["1:a 2:b", "--soft", "-1"], 2, "--soft -1: expected a price C"),
        (["minst", "--classes", "0,1"], 2, "did you mean 'mnist'?"),
        (["digits"], 2, "digits: 10 classes"),
        (["absent.csv"], 2, "absent.csv: no such file"),
        (["1:a 2:b", "--reported", "absent.toml"], 2, "'absent.toml' is no sheet of reported numbers"),
        ([""], 2, "POINTS is empty: expected points, a file or a data set"),
        (["1:a 2:b", "--out", ""], 2, "--out is empty: expected the name of a folder"),
        (["1:a 2:b", "--predict", "/"], 2, "--predict: / is a folder; expected points"),
        (["1:a 2:b", "--reported", "x" * 5000], 2, f"'{'x' * 40}' is no sheet of reported numbers"),
        (["~nobody,1:a 2,3:b"], 2, "point 1, column 1: '~nobody' is not a number"),
        (["1:a 2:b", "--sofd", "1"], 2, "tenfold margin has no option --sofd: did you mean '--soft'?"),
    ],
)
def test_what_is_wrong_is_one_plain_line(run, words, code, told):
    found, out, err = run(*words)
    assert (found, out) == (code, "")
    assert told in err
    assert err.startswith("tenfold: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("content", ["1,2,a\n3,b\n", "1,nan,a\n3,4,b\n", "", "\0\1\2"])
def test_a_file_that_cannot_be_used_fails_with_its_name(run, tmp_path, content):
    (tmp_path / "points.csv").write_text(content)
    code, _, err = run(tmp_path / "points.csv")
    assert code == 1
    assert str(tmp_path / "points.csv") in err
    assert err.count("\n") == 1


def test_a_folder_that_cannot_be_written_to(run, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, err = run("--out", tmp_path / "file")
    assert code == 1
    assert "cannot make this folder" in err
