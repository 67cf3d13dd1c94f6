"""Fixed filters against torch's convolution; the filters themselves, and what they do to patches."""

import pytest
import torch
from torch.nn import functional

from tenfold.engine.whitening import filters


def filtered(x, filters, stride=1):
    return torch.stack(
        [functional.conv2d(x if x.dim() == 4 else x[k], f, stride=stride) for k, f in enumerate(filters)]
    )


CASES = {
    "own images": {"x": "PBCUV", "noise": {"filters": "POCKK"}, "reference": filtered},
    "each pixel": {"x": "BCUV", "noise": {"filters": "POCKK"}, "reference": filtered},
    "stride": {"x": "BCUV", "noise": {"filters": "POCKK"}, "numbers": {"stride": 2}, "reference": filtered},
}


@pytest.mark.parametrize("size", [2, 3])
def test_responses_to_patches_are_uncorrelated_and_of_variance_one(size, draw):
    images = draw(400, 3, 12, 12)
    mixed = functional.conv2d(images, draw(3, 3, 3, 3))  # neighbors depend on each other
    kept = filters(mixed, size, 1, 5)
    assert kept.shape == (10, 3, size, size)
    assert torch.equal(kept[:5], -kept[5:])
    responses = functional.conv2d(mixed, kept[:5]).transpose(0, 1).flatten(1)
    torch.testing.assert_close(responses @ responses.T / responses.shape[1], torch.eye(5).double(), rtol=0, atol=0.01)


def test_images_without_any_contrast_have_finite_filters():
    assert filters(torch.zeros(0, 3, 8, 8), 2, 1, 12).isfinite().all()
    grey = torch.ones(9, 3, 8, 8)
    assert filters(grey, 2, 1, 12).isfinite().all()
