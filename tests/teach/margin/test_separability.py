"""Proof that classes cannot be separated, what to take away, and the soft margin that is left."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy import optimize
from sklearn.svm import SVC

from tenfold.errors import DataError, UsageError
from tenfold.teach.margin import separability, soft
from tenfold.teach.margin.floats import framed
from tenfold.teach.margin.problem import Inseparable, Points, Separated
from tenfold.teach.margin.separability import by_programming, certain, certificate, fewest, misplaced, refined
from tenfold.teach.margin.soft import soft_margin
from tenfold.teach.margin.solving import solve


def points(x, sign, known=False):
    x, sign = np.asarray(x, dtype=np.float64), np.asarray(sign, dtype=np.int8)
    written = tuple(tuple(map(Fraction, row)) for row in x.tolist()) if known else None
    return Points(x, sign, ("+", "-"), written, tuple(f"row {i + 1}" for i in range(len(x))))


def separable(x, sign):
    """By linear programming: is there a w and b with every s (w·x + b) >= 1?"""
    rows = -sign[:, None] * np.column_stack([x, np.ones(len(x))])
    bounds = [(None, None)] * rows.shape[1]
    return optimize.linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(x)), bounds=bounds).status == 0


def meets(given, found):
    """The certificate, by its definition."""
    for side, weights in ((1, found.first), (-1, found.second)):
        assert sum(weights.values()) == pytest.approx(1, abs=1e-12)
        assert all(given.sign[i] == side and value > 0 for i, value in weights.items())
        mean = sum(value * given.x[i] for i, value in weights.items())
        assert np.allclose(mean, np.array(found.meeting, float), rtol=0, atol=1e-9 * found.scale)
    assert len(found.first) + len(found.second) <= given.x.shape[1] + 2
    assert found.residual <= 1e-9 * found.scale


SQUARE = [(0, 0), (1, 1), (1, 0), (0, 1)]


@pytest.mark.parametrize("known", [False, True])
def test_the_diagonals_of_a_square_cross(known):
    found = solve(points(SQUARE, [1, 1, -1, -1], known))
    assert found.first == {0: 0.5, 1: 0.5}
    assert found.second == {2: 0.5, 3: 0.5}
    assert found.meeting == (0.5, 0.5)
    assert found.exact is known
    assert (len(found.removal), found.minimal, found.at_least) == (1, True, 1)


def test_one_place_with_two_labels_is_the_certificate(rng):
    x = rng.standard_normal((40, 25))
    sign = np.where(np.arange(40) % 2, 1, -1)
    assert isinstance(solve(points(x, sign)), Separated)
    found = solve(points(np.vstack([x, x[7]]), np.append(sign, -sign[7])))
    assert found.first == {7: 1}
    assert found.second == {40: 1}
    assert found.residual == 0
    assert len(found.removal) == 1


@pytest.mark.parametrize(("n", "width"), [(20, 1), (30, 2), (60, 8), (300, 40), (260, 100)])
def test_random_labels(rng, n, width):
    given = points(rng.standard_normal((n, width)), np.where(rng.random(n) < 0.5, 1, -1))
    found = solve(given)
    meets(given, found)
    assert not separable(given.x, given.sign)
    kept = np.setdiff1d(np.arange(n), found.removal)
    assert separable(given.x[kept], given.sign[kept])
    assert 1 <= found.at_least <= len(found.removal)


@pytest.mark.parametrize("far", [0, 1e6])
@pytest.mark.parametrize("factor", [1e-6, 1, 1e6])
def test_hulls_that_touch_are_not_separable(far, factor):
    x = np.array([[0, 0], [1, 0], [0.5, 0.0], [0.5, -1]]) * factor + far * factor
    found = solve(points(x, [1, 1, -1, -1]))
    assert isinstance(found, Inseparable)
    assert found.second == {2: 1}
    assert len(found.removal) == 1


def test_linear_programming_finds_a_certificate_too(rng):
    given = points(rng.standard_normal((50, 4)), np.where(np.arange(50) % 2, 1, -1))
    z = framed(given.x).z
    found = certificate(refined(by_programming(z, given.sign), z, given.sign), given.x, given.sign)
    assert found.residual < 1e-12
    assert len(found.first) + len(found.second) <= 6
    assert by_programming(np.array([[0.0], [1.0]]), np.array([1, -1], np.int8)) is None


def test_a_certificate_that_is_a_little_off_is_put_right(rng):
    z, sign = framed(np.array(SQUARE, float)).z, np.array([1, 1, -1, -1], np.int8)
    off = {i: 1 + 1e-6 * rng.standard_normal() for i in range(4)}
    assert certificate(off, z, sign).residual > 1e-8
    assert certificate(refined(off, z, sign), z, sign).residual < 1e-15


def nearly(rng, gap):
    """More numbers than fractions are tried on, half of each class in a plane: the planes are `gap` apart."""
    x = rng.integers(-8, 9, (9000, 5)).astype(float)
    sign = np.where(rng.random(9000) < 0.5, 1, -1)
    x[:, 0] = np.where(rng.random(9000) < 0.5, 0, sign * abs(x[:, 0])) + gap * (sign > 0)
    return points(x, sign)


def test_hulls_that_nearly_meet_do_not_meet(rng):
    with pytest.raises(DataError, match="rounding hides whether"):
        solve(nearly(rng, 2.0**-42), removal=False)
    found = solve(nearly(rng, 0), removal=False)
    assert isinstance(found, Inseparable)
    assert found.residual < 1e-12
    assert isinstance(solve(nearly(rng, 2.0**-24), removal=False), Separated)


@pytest.mark.parametrize("extra", ["nothing", "constant", "twice", "sum"])
def test_a_certificate_of_floats_is_proved(rng, extra):
    """By its equations' bounds where they are as many as the points, else in fractions."""
    x, sign = rng.standard_normal((60, 4)), np.where(np.arange(60) % 2, 1, -1)
    more = {"nothing": [], "constant": [np.ones(60)], "twice": [x[:, 0]], "sum": [np.round(x[:, 0])]}[extra]
    given = points(np.column_stack([x, *more]), sign)
    frame = framed(given.x)
    ray = by_programming(frame.z, sign)
    found = certain(ray, given, frame)
    assert set(found.first) | set(found.second) <= set(ray)
    assert found.residual < 1e-12


