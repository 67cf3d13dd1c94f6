"""The affine map: shared inputs against the folded weights, own inputs member by member."""

import pytest
import torch

from tenfold.engine.layers.linear import linear


def affine(x, w, b):
    return torch.stack([torch.nn.functional.linear(x if x.dim() == 2 else x[k], w[k], b[k]) for k in range(len(w))])


CASES = {
    "shared inputs": {"x": "BI", "weights": ("POI", "PO"), "reference": affine},
    "own inputs": {"x": "PBI", "weights": ("POI", "PO"), "reference": affine},
}


@pytest.mark.parametrize("shape", [(5, 7), (3, 5, 7)], ids=["shared", "own"])
def test_narrow_products_keep_wide_results_within_their_rounding(draw, shape):
    x, w, b, dy = draw(*shape).float(), draw(3, 4, 7).float(), draw(3, 4).float(), draw(3, 5, 4).float()
    for (a, pull_a), (c, pull_c) in [(linear(x, w, b, narrow=True), linear(x, w, b))]:
        for got, wide in zip((a, *pull_a(dy)), (c, *pull_c(dy)), strict=True):
            assert got.dtype == torch.float32
            assert (got - wide).norm() < 2**-7 * wide.norm()


def test_scores_lie_with_the_batch_innermost(draw):
    y, _ = linear(draw(5, 7), draw(3, 4, 7), draw(3, 4))
    assert y.mT.is_contiguous()
