"""The largest margin in floats: against two other solvers and its definition, and under what must not change it."""

from fractions import Fraction

import clarabel
import numpy as np
import pytest
from scipy import optimize, sparse
from sklearn.svm import SVC

import tenfold
from tenfold.errors import DataError
from tenfold.teach.margin import floats
from tenfold.teach.margin.activeset import climb
from tenfold.teach.margin.floats import framed, nearest_pair, values
from tenfold.teach.margin.leastnorm import least_norm
from tenfold.teach.margin.problem import Points, Separated
from tenfold.teach.margin.solving import solve

GAP = 1e-10


def points(x, sign):
    x, sign = np.asarray(x, dtype=np.float64), np.asarray(sign, dtype=np.int8)
    return Points(x, sign, ("+", "-"), None, tuple(f"row {i + 1}" for i in range(len(x))))


def separable(rng, n, width, gap=0.1):
    """Points of two classes with a margin of `gap` at least."""
    w = rng.standard_normal(width)
    w /= np.linalg.norm(w)
    x = rng.standard_normal((n, width))
    sign = np.where(np.arange(n) % 2, 1, -1)
    return points(x + np.outer(sign * (gap + abs(x @ w)) - x @ w, w), sign)


def by_clarabel(given):
    """w and b from the primal problem."""
    n, width = given.x.shape
    solver = clarabel.DefaultSolver(
        sparse.csc_matrix(np.diag([1.0] * width + [0.0])),
        np.zeros(width + 1),
        sparse.csc_matrix(-given.sign[:, None] * np.column_stack([given.x, np.ones(n)])),
        -np.ones(n),
        [clarabel.NonnegativeConeT(n)],
        (settings := clarabel.DefaultSettings(), setattr(settings, "verbose", False))[0],
    )
    found = np.array(solver.solve().x)
    return found[:-1], found[-1]


def holds(given, found, tolerance=1e-11):
    """The definition of an optimum, recomputed."""
    functional = given.sign * (given.x @ found.w + found.b)
    assert functional.min() > 1 - tolerance
    assert found.multipliers.min() >= 0
    total = found.multipliers.sum()
    assert abs(found.multipliers @ given.sign) <= tolerance * total
    assert np.allclose((found.multipliers * given.sign) @ given.x, found.w, atol=tolerance * np.linalg.norm(found.w))
    assert (found.multipliers * abs(functional - 1)).sum() <= tolerance * total
    assert abs(found.gap) <= GAP
    assert found.margin == pytest.approx(1 / np.linalg.norm(found.w))
    assert set(np.flatnonzero(found.multipliers)) <= set(found.support)
    assert list(found.support) == np.flatnonzero(abs(functional - 1) < 1e-9).tolist()


SHAPES = [(2, 1), (3, 1), (10, 2), (40, 2), (40, 5), (200, 3), (30, 30), (20, 60), (120, 40), (400, 10)]


@pytest.mark.parametrize(("n", "width"), SHAPES)
def test_the_optimum_is_clarabels(rng, n, width):
    for gap in (0.5, 0.01):
        given = separable(rng, n, width, gap)
        found = solve(given)
        holds(given, found)
        w, b = by_clarabel(given)
        assert np.allclose(found.w, w, rtol=1e-5, atol=1e-5 * np.linalg.norm(w))
        assert found.b == pytest.approx(b, rel=1e-4, abs=1e-4 * np.linalg.norm(w))


def test_the_optimum_is_libsvms(rng):
    given = separable(rng, 100, 4)
    machine = SVC(C=1e8, kernel="linear", tol=1e-8).fit(given.x, given.sign)
    found = solve(given)
    assert np.allclose(found.w, machine.coef_[0], rtol=1e-5)
    assert np.array_equal(np.sign(values(given.x, found.w, found.b)), machine.predict(given.x))


def test_random_labels_in_many_dimensions(rng):
    given = points(rng.standard_normal((120, 100)), np.where(rng.random(120) < 0.5, 1, -1))
    holds(given, solve(given))