@pytest.mark.parametrize("gap", [0.0, 1e-13])
def test_a_certificate_that_nearly_holds_is_none(gap):
    """Crossing diagonals, one of them a little above the other."""
    given = points([(0, 0, 0), (1, 1, 0), (1, 0, gap), (0, 1, gap)], [1, 1, -1, -1])
    found = certain(dict.fromkeys(range(4), 1.0), given, framed(given.x))
    assert (found is None) == (gap > 0)
    decimals = given._replace(
        exact=tuple((*map(Fraction, row[:2]), Fraction(i, 10**40)) for i, row in enumerate(given.x))
    )
    assert certain(dict.fromkeys(range(4), 1.0), decimals, framed(given.x)) is None


def test_certificates_of_a_search_are_proved_too(rng, monkeypatch):
    """Where rounding hides whether some points are enough, no set is called the smallest."""
    given = points(rng.standard_normal((10, 2)), np.where(np.arange(10) % 2, 1, -1))
    assert solve(given).minimal
    monkeypatch.setattr(separability, "certain", lambda *given: None)
    found = solve(given)
    assert (found.minimal, found.at_least) == (False, 1)


def test_certificates_of_categories_are_proved(rng, monkeypatch):
    """The columns of a category add up to 1: eight are made up by others, and fractions are not needed."""
    x, sign = np.eye(5)[rng.integers(0, 5, (400, 8))].reshape(400, 40), np.where(np.arange(400) % 2, 1, -1)
    given = points(x, sign)
    frame = framed(x)
    ray = by_programming(frame.z, sign)
    assert 10 < len(ray) < 42
    monkeypatch.setattr(separability, "WORK", 0)
    assert certain(ray, given, frame).residual < 1e-12


# What to take away


def test_one_point_is_the_fewest():
    assert fewest(lambda removed: pytest.fail("it was asked for a certificate"), (3,), 0) == ((3,), True, 1)


def test_the_fewest_points_are_those_of_trying_all(rng):
    larger = 0
    for known in (False, True) * 10:
        width = int(rng.integers(1, 3))
        x, sign = rng.integers(0, 4, (9, width)).astype(float), np.where(rng.random(9) < 0.5, 1, -1)
        sign[:2] = 1, -1
        found = solve(points(x, sign, known))
        if isinstance(found, Separated):
            continue
        tried = (np.setdiff1d(range(9), gone) for size in range(1, 9) for gone in combinations(range(9), size))
        kept = next(k for k in tried if len(set(sign[k])) < 2 or separable(x[k], sign[k]))
        assert found.minimal
        assert len(found.removal) == 9 - len(kept) == found.at_least
        larger += len(found.removal) > 1
    assert larger > 3


def test_the_fewest_numbers_are_known_however_many(rng):
    x, sign = rng.standard_normal((200, 1)), np.where(rng.random(200) < 0.5, 1, -1)
    found = solve(points(x, sign))
    cuts = [np.sum(sign * (2 * (x[:, 0] > cut) - 1) < 0) for cut in (*x[:, 0], -99)]
    assert found.minimal
    assert len(found.removal) == found.at_least == min(*cuts, *(200 - np.array(cuts)))


