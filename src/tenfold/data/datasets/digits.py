"""Optical recognition of handwritten digits: 1,797 images of 8 × 8 pixels, values 0 to 16, bundled with scikit-learn.

Source: E. Alpaydin, C. Kaynak, UCI Machine Learning Repository, 1998: the test set, by `sklearn.datasets.load_digits`.
"""

__all__ = ["digits"]

import gzip
import importlib
import importlib.util
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from tenfold.data.types import Dataset, DataSource

FILE = "datasets/data/digits.csv.gz"


def digits(source: DataSource) -> Dataset:
    """Load the digits, no parts of their own; needs no file and no network, so nothing of `source` is used."""
    del source
    table = torch.from_numpy(_table())
    images = table[:, :64].reshape(-1, 1, 8, 8).to(torch.uint8)
    return Dataset("digits", images, table[:, 64].to(torch.int64), tuple(str(digit) for digit in range(10)), 1 / 16)


def _table() -> NDArray[np.float64]:
    """Read pixels and label of each image, (N, 65); importing scikit-learn for it would take longer than training."""
    package = importlib.util.find_spec("sklearn")
    path = Path(((package and package.submodule_search_locations) or [""])[0]) / FILE
    if not path.is_file():
        bundle = importlib.import_module("sklearn.datasets").load_digits()
        return np.column_stack((bundle.data, bundle.target))
    rows = gzip.decompress(path.read_bytes()).split()
    return np.array([row.split(b",") for row in rows], dtype=np.float64)