@pytest.mark.parametrize("known", [False, True])
def test_the_reported_points(known):
    given = points([(1, 0), (0, 1), (1, 1), (2, 0)], [1, 1, -1, -1])
    found = solve(
        given._replace(exact=tuple(tuple(map(Fraction, row)) for row in given.x.tolist())) if known else given
    )
    assert np.allclose(found.w, (-2, -2))
    assert found.b == pytest.approx(3)
    assert found.support == (0, 1, 2, 3)
    assert not found.unique
    assert np.allclose(found.multipliers, (3, 1, 3, 1))


def test_points_on_the_margin_without_a_multiplier_support_it_too():
    found = solve(points([(0, 1), (0, 0), (0, -1), (1, 1)], [1, 1, 1, -1]))
    assert found.support == (0, 1, 2, 3)
    assert np.allclose(found.multipliers, (2, 0, 0, 2))
    assert found.unique


# What must not change it


@pytest.mark.parametrize("factor", [1e-60, 1e-6, 1e-3, 1e3, 1e6, 1e60])
def test_scaling_the_points_scales_the_margin(rng, factor):
    given = separable(rng, 60, 4)
    one, other = solve(given), solve(given._replace(x=given.x * factor))
    assert other.margin == pytest.approx(factor * one.margin, rel=1e-9)
    assert np.allclose(other.multipliers * factor**2, one.multipliers, rtol=1e-7)
    assert other.support == one.support
    assert abs(other.gap) < GAP


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
def test_moving_the_points_moves_the_plane(rng, far):
    given = separable(rng, 60, 4)
    moved = given._replace(x=np.round(given.x * 2**10) / 2**10)
    one, other = solve(moved), solve(moved._replace(x=moved.x + far))
    assert np.allclose(other.w, one.w, rtol=1e-10)
    assert other.b == pytest.approx(one.b - one.w.sum() * far)
    assert abs(other.gap) < GAP


def test_turning_the_points_turns_the_plane(rng):
    given = separable(rng, 60, 4)
    turn = np.linalg.qr(rng.standard_normal((4, 4)))[0]
    one, other = solve(given), solve(given._replace(x=given.x @ turn))
    assert np.allclose(other.w, one.w @ turn)
    assert np.allclose(other.multipliers, one.multipliers)


def test_order_and_side_do_not_matter(rng):
    given = separable(rng, 60, 4)
    order = rng.permutation(60)
    one = solve(given)
    other = solve(given._replace(x=given.x[order], sign=-given.sign[order]))
    assert np.allclose(other.w, -one.w)
    assert np.allclose(other.multipliers, one.multipliers[order])


def test_points_beyond_the_margin_change_nothing(rng):
    given = separable(rng, 60, 4)
    one = solve(given)
    along = one.w / np.linalg.norm(one.w)
    x = np.vstack([given.x, given.x + np.outer(given.sign * (1 + rng.random(60)), along)])
    other = solve(points(x, np.tile(given.sign, 2)))
    assert np.allclose(other.w, one.w)
    assert np.allclose(other.multipliers[:60], one.multipliers)
    assert other.support == one.support


def test_duplicates_share_the_multiplier_of_one(rng):
    given = separable(rng, 30, 4)
    one, other = solve(given), solve(points(np.repeat(given.x, 3, 0), np.repeat(given.sign, 3)))
    assert np.allclose(other.w, one.w)
    assert np.allclose(other.multipliers, np.repeat(one.multipliers, 3) / 3)
    assert one.unique
    assert not other.unique
    assert len(other.support) == 3 * len(one.support)


# Hard ones