def test_the_search_ends_where_it_has_looked_enough():
    """Ten pairs, a certificate each: the answer has ten points, and those that suffice are eleven."""

    def conflict(removed):
        return next(((i, i + 1) for i in range(0, 20, 2) if not removed & {i, i + 1}), None)

    enough = (*range(0, 20, 2), 20)
    assert fewest(conflict, enough, 10_000_000)[1:] == (True, 10)
    assert fewest(conflict, enough, 400) == (enough, False, 10)
    assert fewest(conflict, enough[:-1], 100) == (enough[:-1], True, 10)
    assert fewest(conflict, enough, 0) == (enough, False, 0)


def test_the_search_can_be_left_out(rng):
    given = points(rng.standard_normal((30, 2)), rng.choice([-1, 1], 30))
    whole, short = solve(given), solve(given, removal=False)
    assert whole.removal
    assert (short.removal, short.minimal, short.at_least) == ((), False, 1)
    assert short == whole._replace(removal=(), minimal=False, at_least=1)


def test_points_in_one_place_are_never_parted():
    z = np.array([[0.1], [0.1 + 1e-17], [0.1 + 1e-14], [1.0]])
    sign = np.array([1, -1, 1, 1], np.int8)
    assert misplaced(z, sign, np.array([1.0])) == (1,)


# The soft margin


@pytest.mark.parametrize("price", [0.01, 1.0, 10.0])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_the_soft_margin_is_optimal(rng, price, factor):
    x = rng.standard_normal((80, 3))
    sign = np.where(x[:, 0] + rng.standard_normal(80) > 0, 1, -1)
    found = soft_margin(points(x * factor, sign), price / factor**2)
    assert abs(found.gap) < 1e-12
    machine = SVC(C=price, kernel="linear", tol=1e-8).fit(x, sign)
    assert np.allclose(found.w * factor, machine.coef_[0], rtol=1e-3, atol=1e-4)
    functional = sign * (x * factor @ found.w + found.b)
    assert np.allclose(found.slack, np.maximum(0, 1 - functional))
    assert found.misclassified == tuple(np.flatnonzero(functional <= 0))
    assert 0 <= found.multipliers.min() <= found.multipliers.max() <= price / factor**2 * (1 + 1e-9)
    total = found.primal - price / factor**2 * found.slack.sum()
    assert total == pytest.approx(found.w @ found.w / 2)


def test_a_high_price_is_the_hard_margin():
    given = points([(1, 0), (0, 1), (1, 1), (2, 0)], [1, 1, -1, -1])
    found = soft_margin(given, 1e4)
    assert np.allclose(found.w, (-2, -2))
    assert found.b == pytest.approx(3)
    assert not found.misclassified


def test_the_hard_margin_is_the_soft_one_where_no_multiplier_is_above_the_price(monkeypatch):
    given = points([(1, 0), (0, 1), (1, 1), (2, 0)], [1, 1, -1, -1])
    monkeypatch.setattr(soft, "SETTLED", -1)
    monkeypatch.setattr(soft, "_by_libsvm", lambda *given: pytest.fail("it is the hard margin"))
    found = soft_margin(given, 3.5)
    assert np.allclose(found.multipliers, (3, 1, 3, 1))
    assert (found.primal, found.misclassified, found.C) == (pytest.approx(4), (), 3.5)
    assert soft._hard(given, 1.5) is None


@pytest.mark.parametrize("price", [1e4, 1e9, 1e14])
def test_prices_at_which_libsvm_gives_up(rng, price):
    x = rng.standard_normal((100, 8))
    given = points(x, np.where(x[:, 0] + rng.standard_normal(100) / 2 > 0, 1, -1))
    found = soft_margin(given, price)
    assert abs(found.gap) < 1e-12
    functional = given.sign * (x @ found.w + found.b)
    assert found.primal == pytest.approx(found.w @ found.w / 2 + price * np.maximum(0, 1 - functional).sum())
    assert abs(found.multipliers @ given.sign) < 1e-12 * found.multipliers.sum()


def test_the_interior_point_agrees_with_libsvm(rng, monkeypatch):
    x = rng.standard_normal((80, 3))
    given = points(x, np.where(x[:, 0] + rng.standard_normal(80) > 0, 1, -1))
    one = soft_margin(given, 1.0)
    monkeypatch.setattr(soft, "QUICK", 0)
    other = soft_margin(given, 1.0)
    assert one.primal == pytest.approx(other.primal, rel=1e-12)
    assert one.support == other.support


@pytest.mark.parametrize("price", [0, -1, float("nan"), float("inf")])
def test_a_price_is_a_positive_number(price):
    with pytest.raises(UsageError, match="expected a positive number"):
        soft_margin(points(SQUARE, [1, 1, -1, -1]), price)
