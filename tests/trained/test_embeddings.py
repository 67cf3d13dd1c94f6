"""Measures of embeddings against their definitions and a peer."""

import numpy as np
import torch
from sklearn.linear_model import Ridge

from tenfold.trained.embeddings import RIDGE, alignment, effective_rank, ridge_scores, uniformity


def test_the_effective_rank_is_the_number_of_directions_that_are_used_alike(draw):
    directions = torch.linalg.qr(draw(12, 12))[0]
    assert abs(effective_rank(directions[:5].repeat(4, 1)) - 5) < 1e-5
    values = torch.linalg.svdvals(x := draw(20, 7))
    share = values / values.sum()
    assert abs(effective_rank(x) - float((-share * share.log()).sum().exp())) < 1e-9
    assert abs(effective_rank(x) - effective_rank(3 * x)) < 1e-9
    point = 5 + 1e-6 * draw(20, 7)
    assert effective_rank(point) < 1.0001, "however its noise is spread"
    assert effective_rank(torch.zeros(20, 7)) == 1
    assert np.isnan(effective_rank(torch.full((3, 2), torch.inf)))


def test_alignment_and_uniformity_are_means_over_pairs(draw):
    x, labels = draw(8, 3), torch.tensor([0, 0, 1, 1, 2, 2, 2, 3])
    u = x / x.norm(dim=1, keepdim=True)
    pairs = [(i, j, float((u[i] - u[j]).square().sum())) for i in range(8) for j in range(8) if i != j]
    same = [d for i, j, d in pairs if labels[i] == labels[j]]
    assert abs(alignment(x, labels) - np.mean(same)) < 1e-12
    assert abs(uniformity(x) - np.log(np.mean([np.exp(-2 * d) for *_, d in pairs]))) < 1e-12
    assert alignment(torch.ones(4, 3), torch.zeros(4)) == 0
    assert uniformity(torch.ones(4, 3)) == 0


def test_the_linear_probe_is_ridge_regression_onto_labels(draw):
    references, labels, x = draw(40, 6), torch.arange(40) % 3, draw(9, 6)
    strength = RIDGE * float((references - references.mean(0)).square().sum(0).mean())
    peer = Ridge(alpha=strength).fit(references.numpy(), np.eye(3)[labels.numpy()])
    np.testing.assert_allclose(ridge_scores(x, references, labels, 3).numpy(), peer.predict(x.numpy()), atol=1e-9)
