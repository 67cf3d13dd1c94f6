"""Random draws: their distributions, and that they are a function of (axes, count, seed, batch)."""

import numpy as np
from scipy import stats

from tenfold.search.axes import parse_axis
from tenfold.search.samplers.random import random

AXES = [
    parse_axis(*pair)
    for pair in {"learning_rate": "1e-4:1e-1:log", "l2": "0,1e-4:1:log", "loss": "softmax,hinge"}.items()
]


def test_log_ranges_are_log_uniform_and_pieces_equally_likely():
    found = random(AXES, 4000, 0, 0, [])
    rates = np.log10([member["learning_rate"] for member in found])
    assert stats.kstest(rates, stats.uniform(-4, 3).cdf).pvalue > 0.01
    none = sum(member["l2"] == 0 for member in found)
    hinge = sum(member["loss"] == "hinge" for member in found)
    assert stats.binomtest(none, 4000).pvalue > 0.01
    assert stats.binomtest(hinge, 4000).pvalue > 0.01
    spread = np.log10([member["l2"] for member in found if member["l2"]])
    assert stats.kstest(spread, stats.uniform(-4, 4).cdf).pvalue > 0.01
    both = sum(member["l2"] == 0 and member["loss"] == "hinge" for member in found)
    assert stats.binomtest(both, 4000, 0.25).pvalue > 0.01


def test_the_same_is_asked_again_and_another_batch_or_seed_asks_another():
    first = random(AXES, 8, 3, 1, [])
    assert random(AXES, 8, 3, 1, [({}, 0.5)]) == first
    assert random(AXES, 16, 3, 1, [])[:8] == first
    assert not any(member in first for batch in (0, 2) for member in random(AXES, 8, 3, batch, []))
    assert not any(member in first for member in random(AXES, 8, 4, 1, []))
