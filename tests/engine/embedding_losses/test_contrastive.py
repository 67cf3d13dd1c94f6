"""The contrastive loss against its pairs, listed one by one."""

import itertools

import torch

from tenfold.engine.embedding_losses.contrastive import contrastive


def reference(z, y, u, margin):
    costs = []
    for i, j in itertools.permutations(range(len(y)), 2):
        r = (z[i] - z[j]).square().sum().sqrt()
        costs.append(0.5 * r**2 if y[i] == y[j] else 0.5 * torch.relu(margin - r) ** 2)
    return torch.stack(costs).mean()


def collapsed(y):
    """Of pairs that do not belong together, the margin remains."""
    apart = int((y[:, None] != y).sum())
    return 0.5 * 3.0**2 * apart / (len(y) * (len(y) - 1))


CASES = {
    "contrastive": {
        "numbers": {"margin": 3.0},
        "own": ("margin",),
        "reference": reference,
        "collapsed": collapsed,
        "zero": (),
        "shift_invariant": True,
        "scaled": lambda numbers, c: {"margin": c * numbers["margin"]},
        "factor": lambda c: c**2,
    }
}


def test_the_peer_without_squares_is_another_loss():
    """ContrastiveLoss of pytorch-metric-learning 2.9.0, margins 0 and 1.5: each kind of pair averaged on its own."""
    z, y = torch.sin(torch.arange(30, dtype=torch.float64)).view(10, 3), torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    r = torch.cdist(z, z)[torch.triu_indices(10, 10, 1).unbind()]
    same = (y[:, None] == y)[torch.triu_indices(10, 10, 1).unbind()]
    peer = r[same].mean() + (1.5 - r[~same])[r[~same] < 1.5].mean()
    assert abs(float(peer) - 2.4397807388826496) < 1e-12
    assert abs(float(contrastive(z, y, torch.zeros(10, 2), 1.5)[0]) - 0.6276177661205338) < 1e-12
