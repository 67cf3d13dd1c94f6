"""MNIST: handwritten digits, 28 × 28 grey, 60,000 to train and 10,000 to test on.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998.
"""

__all__ = ["mnist"]

from tenfold.data.download import Pinned
from tenfold.data.idxset import idx_set
from tenfold.data.types import Dataset, DataSource

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
PINS = (
    (
        "train-images-idx3-ubyte.gz",
        9_912_422,
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        28_881,
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        1_648_877,
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        4_542,
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)
FILES = tuple(Pinned(file, size, f"sha256:{pin}", tuple(home + file for home in MIRRORS)) for file, size, pin in PINS)


def mnist(source: DataSource) -> Dataset:
    """Load MNIST with its train and test parts; labels are the digits. Raises DataError that names a damaged file."""
    return idx_set(source, "mnist", FILES, tuple(str(digit) for digit in range(10)))
