"""Sobol points: spread better than random ones, batches together one sequence, the same asked again."""

import warnings

import numpy as np
from scipy.stats import qmc

from tenfold.search.axes import parse_axis, position
from tenfold.search.samplers.random import random
from tenfold.search.samplers.sobol import sobol

AXES = [parse_axis("learning_rate", "1e-4:1e-1:log"), parse_axis("l2", "1e-6:1:log"), parse_axis("momentum", "0:0.99")]


def places(members):
    return np.array([[position(axis.pieces[0], member[axis.name]) for axis in AXES] for member in members])


def told(members):
    return [(member, None) for member in members]


def test_they_spread_better_than_random_ones_for_every_seed():
    for seed in range(10):
        spread, drawn = (qmc.discrepancy(places(sample(AXES, 64, seed, 0, []))) for sample in (sobol, random))
        assert spread < drawn / 5, seed


def test_every_eighth_of_every_axis_has_its_share():
    counts = [np.histogram(column, 8, (0, 1))[0].tolist() for column in places(sobol(AXES, 64, 1, 0, [])).T]
    assert counts == [[8] * 8] * 3


def test_pieces_have_their_shares_exactly():
    found = sobol([parse_axis("l2", "0,1e-4:1:log"), parse_axis("loss", "softmax,hinge")], 64, 0, 0, [])
    pairs = [(member["l2"] == 0, member["loss"]) for member in found]
    assert {pair: pairs.count(pair) for pair in set(pairs)} == {
        (a, b): 16 for a in (True, False) for b in ("softmax", "hinge")
    }


def test_batches_together_are_one_sequence_whatever_their_sizes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        whole = sobol(AXES, 100, 7, 0, [])
        parts = []
        for batch, count in enumerate((16, 1, 33, 50)):
            parts += sobol(AXES, count, 7, batch, told(parts))
    assert parts == whole
    assert sobol(AXES, 100, 8, 0, [])[0] not in whole
    assert sobol([], 2, 0, 0, []) == [{}, {}]
