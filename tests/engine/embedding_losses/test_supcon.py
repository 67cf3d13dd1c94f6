"""The supervised contrastive loss, both places of the logarithm, anchor by anchor."""

import math

import torch

from tenfold.engine.embedding_losses.nt_xent import nt_xent
from tenfold.engine.embedding_losses.supcon import supcon


def reference(z, y, u, temperature, logarithm):
    costs, rows = [], range(len(y))
    for i in rows:
        total = sum((z[i] @ z[a] / temperature).exp() for a in rows if a != i)
        shares = [(z[i] @ z[p] / temperature).exp() / total for p in rows if p != i and y[p] == y[i]]
        if shares:
            shares = torch.stack(shares)
            costs.append(-shares.log().mean() if logarithm == "out" else -shares.mean().log())
    return torch.stack(costs).mean()


def case(logarithm):
    return {
        "numbers": {"temperature": 0.4, "logarithm": logarithm},
        "own": ("temperature",),
        "reference": reference,
        "collapsed": lambda y: math.log(len(y) - 1),
        "zero": ("without_positives",),
        "shift_invariant": False,
        "unit": True,
        "scaled": lambda numbers, c: numbers | {"temperature": c**2 * numbers["temperature"]},
        "factor": lambda c: 1.0,
    }


CASES = {"out": case("out"), "in": case("in")}


def test_inside_is_at_most_outside_and_with_one_positive_both_are_nt_xent(draw):
    z, u = draw(4, 12, 5), torch.zeros(12, 2)
    z = z / z.norm(dim=-1, keepdim=True)
    inside, outside = (supcon(z, torch.arange(12) % 3, u, 0.2, word)[0] for word in ("in", "out"))
    assert bool((inside < outside).all())
    pairs = torch.arange(12) % 6
    for word in ("in", "out"):
        for ours, other in zip(supcon(z, pairs, u, 0.2, word), nt_xent(z, pairs, u, 0.2), strict=True):
            torch.testing.assert_close(ours, other, rtol=1e-12, atol=1e-14)


def test_a_peer_has_the_same_value():
    z, y = torch.sin(torch.arange(30, dtype=torch.float64)).view(10, 3), torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 2, 2])
    value, _ = supcon(z / z.norm(dim=1, keepdim=True), y, torch.zeros(10, 2), 0.3)
    assert abs(float(value) - 5.300795196210357) < 1e-12, "SupConLoss of pytorch-metric-learning 2.9.0"
