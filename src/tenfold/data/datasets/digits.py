"""Optical recognition of handwritten digits: 1,797 images of 8 × 8 pixels, values 0 to 16, bundled with scikit-learn.

Source: E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998: the test set, by `sklearn.datasets.load_digits`.
"""

__all__ = ["digits"]

import torch
from sklearn.datasets import load_digits

from tenfold.data.types import Dataset, Source


def digits(source: Source) -> Dataset:
    """The digits, no parts of their own; needs no file and no network, so nothing of `source` is used."""
    del source
    bundle = load_digits()
    images = torch.tensor(bundle.images, dtype=torch.uint8)[:, None].contiguous()
    labels = torch.tensor(bundle.target, dtype=torch.int64)
    return Dataset("digits", images, labels, tuple(str(digit) for digit in range(10)), 1 / 16)
