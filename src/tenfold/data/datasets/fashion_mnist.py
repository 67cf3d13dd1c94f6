"""Fashion-MNIST: articles of clothing, 28 × 28 grey, 60,000 to train and 10,000 to test on, in MNIST's files.

Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a novel image dataset", arXiv:1708.07747; and the class names.
"""

__all__ = ["fashion_mnist"]

from tenfold.data.download import Pinned
from tenfold.data.idxset import idx_set
from tenfold.data.types import Dataset, DataSource

MIRRORS = ("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",)
PINS = (
    (
        "train-images-idx3-ubyte.gz",
        26_421_880,
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        29_515,
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        4_422_102,
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        5_148,
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
)
FILES = tuple(Pinned(file, size, f"sha256:{pin}", tuple(home + file for home in MIRRORS)) for file, size, pin in PINS)
NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def fashion_mnist(source: DataSource) -> Dataset:
    """Load Fashion-MNIST with its own train and test parts. Raises DataError that names a damaged file."""
    return idx_set(source, "fashion_mnist", FILES, NAMES)
