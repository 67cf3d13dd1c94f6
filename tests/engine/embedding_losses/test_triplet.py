"""The triplet loss against its triplets, listed one by one."""

import itertools

import pytest
import torch

from tenfold.engine.embedding_losses.triplet import triplet
from tenfold.engine.mining import MININGS


def triplets(y):
    rows = range(len(y))
    return [(a, p, n) for a, p, n in itertools.product(rows, rows, rows) if a != p and y[a] == y[p] and y[a] != y[n]]


def distance(z, i, j):
    return (z[i] - z[j]).square().sum()


def mined(z, y, u, mining):
    """The triplets that a mining takes, found by looking at all of them."""
    every = triplets(y.tolist())
    of_anchor = {a: [t for t in every if t[0] == a] for a, _, _ in every}
    d = {(i, j): float(distance(z.detach(), i, j)) for i in range(len(y)) for j in range(len(y))}
    if mining == "all":
        return every
    if mining == "batch-hard":
        return [max(ts, key=lambda t: (d[t[:2]], -d[t[0], t[2]])) for ts in of_anchor.values()]
    if mining == "semi-hard":
        pairs = dict.fromkeys(t[:2] for t in every)
        for a, p in pairs:
            there = [n for i, j, n in every if (i, j) == (a, p)]
            farther = [n for n in there if d[a, n] > d[a, p]]
            pairs[a, p] = min(farther, key=lambda n: d[a, n]) if farther else max(there, key=lambda n: d[a, n])
        return [(*pair, n) for pair, n in pairs.items()]
    chosen = []
    for a, ts in of_anchor.items():
        positives, negatives = (sorted({t[k] for t in ts}) for k in (1, 2))
        weights = torch.tensor([weight(d[a, n], z.shape[1]) if mining != "random" else 1.0 for n in negatives])
        weights = torch.ones(len(negatives)) if not weights.any() else weights
        place = int((weights.double().cumsum(0) <= float(u[a, 1]) * weights.double().sum()).sum())
        chosen.append((a, positives[int(u[a, 0] * len(positives))], negatives[place]))
    return chosen


def weight(square, width):
    r = max(square**0.5, 0.5)
    return 0.0 if square**0.5 > 1.4 else r ** (2 - width) * (1 - r**2 / 4) ** ((3 - width) / 2)


def reference(z, y, u, margin, mining):
    losses = [torch.relu(distance(z, a, p) - distance(z, a, n) + margin) for a, p, n in mined(z, y, u, mining)]
    return torch.stack(losses).mean()


def case(mining, **more):
    return {
        "numbers": {"margin": 1.5, "mining": mining},
        "own": ("margin",),
        "reference": reference,
        "collapsed": lambda y: 1.5,
        "zero": ("without_positives", "without_negatives"),
        "shift_invariant": True,
        **more,
    }


SCALED = {"scaled": lambda numbers, c: numbers | {"margin": c**2 * numbers["margin"]}, "factor": lambda c: c**2}
CASES = {
    "random": case("random", drawn=True, **SCALED),
    "all": case("all", **SCALED),
    "semi-hard": case("semi-hard", **SCALED),
    "batch-hard": case("batch-hard", **SCALED),
    "distance-weighted": case("distance-weighted", drawn=True, unit=True),
}


def test_a_distance_weighted_negative_is_drawn_by_its_weight():
    angles = torch.tensor([0.0, 0.1, 0.7, 1.1, 3.0], dtype=torch.float64)
    z = torch.stack((angles.cos(), angles.sin(), 0 * angles, 0 * angles), -1)
    d, y, taken = (z[:, None] - z).square().sum(-1), torch.tensor([0, 0, 1, 2, 3]), torch.zeros(5)
    for share in torch.arange(500) / 500:
        _, slope = MININGS["distance-weighted"](d, y, share.expand(5, 2), 9.0, 4)
        taken += slope[0] < 0
    wanted = torch.tensor([weight(float(d[0, n]), 4) for n in range(2, 5)])
    assert float((taken[2:] / 500 - wanted / wanted.sum()).abs().max()) < 0.005
    assert taken[4] == 0, "it lies too far away"


# Computed by pytorch-metric-learning 2.9.0: TripletMarginLoss of squared distances with a MeanReducer, over all
# triplets and behind a BatchHardMiner; its own default leaves out the triplets without a loss, 3.286104067009443.
PEERS = {"all": 2.633096207539616, "batch-hard": 6.5691220847241025}


@pytest.mark.parametrize("mining", PEERS)
def test_a_peer_has_the_same_value(mining):
    z, y = torch.sin(torch.arange(30, dtype=torch.float64)).view(10, 3), torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    value, _ = triplet(z, y, torch.zeros(10, 2), 1.0, mining)
    assert abs(float(value) - PEERS[mining]) < 1e-12


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_a_collapsed_batch_far_from_the_origin_costs_the_margin(dtype):
    z = (torch.full((8, 16), 1e4) + 1e-6 * torch.arange(8)[:, None]).to(dtype)
    for mining in CASES:
        value, _ = triplet(z, torch.arange(8) % 2, torch.rand(8, 2), 0.25, mining)
        assert abs(float(value) - 0.25) < 1e-3