@pytest.mark.parametrize(
    ("x", "sign", "margin"),
    [
        pytest.param([[0], [1e-9]], [1, -1], 5e-10, id="one point a class"),
        pytest.param(np.outer(np.arange(20), [1, 2, 2]), [1] * 10 + [-1] * 10, 1.5, id="on a line"),
        pytest.param([[0, 0]] * 5 + [[3, 4]] * 5, [1] * 5 + [-1] * 5, 2.5, id="all the same, twice"),
        pytest.param(
            [[1e-12, i] for i in range(50)] + [[0, i] for i in range(50)], [1] * 50 + [-1] * 50, 5e-13, id="tiny"
        ),
        pytest.param([[i // 50, i % 50] for i in range(100)], [1] * 50 + [-1] * 50, 0.5, id="fifty a side"),
    ],
)
def test_the_margin_of(x, sign, margin):
    found = solve(points(x, sign))
    assert found.margin == pytest.approx(margin, rel=1e-9)
    assert abs(found.gap) < GAP


def test_many_points_of_few_dimensions(rng):
    x = rng.standard_normal((10_000, 2))
    given = points(x, np.where(x @ [1, 2] > 0, 1, -1))
    found = solve(given)
    assert isinstance(found, Separated)
    assert abs(found.gap) < GAP
    assert found.residuals.feasibility < 1e-10


def test_few_points_of_many_dimensions(rng):
    given = points(rng.standard_normal((30, 3000)), np.where(np.arange(30) % 3, 1, -1))
    holds(given, solve(given))


def test_real_images(data_root):
    data = tenfold.load("mnist", data_dir=str(data_root("mnist")))
    labels = data.labels.numpy()
    rows = np.concatenate([np.flatnonzero(labels == digit)[:200] for digit in (3, 5)])
    given = points(data.images.numpy()[rows].reshape(400, -1) / 255, np.where(labels[rows] == 3, 1, -1))
    found = solve(given)
    holds(given, found)
    assert found.unique
    assert max(found.residuals) < 1e-12


@pytest.mark.parametrize(("n", "width"), [(150, 100), (600, 50)])
def test_the_active_set_needs_no_guess(rng, n, width):
    given = separable(rng, n, width, 0.001)
    if n > 2 * width:  # all of them near the margin, so that D + 1 points are held on the way
        given = given._replace(
            x=given.x * np.append(0.01, np.ones(width - 1)), sign=np.where(given.x[:, 0] > 0, 1, -1).astype(np.int8)
        )
    z = framed(given.x).z
    arithmetic, pair = floats.arithmetic(z, given.sign), nearest_pair(z, given.sign)
    climbed = climb(arithmetic, (), pair, 10_000)
    assert climbed.settled
    assert climbed.steps > 48  # so that factors were updated as points came and went
    assert sorted(climbed.held.points) == list(solve(given).support)
    again = arithmetic.hold(climbed.held.points, None)
    assert np.allclose(again.multipliers, climbed.held.multipliers, rtol=1e-9)


def test_factors_that_an_update_refuses_are_made_anew(rng, monkeypatch):
    def refuse(*given, **options):
        raise np.linalg.LinAlgError("lies in the span of Q")

    given = separable(rng, 150, 100, 0.001)
    z = framed(given.x).z
    pair, climbed = nearest_pair(z, given.sign), []
    for _ in range(2):
        climbed.append(climb(floats.arithmetic(z, given.sign), (), pair))
        monkeypatch.setattr(floats.linalg, "qr_insert", refuse)
    assert climbed[1].settled
    assert climbed[0].held.points == climbed[1].held.points


def test_a_point_that_others_span_is_expressed_by_them(rng):
    x, sign = rng.standard_normal((6, 4)), np.array([1, -1, 1, -1, 1, -1], np.int8)
    x[:, 3] = 0
    arithmetic = floats.arithmetic(framed(x).z, sign)
    v = [*arithmetic.express(arithmetic.hold((0, 1, 2, 3), None), 4), 1.0]
    assert np.allclose((v * sign[:5]) @ x[:5], 0)
    assert v @ sign[:5] == pytest.approx(0)
    assert arithmetic.express(arithmetic.hold((0, 1, 2), None), 4) is None
    assert arithmetic.hold((0, 1, 2, 3, 4), None) is None


def test_a_frame_is_around_the_mean_and_reaches_1(rng):
    x = 1e9 + rng.standard_normal((20, 3))
    frame = framed(x)
    assert np.linalg.norm(frame.z, axis=1).max() == pytest.approx(1)
    assert abs(frame.z.mean(0)).max() < 1e-6
    assert np.allclose(frame.z * frame.radius + frame.center, x, rtol=1e-15)


# Multipliers of the least norm


def test_no_other_multipliers_are_shorter(rng):
    """At the shortest α of a polytope, no vertex of it is nearer to 0 along α: α·(α' − α) ≥ 0."""
    bounded = 0
    for _ in range(25):
        width = int(rng.integers(1, 4))
        b = np.vstack([rng.integers(-2, 3, (width, 7)), np.ones(7)]).astype(float)
        start = rng.random(7) * (rng.random(7) < 0.6)
        least, unique, found = least_norm(b, start)
        assert found
        scale = 1 + least.max()
        assert np.allclose(b @ least, b @ start, atol=1e-9 * scale)
        assert least.min() >= 0
        bounded += bool((least == 0).any() and not unique)
        spread = 0.0
        for goal in (least, *rng.standard_normal((6, 7))):
            other = optimize.linprog(goal, A_eq=b, b_eq=b @ start, method="highs-ds").x
            assert least @ (other - least) >= -1e-8 * scale**2
            spread = max(spread, abs(other - least).max())
        assert unique == (spread < 1e-7 * scale)
    assert bounded > 3


def test_the_least_norm_of_many_points_is_least(rng):
    """Three thousand columns, most of them 0 in the least: Bα is kept, and α = max(0, Bᵀz) for some z."""
    b = np.vstack([rng.integers(0, 3, (6, 3000)), np.ones(3000)]).astype(float)
    b[0] = np.arange(3000) < 40
    start = np.zeros(3000)
    start[:60] = rng.random(60)
    least, unique, found = least_norm(b, start)
    assert found
    assert not unique
    assert np.allclose(b @ least, b @ start)
    assert 0 <= least.min() < least.max()
    positive = least > 0
    assert 7 < positive.sum() < 3000
    z = np.linalg.lstsq(b[:, positive].T, least[positive])[0]
    assert np.allclose(z @ b[:, positive], least[positive], atol=1e-9)
    assert (z @ b[:, ~positive]).max() < 1e-9


def test_what_others_span_is_factored_anew(rng):
    """A point that is spanned but for rounding is refused as an update: hulls that touch, in 100 dimensions."""
    x, normal = rng.integers(-5, 6, (500, 100)).astype(float), rng.integers(-3, 4, 100).astype(float)
    normal[0] = 1
    apart, center = rng.integers(-4, 5, (2, 100)).astype(float), rng.integers(-4, 5, 100).astype(float)
    for row in (*apart, center):
        row[0] -= row @ normal
    far = x[abs(x @ normal) >= 1]
    given = points(
        np.vstack([far, center + apart[0], center - apart[0], center + apart[1], center - apart[1]]),
        [*np.sign(far @ normal), 1, 1, -1, -1],
    )
    found = solve(given)
    assert {*found.first, *found.second} == set(range(len(far), len(far) + 4))


# What cannot be solved


@pytest.mark.parametrize("size", [1e300, 1e155, 1e-160, 1e-300])
def test_sizes_whose_squares_overflow(size):
    with pytest.raises(DataError, match="squares of such numbers leave what floats hold"):
        solve(points(np.array([[1, 1], [-1, 2]]) * size, [1, -1]))


@pytest.mark.parametrize(
    ("x", "sign", "words"),
    [([[0], [1]], [1, 1], "class '-' has no point"), ([[0], [np.nan]], [1, -1], "row 2: a coordinate is not a finite")],
)
def test_points_that_pose_no_problem(x, sign, words):
    with pytest.raises(DataError, match=words):
        solve(points(x, sign))
