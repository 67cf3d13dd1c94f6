"""NT-Xent against cross-entropy over rows of similarities, one pair after the other."""

import math

import pytest
import torch

from tenfold.engine.embedding_losses.nt_xent import nt_xent


def reference(z, y, u, temperature):
    costs, rows = [], range(len(y))
    for i in rows:
        for p in rows:
            if p != i and y[p] == y[i]:
                against = [z[i] @ z[n] / temperature for n in rows if y[n] != y[i]]
                scores = torch.stack([z[i] @ z[p] / temperature, *against])
                costs.append(torch.nn.functional.cross_entropy(scores[None], torch.tensor([0])))
    return torch.stack(costs).mean()


def collapsed(y):
    """Every row of similarities is the same number: what chance costs, for every pair."""
    negatives = (y[:, None] != y).sum(1)
    positives = len(y) - 1 - negatives
    total = sum(int(p) * math.log1p(int(n)) for p, n in zip(positives, negatives, strict=True))
    return total / int(positives.sum())


CASES = {
    "nt_xent": {
        "numbers": {"temperature": 0.4},
        "own": ("temperature",),
        "reference": reference,
        "collapsed": collapsed,
        "zero": ("without_positives", "without_negatives"),
        "shift_invariant": False,
        "unit": True,
        "scaled": lambda numbers, c: {"temperature": c**2 * numbers["temperature"]},
        "factor": lambda c: 1.0,
    }
}


@pytest.mark.parametrize(
    ("y", "wanted"), [([0, 1, 2, 3, 4] * 2, 6.662669984694209), ([0, 0, 0, 1, 1, 1, 2, 2, 2, 2], 5.04173462051993)]
)
def test_a_peer_has_the_same_value(y, wanted):
    z = torch.sin(torch.arange(30, dtype=torch.float64)).view(10, 3)
    value, _ = nt_xent(z / z.norm(dim=1, keepdim=True), torch.tensor(y), torch.zeros(10, 2), 0.3)
    assert abs(float(value) - wanted) < 1e-12, "NTXentLoss of pytorch-metric-learning 2.9.0"
