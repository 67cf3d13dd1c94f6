"""The gradient check of a reported table: exact to rounding, and not where the gradient is wrong."""

import pytest

from tenfold.reproduce import disagreement


@pytest.mark.parametrize("seed", range(20))
def test_the_hand_derived_gradient_is_autograds_to_rounding(seed):
    found = disagreement.disagreement(seed)
    assert set(found) == {"weight", "bias"}
    assert all(0 <= error < 1e-12 for error in found.values())


def test_every_seed_is_another_problem():
    assert disagreement.disagreement(0) != disagreement.disagreement(1)


def test_a_wrong_gradient_shows(monkeypatch):
    monkeypatch.setattr(disagreement, "softmax", lambda z, y: (0.0, 1.001 * _right(z, y)[1]))
    assert min(disagreement.disagreement(0).values()) > 4e-4


_right = disagreement.softmax
