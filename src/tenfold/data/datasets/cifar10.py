"""CIFAR-10: photographs of ten kinds of things, 32 × 32 RGB, 50,000 to train and 10,000 to test on.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009.
The binary version is read: the Python version is a pickle, which could run code.
"""

__all__ = ["cifar10"]

import torch

from tenfold.data.download import Pinned, find_file, obtain
from tenfold.data.readers.cifar import cifar
from tenfold.data.types import Dataset, DataSource

ARCHIVE = Pinned(
    "cifar-10-binary.tar.gz",
    170_052_171,
    # The home page gives an MD5, c32a1d4ab5d03f1284b67883e8d87530; this is the same file's SHA-256, because a file can
    # be forged to an MD5.
    "sha256:c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
)
UNPACKED = "cifar-10-batches-bin"
TEST = 10_000


def cifar10(source: DataSource) -> Dataset:
    """Load CIFAR-10 with its own train and test parts, from the archive or its unpacked folder.

    Raises DataError that names the file: damaged, incomplete.
    """
    path = find_file(source.root, "cifar10", UNPACKED) or obtain(source, "cifar10", ARCHIVE)
    images, labels, names = cifar(path)
    positions = torch.arange(len(labels))
    parts = {"train": positions[:-TEST].clone(), "test": positions[-TEST:].clone()}
    numbers = torch.from_numpy(labels).long()
    return Dataset("cifar10", torch.from_numpy(images), numbers, names, 1 / 255, parts, photographs=True)
