"""The gradient check of a reported table: exact to rounding, and not where the gradient is wrong."""

import pytest

from tenfold.verify import gradients


@pytest.mark.parametrize("seed", range(20))
def test_the_hand_derived_gradient_is_autograds_to_rounding(seed):
    found = gradients.disagreement(seed)
    assert set(found) == {"weight", "bias"}
    assert all(0 <= error < 1e-12 for error in found.values())


def test_every_seed_is_another_problem():
    assert gradients.disagreement(0) != gradients.disagreement(1)


def test_a_wrong_gradient_shows(monkeypatch):
    monkeypatch.setattr(gradients, "softmax", lambda z, y: (0.0, 1.001 * _right(z, y)[1]))
    assert min(gradients.disagreement(0).values()) > 4e-4


_right = gradients.softmax
