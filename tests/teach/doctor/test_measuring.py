"""Slopes that know their own error: smooth curves, kinks, noise of float32, sizes from tiny to large."""

import numpy as np
import pytest

from tenfold.teach.doctor.looking import noise, relative, slopes
from tenfold.teach.doctor.subject import Problem


def at(x):
    return Problem(np.array(x, dtype=float), {}, None)


def measured(f, x, rng):
    problem = at(x)
    level = noise(lambda p: f(p.x), problem, ("x",), rng)
    return level, slopes(lambda p: f(p.x), problem, "x", level, rng)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_a_slope_is_right_within_its_error(scale, rng):
    x = scale * rng.standard_normal(12)
    _, found = measured(lambda x: np.sin(x / scale).sum(), x, rng)
    right = np.cos(x / scale)[found.places] / scale
    assert (np.abs(found.value - right) <= 10 * found.error).all()
    assert relative(found.value, right) < 1e-8
    assert not found.kink.any()


def test_float32_is_noticed_and_allowed_for(rng):
    x = rng.standard_normal(12)
    level, found = measured(lambda x: float(np.tanh(x.astype(np.float32)).sum(dtype=np.float32)), x, rng)
    right = 1 - np.tanh(x[found.places]) ** 2
    assert 1e-8 < level < 1e-5
    assert (np.abs(found.value - right) <= 10 * found.error).all()
    assert relative(found.value, right) < 0.02


def test_noise_of_float64_is_that_of_rounding_even_on_a_kink(rng):
    for x in (np.zeros(5), rng.standard_normal(5)):
        level, _ = measured(lambda x: 3 + np.abs(x).sum(), x, rng)
        assert level < 1e-13


def test_a_kink_is_told_from_a_curve(rng):
    _, found = measured(lambda x: np.maximum(0, x).sum() + (x**2).sum(), [0.0, 0.5, -0.5, 0.0], rng)
    assert found.kink[np.argsort(found.places)].tolist() == [True, False, False, True]
    kinked = found.kink
    assert np.allclose(found.left[kinked], 0, atol=1e-3)
    assert np.allclose(found.right[kinked], 1, atol=1e-3)


@pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-6])
def test_a_kink_beside_the_point_is_stepped_short_of(gap, rng):
    _, found = measured(lambda x: np.abs(x).sum(), [1.0, gap, -gap], rng)
    order = np.argsort(found.places)
    wrong = np.abs(found.value[order] - [1, 1, -1]) > 10 * found.error[order] + 1e-6
    assert not (wrong & ~found.kink[order]).any()


def test_only_some_entries_of_a_large_block_are_looked_at(rng):
    _, found = measured(lambda x: (x**2).sum(), rng.standard_normal(1000), rng)
    assert len(found.places) == len(set(found.places.tolist())) == 24


def test_relative_error_is_that_of_the_reported_check():
    assert relative(np.array([1.0, 2.0]), np.array([1.0, 2.5])) == pytest.approx(0.5 / 4.5)
    assert relative(np.array([0.0]), np.array([1e-12])) == pytest.approx(1e-4)
    assert relative(np.array([]), np.array([])) == 0
