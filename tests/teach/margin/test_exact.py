"""The solution in fractions: every condition without a rest, against the floats and against trying all active sets."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from tenfold.errors import DataError
from tenfold.teach.margin import exact, leastnorm
from tenfold.teach.margin.exact import null_space, reduced, solved, whole
from tenfold.teach.margin.leastnorm import least_norm, least_norm_exact
from tenfold.teach.margin.problem import Inseparable, Points, Separated
from tenfold.teach.margin.solving import solve


def points(x, sign):
    """Points as they were written, in numbers or as text."""
    known = tuple(tuple(Fraction(str(value)) for value in row) for row in x)
    floats = np.array([[float(value) for value in row] for row in known])
    return Points(floats, np.array(sign, dtype=np.int8), ("+", "-"), known, tuple(map(str, range(len(floats)))))


def holds(given, found):
    """Every condition of Karush, Kuhn and Tucker, in fractions."""
    proof, s = found.exact, [int(value) for value in given.sign]
    functional = [
        side * (sum(a * c for a, c in zip(proof.w, row, strict=True)) + proof.b)
        for side, row in zip(s, given.exact, strict=True)
    ]
    beta = [alpha * side for alpha, side in zip(proof.multipliers, s, strict=True)]
    assert min(functional) == 1
    assert min(proof.multipliers) >= 0
    assert sum(beta) == 0
    assert all(alpha * (value - 1) == 0 for alpha, value in zip(proof.multipliers, functional, strict=True))
    for k, value in enumerate(proof.w):
        assert sum(own * row[k] for own, row in zip(beta, given.exact, strict=True)) == value
    assert found.support == tuple(i for i, value in enumerate(functional) if value == 1)
    squared = sum(value * value for value in proof.w)
    assert proof.squared_margin == 1 / squared
    assert proof.primal == proof.dual == squared / 2
    assert found.gap == 0


def meets(given, found):
    """The certificate, by its definition."""
    assert found.exact
    for side, weights in ((1, found.first), (-1, found.second)):
        assert sum(weights.values()) == 1
        assert all(given.sign[i] == side and value > 0 for i, value in weights.items())
        mean = [sum(value * given.exact[i][k] for i, value in weights.items()) for k in range(len(found.meeting))]
        assert tuple(mean) == found.meeting
    assert len(found.first) + len(found.second) <= given.x.shape[1] + 2
    assert found.residual == 0


def by_trying(given):
    """The shortest w that holds some points on the margin and no point beyond it, over all sets of D + 1 or fewer."""
    x, s, best = given.x, given.sign.astype(float), None
    for size in range(2, x.shape[1] + 2):
        for chosen in map(list, combinations(range(len(s)), size)):
            a, t = x[chosen] - x[chosen].mean(0), s[chosen] - s[chosen].mean()
            w = np.linalg.lstsq(a, t, rcond=1e-9)[0]
            b = np.mean(s[chosen] - x[chosen] @ w)
            if abs(a @ w - t).max() < 1e-8 and (s * (x @ w + b)).min() > 1 - 1e-8 and len(set(s[chosen])) == 2:
                best = min(best or (np.inf,), (float(w @ w), *w, b))
    return best


def drawn(rng):
    """A small problem in whole numbers, often with points on top of each other, on lines and in rows."""
    width, n = int(rng.integers(1, 4)), int(rng.integers(2, 9))
    x = rng.integers(0, int(rng.integers(2, 6)), (n, width))
    sign = np.where(x @ rng.integers(-2, 3, width) + rng.integers(-3, 2) >= 0, 1, -1)
    if rng.random() < 0.2:
        sign = rng.choice([-1, 1], n)
    sign[0], sign[-1] = 1, -1
    return points(x.tolist(), sign)


@pytest.mark.parametrize("part", range(4))
def test_small_problems_in_fractions_in_floats_and_by_trying(rng, part):
    kinds = {Separated: 0, Inseparable: 0}
    others = 0
    for _ in range(80):
        given = drawn(rng)
        found, rough = solve(given), solve(given._replace(exact=None))
        assert type(found) is type(rough)
        kinds[type(found)] += 1
        if isinstance(found, Inseparable):
            meets(given, found)
            assert by_trying(given) is None
            assert len(rough.removal) == len(found.removal)
            continue
        holds(given, found)
        squared, *w, b = by_trying(given)
        assert float(found.exact.primal) == pytest.approx(squared / 2)
        assert np.allclose([*found.w, found.b], [*w, b], atol=1e-7)
        assert np.allclose([*rough.w, rough.b], [*found.w, found.b], rtol=1e-9, atol=1e-11)
        assert np.allclose(rough.multipliers, found.multipliers, atol=1e-7 * found.multipliers.max())
        assert (rough.support, rough.unique) == (found.support, found.unique)
        others += not found.unique
    assert min(*kinds.values(), others) > 3


def test_the_reported_points():
    given = points([(1, 0), (0, 1), (1, 1), (2, 0)], [1, 1, -1, -1])
    found = solve(given)
    holds(given, found)
    assert (found.exact.w, found.exact.b) == ((-2, -2), 3)
    assert found.exact.multipliers == (3, 1, 3, 1)
    assert found.exact.squared_margin == Fraction(1, 8)
    assert found.support == (0, 1, 2, 3)
    assert not found.unique


def test_decimals_are_taken_as_they_were_written():
    """In floats 0.1 + 0.2 is not 0.3, and these three points are not on one line."""
    on_a_line = points([("0.1", "0.1"), ("0.2", "0.2"), ("0.3", "0.3")], [1, -1, 1])
    meets(on_a_line, solve(on_a_line))
    given = points([("0.1", "1/3"), ("0.7", "-2.25")], [1, -1])
    holds(given, solve(given))


def test_margins_that_floats_cannot_see():
    given = points([(0, 0), (1, 0), (Fraction(1, 2), Fraction(1, 10**30))], [1, 1, -1])
    found = solve(given)
    holds(given, found)
    assert found.exact.squared_margin == Fraction(1, 4 * 10**60)
    touching = points([(0, 0), (1, 0), (Fraction(1, 2), 0)], [1, 1, -1])
    meets(touching, solve(touching))


def test_floats_in_doubt_are_solved_as_the_fractions_that_they_are():
    far = np.nextafter(1.0, 2)
    given = Points(np.array([[1.0], [far]]), np.array([1, -1], np.int8), ("+", "-"), None, ("a", "b"))
    assert solve(given).margin == pytest.approx((far - 1) / 2)
    row = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, 1e-13]])
    thin = Points(row, np.array([1, 1, -1], np.int8), ("+", "-"), None, ("a", "b", "c"))
    assert solve(thin).margin == pytest.approx(5e-14)
    assert isinstance(solve(thin._replace(x=row * [1, 0])), Inseparable)


def test_a_larger_problem(rng):
    x = rng.integers(-50, 50, (60, 8))
    sign = np.where(x[:, 0] + 0.3 * x[:, 1] > 0, 1, -1)
    given = points((x * 3 + sign[:, None] * [2, 0, 0, 0, 0, 0, 0, 0]).tolist(), sign)
    found = solve(given)
    holds(given, found)
    assert np.allclose(solve(given._replace(exact=None)).w, found.w)


def test_too_many_numbers_are_left_to_floats(monkeypatch):
    given = points([(1, 0), (0, 1), (1, 1), (2, 0)], [1, 1, -1, -1])
    monkeypatch.setattr(exact, "LARGEST", 7)
    assert solve(given).exact is None
    monkeypatch.setattr(exact, "LARGEST", 8)
    assert solve(given).exact


def test_many_points_on_the_margin():
    x = [(i // 12, i % 12) for i in range(24)]
    given = points(x, [1] * 12 + [-1] * 12)
    found = solve(given)
    holds(given, found)
    assert found.exact.multipliers == (Fraction(1, 6),) * 24


# Multipliers of the least norm


def test_the_least_norm_is_that_of_floats(rng):
    bounded = 0
    for _ in range(30):
        b = np.vstack([rng.integers(-2, 3, (int(rng.integers(1, 4)), 6)), np.ones(6, dtype=int)])
        start = rng.integers(0, 3, 6)
        found, unique, proved = least_norm_exact(b.astype(object), start.astype(object) * Fraction(1))
        assert proved
        assert (b.astype(object) @ found == b @ start).all()
        assert min(found) >= 0
        plain, also, least = least_norm(b.astype(float), start.astype(float))
        assert least
        assert np.allclose(found.astype(float), plain, atol=1e-8)
        assert unique == also
        bounded += bool(min(found) == 0 and not unique)
    assert bounded > 3


def test_the_least_norm_of_two_long_lines():
    """Shifted against each other, so that many multipliers are 0; solved once, not step by step."""
    given = points([(0, i) for i in range(150)] + [(1, i + 100) for i in range(150)], [1] * 150 + [-1] * 150)
    found = solve(given)
    holds(given, found)
    assert found.least
    assert not found.unique
    alpha, s = np.array(found.exact.multipliers), given.sign.astype(object)
    assert 0 in alpha
    positive = alpha > 0
    i, j = np.flatnonzero(positive & (s > 0))[:2]  # α = max(0, z·column), so two of a class give their own line
    slope = (alpha[j] - alpha[i]) / (j - i)
    assert all(alpha[k] == max(0, alpha[i] + slope * (k - i)) for k in np.flatnonzero(s > 0))


def test_positive_multipliers_that_are_the_wrong_ones_are_refused():
    rows, c = np.array([[Fraction(1)] * 3], dtype=object), np.array([Fraction(3)], dtype=object)
    assert leastnorm._on(rows, c, np.array([True, True, True])).tolist() == [1, 1, 1]
    assert leastnorm._on(rows, c, np.array([True, True, False])) is None


def test_a_least_norm_that_takes_long_is_not_claimed(monkeypatch):
    monkeypatch.setattr(leastnorm, "MOST", 35)
    given = points([(1, 0), (0, 1), (1, 1), (2, 0)], [1, 1, -1, -1])
    found = solve(given)
    holds(given, found)
    assert (found.unique, found.least) == (False, False)
    monkeypatch.setattr(leastnorm, "MOST", 36)
    assert solve(given).least


def test_a_gap_of_floats_is_measured():
    """Solved in fractions, for floats are in doubt, but shown as floats."""
    x = np.array([[0.0, 0.0], [1.0, 0.0], [0.3, 1e-13]])
    given = Points(x, np.array([1, 1, -1], np.int8), ("+", "-"), None, ("a", "b", "c"))
    found = solve(given)
    assert found.exact is None
    assert 0 < abs(found.gap) < 1e-6


def test_margins_whose_squares_overflow():
    with pytest.raises(DataError, match="the margin is so small"):
        solve(points([(0,), (1,), (Fraction(1, 10**160),)], [1, -1, -1]))


def test_the_work_of_a_step_has_its_points_in_it():
    few, many = np.ones((10, 2), dtype=object), np.ones((20_000, 2), dtype=object)
    assert exact.affordable(few, 3, 1e6) > exact.affordable(many, 3, 1e6)


# Linear equations in whole numbers


def test_equations_are_solved_without_a_rest(rng):
    for k in (1, 2, 5, 9):
        matrix = rng.integers(-9, 10, (k, k)).astype(object)
        matrix[0, 0] = 0
        right = rng.integers(-(10**6), 10**6, k).astype(object) * 10**20
        found = solved(matrix, right)
        if found:
            y, d = found
            assert d > 0
            assert (matrix @ y == d * right).all()
        else:
            assert len(reduced(matrix)[1]) < k
    half = np.array([[Fraction(1, 2), 1], [Fraction(1, 3), Fraction(-1, 7)]], dtype=object)
    right = np.array([Fraction(2, 5), Fraction(1)], dtype=object)
    system, _ = whole(np.column_stack([half, right]))
    y, d = solved(system[:, :-1], system[:, -1])
    assert (half @ y == d * right).all()


def test_singular_equations_have_no_solution(rng):
    tall = rng.integers(-9, 10, (6, 5)).astype(object)
    assert solved(tall @ tall.T, np.ones(6, dtype=object)) is None
    assert solved(np.zeros((2, 2), dtype=object), np.ones(2, dtype=object)) is None


def test_the_null_space_is_all_of_it(rng):
    for rank in (1, 2, 4):
        matrix = (rng.integers(-3, 4, (5, rank)) @ rng.integers(-3, 4, (rank, 7))).astype(object)
        basis = null_space(matrix)
        assert not (matrix @ basis).any()
        assert basis.shape[1] == 7 - np.linalg.matrix_rank(matrix.astype(float))
        assert np.linalg.matrix_rank(basis.astype(float)) == basis.shape[1]
