import torch

from tenfold.data.features.pixels import pixels
from tenfold.data.load import load


def test_nothing_is_learned_and_nothing_is_copied():
    digits = load("digits")
    assert pixels.fit(digits, torch.arange(9), None, torch.device("cpu"), print) == {}
    seen = pixels.transform({}, digits.images)
    assert seen.data_ptr() == digits.images.data_ptr()
    assert seen.dtype == torch.uint8
    assert seen.shape == (1797, 64)
