"""Pictures are known again by their content, whatever the units and the type of their numbers."""

import numpy as np
import pytest
import torch

from tenfold.data.digests import LENGTH, contained, digests_of, distinct


@pytest.fixture
def pixels(rng):
    return torch.from_numpy(rng.integers(0, 256, (50, 3, 6, 6), dtype=np.uint8))


def test_a_picture_is_the_same_in_any_units(pixels):
    wanted = digests_of(pixels, 1 / 255)
    assert wanted.shape == (50, LENGTH)
    assert wanted.dtype == torch.uint8
    for dtype in (torch.float32, torch.float64):
        assert digests_of(pixels.to(dtype) / 255, 1.0).equal(wanted)
        assert digests_of(pixels.to(dtype), 1 / 255).equal(wanted)
        assert digests_of(pixels.to(dtype) * (16 / 255), 1 / 16).equal(wanted)


def test_one_level_of_one_pixel_is_another_picture(pixels):
    for images, scale in ((pixels, 1 / 255), (pixels.float() / 255, 1.0), (pixels // 16, 1 / 16)):
        other = images.clone()
        other[7, 1, 2, 3] = 1 / scale if other[7, 1, 2, 3] < 0.5 / scale else 0
        same = digests_of(images, scale).eq(digests_of(other, scale)).all(1)
        assert same.tolist() == [k != 7 for k in range(50)]


def test_numbers_that_are_no_pixels_are_told_apart_however_close():
    rows = torch.linspace(-1e-4, 1e-4, 1000).view(1000, 1, 1, 1)
    assert len(distinct(digests_of(rows, 1.0))) == 1000
    assert digests_of(torch.tensor([[[[-0.0]]]]), 1.0).equal(digests_of(torch.tensor([[[[0.0]]]]), 1.0))


def test_membership_and_order(pixels):
    digests = digests_of(pixels, 1 / 255)
    kept = distinct(digests[[3, 1, 3, 4]])
    assert len(kept) == 3
    assert distinct(digests[[4, 3, 1]]).equal(kept)
    assert contained(digests, kept).nonzero().flatten().tolist() == [1, 3, 4]
    assert not contained(digests, kept[:0]).any()
