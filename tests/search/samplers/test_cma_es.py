"""Evolution: better than random draws on a valley that no single axis shows, the same asked again."""

import math

import numpy as np
import pytest

pytest.importorskip("optuna")
pytest.importorskip("cmaes")

from tenfold.errors import UsageError
from tenfold.search.axes import parse_axis
from tenfold.search.samplers.cma_es import cma_es
from tenfold.search.samplers.random import random

RATE, L2 = parse_axis("learning_rate", "1e-5:1:log"), parse_axis("l2", "1e-6:1:log")
MIXED = parse_axis("l2", "0,1e-6:1:log")
MOMENTUM, LOSS = parse_axis("momentum", "0:0.99"), parse_axis("loss", "softmax,hinge")


def score(member):
    """A narrow valley: the best rate falls as the momentum rises."""
    rate, l2 = math.log10(member["learning_rate"]), math.log10(member["l2"]) if member["l2"] else -7
    return -4 * (rate + 1 + 2 * member["momentum"]) ** 2 - 4 * (member["momentum"] - 0.7) ** 2 - 0.3 * (l2 + 4) ** 2


def run(sample, axes, seed, batches=8, count=12):
    told = []
    for batch in range(batches):
        told += [(member, score(member)) for member in sample(axes, count, seed, batch, told)]
    return told


@pytest.mark.parametrize("l2", [L2, MIXED], ids=["ranges", "mixed"])
def test_it_beats_random_draws(l2):
    axes = [RATE, l2, MOMENTUM]
    learned, drawn = (np.array([[s for _, s in run(f, axes, seed)] for seed in range(6)]) for f in (cma_es, random))
    assert np.median(learned.max(1)) > np.median(drawn.max(1)) / 3
    assert np.median(learned[:, -12:]) > np.median(drawn) / 5


def test_a_member_that_is_told_counts_whoever_asked_for_it():
    told = [(member, score(member)) for member in random([RATE, L2, MOMENTUM], 96, 0, 0, [])]
    after = np.array([score(member) for member in cma_es([RATE, L2, MOMENTUM], 24, 0, 1, told)])
    assert np.median(after) > np.median([s for _, s in told]) / 2


def test_the_same_is_asked_again_and_failed_members_are_borne():
    axes = [RATE, MIXED, MOMENTUM, LOSS]
    told = run(cma_es, axes, 5, batches=3)
    told[20] = (told[20][0], None)
    asked = cma_es(axes, 12, 5, 3, told)
    assert cma_es(axes, 12, 5, 3, told) == asked
    assert cma_es(axes, 12, 5, 4, told) != asked
    assert all(list(member) == [axis.name for axis in axes] for member in asked)
    assert len(cma_es(axes, 5, 5, 3, [(member, None) for member, _ in told])) == 5


def test_lists_are_drawn_independently():
    told = [(member, float(member["loss"] == "hinge")) for member in cma_es([RATE, L2, LOSS], 40, 0, 0, [])]
    hinge = sum(member["loss"] == "hinge" for member in cma_es([RATE, L2, LOSS], 400, 0, 1, told))
    assert 160 < hinge < 240


def test_one_range_is_not_enough():
    with pytest.raises(UsageError, match="at least two ranges"):
        cma_es([RATE, LOSS], 4, 0, 0, [])
