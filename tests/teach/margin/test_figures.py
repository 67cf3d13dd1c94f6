"""Figures of a margin: what they select of a solution, and that they draw it whatever the points are."""

import warnings
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest

from tenfold.report.svg import house_style, svg
from tenfold.teach.margin.figures.distances import distances
from tenfold.teach.margin.figures.plane import plane
from tenfold.teach.margin.figures.support_images import support_images
from tenfold.teach.margin.given import judge
from tenfold.teach.margin.points import parse_given, parse_points
from tenfold.teach.margin.problem import Points
from tenfold.teach.margin.soft import soft_margin
from tenfold.teach.margin.solving import solve

HOSTILE = ("<script>$x$\x1b[31m", "\u202egnp" * 30)
FOUR = "1,0:+ 0,1:+ 1,1:- 2,0:-"
CROSSED = "0,0:+ 1,1:+ 0,1:- 1,0:-"


def blobs(n, m, shift, scale=1.0, offset=0.0, names=("cat", "dog"), width=2):
    rng = np.random.default_rng(n + m)
    x = np.vstack([rng.normal(size=(n, width)), rng.normal(size=(m, width)) + shift]) * scale + offset
    return Points(x, np.repeat([1, -1], (n, m)).astype(np.int8), names, None, tuple(f"row {k}" for k in range(n + m)))


def line(points, text):
    given = parse_given(text, points.x.shape[1])
    return judge(points, given.w, given.b, solve(points))


def flat(points, given="", price=0.0, name="made"):
    judged = line(points, given) if given else None
    return plane.select(points, solve(points), judged, soft_margin(points, price) if price else None, name)


def far(points, name="made"):
    return distances.select(points, solve(points), name)


CASES = {
    "four": (plane, flat(parse_points(FOUR))),
    "given": (plane, flat(parse_points(FOUR), "w=-1,-1; b=1")),
    "given far away": (plane, flat(parse_points("1:a 2:b 5:a"), "w=1; b=900")),
    "crossed": (plane, flat(parse_points(CROSSED))),
    "crossed, soft": (plane, flat(parse_points("0,0:+ 1,1:+ 0,1:- 1,0.4:-"), price=10.0)),
    "overlapping": (plane, flat(blobs(30, 30, 1.0), price=1.0)),
    "twelve in one place": (plane, flat(parse_points(" ".join(["1:a 1:b"] * 6)))),
    "same place": (plane, flat(parse_points("1,2:a 1,2:b"))),
    "on one line": (plane, flat(parse_points("0,0:a 1,2:b 2,4:a 3,6:b 4,8:a 5,10:b"), "w=0,0; b=0")),
    "one coordinate": (plane, flat(parse_points("1:a 2:a 5:b"))),
    "skewed": (plane, flat(parse_points("0,0:a 1,1000:a 2,300:b 3,2000:b"))),
    "tiny scale": (plane, flat(blobs(9, 9, 6, 1e-6))),
    "huge scale": (plane, flat(blobs(9, 9, 6, 1e6, 1e8))),
    "a class of one": (plane, flat(blobs(300, 1, 9))),
    "a crowd": (plane, flat(blobs(1600, 20, 9))),
    "hostile": (plane, flat(blobs(4, 4, 9, names=HOSTILE), name=HOSTILE[0] * 9)),
    "distances": (distances, far(blobs(200, 150, 4, width=5, names=HOSTILE), HOSTILE[1])),
    "two distances": (distances, far(blobs(1, 1, 4, width=3))),
    "distances over decades": (distances, far(blobs(9, 9, 4000, width=3))),
    "soft distances": (
        distances,
        distances.select(blobs(40, 30, 1, width=3), soft_margin(blobs(40, 30, 1, width=3), 1.0), ""),
    ),
}
for word, shape, shift in (("grey", (1, 4, 3), 5), ("color", (3, 2, 2), 5), ("crossed", (1, 3, 4), 0.0)):
    images = blobs(30, 30, shift, names=HOSTILE, width=12)
    CASES[f"images, {word}"] = (support_images, support_images.select(images, solve(images), shape, HOSTILE[0]))
every_case = pytest.mark.parametrize("case", CASES)


def drawn(case):
    plot, data = CASES[case]
    with house_style():
        figure = plot.draw(data)
        figure.draw_without_rendering()
    return figure


def texts(figure):
    return [text.get_text() for text in figure.findobj(matplotlib.text.Text)]


@every_case
def test_every_figure_is_a_well_formed_page_that_holds_all_of_it(case):
    plot, data = CASES[case]
    made = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = svg(lambda: made.append(plot.draw(data)) or made[0])
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(page).iter()}
    assert "svg" in tags
    assert not tags & {"script", "foreignObject"}
    figure = made[0]
    width, height = figure.bbox.size
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert min(box.x0, box.y0) > -2
    assert box.x1 < width + 2
    assert box.y1 < height + 2


@pytest.mark.parametrize("case", ["crossed", "distances"])
def test_the_same_points_give_the_same_bytes(case):
    plot, data = CASES[case]
    assert len({svg(lambda: plot.draw(data)) for _ in range(2)}) == 1


