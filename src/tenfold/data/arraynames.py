"""Arrays of an .npz file by their names: images `x` or labels `y`, whole or of a part.

A name is read in any case and with any separators: x_train, X_train, trainX, train_images, images_train, test_labels,
data and target. What numpy.savez calls arr_0, arr_1 … because nobody named it is told apart by shape: images and labels
alternate or follow each other, the parts are training, (validation,) test.
"""

__all__ = ["KEYS", "array_name", "by_position", "is_beside", "is_one_hot", "positional"]

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenfold.data.partfolders import PARTS, part_word

KEYS = ("x", "y", *(f"{letter}_{part}" for part in PARTS for letter in "xy"))
_PART = r"(?:train(?:ing)?|val(?:id(?:ation)?)?|dev|test(?:ing)?)"
_IMAGES = r"x(?:data|images?)?|images?(?:data)?|imgs?|pixels|data|features?|inputs?|samples|pictures"
_LABELS = r"y(?:data|labels?|targets?|true)?|labels?|targets?|lbls?"
_NAME = re.compile(rf"(?P<before>{_PART})?(?:set)?(?:(?P<x>{_IMAGES})|(?P<y>{_LABELS}))(?P<behind>{_PART})?")
# What common files hold beside images and labels.
_BESIDE = re.compile(
    r"(?:(?:class|label|target|feature|file|image)names?|list(?:of)?classes|names|files|paths?|filepaths?|ids?|"
    r"descr(?:iption)?|info|meta(?:data)?)"
)
_PLAIN = re.compile(r"\w[\w .-]*")
_UNNAMED = re.compile(r"arr_(\d+)")


def array_name(name: str) -> str:
    """Return the name of KEYS that an array's name means, "" for none.

    >>> array_name("X_train"), array_name("test_labels"), array_name("target"), array_name("weights")
    ('x_train', 'y_test', 'y', '')
    """
    match = _NAME.fullmatch(_joined(name)) if _PLAIN.fullmatch(name) else None
    if not match or (match["before"] and match["behind"]):
        return ""
    part = part_word(match["before"] or match["behind"] or "")
    return ("x" if match["x"] else "y") + (f"_{part}" if part else "")


def is_beside(name: str) -> bool:
    """Test for an array that files hold beside images and labels, such as the names of the classes."""
    return _BESIDE.fullmatch(_joined(name)) is not None


def positional(names: Sequence[str]) -> bool:
    """Test whether nobody named the arrays."""
    return bool(names) and all(_UNNAMED.fullmatch(name) for name in names)


def by_position(arrays: Mapping[str, NDArray[Any]]) -> dict[str, str]:
    """Return for each of arr_0, arr_1 … the name of KEYS that its place and shape mean; {} where they fit none."""
    names = sorted(arrays, key=lambda name: int(name.removeprefix("arr_")))
    images = [name for name in names if not _is_labels(arrays[name])]
    labels = [name for name in names if _is_labels(arrays[name])]
    parts = {1: ("",), 2: ("_train", "_test"), 3: ("_train", "_validation", "_test")}.get(len(images), ())
    if not parts or len(labels) != len(images):
        return {}
    pairs = zip(images, labels, parts, strict=True)
    return {name: key for x, y, part in pairs for name, key in ((x, f"x{part}"), (y, f"y{part}"))}


def is_one_hot(values: NDArray[Any]) -> bool:
    """Test for rows of zeros with a single one: the column is the class."""
    if values.ndim != 2 or values.shape[1] < 2 or values.dtype.kind not in "biuf":
        return False
    # The first rows tell images from labels, without a mask as large as the images.
    return all(
        bool(((rows == 0) | (rows == 1)).all() and (np.count_nonzero(rows, axis=1) == 1).all())
        for rows in (values[:100], values)
    )


def _is_labels(array: NDArray[Any]) -> bool:
    return array.ndim < 2 or array.dtype.kind in "US" or (array.ndim == 2 and (1 in array.shape or is_one_hot(array)))


def _joined(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.lower())
