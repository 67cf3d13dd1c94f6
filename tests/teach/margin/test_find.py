"""The margin from Python: the two worked examples to their last number, images, certificates, plain values, figures."""

import json
from fractions import Fraction

import numpy as np
import pytest

from tenfold.errors import FileError, UsageError
from tenfold.report.printed import fidelity
from tenfold.teach.margin.find import draw_margin, margin
from tenfold.teach.margin.problem import Inseparable, Separated
from tenfold.teach.margin.sources import _shares

CASES = {
    "solved": {},
    "given": {"data": "maximum-margin-given"},
    "one coordinate": {"data": "1:cat 2:cat 5:dog", "predict": "3.5 9"},
    "crossed": {"data": "0,0:+ 1,1:+ 0,1:- 1,0:-", "soft": 10.0, "predict": "3,3", "given": "w=0,0; b=0"},
    "same point": {"data": "1,2,3:+ 1,2,3:-"},
    "decimals": {"data": "0.1,0.2,0.3:+ -1e-3,4,1/3:-", "given": "w=1,1,1; b=-1"},
}


@pytest.fixture(scope="module", params=CASES)
def found(request):
    return margin(**CASES[request.param])


def test_plain_values_are_json(found):
    plain = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert plain["points"] == len(found.material.points.x)
    assert plain["separable"] == isinstance(found.solution, Separated)


def test_part_b_of_the_worked_report():
    """(1, 0) and (0, 1) positive, (1, 1) and (2, 0) negative: w = (−2, −2), b = 3, and all four are support vectors."""
    found = margin("maximum-margin-solved")
    exact = found.solution.exact
    assert (exact.w, exact.b) == ((-2, -2), 3)
    assert exact.primal == exact.dual == 4
    assert exact.squared_margin == Fraction(1, 8)
    assert found.solution.support == (0, 1, 2, 3)
    assert not found.solution.unique
    told = {verdict.about: verdict for verdict in found.verdicts}
    assert [verdict.verdict for verdict in found.verdicts] == ["right"] * 4 + ["exact"] * 2 + ["right"] * 2
    subtracted = found.verdicts[2]
    assert (subtracted.printed, subtracted.right) == ("-2w1 + b = -1", "2w₁ + b = −1")
    assert subtracted.sentence.endswith("from w₁ + b = 1: that leaves −w₁ = 2")
    assert told["class at (0, 1)"].sentence.endswith("w·x + b = 1, on the margin")


def test_part_c_of_the_worked_report():
    """w = (−2, 0), b = 5 is given: γ = 0.5, values 3, 1, −1, −3, support vectors (2, 3) and (3, 3), (1, 3) positive."""
    found = margin("maximum-margin-given")
    assert found.given.values == (3, 1, -1, -3)
    assert (found.given.margin, found.given.on_margin, found.given.optimal) == (0.5, (1, 2), True)
    assert [(one.label, one.value, one.kind) for one in found.predictions] == [("(1, 3)", 3, "+")]
    assert [verdict.verdict for verdict in found.verdicts] == ["exact"] * 5 + ["right"] * 2
    printed = [verdict.printed for verdict in found.verdicts]
    assert printed == ["0.5", "3", "1", "-1", "-3", "2,3 3,3", "+"]


def test_new_points_lie_where_the_solution_says():
    found = margin("1,0:+ 0,1:+ 1,1:- 2,0:-", predict="0,0 3,3 1.5,0 0.75,0.75")
    assert [(one.label, one.value, one.kind) for one in found.predictions] == [
        ("(0, 0)", 3, "+"),
        ("(3, 3)", -9, "-"),
        ("(1.5, 0)", 0, ""),
        ("(0.75, 0.75)", 0, ""),
    ]


def test_new_points_are_classified_in_fractions():
    assert margin("0:+ 3:-", predict="1/2").predictions[0].value == Fraction(2, 3)


def test_new_points_of_a_file(tmp_path):
    (tmp_path / "new.csv").write_text("x,y\n0,0\n3,3\n")
    found = margin("1,0:+ 1,1:-", predict=str(tmp_path / "new.csv"))
    assert [one.kind for one in found.predictions] == ["+", "-"]


def test_what_cannot_be_separated_is_classified_by_the_soft_margin_or_not_at_all():
    crossed = "0:+ 2:+ 1:- 3:-"
    assert margin(crossed, predict="0").predictions == ()
    found = margin(crossed, predict="-9 9", soft=1.0)
    assert isinstance(found.solution, Inseparable)
    assert [one.kind for one in found.predictions] == ["+", "-"]


def test_a_sheet_about_points_that_are_given_elsewhere(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[reported]]\nmargin = "0.5"\n')
    assert margin("0:+ 1:-", reported=str(path)).verdicts[0].verdict == "exact"
    with pytest.raises(UsageError, match="has no points; add"):
        margin(str(path))
    path.write_text('points = "0:+ 2:-"\n[[reported]]\nmargin = "1"\n')
    assert margin(str(path)).verdicts[0].verdict == "exact"
    assert margin(str(path), reported=str(path)).verdicts[0].verdict == "exact"
    with pytest.raises(UsageError, match="about points of its own"):
        margin("0:+ 1:-", reported=str(path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('points = "1:+ 2,3:-"', "the points, point 2: 2 coordinates"),
        ('points = "1:+ 2:-"\ngiven = "w=1,2; b=3"', "w has 2 numbers; the points have 1 coordinate each"),
        ('points = "1:+ 2:-"\npredict = "1,2"', "new points, point 1: 2 coordinates"),
        ('points = "1:+ 2:-"\n[[reported]]\nvalue = "1"\nat = "1,2"', "reported 1, value: new points, point 1"),
    ],
)
def test_a_fault_inside_of_a_sheet_is_told_with_its_file(tmp_path, text, told):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as caught:
        margin(str(path))
    assert str(caught.value).startswith(f"{path}: ")
    assert told in str(caught.value)