def test_the_plane_holds_the_line_and_who_supports_it():
    data = CASES["four"][1]
    assert (data.best.w.tolist(), data.best.b) == ([-2, -2], 3)
    assert (data.working, data.idle) == ((0, 1, 2, 3), ())
    assert data.labels == ("(1, 0)\nα = 3", "(0, 1)\nα = 1", "(1, 1)\nα = 3", "(2, 0)\nα = 1")
    shown = texts(drawn("four"))
    assert "made\nw = (−2, −2), b = 3\nmargin 1/‖w‖ = 0.353553, 4 points on the margin" in shown
    assert "2/‖w‖ = 0.707107" in shown
    assert "the given line" not in shown
    assert {"the given line", "support vector, α > 0"} <= set(texts(drawn("given")))


def test_the_lines_are_where_the_numbers_say():
    """The contours of w·x + b at −1, 0 and 1, which matplotlib finds from four corners, on the points on the margin."""
    panel = drawn("four").axes[0]
    paths = [path.vertices for found in panel.collections[:3] for path in found.get_paths() if len(path.vertices)]
    values = np.concatenate(paths) @ [-2, -2] + 3
    on_them = np.isclose(np.abs(values), 1, atol=1e-9) | np.isclose(values, 0, atol=1e-9)
    corners = np.isin(np.concatenate(paths), [*panel.get_xlim(), *panel.get_ylim()]).any(1)
    assert (on_them | corners).all()
    assert on_them.sum() >= 6


def test_points_on_the_margin_without_a_multiplier_are_told_apart():
    points = parse_points("0,0:+ 0,5:+ 2,0:- 2,-1:-")
    solution = solve(points)._replace(multipliers=np.array([0.5, 0, 0.5, 0]))
    data = plane.select(points, solution._replace(exact=None), None, None, "")
    assert (data.working, data.idle) == ((0, 2), (1, 3))
    with house_style():
        assert "on the margin, α = 0" in texts(plane.draw(data))


def test_classes_that_meet_are_shown_with_their_hulls_and_the_point_in_both():
    data = CASES["crossed"][1]
    assert data.best is None
    assert data.meeting.tolist() == [0.5, 0.5]
    assert [sorted(map(tuple, corners.tolist())) for corners in data.mixtures] == [[(0, 0), (1, 1)], [(0, 1), (1, 0)]]
    shown = texts(drawn("crossed"))
    assert "made\nnot separable: the hulls meet at (0.5, 0.5)" in shown
    assert "(0, 0)\nλ = 0.5" in shown
    assert CASES["crossed, soft"][1].best.w.any()


def test_both_axes_have_one_scale_unless_one_is_far_longer():
    assert drawn("four").axes[0].get_aspect() == 1
    assert drawn("skewed").axes[0].get_aspect() == "auto"
    assert drawn("on one line").axes[0].get_aspect() == 1


def test_labels_of_points_in_one_place_stand_below_each_other():
    with house_style():
        shown = texts(plane.draw(flat(parse_points("1,1:a 1,1:b 1,1:a"))))
    assert "(1, 1) of point 1, λ = 1\n(1, 1) of point 3" in shown
    assert "(1, 1) of point 2\nλ = 1" in shown
    assert "(1, 1) of point 3" not in shown
    assert any(text.endswith("\nand 9 more") for text in texts(drawn("twelve in one place")))


def test_a_fraction_that_is_too_long_is_not_called_equal():
    data = flat(parse_points("1e8,1e8:a 100000000.000000001,1e8:b"))
    assert "b ≈ 2e+17" in data.title
    assert data.labels[0].endswith("α ≈ 2e+18")


def test_a_crowd_is_one_picture_and_has_no_names():
    plot, data = CASES["a crowd"]
    assert data.labels == ()
    page = svg(lambda: plot.draw(data))
    assert "<image" in page
    assert len(page) < 300_000


def test_points_of_more_coordinates_have_no_plane():
    assert flat(blobs(5, 5, 9, width=3)) is None


def test_distances_are_counted_on_their_side_of_the_margin():
    points = blobs(200, 150, 4, width=5)
    solution = solve(points)
    data = far(points)
    np.testing.assert_allclose(data.values[0], points.x[:200] @ solution.w + solution.b)
    assert len(data.values[1]) == 150
    with house_style():
        stairs = [one for one in distances.draw(data).axes[0].patches if one.get_fill()]
    for one, sign, count in zip(stairs, (1, -1), (200, 150), strict=True):
        values, edges, _ = one.get_data()
        assert values.sum() == count
        inside = (edges[1:] * sign <= 1 + 1e-9) if sign > 0 else (edges[:-1] * sign <= 1 + 1e-9)
        assert values[inside & (np.abs(edges[1:] + edges[:-1]) < 2)].sum() == 0, "nothing lies between the margins"


def test_images_that_hold_the_margin_come_by_their_multipliers():
    points = blobs(30, 30, 5, width=12)
    solution = solve(points)
    data = support_images.select(points, solution, (1, 4, 3), "made")
    np.testing.assert_allclose(data.main, solution.w.reshape(4, 3))
    own = [k for k in solution.support if points.sign[k] > 0]
    ranked = sorted(own, key=lambda k: -solution.multipliers[k])[:8]
    assert data.rows[0].weights == tuple(solution.multipliers[ranked])
    np.testing.assert_allclose(data.rows[0].images, points.x[ranked].reshape(-1, 4, 3).clip(0, 1))
    assert data.rows[0].total == len(own)
    assert data.rows[1].name == "dog"
    met = CASES["images, crossed"][1]
    assert met.limit == 0
    assert sum(met.rows[0].weights) == pytest.approx(1)
