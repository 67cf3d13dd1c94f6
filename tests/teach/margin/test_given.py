"""A hyperplane that somebody gives: its margins, and whether it is the best."""

from fractions import Fraction

import numpy as np
import pytest

from tenfold.errors import UsageError
from tenfold.teach.margin.given import judge
from tenfold.teach.margin.problem import Points
from tenfold.teach.margin.solving import solve

REPORTED = [(1, 2), (2, 3), (3, 3), (4, 1)], [1, 1, -1, -1]


def points(x, sign, known=True):
    x = np.asarray(x, dtype=np.float64)
    written = tuple(tuple(map(Fraction, row)) for row in x.tolist()) if known else None
    labels = tuple(f"({', '.join(f'{value:g}' for value in row)})" for row in x)
    return Points(x, np.array(sign, dtype=np.int8), ("+", "-"), written, labels)


def judged(w, b, x=REPORTED[0], sign=REPORTED[1], known=True):
    given = points(x, sign, known)
    return judge(given, w, b, solve(given))


def fractions(*numbers):
    return tuple(map(Fraction, numbers))


@pytest.mark.parametrize("known", [True, False])
def test_the_reported_line(known):
    found = judged(fractions(-2, 0), Fraction(5), known=known)
    assert found.exact is known
    assert found.values == (3, 1, -1, -3)
    assert found.functional == (3, 1, 1, 3)
    assert found.margin == found.distance == found.best == 0.5
    assert found.on_margin == (1, 2)
    assert found.feasible
    assert found.canonical
    assert found.factor == 1
    assert found.optimal
    assert np.allclose(found.multipliers, (0, 2, 2, 0))
    assert found.stationarity < 1e-12
    assert "optimal: w = Σ α s x" in found.sentences[-1]


def test_the_same_line_twice_as_long():
    found = judged(fractions(-4, 0), Fraction(10))
    assert found.feasible
    assert not found.canonical
    assert not found.optimal
    assert found.factor == Fraction(1, 2)
    assert (found.margin, found.distance) == (0.25, 0.5)
    assert found.on_margin == ()
    assert any("the same hyperplane is w = (−2, 0), b = 5" in sentence for sentence in found.sentences)
    assert any("only its scale is wrong" in sentence for sentence in found.sentences)


def test_a_line_that_separates_with_less():
    found = judged(fractions(-3, 1), Fraction(4))
    assert found.functional == (3, 1, 2, 7)
    assert found.feasible
    assert found.canonical
    assert not found.optimal
    assert found.distance == pytest.approx(10**-0.5)
    assert any("the largest margin is 0.5, this one has 0.316228" in sentence for sentence in found.sentences)
    assert any("of class + alone" in sentence for sentence in found.sentences)


def test_a_line_through_points():
    found = judged(fractions(-1, -1), Fraction(5))
    assert found.functional == (2, 0, 1, 0)
    assert found.violated == found.misclassified == (1, 3)
    assert not found.feasible
    assert found.factor is None
    assert found.distance == 0
    assert found.sentences[0].startswith("(2, 3) and (4, 1) lie on the hyperplane itself")
    assert "0 at (2, 3), 0 at (4, 1)" in found.sentences[1]


def test_the_wrong_way_round():
    found = judged(fractions(2, 0), Fraction(-5))
    assert found.misclassified == (0, 1, 2, 3)
    assert found.distance == -1.5
    assert "the wrong way round" in found.sentences[0]
    assert not found.optimal


def test_no_line_at_all():
    found = judged(fractions(0, 0), Fraction(1))
    assert (found.norm, found.margin, found.stationarity) == (0, float("inf"), 0)
    assert not found.feasible
    assert not found.optimal
    assert found.sentences == ("w is 0, so that w·x + b is 1 everywhere: this is no hyperplane",)


def test_multipliers_that_come_near():
    """Both classes hold points on the margin, but across from each other they are not."""
    found = judged(fractions(0, -1), Fraction(1), [(0, 0), (3, 2), (4, 0), (-1, 2)], [1, -1, 1, -1])
    assert found.on_margin == (0, 1, 2, 3)
    assert found.optimal
    found = judged(fractions(0, -1), Fraction(1), [(0, 0), (3, 2)], [1, -1])
    assert found.canonical
    assert not found.optimal
    # α (0, 0) − α (3, 2) is nearest to (0, −1) where α = 2 / 13: (−6, −4) / 13, which leaves 3 / √13
    assert found.stationarity == pytest.approx(3 / 13**0.5)
    assert np.allclose(found.multipliers, 2 / 13)
    assert any("no multipliers α ≥ 0 of these points give w" in sentence for sentence in found.sentences)


def test_classes_that_no_line_separates():
    found = judged(fractions(1, 1), Fraction(-1), [(0, 0), (1, 1), (1, 0), (0, 1)], [1, 1, -1, -1])
    assert found.best is None
    assert not found.optimal
    assert found.sentences[-1] == "not optimal: no hyperplane separates these classes"


def test_exactly_one_is_exact_where_the_points_are():
    tenth = Fraction(1, 10)
    given = Points(
        np.array([[0.1], [0.3]]), np.array([1, -1], np.int8), ("+", "-"), ((tenth,), (3 * tenth,)), ("a", "b")
    )
    found = judge(given, (Fraction(-10),), Fraction(2), solve(given))
    assert found.functional == (1, 1)
    assert found.optimal
    assert not judge(given, (Fraction(-10),), Fraction(2) + Fraction(1, 10**30), solve(given)).feasible


def test_the_solution_is_always_the_best_and_nothing_else_is(rng):
    for known in (True, False) * 8:
        x = rng.integers(-9, 10, (14, 3)).astype(float)
        x[:, 0] += 30 * np.where(np.arange(14) % 2, 1, -1)
        given = points(x, np.where(np.arange(14) % 2, 1, -1), known)
        solution = solve(given)
        w, b = (solution.exact.w, solution.exact.b) if known else (solution.w.tolist(), solution.b)
        found = judge(given, w, b, solution)
        assert found.optimal
        assert found.canonical
        assert found.on_margin == solution.support
        other = judge(given, [value * Fraction(101, 100) for value in w] if known else solution.w * 1.01, b, solution)
        assert not other.optimal


def test_far_from_the_origin_b_counts_as_well(rng):
    x, sign = rng.standard_normal((40, 3)), np.where(np.arange(40) % 2, 1, -1)
    x[:, 0] = sign * (1 + abs(x[:, 0]))
    given = points(x + 1e8, sign, known=False)
    solution = solve(given)
    w = solution.w.tolist()
    assert judge(given, w, solution.b, solution).optimal
    for off in (1e-3, -1e-3):
        found = judge(given, w, solution.b + off, solution)
        assert (found.optimal, found.canonical, found.feasible) == (False, False, False)


@pytest.mark.parametrize(
    ("w", "b", "words"),
    [((1.0,), 0.0, "w has 1 numbers, but the points have 2"), ((1.0, float("nan")), 0.0, "expected finite numbers")],
)
def test_what_is_no_line_of_these_points(w, b, words):
    with pytest.raises(UsageError, match=words):
        judged(w, b)