# Images


def test_images_of_two_classes_are_points_on_the_unit_interval():
    found = margin("digits", classes=("3", "8"), limit=60)
    points = found.material.points
    assert points.x.shape == (60, 64)
    assert (points.x.min(), points.x.max()) == (0, 1)
    assert points.names == ("3", "8")
    assert points.sign.tolist() == [1] * 30 + [-1] * 30
    labels = found.material.dataset.labels.numpy()
    assert (labels[[int(label.split()[1]) for label in points.labels]] == np.repeat([3, 8], 30)).all()
    assert found.material.notes == ("60 of 357 images of these classes: the first 30 and 30 (--limit 0 takes all)",)
    assert found.solution.gap < 1e-10


def test_images_that_were_left_out_are_classified():
    found = margin("digits", classes=("0", "1"), limit=40)
    data = found.material.dataset
    wanted = np.flatnonzero(np.isin(data.labels.numpy(), (0, 1)))
    taken = {int(label.split()[1]) for label in found.material.points.labels}
    rest = np.array([k for k in wanted if k not in taken])
    values = data.images[rest].flatten(1).numpy() / 16 @ found.solution.w + found.solution.b
    right = int(((values > 0) == (data.labels[rest].numpy() == 0)).sum())
    assert found.rest == (len(rest), right, "rest")
    assert right > 0.98 * len(rest)
    assert margin("digits", classes=("0", "1"), limit=0).rest is None


@pytest.mark.parametrize(
    ("limit", "available", "shares"),
    [(8, (9, 9), (4, 4)), (7, (9, 9), (4, 3)), (8, (2, 9), (2, 6)), (8, (9, 2), (6, 2)), (99, (9, 2), (9, 2))],
)
def test_images_are_taken_half_of_each_class(limit, available, shares):
    assert _shares(limit, available) == shares


def test_the_test_part_of_a_data_set_is_what_it_is_judged_on(data_root):
    found = margin("mnist", classes=("0", "1"), limit=60, data_dir=str(data_root("mnist")))
    assert found.rest.n == 2115
    assert found.rest.part == "test"
    assert found.rest.right > 2080


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"data": "digits"}, "digits: 10 classes (0, 1, 2, 3, 4, 5, 6, 7, 8, 9); choose two of them: --classes 0,1"),
        ({"data": "digits", "classes": ("3", "33")}, "no class '33' in digits: did you mean '3'?"),
        ({"data": "digits", "classes": ("3",)}, "--classes 3: expected two classes"),
        ({"data": "digits", "classes": ("3", "3")}, "--classes 3,3: expected two classes"),
        ({"data": "digits", "classes": ("3", "8"), "limit": 1}, "--limit 1: expected at least 2"),
        ({"data": "digits", "classes": ("3", "8"), "predict": "1"}, "--predict is for points"),
        ({"data": "digits", "classes": ("3", "8"), "given": "w=1; b=1"}, "--given is for points"),
        ({"data": "minst"}, "did you mean 'mnist'?"),
        ({"data": "points.csv"}, "points.csv: no such file"),
        ({"data": "1:+ 2:-", "limit": 5}, "--limit is for images"),
        ({"data": "1:+ 2:-", "size": 5}, "--size is for images"),
        ({"data": "1:+ 2:-", "soft": 0.0}, "--soft 0: expected a price C"),
        ({"data": "1:+ 2:-", "soft": float("nan")}, "--soft nan: expected a price C"),
        ({"data": "1:+ 2:-", "predict": "new.csv"}, "--predict: new.csv: no such file"),
        ({"data": "1:+ 2:-", "reported": "mine.toml"}, "'mine.toml' is no sheet"),
    ],
)
def test_what_cannot_be_done_is_one_plain_line(arguments, told):
    with pytest.raises(UsageError) as caught:
        margin(**arguments)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_too_many_numbers_are_refused_before_they_are_made(monkeypatch):
    monkeypatch.setattr("tenfold.teach.margin.sources.NUMBERS_CAP", 64 * 100)
    with pytest.raises(UsageError, match="357 images of 64 pixels are too many: give --limit 100 or less"):
        margin("digits", classes=("3", "8"))


# Figures


@pytest.mark.parametrize(
    ("arguments", "files"),
    [
        (CASES["solved"], ["plane.svg"]),
        (CASES["crossed"], ["plane.svg"]),
        (CASES["same point"], []),
        (CASES["decimals"], ["distances.svg"]),
        ({"data": "digits", "classes": ("0", "1"), "limit": 20}, ["support_images.svg", "distances.svg"]),
    ],
)
def test_figures_are_written_where_there_is_something_to_see(arguments, files, tmp_path):
    written = draw_margin(margin(**arguments), tmp_path / "new" / "folder")
    assert [path.name for path in written] == files
    for path in written:
        assert path.parent == tmp_path / "new" / "folder"
        assert path.read_text().startswith("<?xml")


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot make this folder"):
        draw_margin(margin(), tmp_path / "file" / "folder")


def test_verdicts_agree_with_how_numbers_are_written():
    for verdict in margin("maximum-margin-given").verdicts[:5]:
        assert fidelity(verdict.printed, Fraction(verdict.right.replace("−", "-"))) == verdict.verdict
