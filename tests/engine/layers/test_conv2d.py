"""Convolution against torch's, member by member."""

import pytest
import torch
from torch.nn import functional

from tenfold.engine.layers.conv2d import conv2d


def filtered(x, w, b=None, stride=1, padding=0):
    members = range(len(w))
    shift = [None if b is None else b[k] for k in members]
    return torch.stack(
        [functional.conv2d(x if x.dim() == 4 else x[k], w[k], shift[k], stride, padding) for k in members]
    )


CASES = {
    "shared images": {"x": "BCUV", "weights": ("POCKK", "PO"), "reference": filtered},
    "own images": {"x": "PBCUV", "weights": ("POCKK", "PO"), "reference": filtered},
    "no bias": {"x": "PBCUV", "weights": ("POCKK",), "reference": filtered},
    "stride and padding": {
        "x": "PBCUV",
        "weights": ("POCKK", "PO"),
        "numbers": {"stride": 2, "padding": 1},
        "reference": filtered,
    },
}


@pytest.mark.parametrize("members", [1, 2])
def test_narrow_images_are_filtered_narrowly_and_the_filters_get_wide_gradients(members, draw):
    x, w = draw(members, 4, 3, 8, 8).float(), draw(members, 6, 3, 3, 3).float()
    y, pull = conv2d(x.bfloat16(), w, padding=1)
    wide, pull_wide = conv2d(x, w, padding=1)
    dy = draw(*y.shape).float()
    assert y.dtype == torch.bfloat16
    assert (y - wide).norm() < 2**-7 * wide.norm()
    (dx, dw), (dx_wide, dw_wide) = pull(dy.bfloat16()), pull_wide(dy)
    assert (dx.dtype, dw.dtype) == (torch.bfloat16, torch.float32)
    assert (dw - dw_wide).norm() < 2**-6 * dw_wide.norm()
    assert (dx - dx_wide).norm() < 2**-6 * dx_wide.norm()


def test_a_single_member_keeps_the_layout_of_its_images(draw):
    x = draw(1, 4, 3, 8, 8)[0].contiguous(memory_format=torch.channels_last)
    y, _ = conv2d(x, draw(1, 6, 3, 3, 3), padding=1)
    assert y[0].is_contiguous(memory_format=torch.channels_last)
